/** The panel beside a deal and the modal over it: what was told about it and why the rest stayed silent, and nobody else's. */

import { z } from 'zod';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, put, visibleText } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { accessibilityFindings, screenshot, sidewaysScrollPx, useBrowser } from '../support/browser';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { comeIntoSight, framed, looksWell, narrow, openFramed, reframed, screenshotOf, useSalesTeam } from './stage';

const testDatabase = useTestDatabase();
const browser = useBrowser();
const stage = useSalesTeam(testDatabase);

test.each(['light', 'dark'] as const)(
  'when a told deal is open in a %s CRM, then the panel says where it was told',
  async (theme) => {
    const { page, frame } = await openFramed(browser, dealUrl('Linen contract 2027'), 'panel', { theme });

    const text = await frame.locator('main').innerText();
    expect(text).toContain('1 message about 1 event');
    expect(text).toMatch(/sent\s+Sales wins\s+by “Big wins”/i);
    expect(text).not.toMatch(/Mill safety|Print room/);
    expect(await sidewaysScrollPx(frame)).toBe(0);
    expect(await accessibilityFindings(frame)).toEqual([]);
    await screenshot(page, `panel-${theme}`);
  },
);

test('when no rule matched, then the panel opens the reasons with the keyboard', async () => {
  const { page, frame } = await openFramed(browser, dealUrl('Mill safety equipment'), 'panel');

  await frame.locator('summary').focus();
  await page.keyboard.press('Enter');

  expect(await frame.locator('main').innerText()).toMatch(/None of 2 rules matched.*silent\s+Big wins:.*7,250/is);
  await screenshot(page, 'panel-silent');
});

test('when nothing has come in about a deal, then the panel says so', async () => {
  const { page, frame } = await openFramed(browser, dealUrl('Office fit-out Boston'), 'panel');

  expect(await frame.locator('main').innerText()).toContain('Nothing has come in about this deal yet.');
  await screenshot(page, 'panel-empty');
});

test('when a deal is muted and unmuted in its panel, then its rules are silent meanwhile and the panel says why', async () => {
  const { page, frame } = await openFramed(browser, dealUrl('Office fit-out Boston'), 'panel', { theme: 'dark' });

  await frame.getByRole('button', { name: 'Mute this deal' }).click();
  await frame.getByRole('button', { name: 'Unmute this deal' }).waitFor();
  stage.world.pipedrive.updateDeal(stage.dealId('Office fit-out Boston'), { status: 'lost', lost_reason: 'Budget' });
  await ledgerAtRest(stage.world, testDatabase.database.pool);
  await page.reload();
  const again = await framed(page, 'panel');

  expect(await again.locator('main').innerText()).toMatch(/This deal is muted[\s\S]*Muted: nothing was posted/);
  await looksWell(again, 'panel-muted-dark');
  await again.getByRole('button', { name: 'Unmute this deal' }).click();
  await again.getByRole('button', { name: 'Mute this deal', exact: true }).waitFor();
  expect((await stage.world.api('GET', '/mutes', stage.token)).body.items).toEqual([]);
});

test.each(['light', 'dark'] as const)(
  'when a deal is watched in its panel in a %s CRM, then what no rule tells is told too, the panel says where and by whom, and it ends by one click',
  async (theme) => {
    const title = theme === 'light' ? 'Mill safety equipment' : 'Print room refit';
    const { page, frame } = await openFramed(browser, dealUrl(title), 'panel', { theme });
    await narrow(page, frame, 320);
    await looksWell(frame, `panel-unwatched-${theme}`);

    await frame.getByLabel('Watch in').selectOption('Sales wins');
    await frame.getByRole('button', { name: 'Watch this deal' }).click();
    await frame.getByRole('heading', { name: 'Watched' }).waitFor();
    stage.world.pipedrive.updateDeal(stage.dealId(title), { value: 31_000, expected_close_date: '2027-03-01' });
    await ledgerAtRest(stage.world, testDatabase.database.pool);
    await page.reload();
    const again = await framed(page, 'panel');
    await narrow(page, again, 320);
    await again.locator('summary').first().click();

    const text = await again.locator('main').innerText();
    expect(text).toMatch(/Watched\s+Sales wins\s+by .+ since \d/);
    expect(text).toMatch(/sent\s+Sales wins\s+watched by/i);
    expect(text).toMatch(/matched\s+Watched by .+ in Sales wins: Told because this record is watched\./i);
    expect(stage.world.chat.messages(stage.channel.spaceId).map(visibleText).join()).toMatch(/31,?000/);
    await looksWell(again, `panel-watched-${theme}`);

    await again.getByRole('button', { name: 'Mute this deal' }).click();
    await again.getByText('Rules and watches are paused for it').waitFor();
    await looksWell(again, `panel-watched-muted-${theme}`);
    await again.getByRole('button', { name: 'Unmute this deal' }).click();
    await again.getByRole('button', { name: 'Mute this deal', exact: true }).waitFor();
    await again.getByRole('button', { name: 'Stop watching in Sales wins' }).click();
    await again.getByRole('button', { name: 'Watch this deal' }).waitFor();
    expect((await stage.world.api('GET', '/watches', stage.token)).body.items).toEqual([]);
  },
);

