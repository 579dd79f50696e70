/** Names in the place of keys and ids: what they become, and what is said of those that cannot be meant. */

import { conditionTreeSchema } from '../../../src/core/condition';
import type { RecordEntity } from '../../../src/core/record';
import { givenFiltersSchema } from '../../../src/core/rule';
import type { Choice, KnownFields, ListedField } from '../../../src/rules/field-catalogue';
import { contactNamesIn, resolveNames } from '../../../src/rules/resolve-names';

const REGION = 'a'.repeat(40);
const TIERS = 'b'.repeat(40);
const MANAGER = 'c'.repeat(40);
const BUDGET = 'd'.repeat(40);
const TRIAL = 'e'.repeat(40);
const UNLISTED = 'f'.repeat(40);
const OFFICE = '0'.repeat(40);
const HOT_LEAD = 'f08b42a0-4e75-11ea-9643-03698ef1cfd6';

const choice = (id: string | number, name: string, beside: string | null = null): Choice => ({ id: String(id), name, beside });
const field = (key: string, name: string, fieldType: string, options: readonly Choice[] | null = null): ListedField => ({
  ...{ key, name, fieldType, options },
});

const FIELDS: readonly ListedField[] = [
  field('title', 'Title', 'varchar'),
  field('label_ids', 'Label', 'set', [choice(3, 'Hot'), choice(4, 'Cold'), choice(5, '2024')]),
  field('channel', 'Source channel', 'enum', [choice(7, 'Web visitors')]),
  field(REGION, 'Region', 'enum', [choice(21, 'North'), choice(22, 'South'), choice(23, 'Twin'), choice(24, 'Twin')]),
  field(TIERS, 'Tiers', 'set', [choice(31, 'Gold'), choice(32, 'Silver')]),
  field(MANAGER, 'Account manager', 'user'),
  field(BUDGET, 'Budget', 'monetary'),
  field(TRIAL, 'Trial period', 'daterange'),
  field(OFFICE, 'Office', 'address'),
  field('1'.repeat(40), 'Same', 'varchar'),
  field('2'.repeat(40), 'Same', 'varchar'),
];

function known(entity: RecordEntity = 'deal'): KnownFields {
  return {
    entity,
    fields: FIELDS,
    choices: new Map([
      ['user', [choice(9, 'Ana', 'ana@acme.test'), choice(10, 'Bo', 'bo@acme.test')]],
      ['pipeline', [choice(1, 'Sales'), choice(2, 'Partners')]],
      ['stage', [choice(4, 'Offer', 'Sales'), choice(6, 'Proposal', 'Sales'), choice(7, 'Proposal', 'Partners')]],
      ['leadLabel', [choice(HOT_LEAD, 'Hot')]],
      ['activityType', [choice('call', 'Call'), choice('site_visit', 'Site visit')]],
      ['person', [choice(70, 'Cy Deal')]],
    ]),
    isListed: () => true,
  };
}

function resolved(condition: object, entity?: RecordEntity) {
  const { filters, problems } = resolveNames({ conditions: conditionTreeSchema.parse(condition) }, known(entity));
  return { condition: filters.conditions, problems: problems.map(({ path, message }) => `${path}: ${message}`) };
}

