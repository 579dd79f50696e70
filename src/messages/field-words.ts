/** Fields of a deal in words: their names and values, standard and custom. What cannot be named is null, never a key or an option id. */

import { idField, isObject, numberField, textField } from '../core/record';
import { oneLine } from './escape';
import { nameOf, namedOf, type NamedEntity } from './names';
import { NO_VALUE, type StoryContext } from './story';

const EMPTY = 'empty';
const GENERIC_NAME = 'A field';

/** Fields whose value is another record's id. */
export const ID_FIELDS: ReadonlyMap<string, NamedEntity> = new Map<string, NamedEntity>(
  Object.entries({
    owner_id: 'user',
    user_id: 'user',
    creator_user_id: 'user',
    person_id: 'person',
    org_id: 'organization',
    organization_id: 'organization',
    pipeline_id: 'pipeline',
    stage_id: 'stage',
  }),
);

/** Custom fields (by `type`) whose value is another record's id. */
export const ID_FIELD_TYPES: ReadonlyMap<string, NamedEntity> = new Map<string, NamedEntity>(
  Object.entries({ user: 'user', people: 'person', org: 'organization' }),
);

/** As Pipedrive's people call it; for a standard field that could not be asked for, its code in words. */
export function fieldName({ names }: StoryContext, field: string): string {
  const name = nameOf(names, 'dealField', field);
  if (name !== null) return name;
  if (isCustom(field) || !/^[a-z][a-z_]{1,40}$/.test(field)) return GENERIC_NAME;
  const inWords = field.replace(/_ids?$/, '').replaceAll('_', ' ');
  return inWords.charAt(0).toUpperCase() + inWords.slice(1);
}

/** A custom field's key: 40 hexadecimal digits, perhaps with the name of a part (`_currency`). */
function isCustom(field: string): boolean {
  return /[\da-f]{32}/i.test(field);
}

/**
 * A value in words: "empty" for none, null for one that cannot be put in words (an id without a name, an unknown shape).
 * Values come as webhooks write them (custom fields `{type, value | id | values}`) or, from the API, bare.
 */
export function fieldWords(context: StoryContext, field: string, value: unknown): string | null {
  if (value === null || value === undefined || value === '') return field === 'value' ? NO_VALUE : EMPTY;
  if (Array.isArray(value)) return value.length === 0 ? EMPTY : optionWords(context, field, value);
  if (isObject(value)) return customWords(context, field, value);
  const type = namedOf(context.names, 'dealField', field)?.fieldType ?? null;
  const entity = ID_FIELDS.get(field) ?? ID_FIELD_TYPES.get(type ?? '');
  if (entity !== undefined) return nameOf(context.names, entity, idField({ value }, 'value'));
  if (type === 'enum' || type === 'set' || type === 'status')
    return optionWords(context, field, [value]) ?? statusWords(field, value);
  return bareWords(context, field, value);
}

/** Names of options by their ids; null unless at least one can be named. */
export function optionWords({ names }: StoryContext, field: string, ids: readonly unknown[]): string | null {
  const options = namedOf(names, 'dealField', field)?.options;
  const labels = ids.flatMap((id) => options?.get(String(isObject(id) ? id['id'] : id)) ?? []);
  return labels.length === 0 ? null : labels.join(', ');
}

function customWords(context: StoryContext, field: string, value: Readonly<Record<string, unknown>>): string | null {
  const { format, names } = context;
  const type = textField(value, 'type') ?? namedOf(names, 'dealField', field)?.fieldType ?? '';
  const entity = ID_FIELD_TYPES.get(type);
  if (entity !== undefined) return nameOf(names, entity, idField(value, 'id') ?? idField(value, 'value'));
  const ids = value['values'];
  if (Array.isArray(ids)) return ids.length === 0 ? EMPTY : optionWords(context, field, ids);
  if ('id' in value) return optionWords(context, field, [value['id']]);
  const amount = numberField(value, 'value') ?? numberField(value, 'amount');
  if (amount !== null && (type === 'monetary' || 'currency' in value))
    return format.money({ amount, currency: textField(value, 'currency') });
  if ('from' in value || 'until' in value) return rangeWords(context, value);
  const inner = textField(value, 'formatted_address') ?? value['value'];
  return inner === null || inner === undefined || inner === '' ? EMPTY : bareWords(context, field, inner, type);
}

function rangeWords({ format }: StoryContext, value: Readonly<Record<string, unknown>>): string | null {
  const ends = [value['from'], value['until']].map((end) => format.date(end) ?? clockWords(end));
  const known = ends.filter((end) => end !== null);
  return known.length === 0 ? null : known.join(' – ');
}

/** A number, text, date or flag. An option's bare number would be an id, so numbers of unknown custom fields are not shown. */
function bareWords(context: StoryContext, field: string, value: unknown, type: string = ''): string | null {
  const { format } = context;
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return numberWords(context, field, value, type);
  if (typeof value !== 'string') return null;
  if (looksLikeKey(value, field, type)) return null;
  return statusWords(field, value) ?? format.dateTime(value) ?? (type === 'time' ? clockWords(value) : null) ?? oneLine(value);
}

function numberWords(context: StoryContext, field: string, value: number, type: string): string | null {
  if (field === 'value') return context.format.money({ amount: value, currency: textField(context.change.state, 'currency') });
  if (field === 'probability') return `${context.format.number(value)}%`;
  const fieldType = type || namedOf(context.names, 'dealField', field)?.fieldType;
  const isId = field.endsWith('_id') || (isCustom(field) && !['double', 'int', 'monetary'].includes(fieldType ?? ''));
  return isId ? null : context.format.number(value);
}

/** A UUID, a list of option ids, or digits in a field that is known to hold none: nothing that a person wrote. */
function looksLikeKey(value: string, field: string, type: string): boolean {
  const isTyped = ['varchar', 'varchar_auto', 'text', 'phone', 'double', 'address', 'time', 'date'].includes(type);
  if (isTyped) return false;
  return field.endsWith('_id') || (isCustom(field) && /^[\d,\s]+$/.test(value)) || /^[\da-f]{40}$/i.test(value);
}

const STATUS_WORDS: ReadonlyMap<string, string> = new Map<string, string>(
  Object.entries({ open: 'Open', won: 'Won', lost: 'Lost', deleted: 'Deleted' }),
);

function statusWords(field: string, value: unknown): string | null {
  return field === 'status' && typeof value === 'string' ? (STATUS_WORDS.get(value) ?? null) : null;
}

function clockWords(value: unknown): string | null {
  return typeof value === 'string' && /^\d\d:\d\d/.test(value) ? value.slice(0, 5) : null;
}
