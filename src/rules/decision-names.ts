/** The names that the words of decisions need: which to look for, and how to find them among what is known. Pure. */

import { DECISION_CODES, type Decision, type DecisionCode } from '../core/decision';
import { isObject, type RecordEntity } from '../core/record';
import type { Rule } from '../core/rule';
import { recordEntityOf } from '../core/transition';
import {
  distinct,
  entityOfField,
  idOf,
  referenceOfField,
  referencesOfValue,
  type KnownReferences,
  type ReferenceEntity,
  type Reference,
} from './references';

/**
 * The name of a record or field; null when it is not known. With `value`, for a `field`: the name of that value in the field,
 * be it an option's label (`label_ids`, 3: "Hot") or a record's name (`owner_id`, 9: "Ana"). For a `fieldType`: Pipedrive's word
 * for the field's type, such as `enum`.
 */
export type NameOf = (
  entity: 'user' | 'pipeline' | 'stage' | 'field' | 'fieldType',
  id: number | string,
  value?: unknown,
) => string | null;

/** Everything that wording these decisions may name, each once. `rules` are the tenant's, by id. */
export function namesNeededBy(decisions: readonly Decision[], rules: ReadonlyMap<number, Rule>): readonly Reference[] {
  return distinct(decisions.flatMap((decision) => namesOf(decision, rules.get(decision.ruleId) ?? null)));
}

/** How to find them in what was loaded for `namesNeededBy`; `of` is the kind of record whose fields are named. */
export function makeNameOf(known: KnownReferences, of: RecordEntity): NameOf {
  return (entity, id, value) => {
    if (entity !== 'field' && entity !== 'fieldType') return known.find(entity, id)?.name ?? null;
    const { entity: fieldEntity, id: key } = referenceOfField(String(id), of);
    const definition = known.find(fieldEntity, key);
    if (entity === 'fieldType') return definition?.fieldType ?? null;
    if (value === undefined) return definition?.name ?? null;
    const valueId = idOf(value);
    if (valueId === null) return null;
    const owner = entityOfField(String(id), definition?.fieldType ?? null, of);
    if (owner !== null) return known.find(owner, valueId)?.name ?? null;
    return definition?.options?.get(valueId) ?? definition?.formerOptions?.get(valueId) ?? null;
  };
}

interface Named {
  readonly filters: Rule['filters'];
  readonly of: RecordEntity;
}

/** What the reasons of each code name; codes that are not here name nothing by id. */
const NAMED_BY: Partial<Record<DecisionCode, (named: Named, actual: unknown) => readonly Reference[]>> = {
  pipeline: ({ filters }, actual) => records('pipeline', filters.pipelineIds, actual),
  stage: ({ filters }, actual) => records('stage', filters.stageIds, actual),
  fromStage: ({ filters }, actual) => records('stage', filters.fromStageIds, actual),
  owner: ({ filters }, actual) => records('user', filters.ownerIds, actual),
  fields: ({ filters, of }) => (filters.fields ?? []).map((field) => referenceOfField(field, of)),
  conditions: ({ of }, actual) => failedCondition(actual, of),
};

function namesOf({ code, actual }: Pick<Decision, 'code' | 'actual'>, rule: Rule | null): readonly Reference[] {
  const named = { filters: rule?.filters ?? {}, of: rule === null ? ('deal' as const) : recordEntityOf(rule.eventType) };
  if (code !== 'settled' || !isObject(actual)) return NAMED_BY[code]?.(named, actual) ?? [];
  // Why a waiting message no longer matched.
  const inner = DECISION_CODES.find((known) => known === actual['code'] && known !== 'settled');
  return inner === undefined ? [] : namesOf({ code: inner, actual: actual['actual'] }, rule);
}

function records(entity: ReferenceEntity, wanted: readonly number[] | undefined, actual: unknown): readonly Reference[] {
  const ids = [...(wanted ?? []), ...(typeof actual === 'number' ? [actual] : [])];
  return ids.map((id) => ({ entity, id: String(id) }));
}

/** `{field, op, wanted, actual, before}`; `wanted` is of `not` the condition that held, `{field, op, value}`, of `any` every failure. */
function failedCondition(failed: unknown, of: RecordEntity): readonly Reference[] {
  if (!isObject(failed)) return [];
  const { wanted, actual, before } = failed;
  if (failed['op'] === 'any' || failed['op'] === 'every') return listed(wanted).flatMap((item) => failedCondition(item, of));
  const field = typeof failed['field'] === 'string' ? failed['field'] : '';
  const inner =
    isObject(wanted) && 'op' in wanted ? failedCondition({ field: wanted['field'], wanted: wanted['value'] }, of) : [];
  const values = [...listed(wanted), ...listed(actual), ...listed(before)];
  const own =
    field === '' ? [] : [referenceOfField(field, of), ...values.flatMap((value) => referencesOfValue(field, value, of))];
  return [...own, ...inner];
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
