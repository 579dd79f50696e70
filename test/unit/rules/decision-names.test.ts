/** Names for the words of decisions: only what they need, and the name of a value by its field. */

import type { Decision } from '../../../src/core/decision';
import { makeNameOf, namesNeededBy } from '../../../src/rules/decision-names';
import { knownFrom, type ReferenceEntity } from '../../../src/rules/references';
import { aRule } from '../../support/builders';

const MANAGER = 'b'.repeat(40);

function needed(decision: Partial<Decision>, rule: Parameters<typeof aRule>[0] = {}): string[] {
  const decisions: Decision[] = [{ ruleId: 1, matched: false, code: 'matched', ...decision }];
  return namesNeededBy(decisions, new Map([[1, aRule(rule)]])).map(({ entity, id }) => `${entity} ${id}`);
}

const CASES: readonly (readonly [string, Partial<Decision>, Parameters<typeof aRule>[0], readonly string[]])[] = [
  ['matched', {}, { stageIds: [4] }, []],
  ['failed by its stage', { code: 'stage', actual: 7 }, { stageIds: [4, 7] }, ['stage 4', 'stage 7']],
  ['failed by the stage left, which was none', { code: 'fromStage', actual: null }, { fromStageIds: [4] }, ['stage 4']],
  ['failed by its pipeline', { code: 'pipeline', actual: 2 }, { pipelineIds: [1] }, ['pipeline 1', 'pipeline 2']],
  ['failed by its owner', { code: 'owner', actual: 9 }, { ownerIds: [8], stageIds: [4] }, ['user 8', 'user 9']],
  ['failed by its fields', { code: 'fields' }, { fields: ['title', MANAGER] }, ['dealField title', `dealField ${MANAGER}`]],
  [
    'failed by a condition on the owner',
    { code: 'conditions', actual: { field: 'owner_id', op: 'in', wanted: [{ id: 8, name: 'Bo' }], actual: 9 } },
    {},
    ['dealField owner_id', 'user 8', 'user 9'],
  ],
  [
    'failed by a condition on labels',
    { code: 'conditions', actual: { field: 'label_ids', op: 'includes', wanted: 3, actual: ['4'] } },
    {},
    ['dealField label_ids'],
  ],
  [
    'failed by a custom field of an unknown type',
    { code: 'conditions', actual: { field: MANAGER, op: 'is', wanted: 9, actual: null } },
    {},
    [`dealField ${MANAGER}`, 'user 9', 'person 9', 'organization 9'],
  ],
  [
    'failed by a negation',
    { code: 'conditions', actual: { field: '', op: 'not', wanted: { field: 'stage_id', op: 'is', value: 4 }, actual: null } },
    {},
    ['dealField stage_id', 'stage 4'],
  ],
  ['failed without a word why', { code: 'conditions' }, {}, []],
];

test.each(CASES)('when a decision %s, then just the names of its reason are needed', (_name, decision, rule, expected) => {
  expect(needed(decision, rule)).toEqual(expected);
});

test('when the rule is gone, then what was there is still named', () => {
  expect(namesNeededBy([{ ruleId: 99, matched: false, code: 'stage', actual: 7 }], new Map())).toEqual([
    { entity: 'stage', id: '7' },
  ]);
});

test('when names are known, then records, fields and the values of fields have them', () => {
  const rows = new Map(
    [
      knownRow('user', '9', { name: 'Ana' }),
      knownRow('dealField', MANAGER, { name: 'Manager', field_type: 'user' }),
      knownRow('dealField', 'label_ids', { field_name: 'Label', field_type: 'set', options: [{ id: 3, label: 'Hot' }] }),
    ].map(([key, found]) => [key, found] as const),
  );
  const nameOf = makeNameOf({ find: (entity, id) => rows.get(`${entity} ${id}`) ?? null, isListed: () => false }, 'deal');

  expect({
    user: nameOf('user', 9),
    unknown: nameOf('stage', 4),
    field: nameOf('field', 'label_ids'),
    option: nameOf('field', 'label_ids', '3'),
    keptOption: nameOf('field', 'label_ids', { id: 3, name: 'Warm' }),
    goneOption: nameOf('field', 'label_ids', 8),
    type: nameOf('fieldType', MANAGER),
    owner: nameOf('field', 'owner_id', 9),
    manager: nameOf('field', MANAGER, 9),
    empty: nameOf('field', MANAGER, null),
  }).toEqual({
    ...{ user: 'Ana', unknown: null, field: 'Label', option: 'Hot', keptOption: 'Hot', goneOption: null },
    ...{ owner: 'Ana', manager: 'Ana', empty: null, type: 'user' },
  });
});

function knownRow(entity: ReferenceEntity, id: string, state: Readonly<Record<string, unknown>>) {
  return [`${entity} ${id}`, knownFrom(entity, state, false)] as const;
}
