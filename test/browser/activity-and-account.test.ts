/** The activity looked through and sent again, and everything that an admin does with the account. */

import { readFileSync } from 'node:fs';
import type { Frame, Route } from 'playwright-core';
import { accessibilityFindings, useBrowser } from '../support/browser';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { comeIntoSight, hearAll, looksWell, narrow, openSettings, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

const run = (sql: string) => testDatabase.database.pool.query(sql);

const open = (name: 'Activity' | 'Account', theme?: 'light' | 'dark') => openSettings(browser, stage, name, theme);

test('when the activity is filtered by a part of a deal’s title, then only its events stand there, until it is cleared', async () => {
  const { frame } = await open('Activity');
  await frame.getByText(/Pipedrive’s own lists/).waitFor();

  await frame.getByLabel('Deal', { exact: true }).fill('linen');
  await frame.getByRole('button', { name: 'Filter' }).click();
  await frame.getByRole('link', { name: 'Clear' }).waitFor();
  expect(await frame.locator('.event').allInnerTexts()).toEqual([expect.stringContaining('Linen contract 2027')]);
  expect(await frame.locator(':focus').innerText()).toBe('Filter');
  await frame.getByLabel('Deal', { exact: true }).fill('nobody’s deal');
  await frame.getByRole('button', { name: 'Filter' }).click();
  await frame.getByRole('heading', { name: 'Nothing found' }).waitFor();
  await looksWell(frame, 'activity-nothing-found');
  await frame.getByRole('link', { name: 'Clear' }).click();

  await frame.locator('.event', { hasText: 'Mill safety equipment' }).waitFor();
});

test.each([
  ['Nothing posted', ['Mill safety equipment']],
  ['Sent', ['Linen contract 2027', 'Print room refit']],
])('when the activity is filtered by the status %s, then it shows just those', async (status, titles) => {
  const { frame } = await open('Activity');

  await frame.getByLabel('Status').selectOption({ label: status });
  await frame.getByRole('button', { name: 'Filter' }).click();
  await frame.getByRole('link', { name: 'Clear' }).waitFor();

  expect((await frame.locator('.event-head a').allInnerTexts()).sort()).toEqual(titles);
});

test.each(['light', 'dark'] as const)('when messages have failed, then one or all go out again (%s)', async (theme) => {
  await run(`UPDATE deliveries SET state = 'failed', state_reason = 'Google Chat did not answer.' WHERE replay = 0`);
  const { page, frame } = await open('Activity', theme);
  await narrow(page, frame, theme === 'dark' ? 1280 : 320);
  await frame.getByLabel('Status').selectOption({ label: 'Failed' });
  await frame.getByRole('button', { name: 'Filter' }).click();
  await frame.getByText(/Would send \d messages? again|None of them/).waitFor();
  await looksWell(frame, `activity-failed-${theme}`);

  if (theme === 'light') {
    await frame.getByRole('button', { name: 'Send all failed again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Send 2 messages' }).click();
    await page.getByText('2 messages are on the way again').waitFor();
  } else {
    await frame
      .getByRole('button', { name: /^Send again to Sales wins: Deal lost/ })
      .first()
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
    await page.getByText('The message is on the way again').waitFor();
  }
});

const focusedId = (frame: Frame) => frame.evaluate('document.activeElement.id');

test.each([
  ['light', 1280],
  ['dark', 320],
] as const)(
  'when something happens while the activity is open, then it says so quietly and shows it on a click: nothing opened closes, and the focus stays (%s, %i px)',
  async (theme, widthPx) => {
    const { page, frame } = await open('Activity', theme);
    await narrow(page, frame, widthPx);
    const summary = frame.locator('.event', { hasText: 'Mill safety equipment' }).locator('summary');
    await summary.click();
    const held = await focusedId(frame);
    const first = await frame.locator('.event').first().getAttribute('id');
    for (const title of ['Hotel supplies renewal', 'Mill service plan']) {
      stage.world.pipedrive.updateDeal(stage.dealId(title), { value: theme === 'dark' ? 12_000 : 13_000 });
      await ledgerAtRest(stage.world, testDatabase.database.pool);
    }

    await comeIntoSight(frame);
    const show = frame.getByRole('link', { name: 'Show 2 new events' });
    await show.waitFor();
    expect(await focusedId(frame)).toBe(held);
    expect(await frame.locator('.event').first().getAttribute('id')).toBe(first);
    await looksWell(frame, `activity-news-${theme}-${widthPx}`);
    await show.click();
    await show.waitFor({ state: 'detached' });

    const newest = frame.locator('.event').first();
    expect(await newest.innerText()).toContain('Mill service plan');
    expect(await focusedId(frame)).toBe(await newest.getByRole('link').getAttribute('id'));
    expect(await summary.locator('..').getAttribute('open')).not.toBeNull();
  },
);

test('when the activity is filtered, then only news that fit are told, and they come into the same filter', async () => {
  const { frame } = await open('Activity');
  await frame.getByLabel('Deal', { exact: true }).fill('mill');
  await frame.getByRole('button', { name: 'Filter' }).click();
  await frame.getByRole('link', { name: 'Clear' }).waitFor();

  stage.world.pipedrive.updateDeal(stage.dealId('Mill safety equipment'), { value: 8000 });
  stage.world.pipedrive.updateDeal(stage.dealId('Store network renewal'), { value: 8000 });
  await ledgerAtRest(stage.world, testDatabase.database.pool);
  await comeIntoSight(frame);
  const show = frame.getByRole('link', { name: 'Show 1 new event' });
  await show.click();
  await show.waitFor({ state: 'detached' });

  expect(await frame.getByLabel('Deal', { exact: true }).inputValue()).toBe('mill');
  expect(await frame.locator('.event-head a').allInnerTexts()).toEqual(expect.not.arrayContaining(['Store network renewal']));
});

test('when nobody looks at the activity, or its news cannot be had, then it asks for none and is silent', async () => {
  browser.expectComplaint(/ERR_FAILED|htmx:(sendError|afterRequest)/);
  const { page, frame } = await open('Activity');
  const asked: string[] = [];
  await page.route('**/activity/news?*', (route) => {
    asked.push(route.request().url());
    return route.abort();
  });

  await frame.evaluate(`Object.defineProperty(document, 'hidden', { value: true, configurable: true })`);
  await comeIntoSight(frame);
  const unseen = asked.length;
  await frame.evaluate('delete document.hidden');
  await comeIntoSight(frame);
  await waitUntil('it was asked', () => asked.length > 0);
  await frame.locator('[data-look]:not(.htmx-request)').waitFor({ state: 'attached' });

  expect(unseen).toBe(0);
  expect(await frame.locator('#trouble').innerText()).toBe('');
});

test('when the network is away for a moment, then the page looks on, and shows in the end what is new', async () => {
  browser.expectComplaint(/ERR_FAILED|htmx:(sendError|afterRequest)/);
  browser.expectComplaint(/status of 401|Error Code 401/);
  const { page, frame } = await open('Activity');
  stage.world.pipedrive.updateDeal(stage.dealId('Mill service plan'), { value: 14_000 });
  await ledgerAtRest(stage.world, testDatabase.database.pool);
  const lookIs = async (url: string, answer: (route: Route) => Promise<void>) => {
    const isOver = new Promise<void>((over) => {
      void page.route(url, async (route) => over(await answer(route)), { times: 1 });
    });
    await comeIntoSight(frame);
    await isOver;
    await frame.locator('[data-look]:not(.htmx-request)').waitFor({ state: 'attached' });
  };

  await lookIs('**/activity/news?*', (route) => route.abort());
  // The token has run out, and the new one cannot be had at once.
  await page.route('**/activity/news?*', (route) => route.fulfill({ status: 401, body: '' }), { times: 1 });
  await lookIs('**/session', (route) => route.abort());
  await comeIntoSight(frame);

  await frame.getByRole('link', { name: 'Show 1 new event' }).waitFor();
  expect(await frame.locator('#trouble').innerText()).toBe('');
});

test('when a question is open, then the page asks for no news until it is answered', async () => {
  const { page, frame } = await open('Activity');
  let asked = 0;
  page.on('request', (request) => void (asked += request.url().includes('/activity/news?') ? 1 : 0));
  await frame
    .getByRole('button', { name: /^Send again to Sales wins/ })
    .first()
    .click();
  const question = page.getByRole('dialog');
  await question.waitFor();

  await comeIntoSight(frame);
  await question.getByRole('button', { name: 'Cancel' }).click();
  await question.waitFor({ state: 'detached' });
  const meanwhile = asked;
  const answered = page.waitForResponse('**/activity/news?*');
  await comeIntoSight(frame);
  await answered;

  expect(meanwhile).toBe(0);
});

test('when news stand there already and are told again, then screen readers are not', async () => {
  const { page, frame } = await open('Activity');
  const look = async () => {
    const answered = page.waitForResponse('**/activity/news?*');
    await comeIntoSight(frame);
    await answered;
    await frame.locator('[data-look]:not(.htmx-request)').waitFor({ state: 'attached' });
  };
  const heard = await hearAll(frame);
  const [row] = await frame.locator('.event').evaluateAll((events) => events.map(({ id }) => id.replace('event-', '')));
  stage.world.pipedrive.updateDeal(stage.dealId('Mill service plan'), { value: 15_000 });
  await ledgerAtRest(stage.world, testDatabase.database.pool);

  await look();
  await frame.getByRole('link', { name: 'Show 1 new event' }).waitFor();
  await frame.locator('#news').evaluate((news) => news.setAttribute('data-is-old', 'yes'));
  // The news are drawn anew by each look while more is awaited of an event.
  await page.route('**/activity/news?*', (route) =>
    route.continue({
      url: route
        .request()
        .url()
        .replace(/rows=$/, `rows=${row}`),
    }),
  );
  await look();
  await frame.locator('#news:not([data-is-old])').waitFor();

  expect(await heard()).toEqual(['1 new event']);
  expect(await frame.locator('#page [role=status]').count()).toBe(0);
});

test('when what a watch told is looked for, then only that is shown', async () => {
  const id = stage.dealId('Clinic framework agreement');
  const watched = { entity: 'deal', entityId: String(id), chatWebhookId: stage.channel.id };
  await stage.world.api('POST', '/watches', stage.token, watched);
  stage.world.pipedrive.updateDeal(id, { value: 55_000 });
  await ledgerAtRest(stage.world, testDatabase.database.pool);
  const { frame } = await open('Activity');

  await frame.getByLabel('Rule', { exact: true }).selectOption('Watched deals and leads');
  await frame.getByRole('button', { name: 'Filter' }).click();
  await frame.getByRole('link', { name: 'Clear' }).waitFor();

  expect(await frame.locator('.event').allInnerTexts()).toEqual([
    expect.stringMatching(/Clinic framework agreement[\s\S]*watched by/),
  ]);
});

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('when a key is made, then its text is shown once and works (%s, %i px)', async (theme, widthPx) => {
  const { page, frame } = await open('Account', theme);
  await narrow(page, frame, widthPx);

  await frame.getByLabel('Key name').fill(`CI ${theme} ${widthPx}`);
  await frame.getByRole('button', { name: 'Create key' }).click();
  const key = await frame.getByLabel(`API key CI ${theme} ${widthPx}`).inputValue();
  await looksWell(frame, `account-new-key-${theme}-${widthPx}`);
  const works = await stage.world.api('GET', '/account', key);
  await frame.getByRole('button', { name: `Delete key CI ${theme} ${widthPx}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete key' }).click();
  await page.getByText('The key was deleted').waitFor();
  expect(await frame.locator(':focus').getAttribute('id')).toBe('key-name');

  expect(works.status).toBe(200);
  expect((await stage.world.api('GET', '/account', key)).status).toBe(401);
  expect(await frame.getByLabel(`API key CI ${theme} ${widthPx}`).count()).toBe(0);
});

test('when the company settings are changed, then they are saved, a bad one is refused beside its field, and the trail tells who', async () => {
  browser.expectComplaint(/status of 422/);
  const { page, frame } = await open('Account');

  await frame.getByLabel('Language').selectOption('de-DE');
  await frame.getByRole('button', { name: 'Save settings' }).click();
  await page.getByText('Settings saved').waitFor();
  await frame.getByLabel('Time zone').fill('Middle-earth');
  await frame.getByRole('button', { name: 'Save settings' }).click();
  await frame.getByRole('alert').getByRole('link', { name: 'Time zone' }).waitFor();
  await looksWell(frame, 'account-refused');

  expect((await stage.world.api('GET', '/account', stage.token)).body.settings).toMatchObject({
    locale: 'de-DE',
    timeZone: null,
  });
  expect(await frame.getByRole('region', { name: 'Audit log' }).innerText()).toContain('changed the company settings');
});

test('when rules are exported and imported, then the report is shown before anything is made', async () => {
  browser.expectComplaint(/status of 422/);
  const { page, frame } = await open('Account');
  await frame.getByRole('link', { name: 'Export' }).click();
  await frame.getByRole('heading', { name: 'Export rules' }).waitFor();
  await looksWell(frame, 'account-export');
  const saving = page.waitForEvent('download');
  await frame.getByRole('button', { name: 'Save as file' }).click();
  const file = await saving;
  const exported = readFileSync(await file.path(), 'utf8');
  expect(file.suggestedFilename()).toMatch(/^dealbell-rules-brightwater-\d{4}-\d\d-\d\d\.json$/);
  expect(exported).toBe(await frame.getByLabel('Document').inputValue());

  await frame.getByRole('link', { name: 'Back' }).click();
  await frame.getByRole('link', { name: 'Import' }).click();
  await frame.getByLabel('Document').fill('no document');
  await frame.getByRole('button', { name: 'Check' }).click();
  await frame
    .getByRole('alert')
    .getByText(/is not JSON/)
    .waitFor();
  await looksWell(frame, 'account-import-refused');
  const changed = Buffer.from(exported.replace('"Big wins"', '"Bigger wins"'));
  await frame.getByLabel('File').setInputFiles({ name: 'rules.json', mimeType: 'application/json', buffer: changed });
  await waitUntil('the file is read', async () => (await frame.getByLabel('Document').inputValue()).includes('Bigger wins'));
  await frame.getByRole('button', { name: 'Check' }).click();
  await frame.getByText('1 rule would be created').waitFor();
  expect((await stage.world.api('GET', '/rules', stage.token)).body.items).toHaveLength(3);
  await looksWell(frame, 'account-import-report');
  await frame.getByRole('button', { name: 'Import 1 rule' }).click();
  await page.getByText('1 rule imported').waitFor();

  const { items } = (await stage.world.api('GET', '/rules', stage.token)).body;
  expect(items.map(({ name }: { name: string }) => name)).toContain('Bigger wins');
});

test('when a document names a space that is not here, then another one is chosen for it, and the rules post there', async () => {
  const { page, frame } = await open('Account');
  const rule = { name: 'From elsewhere', eventType: 'deal.won', filters: {}, templateMode: 'compact', enabled: true };
  const { body: document } = await stage.world.api('GET', '/rules/export', stage.token);
  const text = JSON.stringify(document).replaceAll('Sales wins', 'Their room').replaceAll(stage.channel.spaceId, 'AAAAelsewhere');
  const foreign = JSON.parse(text.replaceAll(`"id":${stage.channel.id}`, '"id":987654'));
  await frame.getByRole('link', { name: 'Import' }).click();
  await frame
    .getByLabel('Document')
    .fill(
      JSON.stringify({ ...foreign, rules: foreign.rules.slice(0, 1).map((first: object) => ({ ...first, name: rule.name })) }),
    );
  await frame.getByRole('button', { name: 'Check' }).click();

  await frame.getByLabel(/Their room/).selectOption('Sales wins');
  await looksWell(frame, 'account-import-mapping');
  await frame.getByRole('button', { name: 'Check again' }).click();
  await frame.getByText('as you chose').waitFor();
  await frame.getByRole('button', { name: 'Import 1 rule' }).click();
  await page.getByText('1 rule imported').waitFor();

  const { items } = (await stage.world.api('GET', '/rules', stage.token)).body;
  expect(items.find(({ name }: { name: string }) => name === rule.name).targetWebhookIds).toEqual([stage.channel.id]);
});

test('when an admin wants to check now, then it is done at once, and once more only after a while', async () => {
  browser.expectComplaint(/status of 422/);
  const LONG_AGO = '2026-01-01T00:00:00Z';
  await run(`UPDATE reconciliations SET last_started_at = '${LONG_AGO}', last_finished_at = '${LONG_AGO}'`);
  const { page, frame } = await open('Account');

  await frame.getByRole('button', { name: 'Check now' }).click();
  await page.getByText('Checking now: what was missed').waitFor();
  await waitUntil('Pipedrive was asked', async () => {
    const { body } = await stage.world.api('GET', '/reconciliation', stage.token);
    return Date.parse(body.lastRunAt) > Date.parse(LONG_AGO);
  });
  // What it comes to is said to screen readers, when it has come.
  await frame.locator('#live', { hasText: /^Everything until / }).waitFor({ state: 'attached' });
  expect(await frame.locator('#page [role=status]').count()).toBe(0);
  await frame.getByRole('button', { name: 'Check now' }).click();

  await frame
    .getByRole('alert')
    .getByText(/checked a moment ago: please try again in \d+ s/)
    .waitFor();
});

test('when more was changed than fits one page, then older changes stand on the next', async () => {
  await run(
    `INSERT INTO audit_entries (tenant_id, actor, action, subject, created_at)
     SELECT id, 'api key CI', 'rule.updated', 'rule ' || n, now() - n * interval '1 day' FROM tenants, generate_series(1, 60) AS n`,
  );
  const { frame } = await open('Account');
  await frame.getByRole('link', { name: 'See all changes' }).click();
  await frame.getByRole('heading', { name: 'Audit log', level: 1 }).waitFor();
  const newest = await frame.locator('main li').allInnerTexts();
  await looksWell(frame, 'account-audit');

  await frame.getByRole('link', { name: 'Older' }).click();
  await frame.getByRole('link', { name: 'Older' }).waitFor({ state: 'detached' });

  const older = await frame.locator('main li').allInnerTexts();
  expect(newest).toHaveLength(50);
  expect(older.length).toBeGreaterThan(10);
  expect(older.filter((entry) => newest.includes(entry))).toEqual([]);
  expect(await accessibilityFindings(frame)).toEqual([]);
});

test('when somebody who is no admin opens the account, then they see what there is and can change nothing', async () => {
  await run('UPDATE pipedrive_connections SET is_admin = false');
  const { frame } = await open('Account', 'dark');
  await looksWell(frame, 'account-no-admin-dark');
  await run('UPDATE pipedrive_connections SET is_admin = true');

  expect(await frame.locator('main').getByRole('button').allInnerTexts()).toEqual(['Copy link']);
  expect(await frame.locator('main').innerText()).not.toMatch(/Signing secret|Delete everything/);
});

test('when everything is to be deleted, then only the right name does it, and nothing of the company is left', async () => {
  browser.expectComplaint(/status of 422/);
  const { page, frame } = await open('Account');
  const press = async (typed: string) => {
    await frame.getByLabel(/To confirm/).fill(typed);
    await frame.getByRole('button', { name: 'Delete everything' }).click();
  };

  await press('Another company');
  await frame
    .getByRole('alert')
    .getByText(/must be Brightwater Supplies/)
    .waitFor();
  expect(await page.getByRole('dialog').count()).toBe(0);
  await press('brightwater supplies');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete everything' }).click();
  await frame.getByRole('heading', { name: 'Everything was deleted' }).waitFor();
  await looksWell(frame, 'account-deleted');

  expect((await run('SELECT 1 FROM tenants')).rowCount).toBe(0);
});
