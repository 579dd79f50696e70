/** Where a rule names pipelines, stages, people, fields, options and destinations, and the same rule with others in their place. Pure. */

import { isObject, type RecordEntity } from '../core/record';
import type { Rule } from '../core/rule';
import { recordEntityOf } from '../core/transition';
import { ID_FILTERS, namedValues } from './check-references';
import { entityOfField, fieldEntityOf, idOf, isCustomField, referenceOfField } from './references';
import { conditionsOf, type PlacedCondition } from './walk-conditions';

export const REFERENCE_KINDS = [
  ...(['pipeline', 'stage', 'user', 'person', 'organization', 'leadLabel', 'activityType'] as const),
  ...(['field', 'option', 'destination'] as const),
] as const;
export type ReferenceKind = (typeof REFERENCE_KINDS)[number];

/** `id` is Pipedrive's or, for destinations, ours; for fields the key. */
export interface ReferenceKey {
  readonly kind: ReferenceKind;
  readonly id: string;
  /** Of an option: the key of its field. */
  readonly field?: string | undefined;
}

export interface PlacedReference extends ReferenceKey {
  /** Dot-separated, from the rule on: `filters.stageIds.0`, `targetWebhookIds.1`. */
  readonly path: string;
}

export type ReferringRule = Pick<Rule, 'eventType' | 'filters' | 'targetWebhookIds'>;

/** One text for one reference. */
export function keyOfReference({ kind, id, field }: ReferenceKey): string {
  return `${kind} ${field ?? ''} ${id}`;
}

/** Everything that the rule names. `fieldTypeOf` tells what is known of a custom field (`user`, `enum`, ...). */
export function placedReferences(rule: ReferringRule, fieldTypeOf: (key: string) => string | null): readonly PlacedReference[] {
  const { filters, targetWebhookIds } = rule;
  return [
    ...ID_FILTERS.flatMap(([filter, kind]) =>
      (filters[filter] ?? []).map((id, at) => ({ path: `filters.${filter}.${at}`, kind, id: String(id) })),
    ),
    ...(filters.fields ?? []).flatMap((field, at) => placedField(`filters.fields.${at}`, field, rule)),
    ...conditionsOf(filters.conditions).flatMap((condition) => placedInCondition(condition, rule, fieldTypeOf)),
    ...targetWebhookIds.map((id, at) => ({ path: `targetWebhookIds.${at}`, kind: 'destination' as const, id: String(id) })),
  ];
}

/** Standard fields are called the same everywhere. */
function placedField(path: string, field: string, rule: ReferringRule): readonly PlacedReference[] {
  return isCustomField(field) ? [{ path, kind: 'field', id: keyOfField(field, rule) }] : [];
}

/** Options of a field that deals have too (`label_ids`) are told apart by whose they are: `person.label_ids`. */
export function optionFieldKey(field: string, of: RecordEntity): string {
  return isCustomField(field) || fieldEntityOf(of) === 'dealField' ? field : `${of}.${field}`;
}

function keyOfField(field: string, { eventType }: ReferringRule): string {
  return referenceOfField(field, recordEntityOf(eventType)).id;
}

function placedInCondition(
  condition: PlacedCondition,
  rule: ReferringRule,
  fieldTypeOf: (key: string) => string | null,
): readonly PlacedReference[] {
  const { field, path } = condition;
  const of = recordEntityOf(rule.eventType);
  const key = keyOfField(field, rule);
  const entity = entityOfField(field, fieldTypeOf(key), of);
  const kind = REFERENCE_KINDS.find((known) => known === entity) ?? null;
  const values = namedValues(condition).flatMap(({ path: valuePath, value }): readonly PlacedReference[] => {
    const id = idOf(value);
    if (id === null) return [];
    if (kind !== null) return [{ path: valuePath, kind, id }];
    if (entity !== null || !hasOwnOptions(field, of)) return [];
    return [{ path: valuePath, kind: 'option', id, field: optionFieldKey(key, of) }];
  });
  return [...placedField(`${path}.field`, field, rule), ...values];
}

/** Options whose ids differ from company to company; those of standard fields (status, currency) are the same everywhere. */
function hasOwnOptions(field: string, of: RecordEntity): boolean {
  return isCustomField(field) || field === 'channel' || (field === 'label_ids' && of !== 'lead');
}

/** Something to stand in the place of a reference. */
export interface Replacement {
  readonly id: string;
  readonly name: string | null;
}

/** `value` (a rule, or what of it has the path) with the reference replaced, in the form in which it stood there. */
export function withReplaced(value: unknown, path: readonly string[], replacement: Replacement): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return inFormOf(value, replacement);
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => (String(at) === step ? withReplaced(item, rest, replacement) : item));
  }
  return isObject(value) ? { ...value, [step]: withReplaced(value[step], rest, replacement) } : value;
}

const CUSTOM_KEY_LENGTH = 40;

/** A number stays a number, `{id, name}` gets both, and a part of a custom field (`<key>_currency`) stays that part. */
function inFormOf(value: unknown, { id, name }: Replacement): unknown {
  if (isObject(value)) return { id: inFormOf(value['id'], { id, name }), ...(name === null ? {} : { name }) };
  if (typeof value === 'number') return Number(id);
  if (typeof value !== 'string') return id;
  return isCustomField(value) ? id + value.slice(CUSTOM_KEY_LENGTH) : id;
}
