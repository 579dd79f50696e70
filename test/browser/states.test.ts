/** When something is not as it should be: each state says what happened and what to do, and hurts nobody's focus or patience. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { useBrowser } from '../support/browser';
import { connectChannel } from '../support/channel';
import { useTestDatabase } from '../support/test-database';
import { firstAdmin } from '../support/world';
import { framed, goTo, looksWell, openFramed, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

const openSettings = (theme: 'light' | 'dark' = 'light') => openFramed(browser, stage.appSettingsUrl(), 'settings', { theme });
const run = (sql: string, values: unknown[] = []) => testDatabase.database.pool.query(sql, values);

test('when the page token is no longer taken, then a new one is fetched by Pipedrive’s word and the click does what it said', async () => {
  browser.expectComplaint(/status of 401/);
  browser.expectComplaint(/Error Code 401/);
  const { page, frame } = await openSettings();
  await page.route('**/extension/settings/spaces', (route) => route.continue({ headers: { 'hx-request': 'true' } }), {
    times: 1,
  });

  await goTo(frame, 'Spaces');

  const commands = await page.evaluate('calls.map(({ command }) => command)');
  expect(commands).toContain('get_signed_token');
});

test('when no page token is taken at all, then the page asks once more, and then says that the sign-in has ended', async () => {
  browser.expectComplaint(/status of 401/);
  browser.expectComplaint(/Error Code 401/);
  const { page, frame } = await openSettings();
  let asked = 0;
  await page.route('**/extension/settings/spaces', (route) => {
    asked += 1;
    return route.fulfill({ status: 401, body: '' });
  });

  await frame.getByRole('link', { name: 'Spaces', exact: true }).click();
  await frame.getByRole('alert').getByText('sign-in for this page has ended').waitFor();

  expect(asked).toBe(2);
});

test('when a part of a form comes or goes by a button, then the focus goes on to what came, or to what is next', async () => {
  const { page, frame } = await openSettings();
  await goTo(frame, 'Rules');
  await frame.getByRole('button', { name: 'New rule' }).click();
  const focused = () => frame.locator(':focus').getAttribute('id');

  await frame.getByRole('button', { name: 'Add condition' }).press('Enter');
  await frame.locator('.condition').waitFor();
  const afterAdding = await focused();
  await frame.getByRole('button', { name: 'Remove condition 1' }).focus();
  await page.keyboard.press('Enter');
  await frame.locator('.condition').waitFor({ state: 'detached' });

  expect([afterAdding, await focused()]).toEqual(['field-r-0', 'add-r']);
});

test('when the page stood open for longer than its token lives, then the token is renewed before it is refused', async () => {
  const page = await browser.open();
  await page.clock.install();
  await page.goto(stage.appSettingsUrl());
  const frame = await framed(page, 'settings');
  await page.clock.fastForward('31:00');
  const renewed = page.waitForResponse((response) => response.url().endsWith('/session'));

  await goTo(frame, 'Rules');

  expect((await renewed).status()).toBe(200);
});

test('when the line is down, then the page says so, keeps what was typed, and goes on when it is back', async () => {
  browser.expectComplaint(/ERR_INTERNET_DISCONNECTED/);
  browser.expectComplaint(/htmx:sendError/);
  browser.expectComplaint(/htmx:afterRequest/);
  const { page, frame } = await openSettings();
  await goTo(frame, 'Spaces');
  await frame.getByRole('button', { name: 'Add space' }).click();
  await frame.getByLabel('Name').fill('Typed before');
  await frame.getByLabel('Webhook URL').fill('https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t');

  await page.context().setOffline(true);
  await frame.getByRole('button', { name: 'Save space' }).click();
  await frame.getByRole('alert').getByText('Can’t reach Dealbell').waitFor();
  await page.locator('body > :not(dialog)').getByText('Can’t reach Dealbell. Nothing was changed').waitFor();
  await looksWell(frame, 'state-offline');
  await page.context().setOffline(false);
  await frame.locator('#trouble:empty').waitFor({ state: 'attached' });

  expect(await frame.getByLabel('Name').inputValue()).toBe('Typed before');
  await goTo(frame, 'Spaces');
});

test('when an answer takes long, then the page shows that it is coming; when it does not come, it says what can be done', async () => {
  const { page, frame } = await openSettings();
  let answer = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    void page.route('**/extension/settings/spaces', async (route) => {
      resolve();
      await new Promise<void>((come) => (answer = come));
      await route.continue();
    });
  });
  await frame.getByRole('link', { name: 'Spaces', exact: true }).click();
  await asked;
  await frame.locator('.htmx-request').first().waitFor({ state: 'attached' });
  expect(await frame.locator('[data-at-work]').innerText()).toBe('Spaces');
  await looksWell(frame, 'state-loading');

  // The time of half a minute is over.
  await frame.evaluate(
    `document.body.dispatchEvent(new CustomEvent('htmx:timeout', { bubbles: true, detail: { elt: document.body } }))`,
  );
  await frame.getByRole('alert').getByText('Dealbell did not answer in time').waitFor();
  await looksWell(frame, 'state-slow');
  answer();
  await frame.getByRole('heading', { level: 1, name: 'Spaces' }).waitFor();

  expect(await frame.locator('#trouble').innerText()).toBe('');
  expect(await frame.locator('[data-at-work], [aria-disabled]').count()).toBe(0);
});

