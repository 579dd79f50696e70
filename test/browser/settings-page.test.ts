/** The settings page as Pipedrive shows it: in a frame of another site, in the host's theme, without cookies. */

import type { Request } from 'playwright-core';
import { accessibilityFindings, screenshot, sidewaysScrollPx, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { backgroundOf, framed, openFramed, playSalesTeam, startStage, type Stage } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
let stage: Stage;

beforeAll(async () => {
  stage = await startStage(testDatabase);
  await playSalesTeam(stage, testDatabase);
});
afterAll(() => stage.world.close());

test.each(['light', 'dark'] as const)(
  'when the settings open in a %s CRM, then they show everything in that theme, for every reader',
  async (theme) => {
    const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings', { theme });

    const text = await frame.locator('main').innerText();
    expect(text).toContain('Brightwater Supplies');
    expect(text).toMatch(/Sales wins\s+works/i);
    expect(text).toMatch(/Big wins\s+on/i);
    expect(text).toMatch(/Hot deals\s+off/i);
    expect(await frame.locator('html').getAttribute('data-theme')).toBe(theme);
    expect(await accessibilityFindings(frame)).toEqual([]);
    await screenshot(page, `settings-${theme}`);
  },
);

test('when a deal was won below the limit of a rule, then the settings say in words why it stayed silent', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');

  const event = frame.locator('.event', { hasText: 'Mill safety equipment' });
  await event.locator('summary').click();

  expect(await event.innerText()).toContain('Deal won');
  expect(await event.locator('details').innerText()).toMatch(/silent\s+Big wins:.*7,250.*20,000/is);
  for (const summary of await frame.locator('.event summary').all())
    if ((await summary.locator('..').getAttribute('open')) === null) await summary.click();
  expect(await accessibilityFindings(frame)).toEqual([]);
  await screenshot(page, 'settings-reasons');
});

test('when the page loads, then it says hello to Pipedrive at once, by the official SDK', async () => {
  const { page } = await openFramed(browser, stage.appSettingsUrl(), 'settings');

  expect(
    await page.evaluate('calls.map(({ type, command, event, surface }) => [type, command ?? event, surface].join(" "))'),
  ).toEqual(expect.arrayContaining(['command initialize settings', 'listener user_settings_change settings']));
});

test('when the person switches the theme of the CRM, then the open page follows', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');
  await page.waitForFunction('calls.some((call) => call.event === "user_settings_change")');
  const before = await backgroundOf(frame);

  await page.getByRole('button', { name: 'Dark or light' }).click();
  await frame.locator('html[data-theme=dark]').waitFor();

  expect(await backgroundOf(frame)).not.toBe(before);
});

test('when the machine is dark and the CRM is light, then the CRM decides', async () => {
  const page = await browser.open({ theme: 'dark' });
  await page.goto(stage.appSettingsUrl());

  const frame = await framed(page, 'settings');

  expect(await backgroundOf(frame)).toBe('rgb(255, 255, 255)');
});

test('when the page is framed, then no cookie is set or sent', async () => {
  const page = await browser.open();
  await page.context().addCookies([{ name: 'left_over', value: 'of an install', url: stage.appUrl, sameSite: 'Lax' }]);
  const exchanges: Promise<Record<string, string>[]>[] = [];
  page.on('requestfinished', (request) => {
    if (request.url().startsWith(stage.appUrl)) exchanges.push(headersOf(request));
  });

  await page.goto(stage.appSettingsUrl());
  await framed(page, 'settings');
  await page.waitForLoadState('networkidle');

  const headers = (await Promise.all(exchanges)).flat();
  expect(headers.map((each) => each['host'])).toContain(new URL(stage.appUrl).host);
  expect(headers.filter((each) => 'cookie' in each || 'set-cookie' in each)).toEqual([]);
  expect((await page.context().cookies(stage.appUrl)).map(({ name }) => name)).toEqual(['left_over']);
});

test('when the frame is 320 px wide, then nothing scrolls sideways', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings', { widthPx: 600 });

  await page.addStyleTag({ content: '.app-frame { width: 320px !important; min-width: 0 !important; }' });
  await frame.waitForFunction('innerWidth === 320');

  expect(await sidewaysScrollPx(frame)).toBe(0);
  await screenshot(page, 'settings-narrow');
});

test('when another site frames the settings, then the browser refuses', async () => {
  browser.expectComplaint(/frame-ancestors/);
  const stranger = await startStage(testDatabase, { config: { frameAncestors: 'https://*.pipedrive.com' } });
  try {
    const page = await browser.open();
    const refused = page.waitForEvent('console', { predicate: (message) => /frame-ancestors/.test(message.text()) });

    await page.goto(stranger.appSettingsUrl());
    await refused;

    expect(await page.evaluate('calls')).toEqual([]);
    await screenshot(page, 'settings-refused');
  } finally {
    await stranger.world.close();
  }
});

async function headersOf(request: Request): Promise<Record<string, string>[]> {
  const response = await request.response();
  return [await request.allHeaders(), (await response?.allHeaders()) ?? {}];
}
