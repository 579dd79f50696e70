/** The settings page as Pipedrive shows it: in a frame of another site, in the host's theme, without cookies. */

import type { Request } from 'playwright-core';
import { screenshot, sidewaysScrollPx, useBrowser } from '../support/browser';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import {
  backgroundOf,
  comeIntoSight,
  framed,
  goTo,
  looksWell,
  narrow,
  openFramed,
  screenshotOf,
  startStage,
  useSalesTeam,
} from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

describe.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('in a %s CRM, %i px wide', (theme, widthPx) => {
  test.each(['Overview', 'Spaces', 'Rules', 'Activity', 'Account'] as const)(
    'when %s is opened, then it is there for every reader',
    async (name) => {
      const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings', { theme });
      await narrow(page, frame, widthPx);

      await goTo(frame, name);

      expect(await frame.locator('html').getAttribute('data-theme')).toBe(theme);
      expect(await frame.getByRole('link', { name, exact: true }).getAttribute('aria-current')).toBe('page');
      expect(await frame.locator('main').innerText()).toMatch(TELLING[name]);
      await looksWell(frame, `${name.toLowerCase()}-${theme}-${widthPx}`);
    },
  );
});

test('when the page is zoomed to 200 %, then every page fits its frame without scrolling sideways', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');
  // Zoomed to 200 %, a frame of 1,280 pixels has 640 of them, each twice as large.
  await narrow(page, frame, 640);

  for (const name of ['Overview', 'Spaces', 'Activity', 'Account', 'Rules'] as const) {
    await goTo(frame, name);
    expect([name, await sidewaysScrollPx(frame)]).toEqual([name, 0]);
    await screenshotOf(frame, `${name.toLowerCase()}-zoomed`);
  }
  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByRole('heading', { level: 1, name: 'New rule' }).waitFor();
  expect(await sidewaysScrollPx(frame)).toBe(0);
});

test('when the person wants less motion, then nothing moves by itself', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await goTo(frame, 'Rules');

  const moving = await frame.evaluate(`[...document.querySelectorAll('*')].filter((element) => {
    const { transitionDuration, animationDuration, animationName, scrollBehavior } = getComputedStyle(element);
    const seconds = (text) => Math.max(...text.split(',').map(parseFloat));
    return seconds(transitionDuration) > 0.01 || (animationName !== 'none' && seconds(animationDuration) > 0.01) || scrollBehavior === 'smooth';
  }).map((element) => element.outerHTML.slice(0, 120))`);

  expect(moving).toEqual([]);
});

test('when a deal is won while the overview is open, then the overview counts and shows it by itself', async () => {
  const { frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');
  const today = frame.locator('.figures div', { hasText: 'Today' });
  const [, sent = ''] = /(\d+)$/.exec(await today.innerText()) ?? [];
  const latest = frame.getByRole('region', { name: 'Latest activity' });
  await latest.locator('summary').first().click();
  const opened = await frame.evaluate('document.activeElement.id');

  stage.world.pipedrive.updateDeal(stage.dealId('Clinic framework agreement'), { status: 'won' });
  await ledgerAtRest(stage.world, testDatabase.database.pool);
  await comeIntoSight(frame);
  await latest.locator('.event', { hasText: 'Clinic framework agreement' }).waitFor();

  expect(await today.innerText()).toMatch(new RegExp(`${Number(sent) + 1}$`));
  expect(await frame.evaluate('document.activeElement.id')).toBe(opened);
  expect(await frame.evaluate(`document.activeElement.parentElement.open`)).toBe(true);
  await looksWell(frame, 'overview-latest');
});

test('when somebody goes by the keyboard, then one key skips the navigation, and another page begins at its heading', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');
  const focused = () => frame.evaluate('document.activeElement.id || document.activeElement.textContent');
  await frame.getByRole('link', { name: 'Overview', exact: true }).press('Shift+Tab');
  expect(await focused()).toBe('skip');
  expect(await frame.evaluate('getComputedStyle(document.activeElement).clipPath')).toBe('none');
  await looksWell(frame, 'skip-link');

  await page.keyboard.press('Enter');
  await waitUntil('the focus is on the page', async () => (await focused()) === 'page');
  for (const name of ['Spaces', 'Rules', 'Activity', 'Account', 'Overview'] as const) {
    await frame.getByRole('link', { name, exact: true }).focus();
    await page.keyboard.press('Enter');
    await waitUntil(`the focus is on the heading of ${name}`, async () => (await focused()) === name);
  }
  await goTo(frame, 'Rules');
  await frame.getByRole('button', { name: 'New rule' }).press('Enter');
  await waitUntil('the focus is on the heading of the editor', async () => (await focused()) === 'New rule');
});

