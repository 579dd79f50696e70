/**
 * The stage of the browser tests: the whole world, with Dealbell on another site (localhost) than the CRM that frames its pages
 * (127.0.0.1), as in life; and a sales team that has connected a space and closed some deals.
 */

import type { Frame, Page } from 'playwright-core';
import { z } from 'zod';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { accessibilityFindings, keepPicture, sidewaysScrollPx, type OpenOptions, type TestBrowser } from '../support/browser';
import { addRule, connectChannel, type Channel } from '../support/channel';
import { freePort } from '../support/free-port';
import { ledgerAtRest } from '../support/ledger-at-rest';
import type { TestDatabase } from '../support/test-database';
import { firstAdmin, startWorld, type World, type WorldOptions } from '../support/world';
import { waitUntil } from '../support/wait-until';

export type Surface = 'settings' | 'panel' | 'modal';

export interface Stage {
  readonly world: World;
  /** Dealbell as a browser names it. */
  readonly appUrl: string;
  /** A page of the CRM as the company's first admin sees it. */
  crmUrl(path: string, companyId?: number): string;
  /** The Marketplace app's page, with the settings frame in it. */
  appSettingsUrl(companyId?: number): string;
  dealId(title: string): number;
}

/** What a test needs to know of the team's story. */
export interface SalesTeam {
  readonly token: string;
  readonly channel: Channel;
}

export async function startStage({ connectionString }: TestDatabase, options: Partial<WorldOptions> = {}): Promise<Stage> {
  const port = await freePort();
  const appUrl = `http://localhost:${port}`;
  const world = await startWorld({
    databaseUrl: connectionString,
    port,
    pipedrive: { appUrl },
    ...options,
    config: { baseUrl: appUrl, ...options.config },
  });
  const crmUrl = (path: string, companyId = DEMO_COMPANY_ID): string =>
    `${world.pipedrive.url}${path}?as=${companyId}-${firstAdmin(world.pipedrive, companyId)}`;
  return {
    ...{ world, appUrl, crmUrl },
    appSettingsUrl: (companyId) => crmUrl(`/settings/marketplace/app/${world.pipedrive.clientId}/app-settings`, companyId),
    dealId: (title) => dealId(world, title),
  };
}

/** The stage with the team's story played, for all tests of a file. Call it at the top: it registers its own hooks. */
export function useSalesTeam(testDatabase: TestDatabase): Stage & SalesTeam {
  let played: (Stage & SalesTeam) | undefined;
  const now = (): Stage & SalesTeam => {
    if (played === undefined) throw new Error('the stage is there from beforeAll on');
    return played;
  };
  beforeAll(async () => {
    const stage = await startStage(testDatabase);
    played = { ...stage, ...(await playSalesTeam(stage, testDatabase)) };
  });
  afterAll(() => now().world.close());
  return {
    get world() {
      return now().world;
    },
    get appUrl() {
      return now().appUrl;
    },
    get token() {
      return now().token;
    },
    get channel() {
      return now().channel;
    },
    crmUrl: (path, companyId) => now().crmUrl(path, companyId),
    appSettingsUrl: (companyId) => now().appSettingsUrl(companyId),
    dealId: (title) => now().dealId(title),
  };
}

/** Installs, connects a space, makes three rules (wins from 20,000 euros, losses, hot deals) and closes three deals. */
export async function playSalesTeam({ world, dealId: idOf }: Stage, { database }: TestDatabase): Promise<SalesTeam> {
  const token = await world.install();
  const channel = await connectChannel(world, token, 'Sales wins');
  await addRule(world, token, 'deal.won', channel, { name: 'Big wins', filters: { minValue: 20_000 } });
  await addRule(world, token, 'deal.lost', channel, { name: 'Every loss', templateMode: 'detailed' });
  await addRule(world, token, 'deal.label_added', channel, { name: 'Hot deals', enabled: false });
  const { updateDeal } = world.pipedrive;
  updateDeal(idOf('Linen contract 2027'), { status: 'won' });
  updateDeal(idOf('Mill safety equipment'), { status: 'won' });
  updateDeal(idOf('Print room refit'), { status: 'lost', lost_reason: 'Chose a local supplier' });
  await ledgerAtRest(world, database.pool);
  return { token, channel };
}

/** The CRM's page with the switch in the given theme; gives it when the app's frame has said hello. */
export async function openFramed(
  browser: TestBrowser,
  url: string,
  surface: Surface,
  options: OpenOptions = {},
): Promise<{ page: Page; frame: Frame }> {
  const page = await browser.open(options);
  if (options.theme === 'dark') await page.context().addCookies([{ name: 'crm_theme', value: 'dark', url: new URL(url).origin }]);
  await page.goto(url);
  return { page, frame: await framed(page, surface) };
}

