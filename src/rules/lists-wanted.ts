/** Which of Pipedrive's lists have to be read before a rule's names can be understood. Pure. */

import type { RecordEntity } from '../core/record';
import type { GivenFilters } from '../core/rule';
import type { KnownFields } from './field-catalogue';
import {
  entityOfField,
  FIELD_ENTITIES,
  fieldEntityOf,
  isCustomField,
  type FieldEntity,
  type ReferenceEntity,
} from './references';
import { EVENT_FIELDS, STANDARD_FIELDS } from './standard-fields';
import { conditionsOf } from './walk-conditions';

/** Lists that Pipedrive gives whole. */
export const LISTED_KINDS = ['user', 'pipeline', 'stage', 'leadLabel', 'activityType'] as const;
export type ListedKind = (typeof LISTED_KINDS)[number] | FieldEntity;

/** Those that the filters need and that were never read, and those in doubt: what is named may be younger than what is known. */
export function listsWanted(
  filters: GivenFilters,
  known: KnownFields,
  inDoubt: readonly ReferenceEntity[],
): readonly ListedKind[] {
  const { entity } = known;
  const fields = [...conditionsOf(filters.conditions).map(({ field }) => field), ...(filters.fields ?? [])];
  const kinds = new Set<ReferenceEntity>(fields.flatMap((field) => entityOfField(field, null, entity) ?? []));
  if (fields.some((field) => isListedField(field, entity))) kinds.add(fieldEntityOf(entity));
  if (hasNames(filters.pipelineIds)) kinds.add('pipeline');
  if (hasNames(filters.stageIds) || hasNames(filters.fromStageIds)) kinds.add('stage');
  if (hasNames(filters.ownerIds)) kinds.add('user');
  const all: readonly ListedKind[] = [...FIELD_ENTITIES, ...LISTED_KINDS];
  return all.filter((kind) => inDoubt.includes(kind) || (kinds.has(kind) && !known.isListed(kind)));
}

/** Custom fields, names of fields, and those whose options are the company's own. */
function isListedField(field: string, entity: RecordEntity): boolean {
  if (field === 'label_ids') return entity !== 'lead';
  return isCustomField(field) || (!Object.hasOwn(STANDARD_FIELDS[entity], field) && !Object.hasOwn(EVENT_FIELDS, field));
}

function hasNames(list: readonly (number | string)[] | undefined): boolean {
  return list?.some((item) => typeof item === 'string') ?? false;
}
