// The form of a rule: conditions and filters there and back, positions, sentences.

import { conditionTreeSchema, type ConditionTree } from '../../../src/core/condition';
import type { KnownFields } from '../../../src/rules/field-catalogue';
import { presetsFor } from '../../../src/rules/presets';
import {
  changeConditions,
  conditionsOfForm,
  conditionsToForm,
  LABELS,
  readConditions,
  tidied,
  type ConditionGroup,
} from '../../../src/settings/condition-form';
import { EMPTY, writeValue } from '../../../src/settings/condition-value';
import { readForm } from '../../../src/settings/form-values';
import { fillFromPreset } from '../../../src/settings/preset-answers';
import { bodyOfForm, emptyForm, filterGroupsOf, formOfPreset, formOfRule } from '../../../src/settings/rule-form';
import { moved, newPositions } from '../../../src/settings/rule-order';
import { ruleWords } from '../../../src/settings/rule-words';

const TIER = 'a'.repeat(40);
const BUDGET = 'b'.repeat(40);
const choice = (id: string, name: string, beside: string | null = null) => ({ id, name, beside });
const known: KnownFields = {
  entity: 'deal',
  fields: [
    { key: 'label_ids', name: 'Labels', fieldType: 'set', options: [choice('3', 'Hot'), choice('4', 'Cold')] },
    { key: TIER, name: 'Tier', fieldType: 'enum', options: [choice('7', 'Gold'), choice('8', 'Silver')] },
    { key: BUDGET, name: 'Budget', fieldType: 'monetary', options: null },
  ],
  choices: new Map([
    ['stage', [choice('1', 'Qualified', 'Sales'), choice('2', 'Proposal', 'Sales')]],
    ['user', [choice('9', 'Ana', 'ana@example.com')]],
  ]),
  isListed: () => true,
};

test.each<[string, ConditionTree]>([
  ['a choice', { field: 'status', op: 'is', value: 'open' }],
  ['several choices', { field: 'status', op: 'in', value: ['open', 'won'] }],
  ['a kept name', { field: TIER, op: 'is', value: { id: 7, name: 'Gold' } }],
  [
    'labels',
    {
      field: 'label_ids',
      op: 'includesAny',
      value: [
        { id: 3, name: 'Hot' },
        { id: 4, name: 'Cold' },
      ],
    },
  ],
  ['a flag', { field: 'is_archived', op: 'isNot', value: true }],
  ['emptiness', { field: 'lost_reason', op: 'isEmpty' }],
  ['a text', { field: 'title', op: 'contains', value: 'licence' }],
  ['texts', { field: 'title', op: 'in', value: ['One', 'Two'] }],
  ['a number', { field: 'probability', op: 'gte', value: 50 }],
  ['two numbers', { field: 'probability', op: 'between', value: [10, 50] }],
  ['money', { field: BUDGET, op: 'gt', value: { amount: 500, currency: 'EUR' } }],
  ['money in its own currency', { field: 'value', op: 'gt', value: 500 }],
  ['a step of money', { field: 'value', op: 'increasedBy', value: { amount: 1000, currency: 'EUR' } }],
  ['a step in percent', { field: 'value', op: 'decreasedBy', value: { percent: 25 } }],
  ['a step of days', { field: 'expected_close_date', op: 'increasedBy', value: { days: 7 } }],
  ['a date', { field: 'expected_close_date', op: 'before', value: '2026-12-31' }],
  ['today', { field: 'expected_close_date', op: 'after', value: 'today' }],
  ['days ago', { field: 'won_time', op: 'after', value: { days: -3 } }],
  ['days ahead', { field: 'won_time', op: 'before', value: { days: 3 } }],
  ['days around today', { field: 'expected_close_date', op: 'withinDays', value: -7 }],
  ['no choice', { field: 'owner_id', op: 'isNot', value: null }],
  ['nothing before', { field: 'value', op: 'changedFrom', value: null }],
  ['what no field can show', { field: 'expected_close_date', op: 'between', value: ['today', { days: 7 }] }],
  ['a field that is gone', { field: 'c'.repeat(40), op: 'is', value: 'x' }],
  ['a choice that is gone', { field: 'owner_id', op: 'in', value: [77, 78] }],
])('when a condition on %s goes through the form, then it is the same condition', (_, condition) => {
  const tree: ConditionTree = { all: [condition, { not: [{ any: [condition] }] }] };

  const written = conditionsOfForm(conditionsToForm(tree, known), known).tree;

  expect(conditionTreeSchema.parse(written)).toEqual(tree);
});

test.each(presetsFor('EUR'))('when the preset $key fills the form, then the form says what the preset says', (preset) => {
  const form = formOfPreset(preset, { ...known, entity: 'deal' }, 'EUR', '5');
  const { body } = bodyOfForm(form, known);

  expect(body).toMatchObject({
    name: preset.name,
    eventType: preset.eventType,
    settleMs: preset.settleMs,
    targetWebhookIds: [5],
  });
  expect(form.layout).toBe(preset.templateMode);
  const isWhole = preset.asks.every(({ kind }) => kind === 'amount' || kind === 'percent' || kind === 'days');
  if (isWhole) expect(body).toMatchObject({ filters: preset.filters });
});

