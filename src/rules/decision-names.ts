/** The names that the words of decisions need: which to look for, and how to find them among what is known. Pure. */

import { DECISION_CODES, type Decision, type DecisionCode } from '../core/decision';
import { isObject } from '../core/record';
import type { Rule } from '../core/rule';
import {
  distinct,
  entityOfField,
  idOf,
  referenceOfField,
  referencesOfValue,
  type KnownReferences,
  type Reference,
  type ReferenceEntity,
} from './references';

/**
 * The name of a record or field; null when it is not known. With `value`, for a `dealField`: the name of that value in the field,
 * be it an option's label (`label_ids`, 3: "Hot") or a record's name (`owner_id`, 9: "Ana").
 */
export type NameOf = (entity: ReferenceEntity, id: number | string, value?: unknown) => string | null;

/** Everything that wording these decisions may name, each once. `rules` are the tenant's, by id. */
export function namesNeededBy(decisions: readonly Decision[], rules: ReadonlyMap<number, Rule>): readonly Reference[] {
  return distinct(decisions.flatMap((decision) => namesOf(decision, rules.get(decision.ruleId)?.filters ?? {})));
}

/** How to find them in what was loaded for `namesNeededBy`. */
export function makeNameOf(known: KnownReferences): NameOf {
  return (entity, id, value) => {
    if (entity !== 'dealField') return known.find(entity, id)?.name ?? null;
    const { id: key } = referenceOfField(String(id));
    const definition = known.find('dealField', key);
    if (value === undefined) return definition?.name ?? null;
    const valueId = idOf(value);
    if (valueId === null) return null;
    const owner = entityOfField(key, definition?.fieldType ?? null);
    return owner === null ? (definition?.options?.get(valueId) ?? null) : (known.find(owner, valueId)?.name ?? null);
  };
}

type Filters = Rule['filters'];

/** What the reasons of each code name; codes that are not here name nothing by id. */
const NAMED_BY: Partial<Record<DecisionCode, (filters: Filters, actual: unknown) => readonly Reference[]>> = {
  pipeline: (filters, actual) => records('pipeline', filters.pipelineIds, actual),
  stage: (filters, actual) => records('stage', filters.stageIds, actual),
  fromStage: (filters, actual) => records('stage', filters.fromStageIds, actual),
  owner: (filters, actual) => records('user', filters.ownerIds, actual),
  fields: (filters) => (filters.fields ?? []).map(referenceOfField),
  conditions: (_filters, actual) => failedCondition(actual),
};

function namesOf({ code, actual }: Pick<Decision, 'code' | 'actual'>, filters: Filters): readonly Reference[] {
  if (code !== 'settled' || !isObject(actual)) return NAMED_BY[code]?.(filters, actual) ?? [];
  // Why a waiting message no longer matched.
  const inner = DECISION_CODES.find((known) => known === actual['code'] && known !== 'settled');
  return inner === undefined ? [] : namesOf({ code: inner, actual: actual['actual'] }, filters);
}

function records(entity: ReferenceEntity, wanted: readonly number[] | undefined, actual: unknown): readonly Reference[] {
  const ids = [...(wanted ?? []), ...(typeof actual === 'number' ? [actual] : [])];
  return ids.map((id) => ({ entity, id: String(id) }));
}

/** `{field, op, wanted, actual, before}`; `wanted` is of `not` the condition that held, `{field, op, value}`, of `any` every failure. */
function failedCondition(failed: unknown): readonly Reference[] {
  if (!isObject(failed)) return [];
  const { wanted, actual, before } = failed;
  if (failed['op'] === 'any') return listed(wanted).flatMap(failedCondition);
  const field = typeof failed['field'] === 'string' ? failed['field'] : '';
  const inner = isObject(wanted) && 'op' in wanted ? failedCondition({ field: wanted['field'], wanted: wanted['value'] }) : [];
  const values = [...listed(wanted), ...listed(actual), ...listed(before)];
  const own = field === '' ? [] : [referenceOfField(field), ...values.flatMap((value) => referencesOfValue(field, value))];
  return [...own, ...inner];
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
