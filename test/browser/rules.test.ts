// The rules inside Pipedrive: their list, their editor, their preview, driven as people drive them, by names.

import type { Frame } from 'playwright-core';
import { TRANSITION_KINDS } from '../../src/core/transition';
import { accessibilityFindings, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { connectChannel, visibleText } from '../support/channel';
import { waitUntil } from '../support/wait-until';
import { goTo, looksWell, narrow, openSettings, screenshotOf, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

const openRules = (theme?: 'light' | 'dark') => openSettings(browser, stage, 'Rules', theme);

/** Of a list of several; the first, where a name stands in several groups. */
const box = (frame: Frame, list: string, name: string) =>
  frame.getByRole('group', { name: list, exact: true }).getByRole('checkbox', { name, exact: true }).first();
const tick = (frame: Frame, list: string, name: string) => box(frame, list, name).check();

async function ruleNamed(name: string) {
  const { body } = await stage.world.api('GET', '/rules', stage.token);
  return body.items.find((rule: { name: string }) => rule.name === name);
}

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
] as const)('when a rule is made from nothing, then it is saved as it was filled in (%s, %i px)', async (theme, widthPx) => {
  const { page, frame } = await openRules(theme);
  await narrow(page, frame, widthPx);
  await screenshotOf(frame, `rules-${theme}-${widthPx}`);
  expect(await accessibilityFindings(frame)).toEqual([]);
  const name = `Proposals ${theme} ${widthPx}`;

  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByLabel('Name').fill(name);
  await frame.getByLabel('Event').selectOption('deal.stage_changed');
  await tick(frame, 'Pipelines', 'New business');
  await tick(frame, 'New business', 'Contact made');
  await tick(frame, 'Owners', 'Alice Moreau');
  await frame.getByLabel('Minimum value').fill('5,000');
  await frame.getByLabel('Space').selectOption('Sales wins');
  await frame.getByLabel('Layout').selectOption('Detailed');
  await frame.getByRole('button', { name: 'Add condition' }).click();
  await frame.getByLabel('Field of condition 1').selectOption('Status');
  await tick(frame, 'Compared with, condition 1', 'open');
  await frame.getByRole('button', { name: 'Preview' }).click();
  await frame.getByText(/would have sent/).waitFor();
  await looksWell(frame, `rule-new-${theme}-${widthPx}`);
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel(`Enabled: ${name}`).waitFor();

  const saved = await ruleNamed(name);
  expect(saved).toMatchObject({
    eventType: 'deal.stage_changed',
    templateMode: 'detailed',
    enabled: true,
    targetWebhookIds: [stage.channel.id],
  });
  expect(saved.filters).toMatchObject({ minValue: 5000, conditions: { all: [{ field: 'status', op: 'is', value: 'open' }] } });
  expect([saved.filters.pipelineIds, saved.filters.stageIds, saved.filters.ownerIds].map((ids) => ids.length)).toEqual([1, 1, 1]);
});

/** Both were won in the same moment. */
const WON = /(Mill safety equipment|Linen contract 2027)/;

async function namesInOrder(frame: Frame): Promise<readonly string[]> {
  return await frame.locator('li.rule h2').allInnerTexts();
}

