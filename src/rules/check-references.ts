/** Which of the things that a rule names are gone at Pipedrive: deleted stages, deactivated users, fields and options. Pure. */

import { isObject, textField } from '../core/record';
import type { Rule } from '../core/rule';
import { recordEntityOf } from '../core/transition';
import {
  distinct,
  entityOfField,
  idOf,
  referenceOfField,
  referencesOfValue,
  isCustomField,
  type KnownReference,
  type KnownReferences,
  type Reference,
  type ReferenceEntity,
} from './references';
import { conditionsOf, type PlacedCondition } from './walk-conditions';

export interface BrokenReference {
  /** Where the rule names it, such as `filters.stageIds.0`. */
  readonly path: string;
  readonly entity: ReferenceEntity | 'option';
  /** The list of Pipedrive's in which it would stand: an option's field, else the entity's own. */
  readonly list: ReferenceEntity;
  readonly id: string;
  /** As it was called last; absent when that is not known. */
  readonly name?: string;
  readonly kind: 'deleted' | 'deactivated' | 'unknown';
  /** A sentence, such as `The stage “Negotiation” was deleted.` */
  readonly problem: string;
}

interface CheckedRule {
  readonly eventType: Rule['eventType'];
  /** Conditions as they lie in the database, of whatever grammar. */
  readonly filters: Omit<Rule['filters'], 'conditions'> & { readonly conditions?: unknown };
}

/** Operators whose value names options or records; the others compare amounts, texts and dates. */
const NAMING_OPERATORS: ReadonlySet<string> = new Set([
  ...['is', 'isNot', 'in', 'notIn', 'includes', 'includesAny', 'includesAll', 'includesNone', 'changedTo', 'changedFrom'],
]);

/** What must be known to check these rules. */
export function referencesOfRules(rules: readonly CheckedRule[]): readonly Reference[] {
  return distinct(
    rules.flatMap((rule) => {
      const of = recordEntityOf(rule.eventType);
      const conditions = conditionsOf(rule.filters.conditions);
      return [
        ...filterReferences(rule).map(({ entity, id }) => ({ entity, id })),
        ...(rule.filters.fields ?? []).map((field) => referenceOfField(field, of)),
        ...conditions.map(({ field }) => referenceOfField(field, of)),
        ...conditions.flatMap((condition) =>
          namedValues(condition).flatMap(({ value }) => referencesOfValue(condition.field, value, of)),
        ),
      ];
    }),
  );
}

/** Everything in the rule that is gone, in the order of the rule. What cannot be known is not complained of. */
export function checkReferences(rule: CheckedRule, known: KnownReferences): readonly BrokenReference[] {
  const fields = (rule.filters.fields ?? []).map((field, at) => ({ path: `filters.fields.${at}`, field }));
  return [
    ...filterReferences(rule).flatMap((reference) => checkRecord(reference, known)),
    ...fields.flatMap(({ path, field }) => checkField(path, field, rule, known)),
    ...conditionsOf(rule.filters.conditions).flatMap((condition) => checkCondition(condition, rule, known)),
  ];
}

interface PlacedReference extends Reference {
  readonly path: string;
  /** The name that the rule kept beside the id. */
  readonly keptName?: string | null;
}

export const ID_FILTERS = [
  ['pipelineIds', 'pipeline'],
  ['stageIds', 'stage'],
  ['fromStageIds', 'stage'],
  ['ownerIds', 'user'],
] as const;

function filterReferences({ filters }: CheckedRule): readonly PlacedReference[] {
  return ID_FILTERS.flatMap(([filter, entity]) =>
    (filters[filter] ?? []).map((id, at) => ({ path: `filters.${filter}.${at}`, entity, id: String(id) })),
  );
}

