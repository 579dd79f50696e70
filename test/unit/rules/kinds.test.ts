/** Finer kinds of transitions, and thresholds that are told when they are crossed: which rules hear of them, and the reasons of the others. */

import type { ExchangeRates } from '../../../src/core/exchange-rates';
import type { RecordState } from '../../../src/core/record';
import type { EventType, TransitionKind } from '../../../src/core/transition';
import { explainDecision } from '../../../src/rules/explain';
import type { StageOrder } from '../../../src/rules/kinds-of-transition';
import { aDealWebhook, aRule, at, aWebhook, type SentWebhook } from '../../support/builders';
import { makeMemoryLedger } from '../../support/memory-ledger';

const stages: StageOrder = new Map([
  [1, { pipelineId: 1, order: 1 }],
  [2, { pipelineId: 1, order: 2 }],
  [3, { pipelineId: 1, order: 30 }],
  [4, { pipelineId: 1, order: 31 }],
  [9, { pipelineId: 2, order: 5 }],
]);
const rates: ExchangeRates = { base: 'EUR', perUnit: new Map([['USD', { rate: 0.5, asOf: at(0) }]]) };
const change = (previous: RecordState, data: RecordState) => aDealWebhook({ previous, data });
const activity = (previous: RecordState, data: RecordState) => aWebhook({ entity: 'activity', previous, data });

/** The kinds under which a rule of this type hears of the event. */
async function kindsHeard(eventType: EventType, kinds: readonly TransitionKind[], event: SentWebhook): Promise<TransitionKind[]> {
  const rules = kinds.map((kind, index) => aRule({ id: index + 1, eventType, kinds: [kind] }));
  const ledger = makeMemoryLedger({ rules, stages });
  await ledger.route(event);
  return kinds.filter((_kind, index) => ledger.told().some(({ rule }) => rule === index + 1));
}

const MOVES = ['forward', 'back', 'skipped'] as const;
test.each([
  [1, 2, ['forward']],
  [2, 3, ['forward']],
  [1, 3, ['forward', 'skipped']],
  [1, 4, ['forward', 'skipped']],
  [4, 3, ['back']],
  [4, 1, ['back']],
  [1, 77, []],
  [77, 1, []],
  [null, 2, []],
  [9, 2, []],
])('when a deal moves from stage %j to %j, then rules on %j hear of it', async (from, to, expected) => {
  expect(await kindsHeard('deal.stage_changed', MOVES, change({ stage_id: from }, { stage_id: to }))).toEqual(expected);
});

const VALUES = ['up', 'down', 'set', 'cleared', 'currency'] as const;
test.each<[RecordState, RecordState, readonly string[]]>([
  [{ value: 100 }, { value: 200 }, ['up']],
  [{ value: 200 }, { value: 100 }, ['down']],
  [{ value: null }, { value: 100 }, ['set']],
  [{ value: 0 }, { value: 100 }, ['up', 'set']],
  [{ value: 100 }, { value: null }, ['cleared']],
  [{ value: 100 }, { value: 0 }, ['down', 'cleared']],
  [{ currency: 'USD' }, { value: 100 }, ['currency']],
  [{ currency: 'USD', value: 900 }, { value: 100 }, ['currency']],
])('when the value changes from %j to %j, then rules on %j hear of it', async (previous, data, expected) => {
  expect(await kindsHeard('deal.value_changed', VALUES, change(previous, data))).toEqual(expected);
});

const DATES = ['slipped', 'pulledIn', 'set', 'cleared'] as const;
test.each([
  ['2026-12-01', '2026-12-02', ['slipped']],
  ['2026-12-31', '2027-01-01', ['slipped']],
  ['2026-12-02', '2026-12-01', ['pulledIn']],
  [null, '2026-12-01', ['set']],
  ['2026-12-01', null, ['cleared']],
])('when the close date changes from %j to %j, then rules on %j hear of it', async (from, to, expected) => {
  const event = change({ expected_close_date: from }, { expected_close_date: to });

  expect(await kindsHeard('deal.close_date_changed', DATES, event)).toEqual(expected);
});

test.each([
  ['2026-12-01', '2026-12-02', ['later']],
  ['2026-12-02', '2026-12-01', ['earlier']],
  [null, '2026-12-01', ['set']],
  ['2026-12-01', null, ['cleared']],
])('when an activity is rescheduled from %j to %j, then rules on %j hear of it', async (from, to, expected) => {
  const kinds = ['later', 'earlier', 'set', 'cleared'] as const;

  expect(await kindsHeard('activity.rescheduled', kinds, activity({ due_date: from }, { due_date: to }))).toEqual(expected);
});

