/** The editor's view of a form: every list by name, and what was refused at its place. Pure. */

import type { Refusal } from '../../views/form';
import type { LineView, ValueView } from '../../views/settings/condition-line';
import type { ConditionsView, GroupView } from '../../views/settings/rule-conditions';
import type { RulePreviewView } from '../../views/settings/rule-preview';
import type { PickGroup } from '../../views/settings/pick-many';
import type { RuleFormView } from '../../views/settings/rule-view';
import type { TestView } from '../../views/settings/test-result';
import { recordEntityOf, EVENT_TYPES, kindsKnownFor } from '../core/transition';
import type { Destination } from '../delivery/read-destination';
import { EVENT_NAMES, KIND_WORDS } from '../rules/explain';
import { RECORD_WORDS, type Choice, type KnownFields } from '../rules/field-catalogue';
import type { Preset } from '../rules/presets';
import { EVENT_FIELDS, STANDARD_FIELDS } from '../rules/standard-fields';
import { fieldWords } from '../rules/value-words';
import { LABELS, ROOT, type ConditionGroup, type ConditionLine, type ConditionNode } from './condition-form';
import { EMPTY, inputOf, labelChoices, OPERATOR_WORDS, type ValueInput } from './condition-value';
import { USUAL_CURRENCIES } from './first-run-view';
import { filterGroupsOf, type RuleForm } from './rule-form';
import { conditionLabels, lineOfError, placeOf, refusalOfForm } from './rule-refusal';
import { capitalized } from './words';

export interface FormFacts {
  readonly ruleId: number | null;
  /** What the form was filled from. */
  readonly preset: Preset | null;
  readonly canChange: boolean;
  readonly form: RuleForm;
  /** Of the kind of record that the rule is about. */
  readonly known: KnownFields;
  readonly deals: KnownFields;
  /** Lists of Pipedrive's that were never read and cannot be now. */
  readonly isListTrouble: boolean;
  readonly destinations: readonly Destination[];
  readonly baseCurrency: string;
  /** How long a rule waits for later edits that does not say. */
  readonly usualWaitMs: number;
  readonly refusal: Refusal | null;
  /** The API's paths of conditions to the form's. */
  readonly places: ReadonlyMap<string, string>;
  readonly preview: RulePreviewView | null;
  readonly test: TestView | null;
}

const LIST_TROUBLE =
  'Pipedrive did not answer, so some lists here are empty or may be out of date. You can go on: what you save holds, and the lists come back when the page is opened again.';

export function ruleFormView(facts: FormFacts): RuleFormView {
  const { form, known, deals } = facts;
  const refusal = facts.refusal === null ? null : refusalOfForm(facts.refusal, facts);
  const { conditions: _tree, ...values } = form;
  return {
    ...{ ruleId: facts.ruleId, title: titleOf(facts), canChange: facts.canChange, values },
    ...{ refusal, conditionLabels: conditionLabels(form), preview: facts.preview, test: facts.test },
    preset: presetView(facts.preset),
    listTrouble: facts.isListTrouble ? LIST_TROUBLE : null,
    events: EVENT_TYPES.map((eventType) => ({
      value: eventType,
      label: capitalized(EVENT_NAMES[eventType]),
      group: capitalized(RECORD_WORDS[groupOf(eventType)]),
      has: [...filterGroupsOf(eventType), eventType],
    })).sort((a, b) => RECORD_ORDER.indexOf(a.group) - RECORD_ORDER.indexOf(b.group)),
    kinds: EVENT_TYPES.filter((eventType) => kindsKnownFor(eventType).length > 0).map((eventType) => ({
      eventType,
      kinds: kindsKnownFor(eventType).map((kind) => ({ value: kind, label: capitalized(KIND_WORDS[kind]) })),
    })),
    pipelines: picks(deals.choices.get('pipeline'), false),
    stages: picks(deals.choices.get('stage'), true),
    owners: picks(deals.choices.get('user'), false),
    dealFields: fieldGroups(deals, 'deal').slice(0, 2),
    currencies: [
      { value: '', label: 'any' },
      ...[...new Set([facts.baseCurrency, form.currency, ...USUAL_CURRENCIES])]
        .filter((code) => code !== '')
        .map((code) => ({ value: code, label: code })),
    ],
    spaces: facts.destinations.map(({ id, name }) => ({ value: String(id), label: name })),
    usualWait: String(facts.usualWaitMs / 1000),
    conditions: conditionsView(form, known, refusal, facts.places),
  };
}

function titleOf({ ruleId, form }: FormFacts): string {
  return ruleId === null ? 'New rule' : form.name === '' ? 'Rule' : form.name;
}

function presetView(preset: Preset | null): RuleFormView['preset'] {
  if (preset === null) return null;
  const { key, description, asks } = preset;
  return { key, description, questions: asks.filter(({ sameAs }) => sameAs === undefined).map(({ question }) => question) };
}

/** A converted lead is told of as its deal, but people look for it among leads. */
function groupOf(eventType: (typeof EVENT_TYPES)[number]) {
  return eventType === 'lead.converted' ? 'lead' : recordEntityOf(eventType);
}

