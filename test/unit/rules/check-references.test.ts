/** Broken references: what a rule names and is gone, said once at its place, and nothing that cannot be known. */

import { checkReferences, referencesOfRules } from '../../../src/rules/check-references';
import { knownFrom, type KnownReferences, type ReferenceEntity } from '../../../src/rules/references';
import { aRule } from '../../support/builders';

const PRIORITY = 'a'.repeat(40);
const MANAGER = 'b'.repeat(40);
const NOBODY_KNOWS = 'c'.repeat(40);

const ROWS: readonly (readonly [ReferenceEntity, string, Readonly<Record<string, unknown>>, boolean?])[] = [
  ['pipeline', '1', { name: 'Sales', active_flag: true }],
  ['pipeline', '2', { name: 'Old', active_flag: false }],
  ['stage', '4', { name: 'Offer', active_flag: true }],
  ['stage', '5', { name: 'Negotiation' }, true],
  ['user', '9', { name: 'Ana', active_flag: 1 }],
  ['user', '10', { name: 'Bo', active_flag: false }],
  ['person', '70', { name: 'Cy' }, true],
  ['dealField', PRIORITY, { name: 'Priority', field_type: 'enum', options: [{ id: 21, label: 'High' }] }],
  ['dealField', MANAGER, { name: 'Manager', field_type: 'user', options: null }],
  ['dealField', 'label_ids', { name: 'Label', field_type: 'set', options: [{ id: 3, label: 'Hot' }] }],
  ['dealField', 'status', { name: 'Status', field_type: 'status', options: [{ id: 'won', label: 'Won' }] }],
];

const rows = new Map(ROWS.map(([entity, id, state, gone]) => [`${entity} ${id}`, knownFrom(entity, state, gone ?? false)]));
const known: KnownReferences = {
  find: (entity, id) => rows.get(`${entity} ${id}`) ?? null,
  isListed: (entity) => ['user', 'pipeline', 'stage', 'dealField'].includes(entity),
};

type Given = Omit<NonNullable<Parameters<typeof aRule>[0]>, 'conditions'> & { readonly conditions?: unknown };

const problemsOf = ({ conditions, ...rule }: Given, facts = known) => {
  const { eventType, filters } = aRule(rule);
  return checkReferences({ eventType, filters: { ...filters, conditions } }, facts).map(({ path, problem }) => [path, problem]);
};

const given = (condition: object) => ({ conditions: { all: [condition] } });
const CONDITION = 'filters.conditions.all.0';

test.each([
  ['all that it names is there', { pipelineIds: [1], stageIds: [4], ownerIds: [9] }, []],
  ['a stage was deleted', { stageIds: [4, 5] }, [['filters.stageIds.1', 'The stage “Negotiation” was deleted.']]],
  ['the stage left was deleted', { fromStageIds: [5] }, [['filters.fromStageIds.0', 'The stage “Negotiation” was deleted.']]],
  ['a pipeline is inactive', { pipelineIds: [2] }, [['filters.pipelineIds.0', 'The pipeline “Old” was deleted.']]],
  ['a user is deactivated', { ownerIds: [10] }, [['filters.ownerIds.0', 'The user “Bo” is deactivated.']]],
  [
    'a pipeline is unknown',
    { pipelineIds: [3] },
    [['filters.pipelineIds.0', 'The pipeline 3 is not known in Pipedrive (any more).']],
  ],
  [
    'a custom field is gone',
    { fields: ['title', NOBODY_KNOWS] },
    [['filters.fields.1', `The custom field ${NOBODY_KNOWS} is not known in Pipedrive (any more).`]],
  ],
  ['a part of a custom field is named', { fields: [`${PRIORITY}_currency`] }, []],
  [
    'an option is gone',
    given({ field: 'label_ids', op: 'includesAny', value: [3, { id: 8, name: 'Cold' }] }),
    [[`${CONDITION}.value.1`, 'The option “Cold” of the field “Label” is not known in Pipedrive (any more).']],
  ],
  ['an option is named by its label', given({ field: PRIORITY, op: 'is', value: 'high' }), []],
  ['a status is compared', given({ field: 'status', op: 'is', value: 'won' }), []],
  ['a number is compared with an amount', given({ field: PRIORITY, op: 'gt', value: 99 }), []],
  ['a standard field is not listed', given({ field: 'weighted_value', op: 'gt', value: 5 }), []],
  [
    'the owner of a condition is deactivated',
    given({ field: 'owner_id', op: 'is', value: 10 }),
    [[`${CONDITION}.value`, 'The user “Bo” is deactivated.']],
  ],
  [
    'the user of a custom field is unknown',
    given({ field: MANAGER, op: 'in', value: [9, { id: 77, name: 'Di' }] }),
    [[`${CONDITION}.value.1`, 'The user “Di” is not known in Pipedrive (any more).']],
  ],
  [
    'a person was deleted',
    given({ field: 'person_id', op: 'isNot', value: 70 }),
    [[`${CONDITION}.value`, 'The person “Cy” was deleted.']],
  ],
  ['a person is unknown, of whom there is no list', given({ field: 'person_id', op: 'is', value: 71 }), []],
  ['a field may be empty', given({ field: PRIORITY, op: 'is', value: null }), []],
  [
    'a condition stands deep inside',
    { conditions: { any: [{ not: { field: 'stage_id', op: 'changedTo', value: 5 } }] } },
    [['filters.conditions.any.0.not.value', 'The stage “Negotiation” was deleted.']],
  ],
  ['the conditions are of no grammar', { conditions: { all: ['x', null, { field: 1 }], some: 3 } }, []],
])('when %s, then the rule says so', (_name, rule, expected) => {
  expect(problemsOf(rule)).toEqual(expected);
});

test('when a list was never read, then what is unknown is no problem, and what is known to be deleted is one', () => {
  const facts: KnownReferences = { ...known, isListed: () => false };

  expect(problemsOf({ stageIds: [5, 99], fields: [NOBODY_KNOWS] }, facts)).toEqual([
    ['filters.stageIds.0', 'The stage “Negotiation” was deleted.'],
  ]);
});

test('when the rule is about persons, then fields and labels of deals say nothing of it', () => {
  const rule = { eventType: 'person.created' as const, conditions: { all: [{ field: 'label_ids', op: 'is', value: 77 }] } };

  expect(problemsOf({ ...rule, fields: [NOBODY_KNOWS] })).toEqual([]);
});

test('when the rule is about leads, then custom fields of deals count and labels do not', () => {
  const conditions = {
    all: [
      { field: 'label_ids', op: 'is', value: 'f08b42a0-4e75-11ea-9643-03698ef1cfd6' },
      { field: PRIORITY, op: 'is', value: 99 },
    ],
  };

  expect(problemsOf({ eventType: 'lead.created', conditions })).toEqual([
    ['filters.conditions.all.1.value', 'The option 99 of the field “Priority” is not known in Pipedrive (any more).'],
  ]);
});

test('when rules are to be checked, then everything that they name is looked for once', () => {
  const rules = [
    aRule({ stageIds: [4], ownerIds: [9] }),
    aRule({ stageIds: [4], conditions: { all: [{ field: MANAGER, op: 'is', value: { id: 9 } }] } }),
  ];

  expect(referencesOfRules(rules).map(({ entity, id }) => `${entity} ${id}`)).toEqual([
    'stage 4',
    'user 9',
    `dealField ${MANAGER}`,
    'person 9',
    'organization 9',
  ]);
});