const NAMED: readonly [string, object, object, RecordEntity?][] = [
  ['a custom field', { field: 'Region', op: 'isNotEmpty' }, { field: REGION, op: 'isNotEmpty' }],
  ['a custom field in other letters', { field: ' account MANAGER', op: 'isEmpty' }, { field: MANAGER, op: 'isEmpty' }],
  ['a standard field', { field: 'Title', op: 'is', value: 'x' }, { field: 'title', op: 'is', value: 'x' }],
  ['a field by a path', { field: `custom_fields.${REGION}`, op: 'changed' }, { field: REGION, op: 'changed' }],
  ['what people call the owner', { field: 'owner', op: 'is', value: 9 }, { field: 'owner_id', op: 'is', value: 9 }],
  ['an option', { field: 'Region', op: 'is', value: 'north' }, { field: REGION, op: 'is', value: { id: 21, name: 'North' } }],
  [
    'several options',
    { field: TIERS, op: 'includesAny', value: ['Gold', 32, { id: 31, name: 'Gold' }] },
    { field: TIERS, op: 'includesAny', value: [{ id: 31, name: 'Gold' }, 32, { id: 31, name: 'Gold' }] },
  ],
  [
    'a label',
    { field: 'label_ids', op: 'includes', value: 'Hot' },
    { field: 'label_ids', op: 'includes', value: { id: 3, name: 'Hot' } },
  ],
  [
    'a label that looks like an id',
    { field: 'label_ids', op: 'is', value: '2024' },
    { field: 'label_ids', op: 'is', value: { id: 5, name: '2024' } },
  ],
  ['an id as text', { field: 'label_ids', op: 'is', value: '4' }, { field: 'label_ids', op: 'is', value: '4' }],
  ['an id that is not known', { field: 'label_ids', op: 'is', value: 99 }, { field: 'label_ids', op: 'is', value: 99 }],
  [
    "a lead's label",
    { field: 'label_ids', op: 'includes', value: 'hot' },
    { field: 'label_ids', op: 'includes', value: { id: HOT_LEAD, name: 'Hot' } },
    'lead',
  ],
  [
    "a lead's label by its id",
    { field: 'label_ids', op: 'includes', value: HOT_LEAD },
    { field: 'label_ids', op: 'includes', value: HOT_LEAD },
    'lead',
  ],
  [
    "a lead's organization as deals call it",
    { field: 'org_id', op: 'is', value: 5 },
    { field: 'organization_id', op: 'is', value: 5 },
    'lead',
  ],
  [
    'a user by name',
    { field: 'owner_id', op: 'in', value: ['Ana', 10] },
    { field: 'owner_id', op: 'in', value: [{ id: 9, name: 'Ana' }, 10] },
  ],
  [
    'a user by e-mail',
    { field: 'actor_user_id', op: 'isNot', value: 'bo@acme.test' },
    { field: 'actor_user_id', op: 'isNot', value: { id: 10, name: 'Bo' } },
  ],
  [
    'a user of a custom field',
    { field: 'Account manager', op: 'is', value: 'Bo' },
    { field: MANAGER, op: 'is', value: { id: 10, name: 'Bo' } },
  ],
  [
    'a stage',
    { field: 'stage_id', op: 'changedTo', value: 'Offer' },
    { field: 'stage_id', op: 'changedTo', value: { id: 4, name: 'Offer' } },
  ],
  [
    'a stage by its pipeline',
    { field: 'stage_id', op: 'changedFrom', value: ['Partners / Proposal'] },
    { field: 'stage_id', op: 'changedFrom', value: [{ id: 7, name: 'Proposal' }] },
  ],
  [
    'a person',
    { field: 'person_id', op: 'is', value: 'cy deal' },
    { field: 'person_id', op: 'is', value: { id: 70, name: 'Cy Deal' } },
  ],
  [
    'an activity type',
    { field: 'type', op: 'in', value: ['Site visit', 'call', 'demo'] },
    { field: 'type', op: 'in', value: [{ id: 'site_visit', name: 'Site visit' }, 'call', 'demo'] },
    'activity',
  ],
  ['a status', { field: 'status', op: 'is', value: 'Won' }, { field: 'status', op: 'is', value: 'won' }],
  ['emptiness', { field: 'Region', op: 'is', value: null }, { field: REGION, op: 'is', value: null }],
  ['a custom field that is not listed', { field: UNLISTED, op: 'gt', value: 3 }, { field: UNLISTED, op: 'gt', value: 3 }],
  [
    'a part of a custom field',
    { field: `${TRIAL}_until`, op: 'before', value: 'today' },
    { field: `${TRIAL}_until`, op: 'before', value: 'today' },
  ],
  [
    'a field inside groups',
    { any: [{ not: { field: 'Region', op: 'is', value: 'South' } }] },
    { any: [{ not: { field: REGION, op: 'is', value: { id: 22, name: 'South' } } }] },
  ],
  ['a list that none may be of', { not: [{ field: 'Region', op: 'isEmpty' }] }, { not: [{ field: REGION, op: 'isEmpty' }] }],
];

