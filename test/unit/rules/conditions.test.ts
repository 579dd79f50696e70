/** Every operator on every kind of value: when it holds, and when it does not. */

import { conditionTreeSchema } from '../../../src/core/condition';
import { NO_RATES, type ExchangeRates } from '../../../src/core/exchange-rates';
import type { RecordState } from '../../../src/core/record';
import { evaluateConditions, type ConditionSubject } from '../../../src/rules/evaluate-conditions';
import { dealState } from '../../support/builders';

/** Custom fields by the names that they have in the tables. */
const KEYS = Object.fromEntries(
  'TEXT NUMBER MONEY PERSON DATE RANGE CLOCK CLOCKS ADDRESS PHONE OPTION SET UNSET ABSENT'
    .split(' ')
    .map((name, index) => [name, index.toString(16).padStart(40, 'c')]),
);

/** "title is "Acme" | NUMBER gt 3": one condition each, the value in JSON. */
const parsed = (text: string): readonly (readonly [string, Leaf])[] =>
  text.split(/\n| \| /).flatMap((line) => {
    const [, name = '', op = '', value] = /^\s*(\w+) (\w+)(?: (.+))?$/.exec(line) ?? [];
    const field = name.replace(/^[A-Z]+/, (key) => KEYS[key] ?? key);
    return name === '' ? [] : [[line.trim(), value === undefined ? [field, op] : [field, op, JSON.parse(value)]] as const];
  });
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
    [KEYS['TEXT'] ?? '']: { type: 'varchar', value: 'Gold Partner' },
    [KEYS['NUMBER'] ?? '']: { type: 'double', value: 12.5 },
    [KEYS['MONEY'] ?? '']: { type: 'monetary', value: '200', currency: 'USD' },
    [KEYS['PERSON'] ?? '']: { type: 'people', id: 17818 },
    [KEYS['DATE'] ?? '']: { type: 'date', value: '2026-11-20' },
    [KEYS['RANGE'] ?? '']: { type: 'daterange', from: '2026-11-10', until: '2026-12-01' },
    [KEYS['CLOCK'] ?? '']: { type: 'time', timezone_id: 310, value: '09:45:00' },
    [KEYS['CLOCKS'] ?? '']: { type: 'timerange', timezone_id: 310, from: '08:00:00', until: '10:00:00' },
    [KEYS['ADDRESS'] ?? '']: {
      type: 'address',
      value: 'Tee 3a, Tallinn',
      formatted_address: 'Tee 3a, 10616 Tallinn',
      locality: 'Tallinn',
    },
    [KEYS['PHONE'] ?? '']: { type: 'phone', value: '1234-5678' },
    [KEYS['OPTION'] ?? '']: { type: 'enum', id: 17 },
    [KEYS['SET'] ?? '']: { type: 'set', values: [{ id: 13 }, { id: 14 }] },
    [KEYS['UNSET'] ?? '']: null,
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

