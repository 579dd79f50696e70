/** What is missed and what is not: Pipedrive's list against shadow and ledger, record by record. */

import type { RecordState } from '../../../src/core/record';
import { findMissed, GRACE_MS, sightingsOf, type KnownRecord } from '../../../src/reconciliation/find-missed';
import { listedRecord } from '../../../src/reconciliation/listed-record';
import { at, dealState } from '../../support/builders';

const HOUR = 3_600_000;
const time = (ms: number): string => at(ms).toISOString().replace('.000', '');
/** Asked at noon; the tenant was installed a day before. */
const gap = { since: at(-24 * HOUR), readAt: at(0) };
const longAgo = { add_time: time(-900 * HOUR), update_time: time(-900 * HOUR) };
const UNKNOWN: KnownRecord = { shadow: null, events: [], isUnsettled: false };

function find(read: RecordState, known: Partial<KnownRecord> & { state?: RecordState; knownMs?: number } = {}) {
  const { state, knownMs = -20 * HOUR, ...rest } = known;
  const listed = listedRecord('deal', dealState({ ...longAgo, ...read }));
  if (listed === null) throw new Error('a deal without an id');
  const shadow =
    state === undefined
      ? (known.shadow ?? null)
      : { state: dealState({ ...longAgo, ...state }), occurredAt: at(knownMs), isGone: false };
  const finding = findMissed(listed, { ...UNKNOWN, ...rest, shadow }, gap);
  const events = finding.events.map(({ action, missed, previous, occurredAt }) => ({
    action,
    missed,
    changed: Object.keys(previous ?? {}).filter((field) => !field.endsWith('_time')),
    atMs: occurredAt.getTime() - at(0).getTime(),
  }));
  return { events, againInMs: finding.againAt === null ? null : finding.againAt.getTime() - at(0).getTime() };
}

const told = (ms: number, ...transitions: string[]) => ({ transitions, occurredAt: at(ms) });
const won = (ms: number): RecordState => ({ status: 'won', won_time: time(ms), close_time: time(ms), update_time: time(ms) });

test('when the list says what the shadow says, in other spellings, then nothing is missed', () => {
  const state = { label_ids: [1, 2], value: 100, update_time: time(-HOUR), stage_change_time: '2026-11-01T00:00:00Z' };
  const read = { ...state, label_ids: [2, 1], value: '100', stage_change_time: '2026-11-01T00:00:00.000Z', source_lead_id: 'x' };

  expect(find(read, { state })).toEqual({ events: [], againInMs: null });
});

test.each([
  ['status', won(-HOUR)],
  ['stage_id', { stage_id: 12, update_time: time(-HOUR) }],
  ['owner_id', { owner_id: 2, update_time: time(-HOUR) }],
  ['value', { value: 200, update_time: time(-HOUR) }],
])(
  'when the list differs from the shadow by %s, then the difference is an event of the time of the last change',
  (field, read) => {
    expect(find(read, { state: {} }).events).toEqual([{ action: 'change', missed: null, changed: [field], atMs: -HOUR }]);
  },
);

test('when the change is younger than the retries of a webhook, then it is looked at again when they are over', () => {
  expect(find(won(-60_000), { state: {} })).toEqual({ events: [], againInMs: GRACE_MS - 60_000 + 1_000 });
});

test('when an event of the record waits to be routed, then nothing is said yet', () => {
  expect(find(won(-HOUR), { state: {}, isUnsettled: true })).toEqual({ events: [], againInMs: 60_000 });
});

test('when an unknown deal from before the install was won since, then the win is told and not the creation', () => {
  expect(find(won(-HOUR)).events).toEqual([{ action: 'change', missed: ['deal.won'], changed: ['status'], atMs: -HOUR }]);
});

test('when an unknown deal was created and lost since, then both are one event', () => {
  const read = { status: 'lost', add_time: time(-3 * HOUR), lost_time: time(-2 * HOUR), update_time: time(-2 * HOUR) };

  expect(find(read).events).toEqual([{ action: 'create', missed: ['deal.created', 'deal.lost'], changed: [], atMs: -2 * HOUR }]);
});

