/** Watches of a record: every meaningful change is told in their place, never what a rule tells there, and nothing before they began. */

import type { RecordState } from '../../../src/core/record';
import type { Watch } from '../../../src/rules/watch-rules';
import { aDealWebhook, aRule, at, aWebhook } from '../../support/builders';
import { makeMemoryLedger, type LedgerSettings, type MemoryLedger } from '../../support/memory-ledger';

const DAY_MS = 86_400_000;

/** Deal 8 is watched in destination 1 since yesterday. */
function aWatch(given: Partial<Watch> & { readonly sinceMs?: number } = {}): Watch {
  const { sinceMs = -DAY_MS, ...rest } = given;
  return { id: 7, entity: 'deal', entityId: '8', chatWebhookId: 1, author: 'Ana', createdAt: at(sinceMs), ...rest };
}

/** Deals 8 and 9 are known; what happens to them is event 3 and later. */
async function knownDeals(settings: Partial<LedgerSettings> = {}): Promise<MemoryLedger> {
  const ledger = makeMemoryLedger({ rules: [], watches: [aWatch()], ...settings });
  await ledger.route(aDealWebhook({ atMs: -DAY_MS * 2 }), aDealWebhook({ id: 9, atMs: -DAY_MS * 2 }));
  return ledger;
}

const edit = (atMs: number, previous: RecordState, data: RecordState, id = 8) => aDealWebhook({ id, atMs, previous, data });
const win = (atMs: number, data: RecordState = {}) => edit(atMs, { status: 'open' }, { status: 'won', ...data });
const told = (ledger: MemoryLedger) =>
  ledger.told().map(({ rule, event, to, type, ways }) => `${rule} tells ${event} to ${to}: ${type} ${ways.join()}`);
const TOLD_WIN = 'deal.won "open">"won"';

test.each<[string, RecordState, RecordState, string]>([
  ['won', { status: 'open' }, { status: 'won' }, 'deal.won'],
  ['lost', { status: 'open' }, { status: 'lost' }, 'deal.lost'],
  ['reopened', { status: 'lost' }, { status: 'open' }, 'deal.reopened'],
  ['moved to another stage', { stage_id: 11 }, { stage_id: 12 }, 'deal.stage_changed'],
  ['moved to another pipeline', { pipeline_id: 1, stage_id: 11 }, { pipeline_id: 2, stage_id: 21 }, 'deal.pipeline_changed'],
  ['given to another owner', { owner_id: 1 }, { owner_id: 2 }, 'deal.owner_changed'],
  ['given another value', { value: 100 }, { value: 900 }, 'deal.value_changed'],
  ['put off', { expected_close_date: '2026-12-01' }, { expected_close_date: '2026-12-24' }, 'deal.close_date_changed'],
  ['labelled', { label_ids: [] }, { label_ids: [3] }, 'deal.label_added'],
  ['rid of a label', { label_ids: [3] }, { label_ids: [] }, 'deal.label_removed'],
  ['archived', { is_archived: false }, { is_archived: true }, 'deal.archived'],
])('when a watched deal is %s and no rule is on, then its place is told after the settle time', async (_, from, to, type) => {
  const ledger = await knownDeals();

  await ledger.route(edit(0, from, to));

  expect(ledger.told()).toEqual([expect.objectContaining({ rule: -7, to: 1, event: 3, type, dueMs: 1500 })]);
  expect(ledger.codes(3)).toEqual(['-7:matched']);
});

test('when a watched deal is deleted, then that is told, and the watch stays for the day it is brought back', async () => {
  const ledger = await knownDeals();

  await ledger.route(aWebhook({ action: 'delete', atMs: 0, previous: { id: 8, title: 'Acme licence' } }));

  expect(told(ledger)).toEqual(['-7 tells 3 to 1: deal.deleted ']);
  expect(ledger.watches()).toHaveLength(1);
});

