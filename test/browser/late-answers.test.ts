/** Pages while the server takes its time: what is filled in and pressed before an answer is there holds, each for what it was about. */

import type { Frame, Page, Route } from 'playwright-core';
import { useBrowser } from '../support/browser';
import { connectChannel } from '../support/channel';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { openSettings, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

interface HeldAnswers {
  /** Lets the server answer the next one, which must be the only one that is asked for. */
  letOneCome(): Promise<void>;
  /** From now on none is held. */
  letAllCome(): Promise<void>;
  count(): number;
}

async function openEditor(fields: readonly string[]): Promise<{ page: Page; frame: Frame }> {
  const opened = await openSettings(browser, stage, 'Rules');
  const { frame } = opened;
  await frame.getByRole('button', { name: 'New rule' }).click();
  for (const [at, field] of fields.entries()) {
    await frame.getByRole('button', { name: 'Add condition' }).click();
    await frame.getByLabel(`Field of condition ${at + 1}`).selectOption(field);
  }
  return opened;
}

async function holdAnswers(page: Page, address = '**/rules/conditions'): Promise<HeldAnswers> {
  const held: Route[] = [];
  let answered = 0;
  let isOver = false;
  await page.route(address, async (route) => {
    held.push(route);
    if (isOver) await route.continue();
  });
  return {
    count: () => held.length,
    async letOneCome() {
      await waitUntil('the next one is asked for', () => held.length > answered);
      expect(held).toHaveLength(answered + 1);
      await held[answered]?.continue();
      answered += 1;
    },
    async letAllCome() {
      isOver = true;
      for (const route of held.slice(answered)) await route.continue();
    },
  };
}

const field = (frame: Frame, number: number) => frame.getByLabel(`Field of condition ${number}`);
const text = (frame: Frame, number: number) => frame.getByRole('textbox', { name: `Compared with, condition ${number}` });

test('when somebody types, ticks and chooses before an answer is there, then it stays as it was filled in, and the typing goes on', async () => {
  const { page, frame } = await openEditor(['title', 'lost_reason']);
  const labels = frame.getByRole('group', { name: 'Labels', exact: true });
  const answers = await holdAnswers(page);

  await frame.getByRole('button', { name: 'Add condition' }).click();
  await frame.getByLabel('How conditions together counts').selectOption('any');
  await labels.getByLabel('Hot').check();
  await text(frame, 1).pressSequentially('Ame');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await answers.letOneCome();
  await field(frame, 3).waitFor();
  await page.keyboard.type('cm');

  expect(await text(frame, 1).inputValue()).toBe('Acmme');
  expect(await frame.getByLabel('How conditions together counts').inputValue()).toBe('any');
  expect(await labels.getByLabel('Hot').isChecked()).toBe(true);
  expect(await labels.locator('.pick-chosen').innerText()).toBe('1 chosen: Hot');
});

test('when a condition is taken away and the answer is late, then what is typed into another one stays with that, and so does the focus', async () => {
  const { page, frame } = await openEditor(['title', 'lost_reason', 'currency']);
  const answers = await holdAnswers(page);

  await frame.getByRole('button', { name: 'Remove condition 1' }).click();
  await text(frame, 2).pressSequentially('too ');
  await answers.letOneCome();
  await field(frame, 3).waitFor({ state: 'detached' });
  await page.keyboard.type('dear');

  expect(await field(frame, 1).inputValue()).toBe('lost_reason');
  expect(await text(frame, 1).inputValue()).toBe('too dear');
});

test('when several things are asked for before the first answer, then they are done one after the other, each to what it was about', async () => {
  const { page, frame } = await openEditor(['title', 'lost_reason', 'currency']);
  const answers = await holdAnswers(page);

  await frame.getByRole('button', { name: 'Remove condition 1' }).click();
  await frame.getByRole('button', { name: 'Remove condition 3' }).click();
  await field(frame, 2).selectOption('status');
  await frame.getByLabel('Event').selectOption('deal.stage_changed');
  await frame.getByRole('button', { name: 'Add condition' }).click();
  for (let answer = 1; answer <= 5; answer += 1) await answers.letOneCome();
  await field(frame, 2).waitFor();

  expect(await field(frame, 1).inputValue()).toBe('status');
  expect(await frame.getByRole('group', { name: 'Compared with, condition 1' }).getByLabel('open').count()).toBe(1);
  expect(await field(frame, 2).inputValue()).toBe('');
  expect(await field(frame, 3).count()).toBe(0);
  expect(answers.count()).toBe(5);
});

test('when a rule is saved before an answer is there, then it is saved as it was filled in', async () => {
  const { page, frame } = await openEditor(['title']);
  await text(frame, 1).fill('Acme');
  await frame.getByLabel('Name').fill('Impatient');
  const answers = await holdAnswers(page);

  await frame.getByRole('button', { name: 'Add group' }).click();
  await waitUntil('it is asked for', () => answers.count() === 1);
  await frame.getByRole('button', { name: 'Save rule' }).click();
  await frame.getByLabel('Enabled: Impatient').waitFor();
  await answers.letOneCome();

  const { body } = await stage.world.api('GET', '/rules', stage.token);
  const saved = body.items.find(({ name }: { name: string }) => name === 'Impatient');
  expect(saved.filters.conditions).toEqual({ all: [{ field: 'title', op: 'is', value: 'Acme' }] });
});

test.each(['before', 'after'])(
  'when a condition is added while a test card is under way, and its answer comes %s that of the card, then it stays, and what is filled in with it',
  async (order) => {
    const { page, frame } = await openEditor(['title']);
    await frame.getByLabel('Name').fill('Impatient');
    const conditions = await holdAnswers(page);
    const card = await holdAnswers(page, '**/rules/test');

    await frame.getByRole('button', { name: 'Send test card' }).click();
    await waitUntil('the card is asked for', () => card.count() === 1);
    await text(frame, 1).fill('Acme');
    await frame.getByRole('button', { name: 'Add condition' }).click();
    await waitUntil('the condition is asked for', () => conditions.count() === 1);
    if (order === 'after') await card.letOneCome();
    if (order === 'after') await frame.locator('#test-result').waitFor();
    await conditions.letAllCome();
    await field(frame, 2).waitFor();
    if (order === 'before') {
      await text(frame, 1).fill('Acme Ltd');
      await card.letOneCome();
      await frame.locator('#test-result').waitFor();
    }
    await frame.getByRole('button', { name: 'Add group' }).click();
    // A group begins with a condition of its own.
    await field(frame, 3).waitFor();

    expect(await field(frame, 2).inputValue()).toBe('');
    expect(await text(frame, 1).inputValue()).toBe(order === 'before' ? 'Acme Ltd' : 'Acme');
    expect(await frame.getByLabel('Name').inputValue()).toBe('Impatient');
  },
);

test('when a condition is taken away while a test card is under way, then it stays away, and the focus where it was', async () => {
  const { page, frame } = await openEditor(['title', 'lost_reason']);
  const card = await holdAnswers(page, '**/rules/test');

  await frame.getByRole('button', { name: 'Send test card' }).click();
  await waitUntil('the card is asked for', () => card.count() === 1);
  await frame.getByRole('button', { name: 'Remove condition 1' }).click();
  await field(frame, 2).waitFor({ state: 'detached' });
  await text(frame, 1).pressSequentially('too ');
  await card.letOneCome();
  await frame.locator('#test-result').waitFor();
  await page.keyboard.type('dear');

  expect(await field(frame, 1).inputValue()).toBe('lost_reason');
  expect(await field(frame, 2).count()).toBe(0);
  expect(await text(frame, 1).inputValue()).toBe('too dear');
});

test('when rules are switched before the answer to the first switch is there, then each is as it was switched last, here and there', async () => {
  const { page, frame } = await openSettings(browser, stage, 'Rules');
  const names = ['Big wins', 'Every loss', 'Hot deals'];
  const enabled = (name: string) => frame.getByLabel(`Enabled: ${name}`);
  const answers = await holdAnswers(page, '**/enabled');

  await enabled('Big wins').uncheck();
  await enabled('Every loss').uncheck();
  await enabled('Hot deals').check();
  await enabled('Big wins').check();
  for (let answer = 1; answer <= 4; answer += 1) await answers.letOneCome();
  await page.getByText('Big wins is on').waitFor();

  expect(await Promise.all(names.map((name) => enabled(name).isChecked()))).toEqual([true, false, true]);
  const { body } = await stage.world.api('GET', '/rules', stage.token);
  const saved = new Map(body.items.map((rule: { name: string; enabled: boolean }) => [rule.name, rule.enabled]));
  expect(names.map((name) => saved.get(name))).toEqual([true, false, true]);
});

test('when a switch cannot be sent, then it goes back to what is so', async () => {
  browser.expectComplaint(/ERR_FAILED|htmx:(sendError|afterRequest)/);
  const { page, frame } = await openSettings(browser, stage, 'Rules');
  await page.route('**/enabled', (route) => route.abort());

  await frame.getByLabel('Enabled: Big wins').click();
  await frame.getByRole('alert').getByText('Can’t reach Dealbell').waitFor();

  expect(await frame.getByLabel('Enabled: Big wins').isChecked()).toBe(true);
});

test('when a second space is paused before the answer to the first, and another page asked for, then both are paused once and the page comes', async () => {
  await connectChannel(stage.world, stage.token, 'Board');
  const { page, frame } = await openSettings(browser, stage, 'Spaces');
  const answers = await holdAnswers(page, '**/pause');
  // A button that is at work looks disabled, and can be pressed all the same.
  const press = (name: string) => frame.getByRole('button', { name, exact: true }).click({ force: true });

  await press('Pause Sales wins');
  await press('Pause Sales wins');
  await press('Pause Board');
  await frame.getByRole('link', { name: 'Account', exact: true }).click();
  for (let answer = 1; answer <= 2; answer += 1) await answers.letOneCome();
  await frame.getByRole('heading', { level: 1, name: 'Account' }).waitFor();

  expect(answers.count()).toBe(2);
  const { body } = await stage.world.api('GET', '/chat-webhooks', stage.token);
  expect(body.items.map(({ paused }: { paused: boolean }) => paused)).toEqual([true, true]);
});

test('when an answer has to be read first, then what was pressed meanwhile is not done and says so, and what was filled in stays', async () => {
  const { page, frame } = await openSettings(browser, stage, 'Account');
  const answers = await holdAnswers(page, '**/account/keys');

  await frame.getByLabel('Key name').fill('CI');
  await frame.getByRole('button', { name: 'Create key' }).click();
  await frame.getByLabel('Time zone').fill('Europe/Vienna');
  await frame.getByRole('button', { name: 'Save settings' }).click();
  await answers.letOneCome();
  await frame.getByRole('alert').getByText('What you clicked last was not done').waitFor();

  expect(await frame.getByRole('textbox', { name: 'API key CI' }).inputValue()).toMatch(/^dbk_/);
  expect(await frame.getByLabel('Time zone').inputValue()).toBe('Europe/Vienna');
  await frame.getByRole('button', { name: 'Save settings' }).click();
  await page.getByText('Saved').waitFor();
  const { body } = await stage.world.api('GET', '/account', stage.token);
  expect(body.settings.timeZone).toBe('Europe/Vienna');
});

test('when a button of another form is pressed, then what is filled in and not sent yet stays', async () => {
  const { frame } = await openSettings(browser, stage, 'Spaces');
  await frame.getByRole('link', { name: 'Settings of Board' }).click();
  await frame.getByLabel('Name').fill('The board');
  await frame.getByLabel('One thread per deal').check();

  await frame.getByRole('button', { name: 'Send test card' }).click();
  await frame.locator('#test-result').waitFor();

  expect(await frame.getByLabel('Name').inputValue()).toBe('The board');
  expect(await frame.getByLabel('One thread per deal').isChecked()).toBe(true);
});