test('when a deal is announced in its panel with a note, then the space gets it and the panel tells of it', async () => {
  const { page, frame } = await openFramed(browser, dealUrl('Mill safety equipment'), 'panel');

  await frame.getByLabel('Note').fill('Please congratulate the team');
  await frame.getByRole('button', { name: 'Announce' }).click();
  await page.getByText('Announced in Sales wins').waitFor();
  await ledgerAtRest(stage.world, testDatabase.database.pool);

  expect(await frame.locator('main').innerText()).toMatch(/Deal announced[\s\S]*Please congratulate the team/);
  expect(stage.world.chat.messages(stage.channel.spaceId).map(visibleText).join()).toContain('Please congratulate the team');
  await looksWell(frame, 'panel-announced');
});

describe.each(['lead', 'person', 'organization'] as const)('The panel of a %s', (entity) => {
  const open = async (theme: 'light' | 'dark') => {
    const { page } = await openFramed(browser, dealUrl('Linen contract 2027'), 'panel', { theme });
    await reframed(page, 'panel', 'resource', entity);
    const frame = await reframed(page, 'panel', 'selectedIds', firstOf(entity).id);
    await narrow(page, frame, 320);
    return { page, frame };
  };

  test('when it is announced with a note, then the space gets its card, and the panel tells of it', async () => {
    const { page, frame } = await open('light');

    await frame.getByLabel('Note').fill(`Have a look at this ${entity}`);
    await frame.getByRole('button', { name: 'Announce' }).click();
    await page.getByText('Announced in Sales wins').waitFor();
    await ledgerAtRest(stage.world, testDatabase.database.pool);

    const [text] = stage.world.chat
      .messages(stage.channel.spaceId)
      .map(visibleText)
      .filter((told) => told.includes(`Have a look at this ${entity}`));
    expect(text).toMatch(new RegExp(`${entity} announced by`, 'i'));
    expect(text).toContain(firstOf(entity).title);
    expect(await frame.locator('main').innerText()).toMatch(new RegExp(`${entity} announced`, 'i'));
    await looksWell(frame, `panel-${entity}-announced`);
  });

  test('when nothing was told of it, then it can be muted, and watched where more than its end would be told', async () => {
    const { frame } = await open('dark');

    expect(await frame.getByRole('button', { name: `Mute this ${entity}` }).count()).toBe(1);
    expect(await frame.getByRole('button', { name: `Watch this ${entity}` }).count()).toBe(entity === 'lead' ? 1 : 0);
    await looksWell(frame, `panel-${entity}-dark`);
  });
});

test('when the space of an announcement or a watch is gone by then, then the panel says so beside it, and what was typed stays', async () => {
  browser.expectComplaint(/status of 422/);
  const { page } = await openFramed(browser, dealUrl('Office fit-out Boston'), 'panel');
  const aside = await connectChannel(stage.world, stage.token, 'Set aside');
  await page.reload();
  const again = await framed(page, 'panel');
  await narrow(page, again, 320);
  await again.getByLabel('Space', { exact: true }).selectOption('Set aside');
  await again.getByLabel('Note').fill('Too late');
  await again.getByLabel('Watch in').selectOption('Set aside');
  await stage.world.api('DELETE', `/chat-webhooks/${aside.id}`, stage.token);

  await again.getByRole('button', { name: 'Announce' }).click();
  await again.getByRole('alert').getByText('There is no such space: it may have been deleted.').waitFor();
  expect(await again.getByLabel('Note').inputValue()).toBe('Too late');
  await looksWell(again, 'panel-refused');
  await again.getByLabel('Watch in').evaluate((select, id) => {
    select.insertAdjacentHTML('beforeend', `<option value="${String(id)}" selected>Set aside</option>`);
  }, aside.id);
  await again.getByRole('button', { name: 'Watch this deal' }).click();
  await again.locator('#watch-space-error').waitFor();
  await looksWell(again, 'panel-watch-refused');
});

