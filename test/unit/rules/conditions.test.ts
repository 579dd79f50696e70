/** Every operator on every kind of value: when it holds, and when it does not. */

import { conditionTreeSchema } from '../../../src/core/condition';
import { NO_RATES, type ExchangeRates } from '../../../src/core/exchange-rates';
import type { RecordState } from '../../../src/core/record';
import { evaluateConditions, type ConditionSubject } from '../../../src/rules/evaluate-conditions';
import { dealState } from '../../support/builders';

const [TEXT, NUMBER, MONEY, PERSON, DATE, RANGE, CLOCK, CLOCKS, ADDRESS, PHONE, OPTION, SET, UNSET] = Array.from(
  { length: 13 },
  (_item, index) => index.toString(16).padStart(40, 'c'),
) as [string, string, string, string, string, string, string, string, string, string, string, string, string];
const LABEL = 'f08b42a0-4e75-11ea-9643-03698ef1cfd6';

/** A deal with a custom field of every shape that Pipedrive's documentation shows. */
const DEAL = dealState({
  value: 8000,
  probability: '40',
  label_ids: [3, 5],
  expected_close_date: '2026-11-25',
  won_time: '2026-11-23 23:30:00',
  is_archived: false,
  lost_reason: '  ',
  emails: [{ value: 'Ann@Acme.test', primary: true, label: 'work' }],
  custom_fields: {
    [TEXT]: { type: 'varchar', value: 'Gold Partner' },
    [NUMBER]: { type: 'double', value: 12.5 },
    [MONEY]: { type: 'monetary', value: '200', currency: 'USD' },
    [PERSON]: { type: 'people', id: 17818 },
    [DATE]: { type: 'date', value: '2026-11-20' },
    [RANGE]: { type: 'daterange', from: '2026-11-10', until: '2026-12-01' },
    [CLOCK]: { type: 'time', timezone_id: 310, value: '09:45:00' },
    [CLOCKS]: { type: 'timerange', timezone_id: 310, from: '08:00:00', until: '10:00:00' },
    [ADDRESS]: { type: 'address', value: 'Tee 3a, Tallinn', formatted_address: 'Tee 3a, 10616 Tallinn', locality: 'Tallinn' },
    [PHONE]: { type: 'phone', value: '1234-5678' },
    [OPTION]: { type: 'enum', id: 17 },
    [SET]: { type: 'set', values: [{ id: 13 }, { id: 14 }] },
    [UNSET]: null,
  },
});

const RATES: ExchangeRates = {
  base: 'EUR',
  perUnit: new Map([
    ['USD', { rate: 1 / 1.08, asOf: new Date('2026-11-23T06:00:00Z') }],
    ['GBP', { rate: 1.15, asOf: new Date('2026-11-22T06:00:00Z') }],
  ]),
};

const SUBJECT: ConditionSubject = {
  state: DEAL,
  previous: {},
  event: { actor_user_id: 7, change_source: 'api', is_bulk_edit: false },
  rates: RATES,
  timeZone: 'Europe/Tallinn',
  now: new Date('2026-11-23T12:00:00Z'),
};

type Leaf = readonly [field: string, op: string, value?: unknown];

/** Through the API's own grammar, so that a case that it would refuse cannot pass. */
function holds([field, op, value]: Leaf, subject: Partial<ConditionSubject> = {}): boolean {
  const tree = conditionTreeSchema.parse(value === undefined ? { field, op } : { field, op, value });
  return evaluateConditions(tree, { ...SUBJECT, ...subject }).holds;
}

const show = ([field, op, value]: Leaf): string => `${field.slice(0, 20)} ${op} ${JSON.stringify(value)}`;
const table = (leaves: readonly Leaf[]) => leaves.map((leaf) => [show(leaf), leaf] as const);

