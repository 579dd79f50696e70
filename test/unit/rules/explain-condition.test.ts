/** Reasons of conditions: whole sentences, with names and units, worded per operator. */

import { conditionTreeSchema } from '../../../src/core/condition';
import type { RecordState } from '../../../src/core/record';
import type { NameOf } from '../../../src/rules/decision-names';
import { explainDecision } from '../../../src/rules/explain';
import { explainCondition } from '../../../src/rules/explain-condition';
import { matchRule } from '../../../src/rules/match-rules';
import { aRule, at, dealState } from '../../support/builders';

const KEY = 'a'.repeat(40);
const NAMES: Readonly<Record<string, string>> = {
  'stage_id 10': 'Qualified',
  'stage_id 11': 'Negotiation',
  'stage_id 12': 'Contract sent',
  'owner_id 1': 'Ana',
  'label_ids 3': 'Hot',
  'label_ids 5': 'VIP',
  [`${KEY} 17`]: 'Partner',
};
const nameOf: NameOf = (_entity, field, value) =>
  value === undefined
    ? field === KEY
      ? 'Lead source'
      : null
    : (NAMES[`${field} ${JSON.stringify(value).replaceAll('"', '')}`] ?? null);
const rates = { base: 'EUR', perUnit: new Map([['USD', { rate: 1 / 1.08, asOf: new Date('2026-11-23T06:00:00Z') }]]) };

const STATE = dealState({
  ...{ value: 8000, lost_reason: null, expected_close_date: '2026-12-03', label_ids: [5], probability: 40 },
  custom_fields: { [KEY]: { type: 'enum', id: 17 } },
});

/** The sentence for a rule that fails on these filters; the decision goes through JSON as in the ledger. */
function reason(given: Parameters<typeof aRule>[0], previous: RecordState | null = {}, event: RecordState = {}): string {
  const rule = aRule(given);
  const setting = { previous, event, receivedAt: at(0), baseCurrency: 'EUR', rates, timeZone: 'UTC' };
  const match = matchRule(rule, { ...setting, transitions: [{ type: 'deal.won', changes: [] }], state: STATE });
  if (match.matched) throw new Error('the rule matches');
  const decision = JSON.parse(JSON.stringify({ ruleId: 1, matched: false, code: match.code, actual: match.actual }));
  return explainDecision(decision, rule, { entity: 'deal', transitions: ['deal.won'] }, nameOf);
}

const because = (tree: object, previous: RecordState | null = {}, event: RecordState = {}) =>
  reason({ conditions: conditionTreeSchema.parse(tree) }, previous, event);
const leaf = (field: string, op: string, value?: unknown) => ({ field, op, ...(value === undefined ? {} : { value }) });

test.each<[object, string]>([
  [leaf('stage_id', 'is', 12), 'the stage is “Negotiation”, and the rule asks for “Contract sent”'],
  [leaf('stage_id', 'in', [10, 12]), 'the stage is “Negotiation”, and the rule asks for “Qualified” or “Contract sent”'],
  [leaf('stage_id', 'is', { id: 99, name: 'Old stage' }), 'the stage is “Negotiation”, and the rule asks for “Old stage”'],
  [leaf('stage_id', 'isNot', 11), 'the stage is “Negotiation”, and the rule excludes “Negotiation”'],
  [leaf('owner_id', 'in', [9]), 'the owner is “Ana”, and the rule asks for a user whose name is not known'],
  [leaf('person_id', 'isNotEmpty'), 'the person is not set, and the rule asks for it to be set'],
  [leaf('title', 'isEmpty'), 'the title is “Acme licence”, and the rule asks for it to be empty'],
  [leaf('title', 'contains', 'pro'), 'the title is “Acme licence”, and the rule asks for text with “pro” in it'],
  [leaf('title', 'matches', '^x'), 'the title is “Acme licence”, and the rule asks for text of the pattern “^x”'],
  [leaf('value', 'gt', 10_000), 'the value is 8,000 EUR, and the rule asks for more than 10,000 EUR'],
  [
    leaf('value', 'gte', { amount: 10_000, currency: 'USD' }),
    'the value is 8,000 EUR, which is 8,640 USD (rate of 23 Nov 2026), and the rule asks for at least 10,000 USD',
  ],
  [leaf('value', 'between', [1, 50]), 'the value is 8,000 EUR, and the rule asks for something between 1 EUR and 50 EUR'],
  [
    leaf('value', 'gt', { amount: 1, currency: 'JPY' }),
    'the value 8,000 EUR cannot be compared in JPY: no exchange rate is known',
  ],
  [leaf('probability', 'lt', 40), 'the probability is 40, and the rule asks for less than 40'],
  [leaf('label_ids', 'includes', 3), 'the labels are “VIP”, and the rule asks for “Hot” among them'],
  [leaf('label_ids', 'includesAll', [3, 5]), 'the labels are “VIP”, and the rule asks for all of “Hot” and “VIP” among them'],
  [leaf('label_ids', 'includesNone', [5, 3]), 'the labels are “VIP”, and the rule excludes “VIP” or “Hot”'],
  [leaf(KEY, 'is', 18), 'the Lead source is “Partner”, and the rule asks for 18'],
  [
    leaf('expected_close_date', 'before', 'today'),
    'the expected close date is 3 Dec 2026, and the rule asks for a day before today',
  ],
  [
    leaf('expected_close_date', 'after', { days: 30 }),
    'the expected close date is 3 Dec 2026, and the rule asks for a day after 30 days from now',
  ],
  [
    leaf('expected_close_date', 'withinDays', 7),
    'the expected close date is 3 Dec 2026, and the rule asks for today or the next 7 days',
  ],
  [{ not: leaf('stage_id', 'is', 11) }, 'the stage is “Negotiation”, which the rule excludes'],
  [{ not: leaf('value', 'gt', 10) }, 'the value is 8,000 EUR, and the rule leaves out more than 10 EUR'],
  [{ not: { all: [leaf('value', 'gt', 10)] } }, 'the value is 8,000 EUR, and the rule leaves out more than 10 EUR'],
  [
    { not: { all: [leaf('stage_id', 'is', 11), leaf('value', 'gt', 10)] } },
    'the rule excludes this combination: the stage is “Negotiation”, and the value is 8,000 EUR',
  ],
  [
    { not: { any: [leaf('title', 'isEmpty'), leaf('stage_id', 'is', 11)] } },
    'the stage is “Negotiation”, which the rule excludes',
  ],
  [{ not: { not: leaf('stage_id', 'is', 12) } }, 'the stage is “Negotiation”, and the rule asks for “Contract sent”'],
  [{ not: {} }, 'something is the case that the rule excludes'],
  [
    { any: [leaf('stage_id', 'is', 12), leaf('value', 'gt', 9000)] },
    'none of the rule’s alternatives holds: the stage is “Negotiation”, and the rule asks for “Contract sent”; the value is 8,000 EUR, and the rule asks for more than 9,000 EUR',
  ],
])('when %j fails, then the sentence says what was there and what was asked', (tree, sentence) => {
  expect(because(tree)).toBe(`Not matched: ${sentence}.`);
});