test.each(NAMED.map(([name, given, expected, entity = 'deal']) => [name, given, expected, entity] as const))(
  'when a condition names %s, then the key and id are meant',
  (_name, given, expected, entity) => {
    expect(resolved(given, entity)).toEqual({ condition: expected, problems: [] });
  },
);

const REFUSED: readonly [string, object, string, RecordEntity?][] = [
  [
    'a field that is misspelt',
    { field: 'Regoin', op: 'isEmpty' },
    'filters.conditions.field: “Regoin” is no field of deals. Did you mean “Region”?',
  ],
  [
    'a standard field that is misspelt',
    { field: 'titel', op: 'isEmpty' },
    'filters.conditions.field: “titel” is no field of deals. Did you mean “title”?',
  ],
  [
    'a field of other records',
    { field: 'due_date', op: 'isEmpty' },
    'filters.conditions.field: “due_date” is no field of deals (activity records have it).',
  ],
  [
    'fields of one name',
    { field: 'Same', op: 'isEmpty' },
    `filters.conditions.field: There are several fields called “Same”: name the one that is meant by its key, ${'1'.repeat(40)} or ${'2'.repeat(40)}.`,
  ],
  [
    'an option that is misspelt',
    { field: 'Region', op: 'is', value: 'Nort' },
    'filters.conditions.value: There is no option called “Nort” for “Region”. Did you mean “North”?',
  ],
  [
    'an option far from all',
    { field: TIERS, op: 'includesAll', value: ['Gold', 'Platinum'] },
    'filters.conditions.value.1: There is no option called “Platinum” for “Tiers”. There are: “Gold”, “Silver”.',
  ],
  [
    'options of one name',
    { field: 'Region', op: 'is', value: 'Twin' },
    'filters.conditions.value: There are several options called “Twin”: say which by the id, 23 or 24.',
  ],
  [
    'stages of one name',
    { field: 'stage_id', op: 'is', value: 'Proposal' },
    'filters.conditions.value: There are several stages called “Proposal”: say which by the id, 6 (Sales) or 7 (Partners).',
  ],
  [
    'a status that there is not',
    { field: 'status', op: 'is', value: 'closed' },
    'filters.conditions.value: There is no option called “closed” for “status”. There are: “open”, “won”, “lost”, “deleted”.',
  ],
  [
    'an organization when none is known',
    { field: 'org_id', op: 'is', value: 'Acme' },
    'filters.conditions.value: The organizations of this company could not be read, so “Acme” cannot be looked up for “org_id”: give the id, or try again later.',
  ],
  [
    'more than a text',
    { field: 'title', op: 'gt', value: 5 },
    'filters.conditions.op: “gt” cannot be asked of “title”, which is text: it takes is, isNot, in, notIn, isEmpty, isNotEmpty, changed, changedTo, changedFrom, contains, notContains, matches',
  ],
  [
    'a text that includes',
    { field: 'title', op: 'includes', value: 'VIP' },
    'filters.conditions.op: “includes” cannot be asked of “title”, which is text: use contains, is or in',
  ],
  [
    'a text in a stage',
    { field: 'stage_id', op: 'contains', value: 'Prop' },
    'filters.conditions.op: “contains” cannot be asked of “stage_id”, which is one of several choices: name what is meant with is, in or includesAny',
  ],
  [
    'an amount before a day',
    { field: 'value', op: 'before', value: 'today' },
    'filters.conditions.op: “before” cannot be asked of “value”, which is money: use lt, gt or between',
  ],
  [
    'money as a date',
    { field: 'Budget', op: 'gt', value: 'today' },
    'filters.conditions.value: “Budget” is money: compare it with a number or {amount, currency}',
  ],
  [
    'a date as a number',
    { field: 'expected_close_date', op: 'is', value: 5 },
    'filters.conditions.value: “expected_close_date” is a date: compare it with a date such as 2026-11-23, “today” or {days}',
  ],
  [
    'a flag as a text',
    { field: 'is_archived', op: 'is', value: 'maybe' },
    'filters.conditions.value: “is_archived” is yes or no: compare it with true or false',
  ],
  [
    'a number as a text',
    { field: 'probability', op: 'in', value: [10, 'much'] },
    'filters.conditions.value.1: “probability” is a number: compare it with a number',
  ],
  [
    'a stage as yes',
    { field: 'stage_id', op: 'is', value: true },
    'filters.conditions.value: “stage_id” is one of several choices: compare it with an id or a name',
  ],
  [
    'a time as a day',
    { field: 'due_time', op: 'gt', value: 'today' },
    'filters.conditions.value: “due_time” is a time of day: compare it with a time such as 09:30',
    'activity',
  ],
  [
    'days of a value',
    { field: 'value', op: 'increasedBy', value: { days: 3 } },
    'filters.conditions.value: “value” is money: days are no step of it',
  ],
  [
    'a percentage of a date',
    { field: 'expected_close_date', op: 'increasedBy', value: { percent: 3 } },
    'filters.conditions.value: “expected_close_date” is a date: a step of it is a number of days, such as {"days": 7}',
  ],
  [
    'money on a number',
    { field: 'probability', op: 'decreasedBy', value: { amount: 3, currency: 'EUR' } },
    'filters.conditions.value: “probability” is a number: a step of it is a number or {percent}',
  ],
  [
    'bounds the wrong way round',
    { field: 'value', op: 'between', value: [9, 8] },
    'filters.conditions.value: the first bound is above the second, so nothing could be between them',
  ],
  [
    'money bounds the wrong way round',
    {
      field: 'value',
      op: 'between',
      value: [
        { amount: 9, currency: 'EUR' },
        { amount: 8, currency: 'EUR' },
      ],
    },
    'filters.conditions.value: the first bound is above the second, so nothing could be between them',
  ],
  [
    'days the wrong way round',
    { field: 'won_time', op: 'between', value: ['2026-11-24', '2026-11-23'] },
    'filters.conditions.value: the first bound is above the second, so nothing could be between them',
  ],
  [
    'the old value of an event',
    { field: 'change_source', op: 'changedTo', value: 'api' },
    'filters.conditions.op: “changedTo” cannot be asked of “change_source”: it tells of the event itself, which has no value before',
  ],
];

