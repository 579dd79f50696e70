/** Watches of a record: every meaningful change is told in their place, never what a rule tells there, and nothing before they began. */

import type { RecordState } from '../../../src/core/record';
import { explainDecision } from '../../../src/rules/explain';
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

describe('Where a rule and the watch tell one deal in turns', () => {
  const move = (atMs: number, from: number, to: number, data: RecordState = {}) =>
    edit(atMs, { stage_id: from }, { stage_id: to, ...data });

  test('when the watch told a loss and the deal is won while the rule waits, then the rule goes on from the loss', async () => {
    const ledger = await knownDeals({ rules: [aRule({ id: 1 }), aRule({ id: 2, eventType: 'deal.owner_changed' })] });

    await ledger.route(edit(0, { owner_id: 1 }, { owner_id: 2 }));
    await ledger.route(edit(800, { status: 'open' }, { status: 'lost', owner_id: 2 }));
    ledger.sendUntil(1500);
    await ledger.route(edit(1600, { status: 'lost' }, { status: 'won', owner_id: 2 }));

    expect(told(ledger)).toEqual([
      '2 tells 3 to 1: deal.owner_changed 1>2',
      '-7 tells 4 to 1: deal.lost "open">"lost"',
      '1 tells 5 to 1: deal.won "lost">"won"',
    ]);
  });

  test('when the rule takes longer than the watch, then it goes on from where the watch ended, also when more follows', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', stageIds: [13, 14], settleMs: 60_000 });
    const ledger = await knownDeals({ rules: [rule] });

    await ledger.route(move(0, 11, 12));
    ledger.sendUntil(1500);
    await ledger.route(move(10_000, 12, 13));
    await ledger.route(move(20_000, 13, 14));

    expect(told(ledger)).toEqual(['-7 tells 3 to 1: deal.stage_changed 11>12', '1 tells 4 to 1: deal.stage_changed 12>14']);
  });

  test('when what the watch holds back is told by a rule in the end, then the rule tells all of it', async () => {
    const ledger = await knownDeals({ rules: [aRule({ eventType: 'deal.stage_changed', stageIds: [13], settleMs: 0 })] });

    await ledger.route(move(0, 11, 12));
    await ledger.route(move(500, 12, 13));

    expect(told(ledger)).toEqual(['1 tells 4 to 1: deal.stage_changed 11>13']);
  });

  test('when what the watch holds back is taken back where a rule would tell the way back, then neither tells anything', async () => {
    const ledger = await knownDeals({ rules: [aRule({ eventType: 'deal.reopened', settleMs: 0 })] });

    await ledger.route(edit(0, { status: 'open' }, { status: 'lost' }));
    await ledger.route(edit(500, { status: 'lost' }, { status: 'open' }));

    expect(told(ledger)).toEqual([]);
    expect(ledger.codes(4)).toEqual(['1:settled', '-7:settled']);
  });

  test('when the rule told the way there at once, then the watch tells the way on behind it, and not with what it holds back', async () => {
    const ledger = await knownDeals({ rules: [aRule({ eventType: 'deal.stage_changed', stageIds: [12], settleMs: 0 })] });

    await ledger.route(edit(0, { owner_id: 1 }, { owner_id: 2 }), move(500, 11, 12, { owner_id: 2 }));
    await ledger.route(move(1000, 12, 13, { owner_id: 2 }));

    expect(told(ledger)).toEqual([
      '-7 tells 3 to 1: deal.owner_changed 1>2',
      '1 tells 4 to 1: deal.stage_changed 11>12',
      '-7 tells 5 to 1: deal.stage_changed 12>13',
    ]);
  });

  test('when a new deal’s loss, which no rule told in the end, is taken back beside another edit, then that edit alone is told', async () => {
    const rule = aRule({ settleMs: 4000 });
    const ledger = makeMemoryLedger({ rules: [rule], watches: [aWatch({ sinceMs: 1 })] });
    await ledger.route(aDealWebhook({ atMs: 0, data: { status: 'open' } }));

    await ledger.route(win(1));
    await ledger.route(edit(2, { status: 'won' }, { status: 'lost' }));
    await ledger.route(edit(3, { value: 100 }, { status: 'lost', value: 200 }));
    await ledger.route(edit(4, { status: 'lost' }, { status: 'open', value: 200 }));

    expect(told(ledger)).toEqual([expect.stringMatching(/^-7 tells 3 to 1: deal\.value_changed .*100.*200/)]);
  });

  test('when a rule matches only after the watch has told the same change, then it says so and does not tell it again', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', minValue: 500, settleMs: 60_000 });
    const ledger = await knownDeals({ rules: [rule] });

    await ledger.route(move(0, 11, 12));
    ledger.sendUntil(1500);
    await ledger.route(edit(10_000, { value: 100 }, { stage_id: 12, value: 900 }));

    expect(told(ledger)).toEqual(['-7 tells 3 to 1: deal.stage_changed 11>12', expect.stringMatching(/^-7 tells 4 .*100.*900/)]);
    const [decision] = ledger.event(4).decisions;
    expect(decision).toEqual({ ruleId: 1, matched: false, code: 'alreadyTold', actual: { watchId: 7 } });
    const event = { entity: 'deal', transitions: ['deal.value_changed'] };
    expect(explainDecision(decision ?? { ruleId: 1, matched: true, code: 'matched' }, rule, event)).toBe(
      'Not told again: this space was told of it before the rule matched, because this record is watched there.',
    );
  });

  describe('and the rule comes to match only later', () => {
    const comesToMatch = async (state: 'sent' | 'held' | 'dropped', given: Parameters<typeof aRule>[0] = {}) => {
      const rule = aRule({ eventType: 'deal.stage_changed', minValue: 500, settleMs: 60_000, ...given });
      const ledger = await knownDeals({ rules: [rule] });
      await ledger.route(move(0, 11, 12));
      for (const row of ledger.deliveries()) row.state = state;
      await ledger.route(edit(10_000, { value: 100 }, { stage_id: 12, value: 900 }));
      return ledger;
    };
    const byWatch = '-7 tells 3 to 1: deal.stage_changed 11>12';
    const byRule = '1 tells 4 to 1: deal.stage_changed 11>12';

    test.each([
      ['an urgent rule, and the watch waits for the end of quiet hours', 'held', { urgent: true }, [byRule]],
      ['an urgent rule, and the watch has told it', 'sent', { urgent: true }, [byWatch]],
      ['another rule, and the watch waits for the end of quiet hours', 'held', {}, [byWatch]],
      ['another rule, and quiet hours dropped what the watch was to tell', 'dropped', {}, [byRule]],
    ] as const)('when that is %s, then it is told once', async (_, state, given, expected) => {
      const ledger = await comesToMatch(state, given);

      expect(told(ledger).filter((line) => line.includes('stage_changed'))).toEqual(expected);
    });

    test('when the urgent rule tells it elsewhere too, then it is told here all the same', async () => {
      const ledger = await comesToMatch('held', { urgent: true, targetWebhookIds: [2, 1] });

      expect(told(ledger).filter((line) => line.startsWith('1 '))).toEqual([
        '1 tells 4 to 2: deal.stage_changed 11>12',
        '1 tells 4 to 1: deal.stage_changed 11>12',
      ]);
    });

    test('when the urgent rule tells what the watch holds, then that is dropped for it', async () => {
      const ledger = await comesToMatch('held', { urgent: true });

      expect(ledger.dropped()).toEqual([
        { rule: -7, event: 3, reason: 'Rule “Wins” tells the same destination of this change.' },
      ]);
    });

    test('when the watch holds something else too, then that stays', async () => {
      const rule = aRule({ eventType: 'deal.stage_changed', minValue: 500, settleMs: 60_000, urgent: true });
      const ledger = await knownDeals({ rules: [rule] });
      await ledger.route(edit(0, { stage_id: 11, owner_id: 1 }, { stage_id: 12, owner_id: 2 }));
      for (const row of ledger.deliveries()) row.state = 'held';

      await ledger.route(edit(10_000, { value: 100 }, { stage_id: 12, owner_id: 2, value: 900 }));

      expect(told(ledger)).toContain(byRule);
      expect(ledger.dropped()).toEqual([]);
    });
  });

  test('when a rule that stops the others takes the place of one about another change, then the watch tells that change', async () => {
    const stopping = aRule({ id: 1, eventType: 'deal.owner_changed', settleMs: 0, stopAfter: true });
    const ledger = await knownDeals({ rules: [stopping, aRule({ id: 2, eventType: 'deal.stage_changed' })] });

    await ledger.route(move(0, 11, 12));
    await ledger.route(edit(500, { owner_id: 1 }, { owner_id: 2, stage_id: 12 }));

    expect(told(ledger)).toEqual(['1 tells 4 to 1: deal.owner_changed 1>2', '-7 tells 4 to 1: deal.stage_changed 11>12']);
  });

  test('when a rule may speak again in the end, then it does not tell what the watch has told meanwhile', async () => {
    const ledger = await knownDeals({
      rules: [
        aRule({ id: 1, eventType: 'deal.reopened', stopAfter: true, settleMs: 3000 }),
        aRule({ id: 2, eventType: 'deal.value_changed', settleMs: 60_000 }),
      ],
    });
    await ledger.route(win(0));
    ledger.sendUntil(1500);

    await ledger.route(edit(5000, { value: 100 }, { value: 200, status: 'won' }));
    await ledger.route(edit(5001, { status: 'won' }, { value: 200, status: 'open' }));
    ledger.sendUntil(6500);
    await ledger.route(edit(7000, { status: 'open' }, { value: 200, status: 'won' }));

    expect(told(ledger)).toEqual([`-7 tells 3 to 1: ${TOLD_WIN}`, expect.stringMatching(/^-7 tells 5 .*100.*200/)]);
  });

  test('when the rule no longer matches after the watch has long fallen silent, then the watch tells it', async () => {
    const conditions = { all: [{ field: 'title', op: 'is', value: 'Acme licence' }] } as const;
    const ledger = await knownDeals({ rules: [aRule({ settleMs: 60_000, conditions })] });

    await ledger.route(win(0));
    await ledger.route(edit(10_000, { title: 'Acme licence' }, { title: 'Other', status: 'won' }));

    expect(told(ledger)).toEqual([`-7 tells 4 to 1: ${TOLD_WIN}`]);
  });

  test('when the rule no longer matches while the watch holds something back, then the watch tells both', async () => {
    const ledger = await knownDeals({ rules: [aRule({ minValue: 50 })] });

    await ledger.route(win(0), edit(400, { owner_id: 1 }, { owner_id: 2, status: 'won' }));
    await ledger.route(edit(800, { value: 100 }, { owner_id: 2, status: 'won', value: 10 }));
    await ledger.route(move(900, 11, 12, { owner_id: 2, status: 'won', value: 10 }));

    expect(told(ledger)).toEqual([`-7 tells 4 to 1: ${TOLD_WIN},100>10,1>2,11>12`]);
  });

  test('when a rule with a digest no longer matches, then the watch, which has told it, does not repeat it', async () => {
    const rule = aRule({ digest: { every: 'day', at: '09:00' }, settleMs: 60_000, minValue: 50 });
    const ledger = await knownDeals({ rules: [rule] });

    await ledger.route(win(0));
    ledger.sendUntil(1500);
    await ledger.route(edit(10_000, { value: 100 }, { status: 'won', value: 10 }));

    expect(told(ledger)).toEqual([
      `-7 tells 3 to 1: ${TOLD_WIN}`,
      expect.stringMatching(/^-7 tells 4 to 1: deal\.value_changed/),
    ]);
  });

  test.each<[string, RecordState, RecordState, readonly string[]]>([
    ['given a value', { value: 100 }, { value: 900 }, ['1 tells 1 to 1: deal.created ']],
    ['won', { status: 'open' }, { status: 'won' }, ['1 tells 1 to 1: deal.created ', `2 tells 2 to 1: ${TOLD_WIN}`]],
    [
      'lost',
      { status: 'open' },
      { status: 'lost' },
      ['1 tells 1 to 1: deal.created ', '-7 tells 2 to 1: deal.lost "open">"lost"'],
    ],
  ])('when a rule tells a new deal and it is %s meanwhile, then this is told once', async (_, from, to, expected) => {
    const rules = [aRule({ id: 1, eventType: 'deal.created' }), aRule({ id: 2 })];
    const ledger = makeMemoryLedger({ rules, watches: [aWatch()] });

    await ledger.route(aDealWebhook({ atMs: 0, action: 'create' }));
    await ledger.route(edit(500, from, to));

    expect(told(ledger)).toEqual(expected);
  });

  test('when a deal comes in as won and is reopened after its message has left, then neither rule nor watch tells its birth again', async () => {
    const rules = [aRule({ id: 1, eventType: 'deal.created' }), aRule({ id: 2, eventType: 'deal.reopened' })];
    const ledger = makeMemoryLedger({ rules, watches: [aWatch()] });

    await ledger.route(aDealWebhook({ atMs: 0, action: 'create', data: { status: 'won' } }));
    for (const row of ledger.deliveries()) if (row.ruleId === 1) row.state = 'sent';
    await ledger.route(edit(1450, { status: 'won' }, { status: 'open' }));

    expect(told(ledger)).toEqual(['1 tells 1 to 1: deal.created ']);
  });

  test('when a new deal is won, lost and reopened before anything but its birth was told, then its birth is all that is told', async () => {
    const rules = [
      aRule({ id: 1, eventType: 'deal.created', settleMs: 4000 }),
      aRule({ id: 2, settleMs: 4000 }),
      aRule({ id: 3, eventType: 'deal.reopened', settleMs: 4000 }),
    ];
    const ledger = makeMemoryLedger({ rules, watches: [aWatch()] });

    await ledger.route(aDealWebhook({ atMs: 0, action: 'create' }));
    await ledger.route(win(800));
    await ledger.route(edit(3000, { status: 'won' }, { status: 'lost' }));
    ledger.sendUntil(4000);
    await ledger.route(edit(4100, { status: 'lost' }, { status: 'open' }));

    expect(told(ledger)).toEqual(['1 tells 1 to 1: deal.created ']);
  });

  test.each([
    ['right after the deal came', 1, ['-7 tells 2 to 1: deal.lost "open">"lost"']],
    ['when it was lost already', 3, []],
  ])(
    'when it began %s, and a later win is taken back before its rule has told it, then the watch tells that the deal is open',
    async (_, sinceMs, before) => {
      const ledger = makeMemoryLedger({ rules: [aRule({ settleMs: 4000 })], watches: [aWatch({ sinceMs })] });
      await ledger.route(aDealWebhook({ atMs: 0, action: 'create' }));
      await ledger.route(edit(2, { status: 'open' }, { status: 'lost' }));
      ledger.sendUntil(1600);

      await ledger.route(edit(2000, { status: 'lost' }, { status: 'won' }));
      await ledger.route(edit(3000, { status: 'won' }, { status: 'open' }));

      expect(told(ledger)).toEqual([...before, '-7 tells 4 to 1: deal.reopened "lost">"open"']);
      expect(ledger.codes(4)).toEqual(['1:settled', '-7:matched']);
    },
  );

  test('when a rule comes to match what happened before the watch began, then it tells that', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', minValue: 500, settleMs: 60_000 });
    const ledger = await knownDeals({ rules: [rule], watches: [aWatch({ sinceMs: 5000 })] });

    await ledger.route(move(0, 11, 12));
    await ledger.route(edit(10_000, { value: 100 }, { stage_id: 12, value: 900 }));

    expect(told(ledger)).toEqual(['1 tells 4 to 1: deal.stage_changed 11>12', expect.stringMatching(/^-7 tells 4 .*100.*900/)]);
  });

  test('when a new deal’s win is told at once by a rule and more follows, then the watch, which holds back its birth, does not tell it too', async () => {
    const ledger = makeMemoryLedger({ rules: [aRule({ settleMs: 0 })], watches: [aWatch()] });

    await ledger.route(aDealWebhook({ atMs: 0, action: 'create' }));
    await ledger.route(win(300));
    await ledger.route(edit(600, { owner_id: 1 }, { owner_id: 2, status: 'won' }));

    expect(told(ledger)).toEqual(['-7 tells 1 to 1: deal.created ', `1 tells 2 to 1: ${TOLD_WIN}`]);
  });

  test('when a new value, told in a thread, is taken back where another rule stops its rule, then the watch alone tells it', async () => {
    const rules = [
      aRule({ id: 1, stopAfter: true, settleMs: 4000 }),
      aRule({ id: 2, eventType: 'deal.value_changed', position: 2, settleMs: 0 }),
    ];
    const ledger = await knownDeals({ rules, destinations: [{ id: 1, spaceId: 'a', isThreaded: true }] });

    await ledger.route(edit(0, { value: 100 }, { value: 200 }));
    ledger.sendUntil(0);
    await ledger.route(win(60_000, { value: 200 }), move(60_200, 11, 12, { status: 'won', value: 200 }));
    await ledger.route(edit(60_400, { value: 200 }, { value: 100, stage_id: 12, status: 'won' }));

    expect(told(ledger)).toEqual([
      expect.stringMatching(/^2 tells 3 to 1: deal.value_changed .*100.*200/),
      `1 tells 4 to 1: ${TOLD_WIN}`,
      '-7 tells 5 to 1: deal.field_changed 200>100,11>12',
    ]);
    expect(ledger.codes(6)).toContain('2:alreadyTold');
  });

  test('when a second win is taken back before it was told in a thread, then the first, whose end the watch told, is not corrected', async () => {
    const destinations = [{ id: 1, spaceId: 'a', isThreaded: true }];
    const ledger = makeMemoryLedger({ rules: [aRule()], destinations, watches: [aWatch()] });
    const reopen = (atMs: number) => edit(atMs, { status: 'won' }, { status: 'open' });

    await ledger.route(aDealWebhook({ atMs: 0, action: 'create' }), win(1));
    ledger.sendUntil(1501);
    await ledger.route(reopen(850));
    ledger.sendUntil(1502);
    await ledger.route(win(851), reopen(852));

    expect(told(ledger).slice(1)).toEqual([`1 tells 2 to 1: ${TOLD_WIN}`, '-7 tells 3 to 1: deal.reopened "won">"open"']);
  });

  test('when a rule’s message is taken back in a thread where the watch holds something back, then one of them tells it', async () => {
    const ledger = await knownDeals({ rules: [aRule()], destinations: [{ id: 1, spaceId: 'a', isThreaded: true }] });

    await ledger.route(win(0));
    ledger.sendUntil(1500);
    await ledger.route(edit(60_000, { owner_id: 1 }, { owner_id: 2, status: 'won' }));
    await ledger.route(edit(60_500, { status: 'won' }, { owner_id: 2, status: 'open' }));

    expect(told(ledger)).toEqual([`1 tells 3 to 1: ${TOLD_WIN}`, '-7 tells 4 to 1: deal.reopened "won">"open",1>2']);
  });
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

test('when a note of the deal is edited right after it was added, then it is told once', async () => {
  const ledger = await knownDeals();

  await ledger.route(aWebhook({ entity: 'note', id: 5, atMs: 0, action: 'create', data: { id: 5, deal_id: 8, content: 'Hi' } }));
  await ledger.route(
    aWebhook({ entity: 'note', id: 5, atMs: 500, previous: { content: 'Hi' }, data: { id: 5, deal_id: 8, content: 'Ho' } }),
  );

  expect(told(ledger)).toEqual(['-7 tells 3 to 1: note.created ']);
  expect(ledger.deliveries()[0]?.change.state).toMatchObject({ content: 'Ho' });
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

  test('when the survivor is edited right after the merge, then both are one message', async () => {
    const ledger = await knownDeals({ watches: [aWatch({ entityId: '9' })] });

    await ledger.route(
      aDealWebhook({ id: 9, atMs: 0, previous: { value: 100 }, data: { value: 150 }, meta: { merged_from_id: '8' } }),
      edit(500, { owner_id: 1 }, { owner_id: 2, value: 150 }, 9),
    );

    expect(told(ledger)).toEqual(['-7 tells 3 to 1: deal.merged 1>2']);
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