test('when only a field without a meaning of its own is edited, then nothing is told or decided', async () => {
  const ledger = await knownDeals();

  await ledger.route(edit(0, { probability: 20 }, { probability: 40 }));

  expect(ledger.told()).toEqual([]);
  expect(ledger.codes(3)).toEqual([]);
});

test('when another deal changes, then its watches alone would tell it', async () => {
  const ledger = await knownDeals();

  await ledger.route(edit(0, { status: 'open' }, { status: 'won' }, 9));

  expect(ledger.told()).toEqual([]);
  expect(ledger.codes(3)).toEqual([]);
});

test('when a deal is watched in two places, then each is told once', async () => {
  const ledger = await knownDeals({ watches: [aWatch(), aWatch({ id: 8, chatWebhookId: 2 })] });

  await ledger.route(win(0));

  expect(told(ledger)).toEqual([`-7 tells 3 to 1: ${TOLD_WIN}`, `-8 tells 3 to 2: ${TOLD_WIN}`]);
});

describe.each(['one batch', 'batches of their own'])('when edits come within the settle time in %s', (batches) => {
  const route = async (ledger: MemoryLedger, ...webhooks: readonly ReturnType<typeof edit>[]) => {
    if (batches === 'one batch') return await ledger.route(...webhooks);
    for (const webhook of webhooks) await ledger.route(webhook);
  };

  test('and change several things, then one message tells all that changed', async () => {
    const ledger = await knownDeals();

    await route(
      ledger,
      edit(0, { stage_id: 11 }, { stage_id: 12 }),
      edit(400, { owner_id: 1 }, { stage_id: 12, owner_id: 2 }),
      edit(800, { probability: 20, value: 100 }, { stage_id: 12, owner_id: 2, value: 500, probability: 40 }),
    );

    const [message, ...others] = ledger.told();
    expect(others).toEqual([]);
    expect(message).toMatchObject({ event: 3, type: 'deal.field_changed', dueMs: 1500 });
    expect([...(message?.ways ?? [])].sort()).toEqual(['100>500', '11>12', '1>2']);
    expect([4, 5].map((event) => ledger.codes(event))).toEqual([['-7:settled'], ['-7:settled']]);
  });

  test('and the deal is won with them, then the win is the message, which tells the rest too', async () => {
    const ledger = await knownDeals();

    await route(ledger, edit(0, { stage_id: 11 }, { stage_id: 12 }), win(400, { stage_id: 12 }));

    expect(told(ledger)).toEqual([`-7 tells 3 to 1: ${TOLD_WIN},11>12`]);
  });

  test('and take back what the first changed, then nothing is told', async () => {
    const ledger = await knownDeals();

    await route(ledger, edit(0, { stage_id: 11 }, { stage_id: 12 }), edit(400, { stage_id: 12 }, { stage_id: 11 }));

    expect(told(ledger)).toEqual([]);
    expect([3, 4].map((event) => ledger.codes(event))).toEqual([expect.anything(), ['-7:settled']]);
  });

  test('and the first was told already, then the later one is told by itself', async () => {
    const ledger = await knownDeals();

    await ledger.route(edit(0, { stage_id: 11 }, { stage_id: 12 }));
    ledger.sendUntil(1500);
    await route(ledger, edit(1400, { owner_id: 1 }, { stage_id: 12, owner_id: 2 }));

    expect(told(ledger)).toEqual(['-7 tells 3 to 1: deal.stage_changed 11>12', '-7 tells 4 to 1: deal.owner_changed 1>2']);
  });

  test('and make a rule match there after all, then the rule tells its part and the watch the rest', async () => {
    const ledger = await knownDeals({ rules: [aRule({ id: 1, name: 'Wins', minValue: 500 })] });

    await route(ledger, win(0), edit(400, { value: 100 }, { status: 'won', value: 900 }));

    expect(told(ledger)).toEqual([expect.stringMatching(/^-7 tells 3 to 1: deal\.value_changed/), `1 tells 4 to 1: ${TOLD_WIN}`]);
  });

  test('and make the rule fall silent that would have told, then the watch tells', async () => {
    const ledger = await knownDeals({ rules: [aRule({ id: 1, minValue: 50 })] });

    await route(ledger, win(0), edit(400, { value: 100 }, { status: 'won', value: 10 }));

    expect(told(ledger)).toEqual([`-7 tells 4 to 1: ${TOLD_WIN},100>10`]);
  });
});

