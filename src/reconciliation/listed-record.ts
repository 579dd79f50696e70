/** A record as Pipedrive's list shows it, cut to what webhooks say of it too and laid over what is known, so that only real differences show. Pure. */

import { timeField } from '../core/happened-at';
import { flagField, idField, isObject, textField, type RecordEntity, type RecordState } from '../core/record';
import { customFieldsAsWebhook, type FieldTypes } from './custom-fields';
import { isSame } from '../rules/same-value';

export interface ListedRecord {
  readonly entity: RecordEntity;
  readonly entityId: string;
  readonly state: RecordState;
  /** It is in the list as one that is gone: deleted, or merged into another one. */
  readonly isDeleted: boolean;
}

const TIMES = ['add_time', 'update_time'];
/** Fields that lists and webhooks name and fill alike: any other difference would be one of spelling. */
const FIELDS: Readonly<Record<RecordEntity, readonly string[]>> = {
  deal: [
    ...[
      'id',
      'title',
      'status',
      'value',
      'currency',
      'pipeline_id',
      'stage_id',
      'owner_id',
      'creator_user_id',
      'person_id',
      'org_id',
    ],
    ...['label_ids', 'lost_reason', 'expected_close_date', 'probability', 'origin', 'origin_id', 'source_lead_id', 'is_archived'],
    ...['won_time', 'lost_time', 'close_time', 'stage_change_time'],
  ],
  lead: [
    'id',
    'title',
    'value',
    'owner_id',
    'creator_id',
    'person_id',
    'organization_id',
    'label_ids',
    'source_name',
    'is_archived',
  ],
  person: ['id', 'name', 'first_name', 'last_name', 'owner_id', 'org_id', 'emails', 'phones', 'label_ids'],
  organization: ['id', 'name', 'owner_id', 'label_ids'],
  activity: [
    ...[
      'id',
      'subject',
      'type',
      'owner_id',
      'deal_id',
      'lead_id',
      'person_id',
      'org_id',
      'done',
      'due_date',
      'public_description',
    ],
    'marked_as_done_time',
  ],
  note: ['id', 'content', 'user_id', 'deal_id', 'lead_id', 'person_id', 'org_id'],
};

/** The record of a list; null when it has no id. Custom fields are those of deals, by the types that are known. */
export function listedRecord(entity: RecordEntity, raw: RecordState, types: FieldTypes = new Map()): ListedRecord | null {
  const entityId = entity === 'lead' ? textField(raw, 'id') : idField(raw, 'id');
  if (entityId === null) return null;
  const kept = [...FIELDS[entity], ...TIMES].filter((field) => raw[field] !== undefined);
  const state = Object.fromEntries(kept.map((field) => [field, inIso(field, raw)]));
  const custom = raw['custom_fields'];
  const hasCustom = entity === 'deal' && isObject(custom);
  const whole = hasCustom ? { ...state, custom_fields: customFieldsAsWebhook(custom, types) } : state;
  return { entity, entityId: String(entityId), state: whole, isDeleted: flagField(raw, 'is_deleted') };
}

/** API v1 writes `2026-11-25 14:05:00` where webhooks write ISO. */
function inIso(field: string, raw: RecordState): unknown {
  const time = TIMES.includes(field) ? timeField(raw, field) : null;
  return time !== null && textField(raw, field)?.includes(' ') === true ? `${time.toISOString().slice(0, 19)}Z` : raw[field];
}

/**
 * What is known with what was read laid over it. A value that says the same stays spelled as it was, and a field that webhooks did not
 * name says nothing of a change; custom fields have too many spellings to be compared.
 */
export function laidOver(known: RecordState, read: RecordState): RecordState {
  const changed = Object.entries(read).filter(
    ([field, value]) =>
      (field in known || field.endsWith('_time')) && field !== 'custom_fields' && !saysTheSame(field, known, value),
  );
  return { ...known, ...Object.fromEntries(changed) };
}

function saysTheSame(field: string, known: RecordState, read: unknown): boolean {
  const before = known[field] ?? null;
  const after = read ?? null;
  if (isSame(before, after)) return true;
  if (field.endsWith('_time')) return timeField(known, field)?.getTime() === timeField({ [field]: after }, field)?.getTime();
  if (Array.isArray(before) && Array.isArray(after)) return isSame(sorted(before), sorted(after));
  return isPlain(before) && isPlain(after) && String(before ?? '') === String(after ?? '');
}

function sorted(list: readonly unknown[]): readonly string[] {
  return list.map((item) => (isObject(item) ? JSON.stringify(item) : String(item))).sort();
}

function isPlain(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
