/** Reads one field of a record in the form in which it can be compared: every shape of Pipedrive's standard and custom fields. Pure. */

import { isObject, listField, numberField, type RecordState } from '../core/record';

/** A comparable value. */
export type FieldValue =
  | { readonly kind: 'empty' }
  /** `more`: other writings of the same, such as an address in full. */
  | { readonly kind: 'text'; readonly text: string; readonly more?: readonly string[] }
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
/** Lists that Pipedrive wrote as "24,25" too. */
const LISTS: ReadonlySet<string> = new Set(['label_ids']);

/** The value of a standard field, or of a custom field by its key. A field that the record does not have is empty. */
export function fieldValue(state: RecordState, field: string): FieldValue {
  if (LISTS.has(field)) return readList(listField(state, field));
  const raw = Object.hasOwn(state, field) ? state[field] : customField(state, field);
  const currencyField = CURRENCY_BESIDE[field];
  if (currencyField === undefined || isObject(raw)) return readValue(raw);
  const amount = numberField({ raw }, 'raw');
  return amount === null ? readValue(raw) : { kind: 'money', amount, currency: currencyIn(state, currencyField) };
}

/** Old values of a record, of which a field may be in several places; undefined when it did not change. */
export function oldRawValue(previous: RecordState, field: string): unknown {
  if (Object.hasOwn(previous, field)) return previous[field];
  const custom = customFields(previous);
  const key = Object.hasOwn(custom, field) ? field : (partOf(field)?.key ?? field);
  return Object.hasOwn(custom, key) ? customField(previous, field) : undefined;
}

function customFields(state: RecordState): RecordState {
  const custom = state['custom_fields'];
  return isObject(custom) ? custom : {};
}

/** A custom field, or a part of one as Pipedrive names it: `<key>_currency`, `<key>_until`, `<key>_locality`. */
function customField(state: RecordState, field: string): unknown {
  const custom = customFields(state);
  if (Object.hasOwn(custom, field)) return custom[field] ?? null;
  const part = partOf(field);
  if (part === null || !Object.hasOwn(custom, part.key)) return null;
  const whole = custom[part.key];
  return isObject(whole) && Object.hasOwn(whole, part.name) ? (whole[part.name] ?? null) : null;
}

function partOf(field: string): { readonly key: string; readonly name: string } | null {
  const [, key, name] = /^([\da-f]{40})_(\w+)$/.exec(field) ?? [];
  return key === undefined || name === undefined ? null : { key, name };
}

/** One raw value in its comparable form. */
export function readValue(raw: unknown): FieldValue {
  if (raw === null || raw === undefined) return EMPTY;
  if (typeof raw === 'string') return raw.trim() === '' ? EMPTY : { kind: 'text', text: raw };
  if (typeof raw === 'number') return { kind: 'number', number: raw };
  if (typeof raw === 'boolean') return { kind: 'flag', flag: raw };
  if (Array.isArray(raw)) return readList(raw);
  return isObject(raw) ? readTyped(raw) : EMPTY;
}

/** Lists of ids, of `{id}` (multiple options) and of `{value, primary, label}` (e-mails, phones). */
function readList(raw: readonly unknown[]): FieldValue {
  const items = raw.map((item) => (isObject(item) ? (item['id'] ?? item['value']) : item));
  const known = items.filter((item) => typeof item === 'string' || typeof item === 'number').map(String);
  const filled = known.filter((item) => item.trim() !== '');
  return filled.length === 0 ? EMPTY : { kind: 'list', items: filled };
}

/** Custom fields are `{type, value | id | values | from, until}`; a lead's value is `{amount, currency}`. */
function readTyped(raw: RecordState): FieldValue {
  if (Array.isArray(raw['values'])) return readList(raw['values']);
  if ('from' in raw || 'until' in raw) return readRange(raw);
  if (raw['id'] !== undefined) return isObject(raw['id']) ? EMPTY : readValue(raw['id']);
  const isMoney = 'amount' in raw || 'currency' in raw || raw['type'] === 'monetary';
  if (isMoney) return readMoney(raw);
  if (isObject(raw['value'])) return EMPTY;
  const value = readValue(raw['value'] ?? raw['formatted_address']);
  const full = raw['formatted_address'];
  return value.kind === 'text' && typeof full === 'string' && full !== value.text ? { ...value, more: [full] } : value;
}

function readMoney(raw: RecordState): FieldValue {
  const amount = numberField(raw, 'amount') ?? numberField(raw, 'value');
  return amount === null ? EMPTY : { kind: 'money', amount, currency: currencyIn(raw, 'currency') };
}

function currencyIn(state: RecordState, field: string): string | null {
  const currency = state[field];
  return typeof currency === 'string' && currency !== '' ? currency : null;
}

function readRange(raw: RecordState): FieldValue {
  const from = typeof raw['from'] === 'string' && raw['from'] !== '' ? raw['from'] : null;
  const until = typeof raw['until'] === 'string' && raw['until'] !== '' ? raw['until'] : null;
  return from === null && until === null ? EMPTY : { kind: 'range', from, until };
}