const HOLD: readonly Leaf[] = [
  // Texts, without regard to case.
  ...([['title', 'is', 'acme LICENCE'], ['title', 'isNot', 'Acme'], ['title', 'in', ['x', 'Acme licence']]] as const),
  ...([['title', 'notIn', ['x', 'Acme']], ['title', 'contains', 'LIC'], ['title', 'notContains', 'basic']] as const),
  ...([['title', 'matches', '^acme\\s'], ['title', 'isNotEmpty'], ['status', 'is', 'open'], ['title', 'includes', 'acme licence']] as const),
  ...([[TEXT, 'is', 'gold partner'], [TEXT, 'contains', 'gold'], [PHONE, 'is', '1234-5678'], [PHONE, 'matches', '^\\d{4}-']] as const),
  ...([[ADDRESS, 'contains', 'tallinn'], [ADDRESS, 'contains', '10616'], [ADDRESS, 'is', 'Tee 3a, Tallinn']] as const),
  [`${ADDRESS}_locality`, 'is', 'Tallinn'],
  // Numbers, also as text on either side.
  ...([['probability', 'gt', 39], ['probability', 'is', 40], ['probability', 'is', '40'], ['probability', 'between', [40, 50]]] as const),
  ...([[NUMBER, 'is', 12.5], [NUMBER, 'gte', '12.5'], [NUMBER, 'lt', 13], [NUMBER, 'in', [1, '12.5']], [NUMBER, 'notIn', [12]]] as const),
  ...([['probability', 'lte', 40], ['probability', 'gte', 40], ['probability', 'isNot', 41], ['stage_id', 'in', ['11']]] as const),
  // Ids, bare or kept with a name that does not count.
  ...([['owner_id', 'is', 1], ['owner_id', 'is', { id: '1', name: 'Somebody' }], ['owner_id', 'notIn', [{ id: 2, name: 'B' }]]] as const),
  ...([[PERSON, 'is', 17818], [PERSON, 'in', [{ id: 17818, name: 'Ann' }]], [OPTION, 'is', 17], [OPTION, 'isNot', '18']] as const),
  // Money, in its own currency and converted.
  ...([['value', 'gt', 7999.99], ['value', 'gte', 8000], ['value', 'between', [8000, 9000]], ['value', 'is', 8000]] as const),
  ...([['value', 'gt', { amount: 8639, currency: 'USD' }], ['value', 'gte', { amount: 8640, currency: 'USD' }]] as const),
  ...([['value', 'is', { amount: 8640, currency: 'USD' }], ['value', 'lt', { amount: 8000, currency: 'GBP' }]] as const),
  ...([['value', 'between', [{ amount: 8640, currency: 'USD' }, { amount: 8000, currency: 'EUR' }]]] as const),
  ...([[MONEY, 'lt', { amount: 200, currency: 'EUR' }], [MONEY, 'is', 200], [`${MONEY}_currency`, 'is', 'usd']] as const),
  // Lists: a list is what any of its entries is.
  ...([['label_ids', 'includes', 3], ['label_ids', 'includes', { id: '5', name: 'Hot' }], ['label_ids', 'includesAny', [9, 5]]] as const),
  ...([['label_ids', 'includesAll', [5, 3]], ['label_ids', 'includesNone', [4, 6]], ['label_ids', 'is', 3], ['label_ids', 'in', [5]]] as const),
  ...([[SET, 'includesAll', [13, '14']], [SET, 'includesNone', [15]], [SET, 'isNot', 15], [SET, 'notIn', [1, 2]]] as const),
  ...([['emails', 'is', 'ann@acme.test'], ['emails', 'contains', '@ACME'], ['emails', 'includes', 'ann@acme.test']] as const),
  // Flags and facts of the event.
  ...([['is_archived', 'is', false], ['is_archived', 'isNot', true], ['is_archived', 'is', 0], ['is_archived', 'isNotEmpty']] as const),
  ...([['actor_user_id', 'is', 7], ['actor_user_id', 'notIn', [8]], ['change_source', 'is', 'api'], ['is_bulk_edit', 'is', false]] as const),
  // Days: won_time is 23:30 UTC, which is the 24th in Tallinn; a plain date never shifts.
  ...([['won_time', 'is', '2026-11-24'], ['won_time', 'after', 'today'], ['won_time', 'is', { days: 1 }], ['won_time', 'withinDays', 1]] as const),
  ...([['won_time', 'after', '2026-11-23T23:29:59Z'], ['won_time', 'before', '2026-11-24T02:00:00+02:00']] as const),
  ...([['expected_close_date', 'is', '2026-11-25'], ['expected_close_date', 'before', { days: 3 }]] as const),
  ...([['expected_close_date', 'between', ['2026-11-25', '2026-11-30']], ['expected_close_date', 'gt', 'today']] as const),
  ...([['expected_close_date', 'withinDays', 2], [DATE, 'withinDays', -3], [DATE, 'before', 'today'], [DATE, 'gte', { days: -3 }]] as const),
  ...([[RANGE, 'before', '2026-11-11'], [RANGE, 'is', '2026-11-10'], [`${RANGE}_until`, 'after', '2026-11-30']] as const),
  ...([[CLOCK, 'gt', '09:30'], [CLOCK, 'between', ['09:45', '09:45:00']], [CLOCKS, 'lt', '08:30'], [`${CLOCKS}_until`, 'is', '10:00:00']] as const),
  // An empty field: negations hold.
  ...[UNSET, 'person_id', 'absent', 'd'.repeat(40), 'lost_reason'].flatMap((field): Leaf[] => [
    ...([[field, 'isEmpty'], [field, 'is', null], [field, 'is', ''], [field, 'isNot', 'x'], [field, 'isNot', 0]] as const),
    ...([[field, 'notIn', ['x', 5]], [field, 'notContains', 'x'], [field, 'includesNone', [3]]] as const),
  ]),
];