/** What each page has to say of the team. */
const TELLING = {
  Overview: /Brightwater Supplies[\s\S]*Today[\s\S]*Sales wins\s+Working/,
  Spaces: /Sales wins[\s\S]*Working[\s\S]*3 rules post here/,
  Rules: /Big wins\s+Deal won, worth at least 20,000 EUR[\s\S]*Hot deals/,
  Activity: /Deal won[\s\S]*Mill safety equipment/,
  Account: /Brightwater Supplies[\s\S]*Spaces\s+1 of/,
};

test('when a deal was won below the limit of a rule, then the activity says in words why it stayed silent', async () => {
  const { frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');
  await goTo(frame, 'Activity');

  const event = frame.locator('.event', { hasText: 'Mill safety equipment' });
  await event.locator('summary').click();

  expect(await event.innerText()).toContain('Deal won');
  expect(await event.locator('details').innerText()).toMatch(/silent\s+Big wins:.*7,250.*20,000/is);
  for (const summary of await frame.locator('.event summary').all())
    if ((await summary.locator('..').getAttribute('open')) === null) await summary.click();
  await looksWell(frame, 'activity-reasons');
});

test('when the page loads, then it says hello to Pipedrive at once, by the official SDK', async () => {
  const { page } = await openFramed(browser, stage.appSettingsUrl(), 'settings');

  expect(
    await page.evaluate('calls.map(({ type, command, event, surface }) => [type, command ?? event, surface].join(" "))'),
  ).toEqual(expect.arrayContaining(['command initialize settings', 'listener user_settings_change settings']));
});

test('when the person switches the theme of the CRM, then the open page follows', async () => {
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings');
  await waitUntil('the page listens', async () => (await page.evaluate(LISTENS)) === true);
  const before = await backgroundOf(frame);

  await page.getByRole('button', { name: 'Dark or light' }).click();
  await frame.locator('html[data-theme=dark]').waitFor();

  expect(await backgroundOf(frame)).not.toBe(before);
});

const LISTENS = 'calls.some((call) => call.event === "user_settings_change")';

test('when the machine is dark and the CRM is light, then the CRM decides', async () => {
  const page = await browser.open({ theme: 'dark' });
  await page.goto(stage.appSettingsUrl());

  const frame = await framed(page, 'settings');

  expect(await backgroundOf(frame)).toBe('rgb(245, 245, 246)');
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

test('when the settings are opened for the first time, then less than 60 kB come over the line and nothing jumps', async () => {
  const page = await browser.open();
  const finished: Request[] = [];
  page.on('requestfinished', (request) => {
    if (request.url().startsWith(stage.appUrl)) finished.push(request);
  });

  await page.goto(stage.appSettingsUrl());
  const frame = await framed(page, 'settings');
  await page.waitForLoadState('networkidle');
  // What moved before the first paint, nobody saw.
  const shift = await frame.evaluate(`new Promise((tell) => {
    const [{ startTime: paintedAt }] = performance.getEntriesByName('first-contentful-paint');
    const observer = new PerformanceObserver(() => undefined);
    observer.observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() =>
      tell(observer.takeRecords().filter(({ startTime }) => startTime >= paintedAt).reduce((sum, { value }) => sum + value, 0))));
  })`);

  const sizes = await Promise.all(finished.map((request) => request.sizes()));
  expect(sizes.length).toBeGreaterThan(5);
  expect(
    sizes.reduce((sum, { responseBodySize, responseHeadersSize }) => sum + responseBodySize + responseHeadersSize, 0),
  ).toBeLessThan(60_000);
  expect(shift).toBe(0);
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