test.each<[object, RecordState | null, string]>([
  [leaf('stage_id', 'changed'), {}, 'the stage did not change, and the rule asks for a change of it'],
  [leaf('stage_id', 'changedTo', 12), null, 'the stage did not change, and the rule asks for a change to “Contract sent”'],
  [
    leaf('stage_id', 'changedFrom', 12),
    { stage_id: 10 },
    'the stage changed from “Qualified” to “Negotiation”, and the rule asks for a change from “Contract sent”',
  ],
  [
    leaf('value', 'increasedBy', { percent: 10 }),
    { value: 7900 },
    'the value changed from 7,900 EUR to 8,000 EUR, and the rule asks for an increase of at least 10 %',
  ],
  [
    leaf('value', 'decreasedBy', 500),
    { value: 8400 },
    'the value changed from 8,400 EUR to 8,000 EUR, and the rule asks for a decrease of at least 500 EUR',
  ],
  [
    leaf('expected_close_date', 'increasedBy', 7),
    { expected_close_date: '2026-12-01' },
    'the expected close date changed from 1 Dec 2026 to 3 Dec 2026, and the rule asks for an increase of at least 7 days',
  ],
  [
    { not: [leaf('stage_id', 'changedFrom', [10])] },
    { stage_id: 10 },
    'the stage changed from “Qualified” to “Negotiation”, and the rule leaves out a change from “Qualified”',
  ],
])('when %j fails on a change, then the way is told', (tree, previous, sentence) => {
  expect(because(tree, previous)).toBe(`Not matched: ${sentence}.`);
});

test.each<[object, string]>([
  [leaf('is_bulk_edit', 'isNot', true), 'it was a bulk edit, which the rule leaves out'],
  [
    leaf('change_source', 'is', 'app'),
    'the source of the change is the API or an automation, and the rule asks for Pipedrive itself',
  ],
  [
    leaf('actor_user_id', 'notIn', [7]),
    'the person who did it is a user whose name is not known, and the rule excludes a user whose name is not known',
  ],
])('when %j fails on the event, then it is told in words', (tree, sentence) => {
  const event = { is_bulk_edit: true, change_source: 'api', actor_user_id: 7 };

  expect(because(tree, {}, event)).toBe(`Not matched: ${sentence}.`);
});

test('when a threshold is missed in another currency, then amount, rate and its day are told', () => {
  expect(reason({ minValue: 10_000, currency: 'USD' })).toBe(
    'Not matched: the value 8,000 EUR is 8,640 USD, below 10,000 USD (rate of 23 Nov 2026).',
  );
});

test('when a waiting message no longer matched, then the reason is told', () => {
  const actual = { code: 'minValue', actual: { amount: 5, currency: 'EUR' } };
  const decision = { ruleId: 1, matched: false, code: 'settled' as const, actual };

  expect(explainDecision(decision, aRule({ minValue: 500 }), { entity: 'deal', transitions: [] })).toBe(
    'Not told: with the edits that came while its message waited the rule did not match any more. Not matched: the value 5 EUR is below 500 EUR.',
  );
});

test.each([null, 'x', {}, { op: 'is' }, { op: 'any', wanted: 3 }, { op: 'not', wanted: { op: 'gt' } }])(
  'when a decision of an older version holds %j, then there is still a sentence',
  (failed) => {
    expect(explainCondition(failed, () => null)).toMatch(/^Not matched: .+\.$/);
  },
);

test.each([
  ['enum', 'an option'],
  ['set', 'an option'],
  ['user', 'a user'],
  ['people', 'a person'],
  ['org', 'an organization'],
])('when the name of a value of a custom field of type %s is not known, then the reason names no id', (type, what) => {
  const typed: NameOf = (entity) => (entity === 'fieldType' ? type : null);
  const failed = { field: KEY, op: 'is', wanted: { id: 17, name: 'Partner' }, actual: '4445' };

  expect(explainCondition(failed, typed)).toBe(
    `Not matched: the custom field is ${what} whose name is not known, and the rule asks for “Partner”.`,
  );
});

test('when a custom field is a number, then the reason tells it', () => {
  const typed: NameOf = (entity) => (entity === 'fieldType' ? 'double' : null);

  expect(explainCondition({ field: KEY, op: 'gt', wanted: 9, actual: 4445 }, typed)).toBe(
    'Not matched: the custom field is 4,445, and the rule asks for more than 9.',
  );
});