test.each(table(HOLD))('when %s is asked, then it holds', (_name, leaf) => {
  expect(holds(leaf)).toBe(true);
});

const FAIL: readonly Leaf[] = [
  ...([['title', 'is', 'Acme'], ['title', 'isNot', 'ACME licence'], ['title', 'in', ['a']], ['title', 'notIn', ['acme licence']]] as const),
  ...([['title', 'contains', 'x'], ['title', 'notContains', 'licen'], ['title', 'matches', '^licence'], ['title', 'gt', 5]] as const),
  ...([['title', 'isEmpty'], ['title', 'before', 'today'], ['title', 'withinDays', 5], ['title', 'is', { amount: 1, currency: 'EUR' }]] as const),
  ...([['probability', 'gt', 40], ['probability', 'lt', 40], ['probability', 'between', [41, 50]], ['probability', 'is', 0]] as const),
  ...([[NUMBER, 'is', '  '], [NUMBER, 'gt', 'today'], [NUMBER, 'lt', { days: 1 }], [NUMBER, 'is', true], [NUMBER, 'gt', '09:30']] as const),
  ...([['owner_id', 'is', { id: 2, name: '1' }], ['owner_id', 'isNot', '1'], [PERSON, 'is', 1781], [OPTION, 'in', [1, 7]]] as const),
  ...([['value', 'gt', 8000], ['value', 'between', [8001, 9000]], ['value', 'gt', { amount: 8640, currency: 'USD' }]] as const),
  ...([['value', 'gt', { amount: 1, currency: 'JPY' }], ['value', 'lt', { amount: 1, currency: 'JPY' }], ['value', 'before', 'today']] as const),
  ...([['value', 'is', { amount: 8000, currency: 'USD' }], ['value', 'isNot', 8000], ['value', 'isNot', { amount: 5, currency: 'JPY' }]] as const),
  ...([['label_ids', 'includes', 4], ['label_ids', 'includesAll', [3, 4]], ['label_ids', 'includesNone', [9, 3]]] as const),
  ...([['label_ids', 'includesAny', [4, 6]], ['label_ids', 'isNot', 3], ['label_ids', 'notIn', [5, 9]], ['label_ids', 'isEmpty']] as const),
  ...([['is_archived', 'is', true], ['is_archived', 'isNot', false], ['is_archived', 'is', 'banana'], ['is_archived', 'isEmpty']] as const),
  ...([['change_source', 'isNot', 'api'], ['actor_user_id', 'in', [8]], ['is_bulk_edit', 'is', true]] as const),
  ...([['won_time', 'is', '2026-11-23'], ['won_time', 'withinDays', 0], ['won_time', 'withinDays', -1], ['won_time', 'is', 'today']] as const),
  ...([['won_time', 'after', '2026-11-23T23:30:00Z'], ['expected_close_date', 'withinDays', 1], [DATE, 'withinDays', -2]] as const),
  ...([['expected_close_date', 'after', '2026-11-25'], ['expected_close_date', 'between', ['2026-11-26', '2026-11-30']]] as const),
  ...([[DATE, 'withinDays', 3], [DATE, 'after', { days: -3 }], [RANGE, 'after', '2026-11-10'], [CLOCK, 'lt', '09:45']] as const),
  ...([['title', 'changed'], ['title', 'changedTo', 'Acme licence'], ['value', 'increasedBy', 1], ['value', 'decreasedBy', 1]] as const),
  ...([['actor_user_id', 'changed'], ['custom_fields', 'is', 'x'], ['constructor', 'isNotEmpty'], ['toString', 'contains', 'a']] as const),
  ...[UNSET, 'person_id', 'absent', 'd'.repeat(40), 'lost_reason'].flatMap((field): Leaf[] => [
    ...([[field, 'isNotEmpty'], [field, 'is', 'x'], [field, 'is', 0], [field, 'is', false], [field, 'in', [1]]] as const),
    ...([[field, 'is', { amount: 1, currency: 'EUR' }], [field, 'is', { days: 0 }], [field, 'isNot', null]] as const),
    ...([[field, 'contains', 'x'], [field, 'matches', '.*'], [field, 'includes', 3], [field, 'includesAny', [3]]] as const),
    ...([[field, 'gt', 0], [field, 'gte', 0], [field, 'lt', 5], [field, 'lte', 5], [field, 'between', [0, 5]]] as const),
    ...([[field, 'before', 'today'], [field, 'after', 'today'], [field, 'withinDays', 9], [field, 'includesAll', [3]]] as const),
  ]),
];