test('when a ready-made rule is chosen, then it fills the editor, says what is left to decide, and is saved with its answers', async () => {
  const { frame } = await openRules();
  await frame.getByRole('link', { name: 'Presets' }).click();
  expect(await accessibilityFindings(frame)).toEqual([]);
  expect(await frame.locator('main h2').allInnerTexts()).toEqual([
    ...['Wins and losses', 'Pipeline', 'Value, dates and fields', 'Leads', 'Activities and notes'],
  ]);
  await screenshotOf(frame, 'rule-presets-light');

  await frame.getByRole('link', { name: 'Use this: Entered a key stage' }).click();
  await frame.getByText('Which stages matter').waitFor();
  const [name, event] = [await frame.getByLabel('Name').inputValue(), await frame.getByLabel('Event').inputValue()];
  await tick(frame, 'Stages', 'Proposal made');
  await tick(frame, 'Stages', 'Negotiations started');
  await looksWell(frame, 'rule-from-preset-light');
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel('Enabled: Entered a key stage').waitFor();

  const { filters } = await ruleNamed('Entered a key stage');
  expect([name, event]).toEqual(['Entered a key stage', 'deal.stage_changed']);
  expect(filters.stageIds).toHaveLength(2);
  const [open, from] = filters.conditions.all;
  expect(open).toEqual({ field: 'status', op: 'is', value: 'open' });
  expect(from.not[0].value.map(({ id }: { id: number }) => id)).toEqual(filters.stageIds);
});

test('when a rule is previewed, then a real deal is drawn as in Google Chat, with the count and what another rule keeps from it', async () => {
  const { frame } = await openRules('dark');
  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByLabel('Event').selectOption('Deal won');
  await frame.getByLabel('Custom text').fill('Well done, {{ owner }}!');
  const { id } = await ruleNamed('Big wins');
  await stage.world.api('PUT', `/rules/${id}`, stage.token, { stopAfter: true });
  await frame.getByRole('button', { name: 'Preview' }).click();

  await frame.getByText('This rule would have sent 1 message in the last 30 days').waitFor();
  await frame.locator('#preview').getByText('Well done, ').waitFor();
  const preview = await frame.locator('#preview').innerText();
  expect(preview).toContain('Not counted: 1 event that “Big wins” posts in the same space, as it stops the rules below it.');
  expect(preview).toMatch(new RegExp(`${WON.source}[\\s\\S]*Well done, `));
  await looksWell(frame, 'rule-preview-dark');
});

test('when a rule is filled in, then its card follows by itself: the focus stays, nothing below moves, and what is wrong is said in place', async () => {
  const { page, frame } = await openRules();
  await frame.getByRole('button', { name: 'New rule' }).click();
  const pane = frame.getByRole('region', { name: 'How it looks in Google Chat' });
  await pane.getByText(WON).first().waitFor();
  const actionsTop = async () => (await frame.locator('.rule-actions').boundingBox())?.y;
  const top = await actionsTop();

  await frame.getByLabel('Custom text').pressSequentially('Well done, {{ owner }}!');
  await pane.getByText('Well done, ').waitFor();
  await page.keyboard.type(' {{');
  await pane.getByText('No preview yet').waitFor();
  await looksWell(frame, 'rule-live-refused');
  for (let at = 0; at < 3; at += 1) await page.keyboard.press('Backspace');
  await pane.getByText('Well done, ').waitFor();
  await frame.getByLabel('Layout').focus();
  await frame.getByLabel('Layout').selectOption('Detailed');
  await pane.locator('.chat-columns').first().waitFor();

  expect(await frame.getByLabel('Custom text').inputValue()).toBe('Well done, {{ owner }}!');
  expect(await frame.locator(':focus').getAttribute('id')).toBe('rule-layout');
  expect(await actionsTop()).toBe(top);
  await screenshotOf(frame, 'rule-live');
});