test('when an unknown deal was won before the install and edited since, then nothing is told', () => {
  expect(find({ ...won(-48 * HOUR), update_time: time(-HOUR) })).toEqual({ events: [], againInMs: null });
});

test('when a later event has told the state but none the win, then the win alone is told and the shadow is left', () => {
  const state = won(-3 * HOUR);

  const { events } = find(
    { ...state, update_time: time(-HOUR) },
    { state, knownMs: -HOUR, events: [told(-HOUR, 'deal.value_changed')] },
  );

  expect(events).toEqual([{ action: 'change', missed: ['deal.won'], changed: ['status'], atMs: -3 * HOUR }]);
});

test.each([
  ['by an event a moment after the time in the record', [told(-3 * HOUR + 900, 'deal.won')]],
  ['before somebody moved the day of winning', [told(-20 * HOUR, 'deal.won')]],
])('when the ledger has the win %s, then it is not missed', (_words, events) => {
  const state = won(-3 * HOUR);

  expect(find(state, { state, knownMs: -HOUR, events })).toEqual({ events: [], againInMs: null });
});

test('when a deal was won, told, reopened and won again unheard, then the second win is missed', () => {
  const state = won(-3 * HOUR);
  const events = [told(-20 * HOUR, 'deal.won'), told(-10 * HOUR, 'deal.reopened')];

  expect(find(state, { state, knownMs: -HOUR, events }).events).toMatchObject([{ missed: ['deal.won'] }]);
});

const lost = (ms: number): RecordState => ({ status: 'lost', lost_time: time(ms), close_time: time(ms), update_time: time(ms) });

test.each([
  ['won', won, 'deal.won'],
  ['lost', lost, 'deal.lost'],
] as const)(
  'when a deal was %s and told, and is that again after a reopening unheard, then the second time is missed',
  (_, of, type) => {
    const { events } = find(of(-3 * HOUR), { state: of(-20 * HOUR), events: [told(-20 * HOUR, type)] });

    expect(events).toMatchObject([
      { missed: [type], changed: expect.arrayContaining(['status']), atMs: -3 * HOUR },
      { missed: null, atMs: -3 * HOUR },
    ]);
  },
);

test('when a deal that was won again was edited at once, then its win waits with the edit, so that no late webhook tells it once more', () => {
  const read = { ...won(-GRACE_MS - 10_000), update_time: time(-GRACE_MS + 20_000) };
  const known = { state: won(-20 * HOUR), events: [told(-20 * HOUR, 'deal.won')] };

  expect(find(read, known)).toEqual({ events: [], againInMs: 21_000 });
});

describe('A win that was told', () => {
  const events = [told(-20 * HOUR + 900, 'deal.won')];
  const corrected = { ...won(-20 * HOUR), won_time: time(-3 * HOUR), update_time: time(-2 * HOUR) };
  const isMissed = (read: RecordState, state: RecordState, ledger: KnownRecord['events'] = events) =>
    find(read, { state, events: ledger }).events.some(({ missed }) => missed !== null);

  test.each<[string, RecordState, RecordState]>([
    ['corrected', corrected, corrected],
    ['corrected to the minute of the correction', { ...corrected, ...won(-3 * HOUR) }, won(-3 * HOUR)],
    ['corrected unheard', corrected, won(-20 * HOUR)],
    ['corrected unheard to the minute of the correction', { ...corrected, update_time: time(-3 * HOUR) }, won(-20 * HOUR)],
    ['corrected unheard to an earlier one', { ...corrected, won_time: time(-22 * HOUR) }, won(-20 * HOUR)],
    ['replaced by that of a deal merged into it unheard', { ...won(-3 * HOUR), update_time: time(-2 * HOUR) }, won(-20 * HOUR)],
    ['known as lying after what the list says', won(-3 * HOUR), { ...won(-20 * HOUR), update_time: time(-2 * HOUR) }],
    ['spelled in another way, seconds apart', won(-3 * HOUR), { ...won(-3 * HOUR), won_time: '2026-11-23 08:59:41' }],
  ])('when its time is %s, then it is not missed', (_words, read, state) => {
    expect(isMissed(read, state)).toBe(false);
  });

  test('when it was told late by an earlier comparison, or was imported as won long before, then it is not missed', () => {
    expect(isMissed(won(-3 * HOUR), won(-3 * HOUR), [told(-3 * HOUR, 'deal.won')])).toBe(false);
    const imported = { ...won(-22 * HOUR), add_time: time(-20 * HOUR), update_time: null };
    expect(isMissed(imported, imported, [told(-20 * HOUR, 'deal.won', 'deal.created')])).toBe(false);
  });

  test('when it was dated ahead, then it is not missed when that time has come', () => {
    const ahead = { ...won(-20 * HOUR), won_time: time(-3 * HOUR) };

    expect(isMissed(ahead, ahead)).toBe(false);
    expect(isMissed({ ...ahead, update_time: time(-3 * HOUR) }, ahead)).toBe(false);
  });

  test('when its time is corrected, then it is seen at the time at which it was told; a second win at its own', () => {
    const seen = (read: RecordState) => {
      const listed = listedRecord('deal', dealState({ ...longAgo, ...read }));
      if (listed === null) throw new Error('a deal without an id');
      const shadow = { state: dealState({ ...longAgo, ...won(-20 * HOUR) }), occurredAt: at(-20 * HOUR + 900), isGone: false };
      return sightingsOf(listed, { ...UNKNOWN, shadow, events }, gap).map(({ happenedAt }) => happenedAt);
    };

    expect(seen(corrected)).toEqual([at(-20 * HOUR + 900)]);
    expect(seen(won(-3 * HOUR))).toEqual([at(-3 * HOUR)]);
  });
});

