/**
 * A real browser for tests: Chromium from npm, with its security on. Whatever a page complains of (console errors, uncaught errors,
 * violations of the content security policy) fails the test that opened it.
 */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import Chromium from '@sparticuz/chromium';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Frame, type Page } from 'playwright-core';
import { z } from 'zod';

export interface OpenOptions {
  readonly theme?: 'light' | 'dark';
  readonly widthPx?: number;
  readonly heightPx?: number;
  /** For Basic sign-in. */
  readonly signIn?: { readonly username: string; readonly password: string };
}

export interface TestBrowser {
  /** An empty page of a browser of its own (no cookies), 1280 x 900 and light unless said otherwise; closed after the test. */
  open(options?: OpenOptions): Promise<Page>;
  /** This complaint is part of the test: it has to come, and fails nothing. */
  expectComplaint(text: RegExp): void;
}

const SCREENSHOTS = join(__dirname, '..', 'browser', 'screenshots');
/** Of one step; all of a machine may be busy with other tests. */
const DEFAULT_TIMEOUT_MS = 20_000;
/**
 * Switches of the package that are made for its home, a serverless function, and would spoil a test: the web's security off,
 * one process for everything, which dies when the first page closes, and a graphics card in software, which takes as much of the
 * machine as all the rest of a test.
 */
const UNWANTED = new Set([
  '--single-process',
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
  '--ignore-gpu-blocklist',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
]);
const REPORT_VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('CSP violation: ' + event.violatedDirective + ' ' + event.blockedURI))`;

/** Call it at the top of a test file: it registers its own hooks. */
export function useBrowser(): TestBrowser {
  let browser: Browser | undefined;
  let contexts: BrowserContext[] = [];
  let complaints: string[] = [];
  let expected: RegExp[] = [];

  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());
  afterEach(async () => {
    const [foreseen, unforeseen] = [expected, complaints.filter((text) => !expected.some((pattern) => pattern.test(text)))];
    const missing = foreseen.filter((pattern) => !complaints.some((text) => pattern.test(text)));
    await Promise.all(contexts.map((context) => context.close()));
    [contexts, complaints, expected] = [[], [], []];
    expect({ unforeseen, missing }).toEqual({ unforeseen: [], missing: [] });
  });

  return {
    async open(options = {}) {
      if (browser === undefined) throw new Error('the browser is there from beforeAll on');
      const context = await browser.newContext(contextOptions(options));
      contexts.push(context);
      context.setDefaultTimeout(DEFAULT_TIMEOUT_MS);
      await context.addInitScript(REPORT_VIOLATIONS);
      context.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
      });
      context.on('weberror', (error) => complaints.push(String(error.error())));
      return context.newPage();
    },
    expectComplaint: (text) => void expected.push(text),
  };
}

/** Keeps what a person would see, for eyes: `test/browser/screenshots/<name>.png`. */
export async function screenshot(page: Page, name: string): Promise<void> {
  // A bar that sticks to the window's top would otherwise stand in the middle of the picture.
  await page.evaluate('scrollTo(0, 0)');
  await keepPicture((path) => page.screenshot({ path, fullPage: true, animations: 'disabled' }), name);
}

/** `take` writes a picture to the path. */
export async function keepPicture(take: (path: string) => Promise<unknown>, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await take(join(SCREENSHOTS, `${name}.png`));
}

/** What axe finds wrong for people who cannot see, hear or point well; one line per finding, none when all is well. */
export async function accessibilityFindings(frame: Page | Frame): Promise<readonly string[]> {
  // Through the debugger: the page's own policy keeps every foreign script out, as it should.
  await frame.evaluate(axe.source);
  const findings: unknown = await frame.evaluate(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ': ' + node.html + ' ' + node.failureSummary)))`,
  );
  return z.array(z.string()).parse(findings);
}

/** By how many pixels the page is wider than its window; 0 is well. */
export async function sidewaysScrollPx(frame: Page | Frame): Promise<number> {
  return z.number().parse(await frame.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'));
}

function contextOptions({ theme = 'light', widthPx = 1280, heightPx = 900, signIn }: OpenOptions): BrowserContextOptions {
  return {
    colorScheme: theme,
    viewport: { width: widthPx, height: heightPx },
    ...(signIn === undefined ? {} : { httpCredentials: signIn }),
  };
}

async function launch(): Promise<Browser> {
  const args = Chromium.args.filter((item) => !UNWANTED.has(item));
  return chromium.launch({ executablePath: await unpackedChromium(), args: [...args, '--disable-gpu'] });
}

/**
 * Unpacks the browser once per machine. The package unpacks to a fixed name and takes a half-written file of another process for
 * ready, so this is done in a folder of our own by a process of its own, and the whole folder appears at once.
 */
async function unpackedChromium(): Promise<string> {
  const folder = join(tmpdir(), `dealbell-chromium-${packageVersion()}`);
  if (!existsSync(join(folder, 'chromium'))) {
    const staging = mkdtempSync(`${folder}-`);
    const script = `import Chromium from '@sparticuz/chromium'; await Chromium.executablePath();`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: __dirname,
      env: { ...process.env, TMPDIR: staging, TMP: staging, TEMP: staging },
    });
    moveUnlessThere(staging, folder);
  }
  return join(folder, 'chromium');
}

function moveUnlessThere(staging: string, folder: string): void {
  try {
    renameSync(staging, folder);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    // Another process was first: its folder serves as well.
    if (!existsSync(join(folder, 'chromium'))) throw error;
  }
}

/** The package exports no package.json, so it is found by way of the entry. */
function packageVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(join(dirname(require.resolve('@sparticuz/chromium')), '../../package.json'), 'utf8'),
  );
  return z.object({ version: z.string() }).parse(manifest).version;
}
