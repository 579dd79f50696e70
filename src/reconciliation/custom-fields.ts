/** Custom fields as a list has them, bare values by key, in the form in which webhooks have them. Pure. */

import { isObject, type RecordState } from '../core/record';

/** Field types by field key. */
export type FieldTypes = ReadonlyMap<string, string>;

const BY_ID = new Set(['enum', 'user', 'people', 'org']);

/** Fields whose type is not known are left out: a value without one could be an option, a person or a number. */
export function customFieldsAsWebhook(read: RecordState, types: FieldTypes): RecordState {
  return Object.fromEntries(
    Object.entries(read).flatMap(([key, value]) => {
      const type = types.get(key);
      return type === undefined || value == null ? [] : [[key, valueAsWebhook(type, value)]];
    }),
  );
}

function valueAsWebhook(type: string, value: unknown): RecordState {
  if (type === 'set')
    return { type, values: (Array.isArray(value) ? value : [value]).map((option: unknown) => ({ id: idOf(option) })) };
  if (BY_ID.has(type)) return { type, id: idOf(value) };
  return isObject(value) ? { type, ...value } : { type, value };
}

/** Some answers have whole objects where others have ids. */
function idOf(value: unknown): unknown {
  return isObject(value) ? (value['id'] ?? value['value'] ?? null) : value;
}