test.each<[string, Parameters<typeof aRule>[0], readonly string[]]>([
  ['tells the same there', {}, [`1 tells 3 to 1: ${TOLD_WIN}`]],
  ['tells the same there at once', { settleMs: 0 }, [`1 tells 3 to 1: ${TOLD_WIN}`]],
  ['tells the same there much later', { settleMs: 60_000 }, [`1 tells 3 to 1: ${TOLD_WIN}`]],
  ['tells the field of it there', { eventType: 'deal.field_changed', fields: ['status'] }, [expect.stringMatching(/^1 tells 3/)]],
  ['tells the same elsewhere', { targetWebhookIds: [2] }, [`1 tells 3 to 2: ${TOLD_WIN}`, `-7 tells 3 to 1: ${TOLD_WIN}`]],
  ['does not match', { minValue: 1e6 }, [`-7 tells 3 to 1: ${TOLD_WIN}`]],
  ['is off', { enabled: false }, [`-7 tells 3 to 1: ${TOLD_WIN}`]],
  [
    'gathers it for a digest there',
    { digest: { every: 'day', at: '09:00' } },
    [`1 tells 3 to 1: ${TOLD_WIN}`, `-7 tells 3 to 1: ${TOLD_WIN}`],
  ],
])('when a rule %s, then these messages are owed', async (_, rule, expected) => {
  const ledger = await knownDeals({ rules: [aRule(rule)] });

  await ledger.route(win(0));

  expect(told(ledger)).toEqual(expected);
});

test('when a rule tells one of two changes there, then the watch tells the other', async () => {
  const ledger = await knownDeals({ rules: [aRule({ eventType: 'deal.stage_changed' })] });

  await ledger.route(edit(0, { stage_id: 11, owner_id: 1 }, { stage_id: 12, owner_id: 2 }));

  expect(told(ledger)).toEqual(['1 tells 3 to 1: deal.stage_changed 11>12', '-7 tells 3 to 1: deal.owner_changed 1>2']);
});

test('when a rule tells everything there, then the decision of the watch names it', async () => {
  const ledger = await knownDeals({ rules: [aRule({ id: 1, name: 'Wins' })] });

  await ledger.route(win(0));

  expect(ledger.event(3).decisions).toContainEqual({
    ...{ ruleId: -7, matched: false, code: 'alreadyTold', actual: { ruleId: 1, ruleName: 'Wins' } },
  });
});

test('when an event had come in before the watch began, then it is the past', async () => {
  const ledger = await knownDeals({ watches: [aWatch({ sinceMs: 10 })] });

  await ledger.route(edit(0, { stage_id: 11 }, { stage_id: 12 }), win(20, { stage_id: 12 }));

  expect(ledger.codes(3)).toEqual(['-7:switchedOnLater']);
  expect(told(ledger)).toEqual([`-7 tells 4 to 1: ${TOLD_WIN}`]);
});

test('when a watched deal is muted, then nothing is told', async () => {
  const ledger = await knownDeals({ muted: [{ entity: 'deal', entityId: '8' }] });

  await ledger.route(win(0));

  expect(ledger.told()).toEqual([]);
  expect(ledger.codes(3)).toEqual(['-7:muted']);
});

test('when an event is older than what is known, then the decision of the watch says so', async () => {
  const ledger = await knownDeals();

  await ledger.route(aDealWebhook({ atMs: -DAY_MS * 3, receivedMs: 0, previous: { status: 'open' }, data: { status: 'won' } }));

  expect(ledger.codes(3)).toEqual(['-7:outdated']);
});