/** The frame of the app on this page of the CRM, once it has said hello to its host. */
export async function framed(page: Page, surface: Surface): Promise<Frame> {
  const selector = surface === 'modal' ? 'dialog iframe' : `iframe[data-surface=${surface}]`;
  const element = await page.waitForSelector(`${selector}[data-ready=yes]`);
  const frame = await element.contentFrame();
  if (frame === null) throw new Error(`the ${surface} has no frame`);
  return frame;
}

/** Makes the frame as narrow as a phone, when it shall be. */
export async function narrow(page: Page, frame: Frame, widthPx: number): Promise<void> {
  if (widthPx >= 1000) return;
  await page.addStyleTag({ content: `.app-frame { width: ${widthPx}px !important; min-width: 0 !important; }` });
  // Not waitForFunction: what it asks again and again is an eval in the page, which the policy refuses.
  await waitUntil('the frame is narrow', async () => (await frame.evaluate('innerWidth')) === widthPx);
}

/** Keeps what the frame shows, for eyes: `test/browser/screenshots/<name>.png`. */
export async function screenshotOf(frame: Frame, name: string): Promise<void> {
  const element = await frame.frameElement();
  // A frame of another site is drawn only as far as the window reaches.
  const heightPx = z.number().parse(await element.evaluate('document.documentElement.scrollHeight'));
  const page = frame.page();
  await page.setViewportSize({ width: page.viewportSize()?.width ?? 1280, height: Math.max(heightPx, 900) });
  await frame.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))');
  await keepPicture((path) => element.screenshot({ path, animations: 'disabled' }), name);
}

type SettingsPage = 'Overview' | 'Spaces' | 'Rules' | 'Activity' | 'Account';

/** A page of the settings, as whoever opens the app goes there. */
export async function openSettings(
  browser: TestBrowser,
  stage: Stage,
  name: SettingsPage,
  theme: 'light' | 'dark' = 'light',
): Promise<{ page: Page; frame: Frame }> {
  const opened = await openFramed(browser, stage.appSettingsUrl(), 'settings', { theme });
  await goTo(opened.frame, name);
  return opened;
}

/** Goes to a page of the settings by its link. */
export async function goTo(frame: Frame, page: SettingsPage): Promise<void> {
  await frame.getByRole('link', { name: page, exact: true }).click();
  await frame.getByRole('heading', { level: 1, name: page, exact: true }).waitFor();
}

/** Loads the frame again with one parameter of its address changed. */
export async function reframed(page: Page, surface: Surface, parameter: string, value: string): Promise<Frame> {
  const change = JSON.stringify({ surface, parameter, value });
  await page.evaluate(`(({ surface, parameter, value }) => {
    const frame = document.querySelector('iframe[data-surface=' + surface + ']');
    const address = new URL(frame.src);
    address.searchParams.set(parameter, value);
    delete frame.dataset.ready;
    frame.src = address;
  })(${change})`);
  return framed(page, surface);
}

/** Lets the page look for news now, as it does when it comes back into sight: not while it looks already, perhaps too early. */
export async function comeIntoSight(frame: Frame): Promise<void> {
  await frame.locator('[data-look].htmx-request').first().waitFor({ state: 'detached' });
  await frame.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
}

/** From now on keeps all that is said to screen readers, also what is soon followed by something else. */
export async function hearAll(frame: Frame): Promise<() => Promise<readonly string[]>> {
  await frame.evaluate(`window.heard = []; new MutationObserver((changes) =>
    changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => heard.push(node.textContent)))
  ).observe(document.getElementById('live'), { childList: true })`);
  return async () => z.array(z.string()).parse(await frame.evaluate('heard'));
}

/** For every reader, without scrolling sideways; keeps the picture. */
export async function looksWell(frame: Frame, name: string): Promise<void> {
  expect(await accessibilityFindings(frame)).toEqual([]);
  expect(await sidewaysScrollPx(frame)).toBe(0);
  await screenshotOf(frame, name);
}

/** The colour that a reader sees behind the text. */
export async function backgroundOf(frame: Frame): Promise<string> {
  return z.string().parse(await frame.evaluate('getComputedStyle(document.body).backgroundColor'));
}

function dealId({ pipedrive }: World, title: string): number {
  const deal = [...pipedrive.companies.values()]
    .flatMap(({ deals }) => [...deals.live.values()])
    .find((one) => one.title === title);
  if (deal === undefined) throw new Error(`the CRM has no deal ${title}`);
  return deal.id;
}