test.each(table(FAIL))('when %s is asked, then it does not hold', (_name, leaf) => {
  expect(holds(leaf)).toBe(false);
});

test.each<[string, RecordState, Leaf]>([
  ["a lead's value", { value: { amount: 500, currency: 'EUR' } }, ['value', 'gt', { amount: 539, currency: 'USD' }]],
  ["a lead's value in text", { value: { amount: '500', currency: 'EUR' } }, ['value', 'gte', 500]],
  ["a lead's unset value", { value: { amount: null, currency: 'EUR' } }, ['value', 'isEmpty']],
  ["a lead's label", { label_ids: [LABEL] }, ['label_ids', 'includes', LABEL]],
  ['labels in one text', { label_ids: '24,25' }, ['label_ids', 'includesAll', [24, 25]]],
  ['a value in text', { value: '100.50', currency: 'EUR' }, ['value', 'lt', { amount: 109, currency: 'USD' }]],
  ['a value without a currency, which is in the base currency', { value: 100 }, ['value', 'gt', { amount: 107, currency: 'USD' }]],
  ['a flag as 1', { done: 1 }, ['done', 'is', true]],
  ['a flag as "0"', { done: '0' }, ['done', 'isNot', true]],
  ["an activity's type", { type: 'Call' }, ['type', 'in', ['call', 'meeting']]],
  ["a note's content", { content: '<p>Urgent: call back</p>' }, ['content', 'contains', 'URGENT']],
  ["an activity's time", { due_time: { timezone_id: 1, value: '14:00' } }, ['due_time', 'gte', '14:00:00']],
  ["an organization's address", { address: { value: 'Mustamäe tee', locality: 'Tallinn' } }, ['address', 'contains', 'MUSTAMÄE']],
])('when %s is compared, then its shape is understood', (_name, state, leaf) => {
  expect(holds(leaf, { state })).toBe(true);
});