test('when labels and a custom field are asked for, then they are picked by name, and the draft’s test card tells of a real deal', async () => {
  const { frame } = await openRules();
  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByLabel('Name').fill('Hot or cold');
  await frame.getByLabel('Custom text').fill('By a draft');
  await frame.getByRole('button', { name: 'Send test card' }).click();
  await frame.locator('#test-result', { hasText: 'Test card sent' }).waitFor();
  expect(visibleText(stage.world.chat.messages(stage.channel.spaceId).at(-1) ?? { rawBody: '{}' })).toMatch(
    new RegExp(`Test: [\\s\\S]*${WON.source}[\\s\\S]*By a draft`),
  );
  await tick(frame, 'Labels', 'Hot');
  await frame.getByLabel('Custom field').focus();
  await frame.getByLabel('Custom field').selectOption('Discount');
  await frame.getByLabel('Field of condition 1').waitFor();
  expect(await frame.locator(':focus').getAttribute('id')).toBe('rule-custom-field');
  await frame.getByRole('textbox', { name: 'Compared with, condition 1' }).fill('10');
  await looksWell(frame, 'rule-labels');
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel('Enabled: Hot or cold').waitFor();

  const { filters } = await ruleNamed('Hot or cold');
  expect(filters.conditions.all).toMatchObject([
    { field: 'label_ids', op: 'includesAny', value: [{ name: 'Hot' }] },
    { field: expect.stringMatching(/^[\da-f]{40}$/) },
  ]);
  await frame.getByRole('link', { name: 'Edit Hot or cold' }).click();
  await frame.getByRole('heading', { level: 1, name: 'Hot or cold' }).waitFor();
  expect(await box(frame, 'Labels', 'Hot').isChecked()).toBe(true);
});

test('when rules are switched and moved by keyboard, then they stay so and the focus stays on the control', async () => {
  const { page, frame } = await openRules();
  const [first = '', second = ''] = await namesInOrder(frame);

  await frame.getByLabel('Enabled: Hot deals').focus();
  await page.keyboard.press('Space');
  await page.getByText('Hot deals is on').waitFor();
  expect((await ruleNamed('Hot deals')).enabled).toBe(true);
  expect(await frame.locator(':focus').getAttribute('aria-label')).toBe('Enabled: Hot deals');
  await frame.getByLabel('Enabled: Hot deals').uncheck();
  await page.getByText('Hot deals is off').waitFor();

  await frame.getByRole('button', { name: `Move ${second} up` }).focus();
  await page.keyboard.press('Enter');
  await waitUntil('the second is the first', async () => (await namesInOrder(frame))[0] === second);
  expect(await frame.locator(':focus').getAttribute('aria-label')).toBe(`Move ${second} up`);
  expect((await namesInOrder(frame))[1]).toBe(first);
  expect((await ruleNamed(second)).position).toBeLessThan((await ruleNamed(first)).position);
});

test('when a rule is dragged, then the order is kept', async () => {
  const { page, frame } = await openRules();
  await frame.locator('ol[data-is-sortable]').waitFor();
  const [first = '', second = ''] = await namesInOrder(frame);

  await frame.locator('.grip').nth(1).hover();
  await page.mouse.down();
  await frame.locator('.grip').nth(0).hover();
  await frame
    .locator('.grip')
    .nth(0)
    .hover({ position: { x: 3, y: 3 } });
  await waitUntil('the page shows where it would come', async () => (await namesInOrder(frame))[0] === second);
  await page.mouse.up();

  await waitUntil('the server knows', async () => (await ruleNamed(second)).position < (await ruleNamed(first)).position);
});