test.each(REFUSED.map(([name, given, expected, entity = 'deal']) => [name, given, expected, entity] as const))(
  'when a condition asks for %s, then it says what is wrong and what helps',
  (_name, given, expected, entity) => {
    expect(resolved(given, entity).problems).toEqual([expected]);
  },
);

test('when filters name pipelines, stages, owners and fields, then they become ids and keys', () => {
  const filters = givenFiltersSchema.parse({
    ...{ pipelineIds: ['sales', 2], stageIds: ['Offer'], fromStageIds: ['Sales / Proposal'], ownerIds: ['ana@acme.test'] },
    ...{ fields: ['Region', 'title', 'Labels'], minValue: 5, currency: 'EUR' },
  });

  expect(resolveNames(filters, known())).toEqual({
    filters: {
      ...{ pipelineIds: [1, 2], stageIds: [4], fromStageIds: [6], ownerIds: [9] },
      ...{ fields: [REGION, 'title', 'Labels'], minValue: 5, currency: 'EUR' },
    },
    problems: [{ path: 'filters.fields.2', message: '“Labels” is no field of deals. Did you mean “Label”?' }],
    inDoubt: ['dealField'],
  });
});

test('when persons and organizations are named, then they are to be looked up, ids and known names are not', () => {
  const conditions = conditionTreeSchema.parse({
    all: [
      { field: 'org_id', op: 'is', value: 'Acme' },
      { field: 'person_id', op: 'in', value: ['Cy Deal', 'Di', 5, '6'] },
    ],
  });

  expect(contactNamesIn({ conditions }, known())).toEqual([
    { entity: 'organization', name: 'Acme' },
    { entity: 'person', name: 'Di' },
  ]);
});

test('when a text stands for something already, then it is left alone', () => {
  const conditions = conditionTreeSchema.parse({ field: 'label_ids', op: 'is', value: 'Warm' });

  const { filters, problems } = resolveNames({ conditions }, known(), { isSettled: (text) => text === 'Warm' });

  expect({ filters, problems }).toEqual({ filters: { conditions }, problems: [] });
});
