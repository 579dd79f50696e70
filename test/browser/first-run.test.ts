/** From a fresh installation to the first useful card, by the pages alone. */

import { OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { useBrowser } from '../support/browser';
import { connectChannel, put, visibleText } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { useTestDatabase } from '../support/test-database';
import { type Stage, comeIntoSight, goTo, looksWell, narrow, openFramed, screenshotOf, startStage } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
let stage: Stage;
let token: string;

beforeAll(async () => {
  stage = await startStage(testDatabase);
  token = await stage.world.install();
});
afterAll(() => stage.world.close());

const openSettings = (theme: 'light' | 'dark' = 'light') => openFramed(browser, stage.appSettingsUrl(), 'settings', { theme });

function textsIn(spaceId: string): string[] {
  return stage.world.chat.messages(spaceId).map(visibleText);
}

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('when nothing is set up, then the overview shows how to connect a space (%s, %i px)', async (theme, widthPx) => {
  const { page, frame } = await openSettings(theme);
  await narrow(page, frame, widthPx);

  await frame.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();

  expect(await frame.locator('[aria-current=step]').innerText()).toBe('Connect a space');
  await looksWell(frame, `first-run-1-${theme}-${widthPx}`);
});

test('when the first event comes in while somebody types into the filter of an empty activity, then it shows, and the typing goes on', async () => {
  const { page, frame } = await openSettings();
  await goTo(frame, 'Activity');
  await frame.getByRole('heading', { name: 'Nothing has come in from Pipedrive yet' }).waitFor();
  await frame.getByLabel('Deal', { exact: true }).pressSequentially('Mill ');

  stage.world.pipedrive.updateDeal(stage.dealId('Mill service plan'), { value: 12_000 });
  await ledgerAtRest(stage.world, testDatabase.database.pool);
  await comeIntoSight(frame);
  await frame.locator('.event', { hasText: 'Mill service plan' }).waitFor();
  await page.keyboard.type('service');

  expect(await frame.getByLabel('Deal', { exact: true }).inputValue()).toBe('Mill service');
  expect(await frame.getByRole('link', { name: /^Show/ }).count()).toBe(0);
});

test('when what is pasted is no webhook, then the page says so at the field, keeps what was typed, and leads there', async () => {
  browser.expectComplaint(/status of 422/);
  const { frame } = await openSettings('dark');

  await frame.getByLabel('Webhook URL').fill('https://example.com/hook');
  await frame.getByLabel('Name', { exact: true }).fill('Sales wins');
  await frame.getByRole('button', { name: 'Send test card' }).click();
  await frame.getByRole('alert').getByRole('link', { name: 'Webhook URL' }).click();

  await frame.locator('#space-url:focus').waitFor();
  expect(await frame.getByLabel('Webhook URL').inputValue()).toBe('https://example.com/hook');
  expect(await frame.getByLabel('Name', { exact: true }).inputValue()).toBe('Sales wins');
  expect(await frame.locator('#space-url-error').innerText()).toContain('A Google Chat webhook begins with');
  await looksWell(frame, 'first-run-refused-dark');
});

test('when another space is connected before the questions are answered, then they come again and offer both', async () => {
  const { world } = stage;
  const companyToken = await world.install(undefined, OTHER_COMPANY_ID);
  const first = await connectChannel(world, companyToken, 'Wins');
  const { url } = world.chat.createWebhook(world.chat.createSpace({ name: 'Everything else' }).id, {});
  const { page, frame } = await openFramed(browser, stage.appSettingsUrl(OTHER_COMPANY_ID), 'settings');
  const questions = frame.getByRole('heading', { name: 'What should we post, and where?' });
  const another = frame.getByRole('link', { name: 'Connect another space first' });

  await another.click();
  await frame.getByRole('heading', { level: 1, name: 'Add a space' }).waitFor();
  await frame.getByRole('link', { name: 'Back' }).click();
  await questions.waitFor();
  await another.click();
  await frame.getByLabel('Name', { exact: true }).fill('Everything else');
  await frame.getByLabel('Webhook URL').fill(url);
  await frame.getByRole('button', { name: 'Save space' }).click();
  await page.getByText('Everything else is connected').waitFor();
  await frame.locator(':focus').and(questions).waitFor();
  await frame.getByLabel('Where should wins go?').selectOption('Wins');
  await frame.getByLabel('Where should other updates go?').selectOption('Everything else');
  await frame.getByRole('button', { name: 'Turn on' }).click();
  await frame.locator(':focus', { hasText: 'Done: we sent you a test' }).waitFor();

  const { body: spaces } = await world.api('GET', '/chat-webhooks', companyToken);
  const { body: rules } = await world.api('GET', '/rules', companyToken);
  const second = spaces.items.find(({ name }: { name: string }) => name === 'Everything else');
  const told = rules.items.flatMap(({ targetWebhookIds }: { targetWebhookIds: number[] }) => targetWebhookIds);
  expect(new Set(told)).toEqual(new Set([first.id, second.id]));
});

test('when an admin follows the first run, then three clicks later a test card is there, rules are on, and a big win is told once and in full', async () => {
  const { chat, pipedrive } = stage.world;
  const { id: spaceId } = chat.createSpace({ name: 'Sales wins' });
  const { url } = chat.createWebhook(spaceId, { name: 'Dealbell' });
  const { frame } = await openSettings();
  await frame.evaluate(`window.clicks = []; addEventListener('click', ({ target }) => clicks.push(target.innerText), true)`);

  await frame.getByLabel('Webhook URL').fill(url);
  await frame.getByLabel('Name', { exact: true }).fill('Sales wins');
  await frame.getByRole('button', { name: 'Send test card' }).click();
  await frame.locator('#test-result', { hasText: 'Test card sent' }).waitFor();
  expect(textsIn(spaceId)).toHaveLength(1);
  expect(await frame.locator(':focus').innerText()).toBe('Send test card');
  expect(await frame.locator('#live').innerText()).toBe('Test card sent. Check the space in Google Chat.');
  await screenshotOf(frame, 'first-run-1-tested');

  await frame.getByRole('button', { name: 'Save space' }).click();
  await frame.locator(':focus', { hasText: 'What should we post, and where?' }).waitFor();
  await looksWell(frame, 'first-run-2-light');

  await frame.getByLabel('What counts as a big deal?').fill('20000');
  await frame.getByRole('button', { name: 'Turn on' }).click();
  await frame.locator(':focus', { hasText: 'Done: we sent you a test' }).waitFor();
  expect(await frame.getByRole('group', { name: 'The test card' }).innerText()).toMatch(
    /Test: Deal won\s+Sample deal[\s\S]*€12,000/,
  );
  await looksWell(frame, 'first-run-3-light');
  expect(await frame.evaluate('clicks')).toEqual(['Send test card', 'Save space', 'Turn on']);
  expect(textsIn(spaceId)).toHaveLength(2);

  const { body } = await stage.world.api('GET', '/rules', token);
  for (const { id } of body.items) await put(stage.world, token, `/rules/${id}`, { settleMs: 0 });
  pipedrive.updateDeal(stage.dealId('Linen contract 2027'), { status: 'won' });
  await ledgerAtRest(stage.world, testDatabase.database.pool);
  expect(textsIn(spaceId)).toHaveLength(3);
  expect(textsIn(spaceId)[2]).toMatch(/Linen contract 2027[\s\S]*€42,000/);
});