test('when the record is gone for the ledger, then a list that lags behind does not bring it back', () => {
  const shadow = { state: dealState(longAgo), occurredAt: at(-HOUR), isGone: true };

  expect(find(won(-2 * HOUR), { shadow })).toEqual({ events: [], againInMs: null });
});

test('when the day of winning lies ahead, then it has not happened', () => {
  expect(find({ ...won(5 * HOUR), update_time: time(-HOUR) })).toEqual({ events: [], againInMs: null });
});

test('when a converted lead’s deal was missed, then it is the conversion that is missed', () => {
  const read = { add_time: time(-HOUR), update_time: time(-HOUR), source_lead_id: 'b1810230-6c0d-41ed-9826-a53d0eb706a5' };

  expect(find(read).events).toMatchObject([{ action: 'create', missed: ['lead.converted'] }]);
});

describe('A deal that the list shows as gone', () => {
  const gone = (ms: number): RecordState => ({ is_deleted: true, status: 'won', won_time: time(ms), update_time: time(ms) });

  test('when the ledger has it as there, then its deletion is missed, and nothing that came before it', () => {
    expect(find(gone(-HOUR), { state: {} })).toEqual({
      events: [{ action: 'delete', missed: ['deal.deleted'], changed: [], atMs: -HOUR }],
      againInMs: null,
    });
  });

  test.each([
    ['the ledger never heard of it', UNKNOWN],
    ['the ledger has it as gone', { shadow: { state: {}, occurredAt: at(-20 * HOUR), isGone: true } }],
  ])('when %s, then nothing is missed', (_when, known) => {
    expect(find(gone(-HOUR), known)).toEqual({ events: [], againInMs: null });
  });

  test('when it is younger than the retries of a webhook, or events wait, then it is looked at again', () => {
    expect(find(gone(-60_000), { state: {} })).toEqual({ events: [], againInMs: GRACE_MS - 60_000 + 1_000 });
    expect(find(gone(-HOUR), { state: {}, isUnsettled: true })).toEqual({ events: [], againInMs: 60_000 });
  });

  test('when a webhook told of its deletion, then that is seen as told; of one that was merged nothing is', () => {
    const listed = listedRecord('deal', dealState({ ...longAgo, ...gone(-HOUR) }));
    if (listed === null) throw new Error('a deal without an id');
    const shadow = { state: {}, occurredAt: at(-HOUR), isGone: true };
    const seen = (events: KnownRecord['events']) => sightingsOf(listed, { ...UNKNOWN, shadow, events }, gap);

    expect(seen([told(-HOUR, 'deal.deleted')]).map(({ type }) => type)).toEqual(['deal.deleted']);
    expect(seen([told(-HOUR, 'deal.merged')])).toEqual([]);
  });
});