test('when the stages of a key stage are chosen, then those that it is no news to come from are the same', () => {
  const preset = presetsFor('EUR').find(({ key }) => key === 'key-stage');
  if (preset === undefined) throw new Error('there is no such preset');
  const form = { ...formOfPreset(preset, known, 'EUR', '5'), stages: ['2'] };

  const { body } = bodyOfForm(fillFromPreset(form, preset), known);

  expect(body).toMatchObject({
    filters: {
      stageIds: [2],
      conditions: { all: [{}, { not: [{ field: 'stage_id', op: 'changedFrom', value: { id: 2, name: 'Proposal' } }] }] },
    },
  });
});

test('when lines and groups are added and removed, then the rest stays where it is', () => {
  const asked = ['line:r', 'group:r', 'line:r.1', 'remove:r.1.0', 'remove:r.0', 'nonsense', 'remove:r'];
  const root = asked.reduce((tree, ask) => changeConditions(tree, ask), conditionsToForm(undefined, known));

  expect(root).toEqual({
    ...{ kind: 'group', join: 'all' },
    items: [{ kind: 'group', join: 'any', items: [expect.objectContaining({ kind: 'line', field: '' })] }],
  });
});

test('when fields come back from a browser, then groups hold their lines in order', () => {
  const fields = { node: ['r', 'r.0', 'r.1', 'r.1.0'], 'join:r': 'any', 'field:r.0': 'title', 'op:r.0': 'is', 'value:r.0': 'A' };
  const root = readConditions(
    readForm({ ...fields, 'join:r.1': 'not', 'field:r.1.0': 'status', 'value:r.1.0': ['open', 'won'] }),
  );

  expect(conditionsOfForm(root, known).tree).toEqual({
    any: [{ field: 'title', op: 'is', value: 'A' }, { not: [{ field: 'status', op: 'in', value: ['open', 'won'] }] }],
  });
});

test('when a group before it is empty, then a refused condition is still found at its line', () => {
  const root = readConditions(readForm({ node: ['r', 'r.0', 'r.1'], 'join:r': 'all', 'join:r.0': 'any', 'field:r.1': 'title' }));

  expect(conditionsOfForm(root, known).places.get('filters.conditions.all.0')).toBe('r.1');
});

const hot: ConditionTree = { field: 'label_ids', op: 'includesAny', value: [{ id: 3, name: 'Hot' }] };
const open: ConditionTree = { field: 'status', op: 'is', value: 'open' };

test.each<[string, ConditionTree, readonly string[]]>([
  ['labels alone', { all: [hot] }, ['3']],
  ['labels before a condition', { all: [hot, open] }, ['3']],
  ['labels before groups', { all: [hot, { any: [open, hot] }, { not: [open] }] }, ['3']],
  ['labels after a condition', { all: [open, hot] }, []],
  ['labels as one of several', { any: [hot, open] }, []],
  ['all of some labels', { all: [{ field: 'label_ids', op: 'includesAll', value: [{ id: 3, name: 'Hot' }] }] }, []],
])('when a rule asks for %s, then its list of labels says so, and saving changes nothing', (_, conditions, labels) => {
  const rule = {
    ...{ id: 1, name: 'R', eventType: 'deal.won' as const, filters: { conditions }, targetWebhookIds: [5], position: 1 },
    ...{ templateMode: 'compact' as const, template: null, settleMs: null, stopAfter: false, urgent: false, digest: null },
    ...{ enabled: true, enabledAt: new Date(0), author: null, version: 1, createdAt: new Date(0), updatedAt: new Date(0) },
  };

  const form = formOfRule(rule, known, 'EUR');

  expect(form.labels).toEqual(labels);
  expect(bodyOfForm(form, known).body).toMatchObject({ filters: { conditions } });
});

test('when labels stand before conditions of which one must hold, then both are asked for, and what is refused is found at its place', () => {
  const root = readConditions(
    readForm({ node: ['r', 'r.0', 'r.1'], 'join:r': 'any', 'field:r.0': 'status', 'value:r.0': 'open', 'field:r.1': 'title' }),
  );

  const { tree, places } = conditionsOfForm(root, known, ['3']);

  expect(tree).toMatchObject({ all: [hot, { any: [open, { field: 'title' }] }] });
  expect(places.get('filters.conditions.all.0')).toBe(LABELS);
  expect(places.get('filters.conditions.all.1.any.1')).toBe('r.1');
});

test('when a custom field is asked for, then a condition on it is added', () => {
  const root = changeConditions(conditionsToForm({ any: [open] }, known), 'field:r', TIER);

  expect(conditionsOfForm(root, known).tree).toMatchObject({ any: [open, { field: TIER }] });
  expect(changeConditions(root, 'field:r', '')).toEqual(root);
});