test.each<[string, string, string, boolean]>([
  ['the night before the clocks go forward', '2026-03-28T22:30:00Z', 'Europe/Berlin', false],
  ['the hour after midnight', '2026-03-28T23:30:00Z', 'Europe/Berlin', true],
  ['the last hour of the short day', '2026-03-29T21:59:59Z', 'Europe/Berlin', true],
  ['the first of the next day', '2026-03-29T22:00:00Z', 'Europe/Berlin', false],
  ['a day in New York', '2026-03-30T03:59:59Z', 'America/New_York', true],
  ['a zone that nobody knows, which is UTC', '2026-03-29T23:59:59Z', 'Mars/Olympus', true],
])('when today is 29 March and a moment is in %s, then whether it is today follows the zone', (_name, moment, timeZone, expected) => {
  const now = new Date('2026-03-29T12:00:00Z');

  expect(holds(['won_time', 'is', 'today'], { state: { won_time: moment }, timeZone, now })).toBe(expected);
  expect(holds(['won_time', 'withinDays', 0], { state: { won_time: moment.replace('Z', '') }, timeZone, now })).toBe(expected);
  expect(holds(['due', 'is', 'today'], { state: { due: '2026-03-29' }, timeZone, now })).toBe(true);
});

test('when a pattern would take for ever elsewhere, then it is done at once, however long the text', () => {
  const content = 'a'.repeat(1_000_000);
  const startedMs = performance.now();

  expect(holds(['content', 'matches', '^(a+)+$b'], { state: { content } })).toBe(false);
  expect(holds(['content', 'matches', '(x+x+)+y'], { state: { content } })).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(2000);
});

describe('a missing rate', () => {
  const inYen: Leaf = ['value', 'gt', { amount: 1, currency: 'JPY' }];
  const [field, op, value] = inYen;
  const yen = { field, op, value };
  const yes = { field: 'status', op: 'is', value: 'open' };
  const no = { field: 'status', op: 'is', value: 'won' };

  test.each<[string, object, boolean, boolean]>([
    ['stands alone', yen, false, true],
    ['is negated', { not: yen }, false, true],
    ['is negated with something that holds', { not: [yen, yes] }, false, false],
    ['is beside something that fails', { all: [yen, no] }, false, false],
    ['is beside something that holds', { all: [yen, yes] }, false, true],
    ['has an alternative that holds', { any: [yen, yes] }, true, false],
    ['has an alternative that fails', { any: [no, yen] }, false, true],
    ['is under a negated group that fails anyway', { not: { all: [yen, no] } }, true, false],
  ])('when it %s, then it is never a guess', (_name, given, expected, isReason) => {
    const result = evaluateConditions(conditionTreeSchema.parse(given), SUBJECT);

    expect(result.holds).toBe(expected);
    expect(!result.holds && result.failed.lacksRate === true).toBe(isReason);
  });

  test('when no rates are known at all, then only the own currency is compared', () => {
    expect(holds(['value', 'gt', { amount: 1, currency: 'EUR' }], { rates: NO_RATES })).toBe(true);
    expect(holds(['value', 'gt', { amount: 1, currency: 'USD' }], { rates: NO_RATES })).toBe(false);
  });
});

test('when a value is converted, then the failure says to what and by the rate of which day', () => {
  const tree = conditionTreeSchema.parse({ field: 'value', op: 'gte', value: { amount: 10_000, currency: 'USD' } });

  expect(evaluateConditions(tree, SUBJECT)).toEqual({
    holds: false,
    failed: {
      field: 'value',
      op: 'gte',
      wanted: { amount: 10_000, currency: 'USD' },
      actual: { amount: 8000, currency: 'EUR' },
      converted: { amount: 8640, currency: 'USD', asOf: '2026-11-23T06:00:00.000Z' },
    },
  });
});