function checkCondition(condition: PlacedCondition, rule: CheckedRule, known: KnownReferences): readonly BrokenReference[] {
  const { field, path } = condition;
  const of = recordEntityOf(rule.eventType);
  const reference = referenceOfField(field, of);
  const definition = known.find(reference.entity, reference.id);
  const entity = entityOfField(field, definition?.fieldType ?? null, of);
  const values = namedValues(condition).flatMap(({ path: valuePath, value }) => {
    const id = idOf(value);
    const keptName = isObject(value) ? textField(value, 'name') : null;
    if (id === null) return [];
    if (entity !== null) return checkRecord({ path: valuePath, entity, id, keptName }, known);
    return checkOption({ path: valuePath, id, keptName, list: reference.entity }, field, definition);
  });
  return [...checkField(`${path}.field`, field, rule, known), ...values];
}

/** Whether the operator compares with options or records, which have names. */
export function isNaming(op: string): boolean {
  return NAMING_OPERATORS.has(op);
}

/** The values of a condition that may be ids, each with its place. */
export function namedValues({ path, op, value }: PlacedCondition): readonly { readonly path: string; readonly value: unknown }[] {
  if (!isNaming(op) || value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [{ path: `${path}.value`, value }];
  return value.map((item: unknown, at) => ({ path: `${path}.value.${at}`, value: item }));
}

/** Unknown standard fields pass: Pipedrive does not list all that its webhooks have. */
function checkField(path: string, field: string, rule: CheckedRule, known: KnownReferences): readonly BrokenReference[] {
  return isCustomField(field) ? checkRecord({ path, ...referenceOfField(field, recordEntityOf(rule.eventType)) }, known) : [];
}

function checkRecord({ path, entity, id, keptName = null }: PlacedReference, known: KnownReferences): readonly BrokenReference[] {
  const found = known.find(entity, id);
  if (found === null && !known.isListed(entity)) return [];
  if (found !== null && found.gone === null) return [];
  const name = found?.name ?? keptName;
  const kind = found?.gone ?? 'unknown';
  const problem = `${wordsOf(entity, id, name)} ${KIND_WORDS[kind]}.`;
  return [{ path, entity, list: entity, id, ...(name === null ? {} : { name }), kind, problem }];
}

/** Options go when their field is edited; a value may also be an option's label, as people write it. */
function checkOption(
  { path, id, keptName, list }: { path: string; id: string; keptName: string | null; list: ReferenceEntity },
  field: string,
  definition: KnownReference | null,
): readonly BrokenReference[] {
  const options = definition?.options ?? null;
  if (definition === null || definition.gone !== null || options === null) return [];
  const isLabel = [...options.values()].some((label) => label.toLowerCase() === id.toLowerCase());
  if (options.size === 0 || options.has(id) || isLabel) return [];
  const label = keptName ?? definition.formerOptions?.get(id) ?? (/^\d+$/.test(id) ? null : id);
  const what = label === null ? `The option ${id}` : `The option “${label}”`;
  const problem = `${what} of the field “${definition.name ?? field}” ${KIND_WORDS.unknown}.`;
  return [{ path, entity: 'option', list, id, ...(keptName === null ? {} : { name: keptName }), kind: 'unknown', problem }];
}

const KIND_WORDS = {
  deleted: 'was deleted',
  deactivated: 'is deactivated',
  unknown: 'is not known in Pipedrive (any more)',
} as const;

const ENTITY_WORDS: Readonly<Record<ReferenceEntity, string>> = {
  user: 'user',
  pipeline: 'pipeline',
  stage: 'stage',
  person: 'person',
  organization: 'organization',
  deal: 'deal',
  lead: 'lead',
  leadLabel: 'label',
  activityType: 'activity type',
  ...{ dealField: 'field', personField: 'field', organizationField: 'field', activityField: 'field' },
};

function wordsOf(entity: ReferenceEntity, id: string, name: string | null): string {
  if (name !== null) return `The ${ENTITY_WORDS[entity]} “${name}”`;
  return ENTITY_WORDS[entity] === 'field' ? `The custom field ${id}` : `The ${ENTITY_WORDS[entity]} ${id}`;
}
