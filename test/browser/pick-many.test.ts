/** Long lists of which several are chosen, in the editor of a rule: 40 stages and 60 owners are found, ticked and kept, by keyboard too. */

import type { Frame, Locator } from 'playwright-core';
import { useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { goTo, hearAll, looksWell, narrow, openSettings, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

beforeAll(async () => {
  // The lists are read at Pipedrive before, as whoever opens an editor first has them read.
  await openEditor();
  await testDatabase.database.pool.query(`
    INSERT INTO records (tenant_id, entity, entity_id, state)
    SELECT t.id, k.entity, (900000 + n)::text, k.state || jsonb_build_object('name', k.name || ' ' || n)
      FROM tenants t, generate_series(1, 60) AS n,
           (VALUES ('stage', 'Stage', 40, '{"pipeline_id": 1}'::jsonb), ('user', 'Owner', 60, '{"active_flag": true}')) AS k (entity, name, most, state)
     WHERE n <= k.most`);
});

async function openEditor(theme?: 'light' | 'dark') {
  const opened = await openSettings(browser, stage, 'Rules', theme);
  await opened.frame.getByRole('button', { name: 'New rule' }).click();
  await opened.frame.getByRole('heading', { level: 1, name: 'New rule' }).waitFor();
  return opened;
}

const owners = (frame: Frame) => frame.getByRole('group', { name: 'Owners' });
const shownOwners = (frame: Frame) => owners(frame).locator('li:not([hidden])').allInnerTexts();
const focusedWords = (frame: Frame) =>
  frame.evaluate('document.activeElement.closest("label")?.innerText ?? document.activeElement.id');

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('when a long list is filtered, then what fits is left and nothing else moves (%s, %i px)', async (theme, widthPx) => {
  const { page, frame } = await openEditor(theme);
  await narrow(page, frame, widthPx);
  await frame.getByLabel('Event').selectOption('deal.stage_changed');
  const stages = frame.getByRole('group', { name: 'Stages' });
  const heightPx = () => frame.evaluate('document.getElementById("page").getBoundingClientRect().height');
  await stages.getByLabel('Qualified').first().check();
  await stages.getByLabel('Contact made').first().check();
  const before = await heightPx();

  const heard = await hearAll(frame);
  await owners(frame).getByRole('searchbox').fill('OWNER 4');
  await owners(frame).getByLabel('Owner 42').check();
  await frame.getByRole('group', { name: 'Coming from' }).getByRole('searchbox').fill('nowhere');

  expect(await shownOwners(frame)).toEqual(['Owner 4', ...Array.from({ length: 10 }, (_, at) => `Owner ${40 + at}`)]);
  expect(await owners(frame).locator('.pick-chosen').innerText()).toBe('1 chosen: Owner 42');
  expect(await stages.locator('.pick-chosen').innerText()).toBe('2 chosen: Qualified, Contact made');
  expect(await frame.getByRole('group', { name: 'Coming from' }).locator('.pick-list').innerText()).toBe('Nothing fits');
  expect(await heard()).toContainEqual(expect.stringMatching(/^0 of \d+ shown$/));
  expect(await heightPx()).toBe(before);
  await looksWell(frame, `pick-many-${theme}-${widthPx}`);
});

test('when somebody goes by the keyboard, then the filter leads into the list, arrows go through it, and Tab leaves it', async () => {
  const { page, frame } = await openEditor();
  await owners(frame).getByRole('searchbox').focus();

  await page.keyboard.type('owner 5');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  const first = await focusedWords(frame);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.keyboard.press('End');
  const last = await focusedWords(frame);
  await page.keyboard.press('ArrowDown');
  const beyond = await focusedWords(frame);
  await page.keyboard.press('Tab');
  const after = await focusedWords(frame);
  await page.keyboard.press('Shift+Tab');

  expect([first, last, beyond, after]).toEqual(['Owner 5', 'Owner 59', 'Owner 59', 'rule-value']);
  expect(await focusedWords(frame)).toBe('Owner 59');
  expect(
    await owners(frame)
      .locator(':checked')
      .evaluateAll((boxes) => boxes.map((box) => box.id)),
  ).toEqual(['rule-owners-900050']);
});

test('when conditions are drawn anew, then what was looked for in their lists stays, also in one that moved up', async () => {
  const { frame } = await openEditor();
  const looked = (title: string) => frame.getByRole('group', { name: `Compared with, ${title}` });
  for (const title of ['condition 1', 'condition 2']) {
    await frame.getByRole('button', { name: 'Add condition' }).click();
    await frame.getByLabel(`Field of ${title}`).selectOption('owner_id');
    await frame.getByLabel(`What ${title} asks`).selectOption('is');
    await looked(title).getByRole('searchbox').waitFor();
  }
  await looked('condition 1').getByRole('searchbox').fill('owner 3');
  await looked('condition 2').getByRole('searchbox').fill('owner 4');
  await looked('condition 2').getByLabel('Owner 42').check();

  await frame.getByRole('button', { name: 'Add condition' }).click();
  await frame.getByLabel('Field of condition 3').waitFor();
  const kept = await looked('condition 2').getByRole('searchbox').inputValue();
  await frame.getByRole('button', { name: 'Remove condition 1' }).click();
  await frame.getByLabel('Field of condition 3').waitFor({ state: 'detached' });

  expect(kept).toBe('owner 4');
  expect(await looked('condition 1').getByRole('searchbox').inputValue()).toBe('owner 4');
  expect(await looked('condition 1').locator('li:not([hidden])').allInnerTexts()).toEqual([
    'Owner 4',
    ...Array.from({ length: 10 }, (_, at) => `Owner ${40 + at}`),
  ]);
});

test('when a long list is gone through by keyboard, then it says which keys move, over no row that has the focus', async () => {
  const { page, frame } = await openEditor();
  const keys = owners(frame).getByText('↑ ↓ move, Space chooses');
  await owners(frame).getByLabel('Owner 1', { exact: true }).click();
  const atMouse = await keys.isVisible();
  await page.keyboard.press('End');

  expect(atMouse).toBe(false);
  expect(await keys.isVisible()).toBe(true);
  const focused = await boxOf(owners(frame).locator('label:has(:focus)'));
  expect(focused.y + focused.height).toBeLessThanOrEqual((await boxOf(keys)).y + 1);
  await looksWell(frame, 'pick-many-keys');
});

test('when a list was only looked through, then the rule is not changed: it is left without a question', async () => {
  const { frame } = await openEditor();

  await owners(frame).getByRole('searchbox').pressSequentially('owner 5');
  await goTo(frame, 'Spaces');
});

test('when what is chosen is out of the filter or far down, then it is saved, and the opened rule has it in sight', async () => {
  const { frame } = await openEditor();
  await frame.getByLabel('Name').fill('Far down');
  await owners(frame).getByLabel('Owner 55').check();
  await owners(frame).getByRole('searchbox').fill('owner 56');
  await owners(frame).getByLabel('Owner 56').check();
  await owners(frame).getByRole('searchbox').fill('nobody');

  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByRole('link', { name: 'Edit Far down' }).click();
  await frame.getByRole('heading', { level: 1, name: 'Far down' }).waitFor();

  const { body } = await stage.world.api('GET', '/rules', stage.token);
  expect(body.items.find(({ name }: { name: string }) => name === 'Far down').filters.ownerIds).toEqual([900_055, 900_056]);
  expect(await owners(frame).locator('.pick-chosen').innerText()).toBe('2 chosen: Owner 55, Owner 56');
  const list = await boxOf(owners(frame).locator('.pick-list'));
  const chosen = await boxOf(owners(frame).getByLabel('Owner 55'));
  expect(chosen.y).toBeGreaterThan(list.y);
  expect(chosen.y + chosen.height).toBeLessThan(list.y + list.height);
});

test('when a list was refused, then the summary leads to it, and what is wrong is said until something else is chosen', async () => {
  browser.expectComplaint(/status of 422/);
  const { frame } = await openEditor();
  await frame.getByLabel('Name').fill('Refused');
  await owners(frame).getByLabel('Owner 1', { exact: true }).check();
  await owners(frame)
    .getByLabel('Owner 1', { exact: true })
    .evaluate((box) => box.setAttribute('value', 'nobody'));

  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByRole('alert').getByRole('link', { name: 'Owners' }).click();
  await waitUntil('the focus is on the list', async () => (await focusedWords(frame)) === 'rule-owners');
  await looksWell(frame, 'pick-many-refused');
  await owners(frame).getByLabel('Owner 2', { exact: true }).check();

  await frame.locator('#refusal').waitFor({ state: 'detached' });
  expect(await owners(frame).locator('.field-error').count()).toBe(0);
});

async function boxOf(locator: Locator) {
  const box = await locator.boundingBox();
  if (box === null) throw new Error('it is not to be seen');
  return box;
}