/** Lists are what any of their entries is; texts are compared without regard to case; a moment's day is that in Tallinn. */
const HOLD = parsed(String.raw`
  title is "acme LICENCE" | title isNot "Acme" | title in ["x","Acme licence"] | title notIn ["x","Acme"]
  title contains "LIC" | title notContains "basic" | title matches "^acme\\s" | title isNotEmpty | status is "open"
  title includes "acme licence" | TEXT is "gold partner" | TEXT contains "gold" | PHONE is "1234-5678"
  PHONE matches "^\\d{4}-" | ADDRESS contains "tallinn" | ADDRESS contains "10616" | ADDRESS is "Tee 3a, Tallinn"
  ADDRESS_locality is "Tallinn" | probability gt 39 | probability is 40 | probability is "40" | probability between [40,50]
  NUMBER is 12.5 | NUMBER gte "12.5" | NUMBER lt 13 | NUMBER in [1,"12.5"] | NUMBER notIn [12] | probability lte 40
  probability gte 40 | probability isNot 41 | stage_id in ["11"] | owner_id is 1 | owner_id is {"id":"1","name":"Somebody"}
  owner_id notIn [{"id":2,"name":"B"}] | PERSON is 17818 | PERSON in [{"id":17818,"name":"Ann"}] | OPTION is 17
  OPTION isNot "18" | value gt 7999.99 | value gte 8000 | value between [8000,9000] | value is 8000
  value gt {"amount":8639,"currency":"USD"} | value gte {"amount":8640,"currency":"USD"}
  value is {"amount":8640,"currency":"USD"} | value lt {"amount":8000,"currency":"GBP"}
  value between [{"amount":8640,"currency":"USD"},{"amount":8000,"currency":"EUR"}]
  MONEY lt {"amount":200,"currency":"EUR"} | MONEY is 200 | MONEY_currency is "usd" | label_ids includes 3
  label_ids includes {"id":"5","name":"Hot"} | label_ids includesAny [9,5] | label_ids includesAll [5,3]
  label_ids includesNone [4,6] | label_ids is 3 | label_ids in [5] | SET includesAll [13,"14"] | SET includesNone [15]
  SET isNot 15 | SET notIn [1,2] | emails is "ann@acme.test" | emails contains "@ACME" | emails includes "ann@acme.test"
  is_archived is false | is_archived isNot true | is_archived is 0 | is_archived isNotEmpty | actor_user_id is 7
  actor_user_id notIn [8] | change_source is "api" | is_bulk_edit is false | won_time is "2026-11-24"
  won_time after "today" | won_time is {"days":1} | won_time withinDays 1 | won_time after "2026-11-23T23:29:59Z"
  won_time before "2026-11-24T02:00:00+02:00" | expected_close_date is "2026-11-25" | expected_close_date before {"days":3}
  expected_close_date between ["2026-11-25","2026-11-30"] | expected_close_date gt "today"
  expected_close_date withinDays 2 | DATE withinDays -3 | DATE before "today" | DATE gte {"days":-3}
  RANGE before "2026-11-11" | RANGE is "2026-11-10" | RANGE_until after "2026-11-30" | CLOCK gt "09:30"
  CLOCK between ["09:45","09:45:00"] | CLOCKS lt "08:30" | CLOCKS_until is "10:00:00" | UNSET isEmpty | UNSET is null
  UNSET is "" | UNSET isNot "x" | UNSET isNot 0 | UNSET notIn ["x",5] | UNSET notContains "x" | UNSET includesNone [3]
  person_id isEmpty | person_id is null | person_id is "" | person_id isNot "x" | person_id isNot 0
  person_id notIn ["x",5] | person_id notContains "x" | person_id includesNone [3] | absent isEmpty | absent is null
  absent is "" | absent isNot "x" | absent isNot 0 | absent notIn ["x",5] | absent notContains "x"
  absent includesNone [3] | ABSENT isEmpty | ABSENT is null | ABSENT is "" | ABSENT isNot "x" | ABSENT isNot 0
  ABSENT notIn ["x",5] | ABSENT notContains "x" | ABSENT includesNone [3] | lost_reason isEmpty | lost_reason is null
  lost_reason is "" | lost_reason isNot "x" | lost_reason isNot 0 | lost_reason notIn ["x",5] | lost_reason notContains "x"
  lost_reason includesNone [3]
`);

test.each(HOLD)('when %s is asked, then it holds', (_name, leaf) => {
  expect(holds(leaf)).toBe(true);
});

