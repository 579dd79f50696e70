/** Everything that can be done with a space, by the page, the keyboard and Pipedrive's own dialog. */

import { connectChannel, type Channel } from '../support/channel';
import { useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { looksWell, narrow, openFramed, openSettings, screenshotOf, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);
let spare: Channel;

beforeAll(async () => {
  spare = await connectChannel(stage.world, stage.token, 'Board');
});

const openSpaces = (theme?: 'light' | 'dark') => openSettings(browser, stage, 'Spaces', theme);

async function spaceOf(id: number) {
  return (await stage.world.api('GET', `/chat-webhooks/${id}`, stage.token)).body;
}

async function breakSpace(id: number): Promise<void> {
  await testDatabase.database.pool.query(
    `UPDATE chat_webhooks SET health = 'broken', health_reason = 'Google Chat says that this webhook was deleted (404)' WHERE id = $1`,
    [id],
  );
}

test('when a space is added by its button, then it is in the list, nothing was posted, and Pipedrive says so', async () => {
  const { chat } = stage.world;
  const { id } = chat.createSpace({ name: 'Team' });
  const { url } = chat.createWebhook(id, { name: 'Dealbell' });
  const { page, frame } = await openSpaces();

  await frame.getByRole('button', { name: 'Add space' }).click();
  await frame.getByLabel('Name').fill('Team');
  await frame.getByLabel('Webhook URL').fill(url);
  await looksWell(frame, 'space-new-light');
  await frame.getByRole('button', { name: 'Save space' }).click();
  await frame.getByRole('heading', { level: 2, name: 'Team' }).waitFor();

  expect(chat.messages(id)).toEqual([]);
  await page.getByText('Team is connected').waitFor();
});

test('when a space is paused and resumed by the keyboard, then the focus stays on its button', async () => {
  const { page, frame } = await openSpaces();

  await frame.getByRole('button', { name: 'Pause Board' }).focus();
  await page.keyboard.press('Enter');
  await frame.getByRole('button', { name: 'Resume Board' }).waitFor();
  const [paused, focused] = [await spaceOf(spare.id), await frame.locator(':focus').getAttribute('aria-label')];
  await screenshotOf(frame, 'spaces-paused');
  await page.keyboard.press('Enter');
  await frame.getByRole('button', { name: 'Pause Board' }).waitFor();

  expect(paused.paused).toBe(true);
  expect(focused).toBe('Resume Board');
  expect((await spaceOf(spare.id)).paused).toBe(false);
});

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('when the settings of a space are changed, then they are saved and shown (%s, %i px)', async (theme, widthPx) => {
  const { page, frame } = await openSpaces(theme);
  await narrow(page, frame, widthPx);
  await frame.getByRole('link', { name: 'Settings of Board' }).click();

  await frame.getByLabel('One thread per deal').check();
  await frame.getByLabel('Language').selectOption('de-DE');
  await frame.getByLabel('Time zone').fill('Europe/Vienna');
  await frame.getByLabel('Fallback space').selectOption('Sales wins');
  await frame.getByLabel('Keep retrying for (hours)').fill('12');
  await frame.getByLabel('Quiet from').fill('20:00');
  await frame.getByLabel('Quiet until').fill('07:30');
  const workingDays = frame.getByRole('group', { name: /Working days/ });
  await workingDays.getByLabel('Sat').uncheck();
  await workingDays.getByLabel('Sun').uncheck();
  await frame.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Saved', { exact: true }).waitFor();

  expect(await spaceOf(spare.id)).toMatchObject({
    ...{ name: 'Board', threads: 'perRecord', locale: 'de-DE', timeZone: 'Europe/Vienna', fold: 'auto' },
    ...{ fallbackWebhookId: stage.channel.id, holdHours: 12 },
    quietHours: { from: '20:00', to: '07:30', mode: 'hold', businessDays: ['mon', 'tue', 'wed', 'thu', 'fri'] },
  });
  expect(await frame.locator(':focus').innerText()).toBe('Save changes');
  await looksWell(frame, `space-settings-${theme}-${widthPx}`);
  await stage.world.api('PUT', `/chat-webhooks/${spare.id}`, stage.token, { threads: 'off', quietHours: null, locale: null });
});

test('when a setting is refused, then the words stand at the field and what was typed stays', async () => {
  browser.expectComplaint(/status of 422/);
  const { frame } = await openSpaces();
  await frame.getByRole('link', { name: 'Settings of Board' }).click();

  await frame.getByLabel('Time zone').fill('Middle-earth');
  await frame.getByRole('button', { name: 'Save changes' }).click();
  await frame.getByRole('alert').getByRole('link', { name: 'Time zone' }).click();

  await frame.getByLabel('Time zone').and(frame.locator(':focus')).waitFor();
  expect(await frame.getByLabel('Time zone').inputValue()).toBe('Middle-earth');
  expect(await frame.getByLabel('Time zone').getAttribute('aria-invalid')).toBe('true');
  await looksWell(frame, 'space-settings-refused');

  await frame.getByLabel('Time zone').fill('Europe/Vienna');
  expect(await frame.getByLabel('Time zone').getAttribute('aria-invalid')).toBeNull();
  expect(await frame.locator('.field-error, #refusal').count()).toBe(0);
});

test.each(['light', 'dark'] as const)(
  'when a space is broken, then the overview says why in a %s CRM, and a new URL mends it',
  async (theme) => {
    await breakSpace(stage.channel.id);
    const { url } = stage.world.chat.createWebhook(stage.channel.spaceId, { name: `Mended ${theme}` });
    const { page, frame } = await openFramed(browser, stage.appSettingsUrl(), 'settings', { theme });

    expect(await frame.locator('ul.attention').innerText()).toMatch(/Sales wins is not receiving messages[\s\S]*\(404\)/);
    await looksWell(frame, `overview-attention-${theme}`);
    await frame.getByRole('link', { name: /Replace URL/ }).click();
    await frame.getByLabel('Webhook URL').fill(url);
    await looksWell(frame, `space-url-${theme}`);
    await frame.getByRole('button', { name: 'Replace URL' }).click();
    await page.getByText('Sales wins has its new URL').waitFor();

    expect((await spaceOf(stage.channel.id)).health).toBe('healthy');
  },
);

test('when a test card does not arrive, then the list says why; when it does, Pipedrive says so', async () => {
  const { page, frame } = await openSpaces('dark');
  stage.world.chat.setOutage(spare.spaceId, 404);

  await frame.getByRole('button', { name: 'Send test card to Board' }).click();
  await frame.getByText(/Board: The test card did not arrive/).waitFor();
  await screenshotOf(frame, 'spaces-test-failed-dark');
  stage.world.chat.setOutage(spare.spaceId, null);
  await frame.getByRole('button', { name: 'Send test card to Board' }).click();

  await page.getByText('Test card sent to Board').waitFor();
});

test('when a space is deleted, then Pipedrive asks first, says what becomes of rules, and a no changes nothing', async () => {
  const doomed = await connectChannel(stage.world, stage.token, 'Doomed');
  const { page, frame } = await openSpaces();
  await frame.getByRole('link', { name: 'Settings of Doomed' }).click();

  await frame.getByRole('button', { name: 'Delete space' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/No rule posts here/).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect((await spaceOf(doomed.id)).name).toBe('Doomed');
  await frame.getByRole('button', { name: 'Delete space' }).click();
  await dialog.getByRole('button', { name: 'Delete space' }).click();
  await page.getByText('Doomed was deleted').waitFor();

  expect((await spaceOf(doomed.id)).status).toBe(404);
  await waitUntil('the focus is on the page', async () => (await frame.locator(':focus').innerText()) === 'Spaces');
});