test('when somebody who is no admin opens the panel, then they can announce and cannot mute', async () => {
  const setAdmin = (isAdmin: boolean) =>
    testDatabase.database.pool.query('UPDATE pipedrive_connections SET is_admin = $1', [isAdmin]);
  await setAdmin(false);
  const { frame } = await openFramed(browser, dealUrl('Linen contract 2027'), 'panel');
  await setAdmin(true);

  expect(await frame.getByRole('button').allInnerTexts()).toEqual(['Announce']);
  expect(await frame.locator('main').innerText()).toContain('Only admins can mute or watch this deal.');
  expect(await frame.getByRole('link', { name: 'See whom to ask' }).getAttribute('href')).toContain('/settings/marketplace/app/');
});

test.each(['light', 'dark'] as const)(
  'when a deal is announced from the modal in a %s CRM, then its card is shown first, and the modal closes',
  async (theme) => {
    const { page } = await openFramed(browser, dealUrl('Print room refit'), 'panel', { theme });
    await page.getByLabel('More actions for this deal').click();
    await page.getByRole('button', { name: 'Announce in Google Chat' }).click();
    const modal = await framed(page, 'modal');

    await modal.getByRole('article').waitFor();
    await modal.getByRole('heading', { name: 'Announce Print room refit' }).waitFor();
    expect(await modal.evaluate('document.activeElement.tagName')).toBe('BODY');
    await modal.getByLabel('Note').fill(`A lesson to learn, ${theme}`);
    await modal.getByRole('article').getByText(`A lesson to learn, ${theme}`).first().waitFor();
    expect(await modal.locator('html').getAttribute('data-theme')).toBe(theme);
    expect(await accessibilityFindings(modal)).toEqual([]);
    await screenshot(page, `modal-${theme}`);
    await modal.getByRole('button', { name: 'Announce' }).click();
    await page.getByText('Announced in Sales wins').waitFor();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await ledgerAtRest(stage.world, testDatabase.database.pool);

    expect(stage.world.chat.messages(stage.channel.spaceId).map(visibleText).join()).toContain(`A lesson to learn, ${theme}`);
  },
);

test('when several deals are chosen in the list, then the modal announces each of them once', async () => {
  const page = await browser.open();
  await page.goto(stage.crmUrl('/deals/list'));
  const announce = async () => {
    await page.getByLabel('More actions for the ticked deals').click();
    await page.getByRole('button', { name: 'Announce in Google Chat' }).click();
  };
  await announce();
  await page.getByText('Tick at least one row first.').waitFor();
  for (const title of ['Linen contract 2027', 'Mill safety equipment']) await page.getByLabel(`Choose ${title}`).check();
  await screenshot(page, 'crm-deal-list');
  await announce();
  const modal = await framed(page, 'modal');
  const before = stage.world.chat.messages(stage.channel.spaceId).length;

  await modal.getByRole('heading', { name: 'Announce 2 deals' }).waitFor();
  await modal.getByRole('article').waitFor();
  await screenshot(page, 'modal-several');
  await modal.getByRole('button', { name: 'Announce' }).click();
  await page.getByText('2 deals announced in Sales wins').waitFor();
  await ledgerAtRest(stage.world, testDatabase.database.pool);

  expect(stage.world.chat.messages(stage.channel.spaceId)).toHaveLength(before + 2);
});