test('when what was told in a thread is taken back later, then the watch tells it as a correction', async () => {
  const ledger = await knownDeals({ destinations: [{ id: 1, spaceId: 'a', isThreaded: true }] });

  await ledger.route(win(0));
  ledger.sendUntil(1500);
  await ledger.route(edit(60_000, { status: 'won' }, { status: 'open' }));

  expect(ledger.deliveries().map(({ change }) => [change.transition.type, change.transition.corrects])).toEqual([
    ['deal.won', undefined],
    ['deal.reopened', 3],
  ]);
});

describe('Notes and activities', () => {
  test.each<[string, ReturnType<typeof aWebhook>, readonly string[]]>([
    [
      'a note is added to the deal',
      aWebhook({ entity: 'note', id: 5, data: { id: 5, deal_id: 8, content: 'Hi' } }),
      ['note.created'],
    ],
    [
      'an activity of the deal is done',
      aWebhook({ entity: 'activity', id: 5, data: { id: 5, deal_id: 8, done: true }, previous: { done: false } }),
      ['activity.completed'],
    ],
    ['an activity of the deal is planned', aWebhook({ entity: 'activity', id: 5, data: { id: 5, deal_id: 8, done: false } }), []],
    ['a note is added to another deal', aWebhook({ entity: 'note', id: 5, data: { id: 5, deal_id: 9, content: 'Hi' } }), []],
  ])('when %s, then this is told', async (_, webhook, types) => {
    const ledger = await knownDeals();

    await ledger.route(webhook);

    expect(ledger.told().map(({ type }) => type)).toEqual(types);
  });
});

describe('A record that becomes another one', () => {
  const swallowed = () => aWebhook({ action: 'delete', atMs: 0, previous: { id: 8 }, meta: { merged_to_id: '9' } });
  const survivor = (atMs: number) => edit(atMs, { value: 100 }, { value: 200 }, 9);

  test.each([
    ['the swallowed deal goes first', [swallowed()]],
    [
      'the survivor tells of it first',
      [aDealWebhook({ id: 9, atMs: 0, previous: { value: 100 }, data: { value: 150 }, meta: { merged_from_id: '8' } })],
    ],
  ])('when a watched deal is merged and %s, then the merge is told and the survivor is watched', async (_, webhooks) => {
    const ledger = await knownDeals();

    await ledger.route(...webhooks);
    await ledger.route(survivor(60_000));

    expect(ledger.told().map(({ rule, type }) => [rule, type])).toEqual([
      [-7, 'deal.merged'],
      [-7, 'deal.value_changed'],
    ]);
    expect(ledger.watches()).toEqual([aWatch({ entityId: '9' })]);
  });

  test('when the survivor is watched there already, then one of the two watches is left and each change is told once', async () => {
    const ledger = await knownDeals({ watches: [aWatch(), aWatch({ id: 8, entityId: '9' })] });

    await ledger.route(swallowed());
    await ledger.route(survivor(60_000));

    expect(ledger.told().map(({ rule, type }) => [rule, type])).toEqual([
      [-8, 'deal.merged'],
      [-8, 'deal.value_changed'],
    ]);
    expect(ledger.watches()).toEqual([aWatch({ id: 8, entityId: '9' })]);
  });

  test('when a watched lead is converted, then its deal is watched, and the lead’s end is told as the conversion alone', async () => {
    const ledger = makeMemoryLedger({ rules: [], watches: [aWatch({ entity: 'lead', entityId: 'abc' })] });
    const meta = { correlation_id: 'one' };
    await ledger.route(aWebhook({ entity: 'lead', id: 'abc', atMs: -DAY_MS * 2, data: { id: 'abc', title: 'Inbound' } }));

    await ledger.route(aWebhook({ entity: 'lead', id: 'abc', action: 'delete', previous: { id: 'abc' }, meta }));
    await ledger.route(aDealWebhook({ atMs: 2000, meta }));
    await ledger.route(edit(60_000, { stage_id: 11 }, { stage_id: 12 }));

    expect(ledger.told().map(({ type }) => type)).toEqual(['lead.converted', 'deal.stage_changed']);
    expect(ledger.watches()).toEqual([aWatch()]);
  });
});