test('when a rule is refused, then each field says why, the summary leads there, and nothing typed is lost', async () => {
  browser.expectComplaint(/status of 422/);
  const { frame } = await openRules();
  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByLabel('Event').selectOption('deal.value_changed');
  await frame.getByLabel('Minimum value').fill('a lot');
  await frame.getByLabel('Custom text').fill('{{ owner');
  await frame.getByRole('button', { name: 'Add group' }).click();
  await frame.getByLabel('Field of condition 1').selectOption('Discount');
  await frame.getByLabel('What condition 1 asks').getByText('matches the pattern').waitFor({ state: 'detached' });
  await frame.getByRole('textbox', { name: 'Compared with, condition 1' }).fill('much');
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByRole('alert').getByRole('link', { name: 'Minimum value' }).waitFor();

  await looksWell(frame, 'rule-refused-light');
  expect(await frame.locator(':focus').getAttribute('id')).toBe('refusal');
  await frame.getByRole('alert').getByRole('link', { name: 'Minimum value' }).click();
  await frame.getByLabel('Minimum value').and(frame.locator(':focus')).waitFor();
  expect(await frame.getByLabel('Minimum value').inputValue()).toBe('a lot');
  expect(await frame.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
  expect(await frame.getByLabel('Custom text').inputValue()).toBe('{{ owner');
  expect(await frame.getByRole('textbox', { name: 'Compared with, condition 1' }).inputValue()).toBe('much');
});

test('when a refused field is mended, then nothing says any more that it is wrong', async () => {
  browser.expectComplaint(/status of 422/);
  const { frame } = await openRules();
  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByLabel('Seconds to wait').fill('999');
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByRole('alert').getByRole('link', { name: 'Name' }).waitFor();

  await frame.getByLabel('Name').fill('Mended');
  await frame.locator('#rule-name-error').waitFor({ state: 'hidden' });
  expect(await frame.getByLabel('Name').getAttribute('aria-invalid')).toBeNull();
  expect(await frame.getByRole('alert').getByRole('link').allInnerTexts()).toEqual(['Seconds to wait for later edits']);
  await frame.getByLabel('Seconds to wait').fill('9');
  await frame.locator('#refusal').waitFor({ state: 'hidden' });
  expect(await accessibilityFindings(frame)).toEqual([]);
});

test('when a changed rule is left by a link, then Pipedrive asks first, and what was typed stays if the answer is no', async () => {
  const { page, frame } = await openRules();
  await frame.getByRole('link', { name: 'Edit Big wins' }).click();
  await frame.getByLabel('Custom text').pressSequentially('Hear, hear');

  await frame.getByRole('link', { name: 'Spaces' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  expect(await frame.getByLabel('Custom text').inputValue()).toBe('Hear, hear');
  await frame.getByRole('link', { name: 'Spaces' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await frame.getByRole('heading', { level: 1, name: 'Spaces' }).waitFor();
  await goTo(frame, 'Rules');
});

test('when another event is chosen, then its own kinds stand there, and what was ticked for the first counts for nothing', async () => {
  const { frame } = await openRules();
  await frame.getByRole('button', { name: 'New rule' }).click();
  const kinds = frame.getByRole('group', { name: 'Only these kinds' });
  const choose = (eventType: string) => frame.getByLabel('Event').selectOption(eventType);
  await frame.getByLabel('Name').fill('A date of its own');
  for (const [eventType, known] of Object.entries(TRANSITION_KINDS)) {
    await choose(eventType);

    expect(await kinds.getByRole('checkbox').count()).toBe(known.length);
  }
  await choose('deal.value_changed');
  await kinds.getByLabel('A first value').check();
  await choose('deal.close_date_changed');
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel('Enabled: A date of its own').waitFor();

  expect((await ruleNamed('A date of its own')).filters).toEqual({});
});

test('when conditions are edited on a phone, then none is wider than its card', async () => {
  const { page, frame } = await openRules();
  await narrow(page, frame, 320);
  await frame.getByRole('button', { name: 'New rule' }).click();
  await frame.getByRole('button', { name: 'Add group' }).click();
  await frame.getByLabel('Field of condition 1').selectOption('is_archived');
  await frame.getByRole('group', { name: 'Compared with, condition 1' }).waitFor();

  const right = (selector: string) =>
    frame.locator(selector).evaluateAll((all) => Math.max(...all.map((one) => one.getBoundingClientRect().right)));

  expect(await right('#conditions *:not(option)')).toBeLessThanOrEqual(await right('#rule-owners'));
});

test('when a rule is edited on a phone, then each answer to when it posts can be read to its end', async () => {
  const { page, frame } = await openRules();
  await narrow(page, frame, 320);
  await frame.getByRole('button', { name: 'New rule' }).click();

  const { roomPx, wordsPx } = await frame.getByLabel('When to post').evaluate((select) => {
    const style = getComputedStyle(select);
    const pen = document.createElement('canvas').getContext('2d');
    if (pen === null) throw new Error('this browser draws no text');
    pen.font = style.font;
    const words = Array.from(select.querySelectorAll('option'), ({ text }) => pen.measureText(text).width);
    const roomPx = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return { roomPx, wordsPx: Math.max(...words) };
  });

  expect(wordsPx).toBeGreaterThan(0);
  expect(wordsPx).toBeLessThanOrEqual(roomPx);
});

test('when a rule is opened, changed in nothing and saved, then it is the same rule', async () => {
  const { frame } = await openRules();
  const before = await ruleNamed('Entered a key stage');

  await frame.getByRole('link', { name: 'Edit Entered a key stage' }).click();
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel('Enabled: Entered a key stage').waitFor();

  expect(await ruleNamed('Entered a key stage')).toEqual(before);
});

test('when a rule is deleted, then Pipedrive asks first', async () => {
  const { page, frame } = await openRules();
  await frame.getByRole('button', { name: 'Delete Entered a key stage' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete rule' }).click();
  await page.getByText('Entered a key stage was deleted').waitFor();

  expect(await ruleNamed('Entered a key stage')).toBeUndefined();
});

describe('for people who are no admins', () => {
  const setAdmin = (isAdmin: boolean) =>
    testDatabase.database.pool.query(`UPDATE pipedrive_connections SET is_admin = $1`, [isAdmin]);
  beforeEach(() => setAdmin(false));
  afterEach(() => setAdmin(true));

  test('when they look at the rules, then they see everything and can change nothing', async () => {
    const { frame } = await openRules();
    expect(await frame.locator('main').getByRole('button').allInnerTexts()).toEqual(['Copy link']);
    expect(await frame.getByLabel('Enabled: Big wins').isDisabled()).toBe(true);
    await looksWell(frame, 'rules-no-admin');
  });

  test('when they look into a rule, then they see what it asks for and can change nothing', async () => {
    const { frame } = await openRules();
    await frame.getByRole('link', { name: 'Big wins' }).click();
    await frame.getByRole('heading', { level: 1, name: 'Big wins' }).waitFor();

    expect(await frame.getByLabel('Minimum value').isDisabled()).toBe(true);
    expect(await frame.getByRole('button', { name: 'Save rule' }).count()).toBe(0);
    await frame.getByRole('region', { name: 'How it looks in Google Chat' }).getByText('Linen contract 2027').first().waitFor();
    await looksWell(frame, 'rule-no-admin');
  });
});

test('when a rule posts to a space, then that is not offered as one more, whichever it is', async () => {
  await connectChannel(stage.world, stage.token, 'Board');
  const { frame } = await openRules();
  await frame.getByRole('button', { name: 'New rule' }).click();
  const space = frame.getByLabel('Space', { exact: true });
  const offered = () => frame.getByRole('group', { name: 'Also post to' }).locator('li:not([hidden])').allInnerTexts();
  const chosen = () => frame.getByRole('group', { name: 'Also post to' }).locator(':checked').count();
  await frame.getByRole('heading', { level: 1, name: 'New rule' }).waitFor();
  const first = await offered();

  await tick(frame, 'Also post to', 'Board');
  await space.selectOption('Board');

  expect(first).toEqual(['Board']);
  expect(await offered()).toEqual(['Sales wins']);
  expect(await chosen()).toBe(0);
  await tick(frame, 'Also post to', 'Sales wins');
  await frame.getByLabel('Name').fill('To both');
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel('Enabled: To both').waitFor();
  expect((await ruleNamed('To both')).targetWebhookIds).toHaveLength(2);
  await frame.getByRole('link', { name: 'Edit To both' }).click();
  await frame.getByRole('heading', { level: 1, name: 'To both' }).waitFor();
  expect(await offered()).toEqual(['Board']);
  expect(await chosen()).toBe(1);
  await screenshotOf(frame, 'rule-two-spaces');
});