test.each(['lead', 'person', 'organization'] as const)(
  'when the modal is opened over a %s, then its card is shown under its name, and it is announced',
  async (resource) => {
    const { id, title } = firstOf(resource);
    const page = await browser.open();
    await page.goto(stage.crmUrl('/persons/list'));
    await page.getByLabel(`More actions for ${firstOf('person').title}`).click();
    const entry = page.getByRole('button', { name: 'Announce in Google Chat' });
    // The stand-in has its menu at people alone.
    await entry.evaluate((button, about) => Object.assign(button.dataset, about), { resource, ids: id });
    await entry.click();
    const modal = await framed(page, 'modal');

    await modal.getByRole('heading', { name: `Announce ${title}` }).waitFor();
    await modal.getByRole('article').getByText(title).first().waitFor();
    expect(await accessibilityFindings(modal)).toEqual([]);
    await screenshot(page, `modal-${resource}`);
    await modal.getByLabel('Note').fill(`Look at this ${resource} at once`);
    await modal.getByRole('button', { name: 'Announce' }).click();
    await page.getByText('Announced in Sales wins').waitFor();
    await ledgerAtRest(stage.world, testDatabase.database.pool);

    expect(stage.world.chat.messages(stage.channel.spaceId).map(visibleText).join()).toContain(
      `Look at this ${resource} at once`,
    );
  },
);

/** The oldest record of this kind that the CRM has. */
function firstOf(entity: 'lead' | 'person' | 'organization'): { id: string; title: string } {
  const company = stage.world.pipedrive.companies.get(DEMO_COMPANY_ID);
  const [record] = company?.[`${entity}s`].live.values() ?? [];
  if (record === undefined) throw new Error(`the CRM has no ${entity}`);
  return { id: String(record.id), title: 'title' in record ? record.title : record.name };
}

function dealUrl(title: string): string {
  return stage.crmUrl(`/deal/${stage.dealId(title)}`);
}

test('when a message waits for later edits, then the panel says until when, and that it was sent, without a click', async () => {
  const { pool } = testDatabase.database;
  // Longer than it can take to look at it.
  const rule = { name: 'Worth more', settleMs: 60_000 };
  const ruleId = await addRule(stage.world, stage.token, 'deal.value_changed', stage.channel, rule);
  stage.world.pipedrive.updateDeal(stage.dealId('Office fit-out Boston'), { value: 77_000 });
  await waitUntil('it waits', async () => {
    const { body } = await stage.world.api('GET', '/deliveries?state=queued', stage.token);
    return body.items.length > 0;
  });
  const { frame } = await openFramed(browser, dealUrl('Office fit-out Boston'), 'panel');
  const message = frame.locator('.messages li', { hasText: 'Worth more' });

  await message.getByText(/until \d+:\d\d:\d\d.*for later edits/).waitFor();
  await frame.getByText('None yet.').waitFor();
  const reasons = frame.locator('.event summary').first();
  await reasons.click();
  const reasonsId = z.string().parse(await reasons.getAttribute('id'));
  await screenshotOf(frame, 'panel-waiting');
  await pool.query(`UPDATE deliveries SET not_before = now() + interval '3 seconds' WHERE state = 'queued'`);
  await pool.query('UPDATE google_spaces SET due_at = now()');
  await comeIntoSight(frame);
  await message.getByText('sent', { exact: true }).waitFor();
  expect(await message.innerText()).not.toContain('for later edits');
  await put(stage.world, stage.token, `/rules/${ruleId}`, { settleMs: 0 });
  expect(await reasons.locator('..').getAttribute('open')).not.toBeNull();
  expect(await frame.evaluate('document.activeElement.id')).toBe(reasonsId);
  const change = async (id: number, fields: { readonly title?: string; readonly value?: number }) => {
    const shown = await frame.locator('.event').count();
    stage.world.pipedrive.updateDeal(id, fields);
    await ledgerAtRest(stage.world, testDatabase.database.pool);
    await comeIntoSight(frame);
    await frame.locator('.event').nth(shown).waitFor({ state: 'attached' });
  };
  const id = stage.dealId('Office fit-out Boston');
  await change(id, { title: 'Office fit-out Boston, floor 2' });
  await frame.getByRole('heading', { level: 1, name: 'Office fit-out Boston, floor 2' }).waitFor();
  // A new heading by itself is no other page: what was opened stays open also over the next exchange.
  await change(id, { value: 78_000 });
  const opened = frame.locator(`#${reasonsId}`);
  expect(await opened.locator('..').getAttribute('open')).not.toBeNull();
});