const RECORD_ORDER: readonly string[] = Object.values(RECORD_WORDS).map(capitalized);

/** Stages stand below their pipeline. */
function picks(choices: readonly Choice[] = [], isGrouped: boolean): PickGroup[] {
  const headings = isGrouped ? [...new Set(choices.map(({ beside }) => beside))] : [null];
  return headings.map((label) => ({
    label,
    options: choices.filter(({ beside }) => !isGrouped || beside === label).map(({ id, name }) => ({ value: id, label: name })),
  }));
}

const CUSTOM_FIELDS = 'Custom fields';

function fieldGroups(known: KnownFields, of: KnownFields['entity']) {
  const option = (key: string) => ({ value: key, label: fieldLabel(known, key) });
  const sorted = (keys: readonly string[]) => keys.map(option).sort((a, b) => a.label.localeCompare(b.label, 'en'));
  const custom = known.fields.filter(({ key }) => /^[\da-f]{40}$/.test(key)).map(({ key }) => key);
  return [
    { label: `Fields of ${RECORD_WORDS[of]}`, options: sorted(Object.keys(STANDARD_FIELDS[of])) },
    { label: CUSTOM_FIELDS, options: sorted(custom) },
    { label: 'About the change itself', options: sorted(Object.keys(EVENT_FIELDS)) },
  ].filter(({ options }) => options.length > 0);
}

function fieldLabel(known: KnownFields, key: string): string {
  const listed = known.fields.find((field) => field.key === key)?.name ?? null;
  return capitalized(fieldWords(key, (entity) => (entity === 'field' ? listed : null)));
}

/** The conditions alone, as they are exchanged when a line changes. */
export function conditionsView(
  { conditions: root, labels }: Pick<RuleForm, 'conditions' | 'labels'>,
  known: KnownFields,
  refusal: Refusal | null = null,
  places: ReadonlyMap<string, string> = new Map(),
): ConditionsView {
  const errors = errorsByPlace(refusal, places);
  let lines = 0;
  let groups = 0;
  const line = (node: ConditionLine, path: string): LineView => {
    lines += 1;
    const { ops, op, input } = inputOf(known, node.field, node.op);
    return {
      ...{
        kind: 'line',
        path,
        title: `Condition ${lines}`,
        field: node.field,
        op: node.raw === null ? op : node.op,
        values: node.values,
      },
      unit: node.unit,
      ops: ops.map((value) => ({ value, label: OPERATOR_WORDS[value] ?? value })),
      value: valueView(input),
      kept: node.raw === null ? null : { words: keptWords(node, known), raw: node.raw },
      error: errors.get(path),
    };
  };
  const view = (node: ConditionNode, path: string): LineView | GroupView =>
    node.kind === 'line' ? line(node, path) : group(node, path);
  const group = (node: ConditionGroup, path: string): GroupView => {
    const title = path === ROOT ? 'Conditions together' : `Group ${(groups += 1)}`;
    return { kind: 'group', path, title, join: node.join, items: node.items.map((item, at) => view(item, `${path}.${at}`)) };
  };
  const fields = fieldGroups(known, known.entity);
  return {
    ...{ root: group(root, ROOT), fields, error: errors.get(ROOT) },
    labels: labelsView(labels, known, errors.get(LABELS)),
    customFields: fields.find(({ label }) => label === CUSTOM_FIELDS)?.options ?? [],
  };
}

/** Null for records that have no labels, or of which none is known. */
function labelsView(chosen: readonly string[], known: KnownFields, error: string | undefined): ConditionsView['labels'] {
  const choices = labelChoices(known);
  return choices.length + chosen.length === 0 ? null : { chosen, groups: picks(choices, false), error };
}

function valueView(input: ValueInput): ValueView {
  switch (input.kind) {
    case 'choices': {
      const hasHeadings = input.choices.some(({ beside }) => beside !== null && !beside.includes('@'));
      const empty = input.mayBeEmpty ? [{ label: null, options: [{ value: EMPTY, label: EMPTY }] }] : [];
      return { kind: 'choices', groups: [...empty, ...picks(input.choices, hasHeadings)] };
    }
    case 'one':
      return { ...input, placeholder: input.units.some(({ value }) => value === 'date') ? '2026-11-23, or how many' : '' };
    default:
      return input;
  }
}

function keptWords({ field, op, raw }: ConditionLine, known: KnownFields): string {
  return `${fieldLabel(known, field)} ${OPERATOR_WORDS[op] ?? op}: kept as it is (${raw ?? ''})`;
}

/** What the API refuses inside a condition stands at its line; what has no line of its own stands above all. */
function errorsByPlace(refusal: Refusal | null, places: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, message } of refusal?.errors ?? []) {
    if (!path.startsWith('filters.conditions') && lineOfError({ path, message }) === null) continue;
    const at = lineOfError({ path, message }) ?? placeOf(path, places) ?? ROOT;
    if (!found.has(at)) found.set(at, message);
  }
  return found;
}