test('when a line on a text becomes one on choices, then none of them is chosen, not even emptiness', () => {
  const line = (field: string, values: readonly string[]): ConditionGroup => ({
    ...{ kind: 'group', join: 'all' },
    items: [{ kind: 'line', field, op: 'is', values, unit: '', raw: null }],
  });

  expect(tidied(line('owner_id', ['']), known)).toEqual(line('owner_id', []));
  expect(tidied(line('owner_id', ['9', EMPTY]), known)).toEqual(line('owner_id', ['9', EMPTY]));
});

test('when emptiness is chosen with something else, then both are sent, so that the API says that it does not go together', () => {
  expect(writeValue(known, 'owner_id', 'is', [EMPTY, '78'], '')).toEqual({ op: 'in', value: [null, 78] });
});

test('when an event has no stages, then what was chosen of them is not sent', () => {
  const form = { ...emptyForm('EUR', '5'), eventType: 'person.created' as const, stages: ['1'], minValue: '5', owners: ['9'] };

  expect(bodyOfForm(form, known).body).toMatchObject({ filters: { ownerIds: [9] } });
  expect(Object.keys(Object.entries(bodyOfForm(form, known).body).find(([key]) => key === 'filters')?.[1] ?? {})).toEqual([
    'ownerIds',
  ]);
  expect(filterGroupsOf('deal.value_changed')).toEqual(['place', 'value', 'crossing', 'kinds']);
});

test('when a rule moves, then only the two that change places are written; positions that are not distinct are all made anew', () => {
  const rules = [
    { id: 1, position: 10 },
    { id: 2, position: 20 },
    { id: 3, position: 30 },
  ];

  expect(newPositions(moved(rules, 3, 'up'))).toEqual([
    { id: 3, position: 20 },
    { id: 2, position: 30 },
  ]);
  expect(newPositions(moved(rules, 1, 'up'))).toEqual([]);
  expect(
    newPositions(
      moved(
        rules.map(({ id }) => ({ id, position: 5 })),
        2,
        'up',
      ),
    ),
  ).toEqual([
    { id: 2, position: 1 },
    { id: 1, position: 2 },
    { id: 3, position: 3 },
  ]);
});

test('when a rule is told in a sentence, then everything in it has its name', () => {
  const names: Readonly<Record<string, string>> = { 'pipeline_id 1': 'Sales', 'stage_id 2': 'Proposal', 'owner_id 9': 'Ana' };
  const nameOf = (_: string, id: number | string, value?: unknown) => names[`${id} ${String(value)}`] ?? null;
  const filters = { pipelineIds: [1], stageIds: [2], ownerIds: [9], minValue: 10_000, currency: 'EUR' };

  expect(ruleWords({ eventType: 'deal.stage_changed', filters: { ...filters, kinds: ['forward'] } }, nameOf, 'EUR')).toBe(
    'Stage changed, a move forward, in the pipeline “Sales”, to the stage “Proposal”, owned by “Ana”, worth at least 10,000 EUR',
  );
  const conditions: ConditionTree = { all: [{ field: 'status', op: 'is', value: 'open' }, { not: [] }] };
  expect(ruleWords({ eventType: 'deal.won', filters: { conditions } }, nameOf, 'EUR')).toBe('Deal won, status is “open”');
  const either: ConditionTree = { any: [{ field: 'status', op: 'is', value: 'open' }] };
  expect(ruleWords({ eventType: 'deal.won', filters: { conditions: either } }, nameOf, 'EUR')).toBe('Deal won, with 1 condition');
  const won = presetsFor('EUR').find(({ key }) => key === 'deal-won');
  expect(ruleWords({ eventType: 'deal.won', filters: { conditions: won?.filters.conditions } }, nameOf, 'EUR')).toBe(
    'Deal won, not archived, and 2 more conditions',
  );
  const hot: ConditionTree = { field: 'label_ids', op: 'includesAny', value: ['Hot'] };
  expect(ruleWords({ eventType: 'deal.won', filters: { minValue: 500, conditions: hot } }, nameOf, 'EUR')).toBe(
    'Deal won, worth at least 500 EUR, labels include any of “Hot”',
  );
  const slipped: ConditionTree = { field: 'expected_close_date', op: 'increasedBy', value: { days: 7 } };
  expect(ruleWords({ eventType: 'deal.close_date_changed', filters: { conditions: slipped } }, nameOf, 'EUR')).toBe(
    'Expected close date changed, expected close date moved later by at least 7 days',
  );
  const guarded: ConditionTree = {
    all: [
      { field: 'is_archived', op: 'isNot', value: true },
      { field: 'is_bulk_edit', op: 'isNot', value: true },
    ],
  };
  expect(ruleWords({ eventType: 'deal.lost', filters: { conditions: guarded } }, nameOf, 'EUR')).toBe(
    'Deal lost, not archived, not a bulk edit',
  );
});