const FAIL = parsed(String.raw`
  title is "Acme" | title isNot "ACME licence" | title in ["a"] | title notIn ["acme licence"] | title contains "x"
  title notContains "licen" | title matches "^licence" | title gt 5 | title isEmpty | title before "today"
  title withinDays 5 | title is {"amount":1,"currency":"EUR"} | probability gt 40 | probability lt 40
  probability between [41,50] | probability is 0 | NUMBER is "  " | NUMBER gt "today" | NUMBER lt {"days":1}
  NUMBER is true | NUMBER gt "09:30" | owner_id is {"id":2,"name":"1"} | owner_id isNot "1" | PERSON is 1781
  OPTION in [1,7] | value gt 8000 | value between [8001,9000] | value gt {"amount":8640,"currency":"USD"}
  value gt {"amount":1,"currency":"JPY"} | value lt {"amount":1,"currency":"JPY"} | value before "today"
  value is {"amount":8000,"currency":"USD"} | value isNot 8000 | value isNot {"amount":5,"currency":"JPY"}
  label_ids includes 4 | label_ids includesAll [3,4] | label_ids includesNone [9,3] | label_ids includesAny [4,6]
  label_ids isNot 3 | label_ids notIn [5,9] | label_ids isEmpty | is_archived is true | is_archived isNot false
  is_archived is "banana" | is_archived isEmpty | change_source isNot "api" | actor_user_id in [8] | is_bulk_edit is true
  won_time is "2026-11-23" | won_time withinDays 0 | won_time withinDays -1 | won_time is "today"
  won_time after "2026-11-23T23:30:00Z" | expected_close_date withinDays 1 | DATE withinDays -2
  expected_close_date after "2026-11-25" | expected_close_date between ["2026-11-26","2026-11-30"] | DATE withinDays 3
  DATE after {"days":-3} | RANGE after "2026-11-10" | CLOCK lt "09:45" | title changed | title changedTo "Acme licence"
  value increasedBy 1 | value decreasedBy 1 | actor_user_id changed | custom_fields is "x" | constructor isNotEmpty
  toString contains "a" | UNSET isNotEmpty | UNSET is "x" | UNSET is 0 | UNSET is false | UNSET in [1]
  UNSET is {"amount":1,"currency":"EUR"} | UNSET is {"days":0} | UNSET isNot null | UNSET contains "x" | UNSET matches ".*"
  UNSET includes 3 | UNSET includesAny [3] | UNSET gt 0 | UNSET gte 0 | UNSET lt 5 | UNSET lte 5 | UNSET between [0,5]
  UNSET before "today" | UNSET after "today" | UNSET withinDays 9 | UNSET includesAll [3] | person_id isNotEmpty
  person_id is "x" | person_id is 0 | person_id is false | person_id in [1] | person_id is {"amount":1,"currency":"EUR"}
  person_id is {"days":0} | person_id isNot null | person_id contains "x" | person_id matches ".*" | person_id includes 3
  person_id includesAny [3] | person_id gt 0 | person_id gte 0 | person_id lt 5 | person_id lte 5 | person_id between [0,5]
  person_id before "today" | person_id after "today" | person_id withinDays 9 | person_id includesAll [3]
  absent isNotEmpty | absent is "x" | absent is 0 | absent is false | absent in [1]
  absent is {"amount":1,"currency":"EUR"} | absent is {"days":0} | absent isNot null | absent contains "x"
  absent matches ".*" | absent includes 3 | absent includesAny [3] | absent gt 0 | absent gte 0 | absent lt 5
  absent lte 5 | absent between [0,5] | absent before "today" | absent after "today" | absent withinDays 9
  absent includesAll [3] | ABSENT isNotEmpty | ABSENT is "x" | ABSENT is 0 | ABSENT is false | ABSENT in [1]
  ABSENT is {"amount":1,"currency":"EUR"} | ABSENT is {"days":0} | ABSENT isNot null | ABSENT contains "x"
  ABSENT matches ".*" | ABSENT includes 3 | ABSENT includesAny [3] | ABSENT gt 0 | ABSENT gte 0 | ABSENT lt 5
  ABSENT lte 5 | ABSENT between [0,5] | ABSENT before "today" | ABSENT after "today" | ABSENT withinDays 9
  ABSENT includesAll [3] | lost_reason isNotEmpty | lost_reason is "x" | lost_reason is 0 | lost_reason is false
  lost_reason in [1] | lost_reason is {"amount":1,"currency":"EUR"} | lost_reason is {"days":0} | lost_reason isNot null
  lost_reason contains "x" | lost_reason matches ".*" | lost_reason includes 3 | lost_reason includesAny [3]
  lost_reason gt 0 | lost_reason gte 0 | lost_reason lt 5 | lost_reason lte 5 | lost_reason between [0,5]
  lost_reason before "today" | lost_reason after "today" | lost_reason withinDays 9 | lost_reason includesAll [3]
`);

test.each(FAIL)('when %s is asked, then it does not hold', (_name, leaf) => {
  expect(holds(leaf)).toBe(false);
});

test.each<[string, RecordState, Leaf]>([
  ["a lead's value", { value: { amount: 500, currency: 'EUR' } }, ['value', 'gt', { amount: 539, currency: 'USD' }]],
  ["a lead's value in text", { value: { amount: '500', currency: 'EUR' } }, ['value', 'gte', 500]],
  ["a lead's unset value", { value: { amount: null, currency: 'EUR' } }, ['value', 'isEmpty']],
  ["a lead's label", { label_ids: [LABEL] }, ['label_ids', 'includes', LABEL]],
  ['labels in one text', { label_ids: '24,25' }, ['label_ids', 'includesAll', [24, 25]]],
  ['a value in text', { value: '100.50', currency: 'EUR' }, ['value', 'lt', { amount: 109, currency: 'USD' }]],
  [
    'a value without a currency, which is in the base currency',
    { value: 100 },
    ['value', 'gt', { amount: 107, currency: 'USD' }],
  ],
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
])(
  'when today is 29 March and a moment is in %s, then whether it is today follows the zone',
  (_name, moment, timeZone, expected) => {
    const now = new Date('2026-03-29T12:00:00Z');

    expect(holds(['won_time', 'is', 'today'], { state: { won_time: moment }, timeZone, now })).toBe(expected);
    expect(holds(['won_time', 'withinDays', 0], { state: { won_time: moment.replace('Z', '') }, timeZone, now })).toBe(expected);
    expect(holds(['due', 'is', 'today'], { state: { due: '2026-03-29' }, timeZone, now })).toBe(true);
  },
);

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