test('when Pipedrive hears no webhook of ours and cannot be reached, then the overview says so; one click mends it later', async () => {
  browser.expectComplaint(/status of 502/);
  const { rows } = await run(
    `UPDATE pipedrive_webhooks SET state = 'removed', removed_at = now() WHERE state = 'active' RETURNING id`,
  );
  expect(rows.length).toBeGreaterThan(0);
  stage.world.pipedrive.failNext({ times: 2, status: 503, match: ({ path }) => path.endsWith('/webhooks') });
  const { page, frame } = await openSettings('dark');
  await looksWell(frame, 'state-not-registered-dark');

  await frame.getByRole('button', { name: /Register again/ }).click();
  await frame
    .getByRole('alert')
    .getByText(/Pipedrive did not accept the registration/)
    .waitFor();
  await looksWell(frame, 'state-pipedrive-unreachable-dark');
  stage.world.pipedrive.clearFaults();
  await frame.getByRole('button', { name: /Register again/ }).click();
  await page.getByText('Registered: Pipedrive tells').waitFor();

  expect(await frame.locator('ul.attention').count()).toBe(0);
});

describe('for people who are no admins', () => {
  const setAdmin = (isAdmin: boolean) =>
    run(`UPDATE pipedrive_connections SET is_admin = $1 WHERE user_id = $2`, [
      isAdmin,
      firstAdmin(stage.world.pipedrive, DEMO_COMPANY_ID),
    ]);
  beforeEach(() => setAdmin(false));
  afterEach(() => setAdmin(true));

  test('when they open the spaces, then they see all, change nothing, and have a link for an admin', async () => {
    const { frame } = await openSettings();
    await goTo(frame, 'Spaces');

    expect(await frame.locator('main').innerText()).toMatch(/only admins[\s\S]*Sales wins[\s\S]*Working/);
    expect(await frame.locator('main').getByRole('button').allInnerTexts()).toEqual(['Copy link']);
    expect(await frame.getByLabel('Link to these settings for an admin').inputValue()).toBe(
      stage.appSettingsUrl().replace(/\?.*/, ''),
    );
    await looksWell(frame, 'state-no-permission');
  });

  test('when they ask for a change all the same, then it is refused and nothing happens', async () => {
    browser.expectComplaint(/status of 403/);
    await setAdmin(true);
    const { frame } = await openSettings();
    await goTo(frame, 'Spaces');
    await setAdmin(false);

    await frame.getByRole('button', { name: 'Pause Sales wins' }).click();
    await frame
      .getByRole('alert')
      .getByText(/Only admins/)
      .waitFor();

    const { body } = await stage.world.api('GET', '/chat-webhooks', stage.token);
    expect(body.items[0].paused).toBe(false);
  });
});

test('when the plan has no room for another space, then the page says what to do instead of offering one', async () => {
  await run(`UPDATE subscriptions SET ends_at = now() - interval '1 day'`);
  for (let index = 2; index <= 10; index += 1) await connectChannel(stage.world, stage.token, `Space ${index}`);
  const { frame } = await openSettings();

  expect(await frame.locator('ul.attention').innerText()).toContain('All 10 spaces of your Professional plan are in use');
  await goTo(frame, 'Spaces');

  expect(await frame.getByRole('button', { name: 'Add space' }).count()).toBe(0);
  expect(await frame.locator('main').innerText()).toContain('no room for another space');
  await looksWell(frame, 'state-plan-full');
});

test('when a colleague has connected and this user never did, then the page says how', async () => {
  const everybody = `UPDATE pipedrive_connections SET user_id =`;
  await run(`${everybody} user_id + 1000000`);
  const { frame } = await openSettings();
  await run(`${everybody} user_id - 1000000`);

  expect(await frame.locator('main').innerText()).toMatch(
    /You are not connected yet[\s\S]*Brightwater Supplies uses Dealbell already[\s\S]*Install Dealbell/,
  );
  await looksWell(frame, 'state-not-connected');
});

test('when the user’s own connection has ended, then the page says so and leads to a new one', async () => {
  await run(`UPDATE pipedrive_connections SET state = 'revoked'`);
  const { frame } = await openSettings();
  await run(`UPDATE pipedrive_connections SET state = 'active'`);

  expect(await frame.locator('main').innerText()).toMatch(/Your connection has ended[\s\S]*Install Dealbell again/);
  await looksWell(frame, 'state-connection-ended');
});

test('when the company has removed the app, then the page says when, and that it can come back', async () => {
  await run(`UPDATE tenants SET uninstalled_at = '2026-11-20T10:00:00Z'`);
  const { frame } = await openSettings('dark');

  expect(await frame.locator('main').innerText()).toMatch(/Dealbell was removed[\s\S]*November 20, 2026/);
  await looksWell(frame, 'state-uninstalled-dark');
});