test.each<[RecordState, readonly string[]]>([
  [{ first_won_time: null, won_time: '2026-11-23T12:00:00Z' }, ['first']],
  [{ first_won_time: '2026-11-23T12:00:00Z', won_time: '2026-11-23T12:00:00Z' }, ['first']],
  [{ first_won_time: '2026-01-01T12:00:00Z', won_time: '2026-11-23T12:00:00Z' }, ['again']],
])('when a deal is won with %j, then rules on %j hear of it', async (times, expected) => {
  const event = change({ status: 'open' }, { status: 'won', ...times });

  expect(await kindsHeard('deal.won', ['first', 'again'], event)).toEqual(expected);
});

test.each([
  ['won', ['fromWon']],
  ['lost', ['fromLost']],
])('when a %s deal is reopened, then rules on %j hear of it', async (from, expected) => {
  expect(await kindsHeard('deal.reopened', ['fromWon', 'fromLost'], change({ status: from }, { status: 'open' }))).toEqual(
    expected,
  );
});

test.each([
  [4, 1, 'a move back'],
  [1, 77, 'the order of these stages is not known'],
])('when a rule asks for a move forward and a deal moves from %j to %j, then the reason says: %s', async (from, to, words) => {
  const rule = aRule({ eventType: 'deal.stage_changed', kinds: ['forward'] });
  const ledger = makeMemoryLedger({ rules: [rule], stages });

  await ledger.route(change({ stage_id: from }, { stage_id: to }));

  const [decision] = ledger.event(1).decisions;
  if (decision === undefined) throw new Error('there is no decision');
  expect(explainDecision(decision, rule, { entity: 'deal', transitions: ['deal.stage_changed'] })).toContain(words);
});

describe('a rule with crossing', () => {
  const rule = aRule({ eventType: 'deal.value_changed', minValue: 1000, currency: 'EUR', crossing: true });

  test.each<[RecordState, RecordState, string]>([
    [{ value: 900 }, { value: 1000 }, 'matched'],
    [{ value: 900 }, { value: 5000 }, 'matched'],
    [{ value: null }, { value: 1000 }, 'matched'],
    [{ value: 1000 }, { value: 5000 }, 'crossing'],
    [{ value: 1000 }, { value: 1000.5 }, 'crossing'],
    [{ value: 5000 }, { value: 900 }, 'minValue'],
    [{ value: 100 }, { value: 900 }, 'minValue'],
    [{ value: 1500 }, { value: 2500, currency: 'USD' }, 'matched'],
    [{ value: 2500 }, { value: 3000, currency: 'USD' }, 'crossing'],
    [{ value: 900, currency: 'XAF' }, { value: 5000 }, 'otherCurrency'],
    [{ value: 900 }, { value: 5000, currency: 'XAF' }, 'otherCurrency'],
  ])('when the value goes from %j to %j, then the decision is %s', async (previous, data, code) => {
    const ledger = makeMemoryLedger({ rules: [rule], rates });

    await ledger.route(change(previous, data));

    expect(ledger.codes(1)).toEqual([`1:${code}`]);
    expect(ledger.told()).toHaveLength(code === 'matched' ? 1 : 0);
  });

  test('when the value crosses in two steps of one window, then it is told once', async () => {
    const ledger = makeMemoryLedger({ rules: [rule] });
    const step = (atMs: number, from: number, to: number) =>
      aDealWebhook({ atMs, previous: { value: from }, data: { value: to } });

    await ledger.route(step(0, 100, 900), step(500, 900, 1100), step(1000, 1100, 1200), step(5000, 1200, 1300));

    expect(ledger.told().map(({ ways }) => ways.join())).toEqual([
      '{"amount":100,"currency":"EUR"}>{"amount":1200,"currency":"EUR"}',
    ]);
  });

  test('when it was above before, then the reason says from where it came', async () => {
    const ledger = makeMemoryLedger({ rules: [rule] });
    await ledger.route(change({ value: 2000 }, { value: 5000 }));
    const [decision] = ledger.event(1).decisions;
    if (decision === undefined) throw new Error('there is no decision');

    const reason = explainDecision(decision, rule, { entity: 'deal', transitions: ['deal.value_changed'] });

    expect(reason).toContain('2,000 EUR');
    expect(reason).toContain('1,000 EUR');
  });
});
