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
