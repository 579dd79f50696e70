/** Reads one field of a record in the form in which it can be compared: every shape of Pipedrive's standard and custom fields. Pure. */

import { isObject, type RecordState } from '../core/record';

/** A comparable value. Ids and texts are text, so that 9 and "9" are the same. */
export type FieldValue =
  | { readonly kind: 'empty' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'flag'; readonly flag: boolean }
  | { readonly kind: 'money'; readonly amount: number; readonly currency: string | null }
  /** Ids of labels, options of a multiple-option field, e-mail addresses, ... */
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** A date range or time range; either end may be open. */
  | { readonly kind: 'range'; readonly from: string | null; readonly until: string | null };

const EMPTY: FieldValue = { kind: 'empty' };

/** Fields whose amount stands in one field and whose currency in another. */
const CURRENCY_BESIDE: Readonly<Record<string, string>> = { value: 'currency' };

/** The value of a standard field, or of a custom field by its key. A field that the record does not have is empty. */
export function fieldValue(state: RecordState, field: string): FieldValue {
  const raw = field in state ? state[field] : customField(state, field);
  const value = readValue(raw);
  const currencyField = CURRENCY_BESIDE[field];
  if (currencyField === undefined || value.kind !== 'number') return value;
  const currency = state[currencyField];
  return { kind: 'money', amount: value.number, currency: typeof currency === 'string' ? currency : null };
}

function customField(state: RecordState, field: string): unknown {
  const custom = state['custom_fields'];
  return isObject(custom) ? custom[field] : undefined;
}

/** One raw value in its comparable form. */
export function readValue(raw: unknown): FieldValue {
  if (raw === null || raw === undefined || raw === '') return EMPTY;
  if (typeof raw === 'string') return { kind: 'text', text: raw };
  if (typeof raw === 'number') return { kind: 'number', number: raw };
  if (typeof raw === 'boolean') return { kind: 'flag', flag: raw };
  if (Array.isArray(raw)) return readList(raw);
  return isObject(raw) ? readTyped(raw) : EMPTY;
}

/** Lists of ids, of `{id}` (multiple options) and of `{value, primary, label}` (e-mails, phones). */
function readList(raw: readonly unknown[]): FieldValue {
  const items = raw.map((item) => (isObject(item) ? (item['id'] ?? item['value']) : item));
  const known = items.filter((item) => typeof item === 'string' || typeof item === 'number').map(String);
  return known.length === 0 ? EMPTY : { kind: 'list', items: known };
}

/** Custom fields are `{type, value | id | values | from, until}`; a lead's value is `{amount, currency}`. */
function readTyped(raw: Readonly<Record<string, unknown>>): FieldValue {
  if (typeof raw['amount'] === 'number') return { kind: 'money', amount: raw['amount'], currency: currencyOf(raw) };
  if (Array.isArray(raw['values'])) return readList(raw['values']);
  if ('from' in raw || 'until' in raw) return readRange(raw);
  if (raw['id'] !== undefined) return readValue(raw['id']);
  if (typeof raw['value'] === 'number' && 'currency' in raw)
    return { kind: 'money', amount: raw['value'], currency: currencyOf(raw) };
  return isObject(raw['value']) ? EMPTY : readValue(raw['value'] ?? raw['formatted_address']);
}

function currencyOf(raw: Readonly<Record<string, unknown>>): string | null {
  return typeof raw['currency'] === 'string' ? raw['currency'] : null;
}

function readRange(raw: Readonly<Record<string, unknown>>): FieldValue {
  const from = typeof raw['from'] === 'string' && raw['from'] !== '' ? raw['from'] : null;
  const until = typeof raw['until'] === 'string' && raw['until'] !== '' ? raw['until'] : null;
  return from === null && until === null ? EMPTY : { kind: 'range', from, until };
}
