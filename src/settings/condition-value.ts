/** How the value of a condition is filled in, by the type of its field and by its operator; and the value itself, both ways. Pure. */

import { isObject } from '../core/record';
import { operatorsOf } from '../rules/check-operator';
import { findField, type Choice, type Field, type KnownFields } from '../rules/field-catalogue';
import type { FieldType } from '../rules/standard-fields';
import { USUAL_CURRENCIES } from './first-run-view';

export type ValueInput =
  | { readonly kind: 'none' }
  | { readonly kind: 'choices'; readonly choices: readonly Choice[]; readonly mayBeEmpty: boolean }
  | { readonly kind: 'lines' }
  | { readonly kind: 'one'; readonly type: 'text' | 'number' | 'time'; readonly units: readonly Unit[]; readonly count: 1 | 2 };

export interface Unit {
  readonly value: string;
  readonly label: string;
}

export const OPERATOR_WORDS: Readonly<Record<string, string>> = {
  is: 'is',
  isNot: 'is not',
  in: 'is one of',
  notIn: 'is none of',
  contains: 'contains',
  notContains: 'does not contain',
  matches: 'matches the pattern',
  isEmpty: 'is empty',
  isNotEmpty: 'is not empty',
  gt: 'is more than',
  gte: 'is at least',
  lt: 'is less than',
  lte: 'is at most',
  between: 'is between',
  includes: 'includes',
  includesAny: 'includes any of',
  includesAll: 'includes all of',
  includesNone: 'includes none of',
  changed: 'has changed',
  changedTo: 'changed to',
  changedFrom: 'changed from',
  increasedBy: 'rose by at least',
  decreasedBy: 'fell by at least',
  before: 'is before',
  after: 'is after',
  withinDays: 'is within days of today',
};

/** Pipedrive calls it so on every kind of record that has labels. */
export const LABEL_FIELD = 'label_ids';

const NO_VALUE: ReadonlySet<string> = new Set(['isEmpty', 'isNotEmpty', 'changed']);
const MAY_BE_NULL: ReadonlySet<string> = new Set(['is', 'isNot', 'changedTo', 'changedFrom']);
const MANY: ReadonlySet<string> = new Set(['in', 'notIn', 'includesAny', 'includesAll', 'includesNone']);
const STEPS: ReadonlySet<string> = new Set(['increasedBy', 'decreasedBy']);
const DATES: ReadonlySet<FieldType> = new Set(['day', 'moment', 'dayRange']);
const DAY_UNITS: readonly Unit[] = [
  { value: 'date', label: 'date (2026-11-23)' },
  { value: 'today', label: 'today' },
  { value: 'ago', label: 'days ago' },
  { value: 'ahead', label: 'days from now' },
];
/** The choice of nothing. */
export const EMPTY = '(empty)';
const YES_NO: readonly Choice[] = [
  { id: 'true', name: 'yes', beside: null },
  { id: 'false', name: 'no', beside: null },
];

/** Choices are picked from a list, so "is" and "is one of" are one there. */
const PLURAL_OF: Readonly<Record<string, string>> = { is: 'in', isNot: 'notIn' };
const SINGULAR_OF: Readonly<Record<string, string>> = { in: 'is', notIn: 'isNot', includes: 'includesAny' };

export interface LineInput {
  readonly field: Field | null;
  /** Operators that suit the field, the chosen one among them. */
  readonly ops: readonly string[];
  readonly op: string;
  readonly input: ValueInput;
  readonly isKnownValue: (value: string) => boolean;
}

/** What a line asks for, as far as it is filled in. */
export function inputOf(known: KnownFields, fieldKey: string, wantedOp: string): LineInput {
  const found = fieldKey === '' ? null : findField(known, fieldKey);
  const field = found !== null && 'field' in found ? found.field : null;
  const choices = field === null ? null : choicesOf(field);
  const ops = opsOf(field, choices !== null);
  const singular = choices === null ? wantedOp : (SINGULAR_OF[wantedOp] ?? wantedOp);
  const op = ops.includes(singular) ? singular : (ops[0] ?? 'is');
  const input = valueInput(field?.type ?? 'unknown', choices, op);
  const ids =
    input.kind === 'choices' ? new Set([...input.choices.map(({ id }) => id), ...(input.mayBeEmpty ? [EMPTY] : [])]) : null;
  return { field, ops, op, input, isKnownValue: (value) => ids?.has(value) ?? true };
}

/** The labels of a kind of record, by name; none where it has none or they are not known. */
export function labelChoices(known: KnownFields): readonly Choice[] {
  const found = findField(known, LABEL_FIELD);
  return 'field' in found ? (found.field.choices ?? []) : [];
}

function choicesOf({ type, choices }: Field): readonly Choice[] | null {
  return type === 'flag' ? YES_NO : choices;
}

function opsOf(field: Field | null, isChosen: boolean): readonly string[] {
  const all: readonly string[] = operatorsOf(field?.type ?? 'unknown');
  if (!isChosen) return all;
  const left = all.filter((op) => SINGULAR_OF[op] === undefined && op !== 'matches' && !op.endsWith('ontains'));
  // Of one value that is one of several, "includes" says nothing more than "is"; of a list the other way round.
  const isList = field?.type === 'choices';
  return left.filter((op) => (isList ? op !== 'is' && op !== 'isNot' : !op.startsWith('includes')));
}

function valueInput(type: FieldType, choices: readonly Choice[] | null, op: string): ValueInput {
  if (NO_VALUE.has(op)) return { kind: 'none' };
  if (choices !== null) return { kind: 'choices', choices, mayBeEmpty: MAY_BE_NULL.has(op) && type !== 'flag' };
  if (MANY.has(op)) return { kind: 'lines' };
  const count = op === 'between' ? 2 : 1;
  if (op === 'withinDays') return { kind: 'one', type: 'number', units: [], count };
  if (['contains', 'notContains', 'matches'].includes(op)) return { kind: 'one', type: 'text', units: [], count };
  if (STEPS.has(op)) return { kind: 'one', type: 'number', units: stepUnits(type), count };
  if (type === 'money') return { kind: 'one', type: 'number', units: moneyUnits(), count };
  if (DATES.has(type)) return { kind: 'one', type: 'text', units: count === 2 ? [] : DAY_UNITS, count };
  if (type === 'number') return { kind: 'one', type: 'number', units: [], count };
  return { kind: 'one', type: type === 'time' || type === 'timeRange' ? 'time' : 'text', units: [], count };
}

function moneyUnits(): readonly Unit[] {
  return [{ value: '', label: 'in its own currency' }, ...USUAL_CURRENCIES.map((code) => ({ value: code, label: code }))];
}

function stepUnits(type: FieldType): readonly Unit[] {
  if (DATES.has(type)) return [{ value: 'days', label: 'days' }];
  const percent = { value: 'percent', label: 'percent' };
  return type === 'money' ? [...moneyUnits(), percent] : [{ value: '', label: 'as a number' }, percent];
}

interface Filled {
  readonly op: string;
  readonly values: readonly string[];
  readonly unit: string;
}

/** The fields for a condition's value; null when there are none that could show it. */
export function readValue(known: KnownFields, fieldKey: string, wantedOp: string, value: unknown): Filled | null {
  const { field, op, input } = inputOf(known, fieldKey, wantedOp);
  if (fieldKey !== '' && (field === null || (SINGULAR_OF[wantedOp] ?? wantedOp) !== op) && wantedOp !== op) return null;
  const list: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (input.kind === 'none') return { op, values: [], unit: '' };
  if (input.kind === 'choices') {
    const ids = list.map((item) => textOf(isObject(item) && 'id' in item ? item['id'] : item));
    return ids.every((id) => id !== null) ? { op, values: ids.map((id) => id || EMPTY), unit: '' } : null;
  }
  if (input.kind === 'lines') {
    const names = list.map((item) => textOf(isObject(item) && 'id' in item ? (item['name'] ?? item['id']) : item));
    return names.every((name) => name !== null) ? { op, values: [names.join('\n')], unit: '' } : null;
  }
  if (list.length > input.count) return null;
  const parts = list.map((item) => partOf(item, input.units));
  if (!parts.every((part) => part !== null)) return null;
  const [first] = parts;
  return parts.every(({ unit }) => unit === first?.unit)
    ? { op, values: parts.map(({ text }) => text), unit: first?.unit ?? '' }
    : null;
}

function textOf(value: unknown): string | null {
  if (value === null) return '';
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function partOf(value: unknown, units: readonly Unit[]): { readonly text: string; readonly unit: string } | null {
  const part = unitPart(
    value,
    units.some(({ value: unit }) => unit === 'date'),
  );
  return part !== null && (part.unit === '' || units.some(({ value: unit }) => unit === part.unit)) ? part : null;
}

function unitPart(value: unknown, isDay: boolean): { readonly text: string; readonly unit: string } | null {
  if (!isObject(value)) {
    const text = textOf(value);
    if (!isDay || text === null) return text === null ? null : { text, unit: '' };
    return value === 'today' ? { text: '', unit: 'today' } : { text, unit: 'date' };
  }
  const { amount, currency, percent, days, id, name } = value;
  if (typeof amount === 'number' && typeof currency === 'string') return { text: String(amount), unit: currency };
  if (typeof percent === 'number') return { text: String(percent), unit: 'percent' };
  if (typeof days === 'number')
    return isDay ? { text: String(Math.abs(days)), unit: days > 0 ? 'ahead' : 'ago' } : { text: String(days), unit: 'days' };
  const text = textOf(name ?? id ?? undefined);
  return text === null ? null : { text, unit: '' };
}

/** Operator and value as the API takes them; what does not fit is sent as it is, so that the API says what is wrong with it. */
export function writeValue(
  known: KnownFields,
  fieldKey: string,
  wantedOp: string,
  values: readonly string[],
  unit: string,
): { readonly op: string; readonly value?: unknown } {
  const { field, op, input } = inputOf(known, fieldKey, wantedOp);
  switch (input.kind) {
    case 'none':
      return { op };
    case 'choices':
      return chosenValue(field, op, values, input.choices);
    case 'lines': {
      const lines = values.flatMap((text) => text.split(/[\n,;]/)).map((text) => text.trim());
      return { op, value: lines.filter((text) => text !== '').map((text) => plainValue(field, text)) };
    }
    case 'one': {
      const made = Array.from({ length: input.count }, (_, at) => oneValue((values[at] ?? '').trim(), unit, input, field, op));
      return { op, value: input.count === 1 ? made[0] : made };
    }
    default:
      return input satisfies never;
  }
}

function chosenValue(field: Field | null, op: string, ids: readonly string[], choices: readonly Choice[]) {
  const named = ids.map((id) => (id === EMPTY ? null : valueOfChoice(field, id, choices)));
  const [only] = named;
  if (named.length === 1 && !MANY.has(op)) return { op, value: only };
  return { op: PLURAL_OF[op] ?? op, value: named };
}

/** The name is kept beside the id, for the day on which the thing is gone. */
function valueOfChoice(field: Field | null, id: string, choices: readonly Choice[]): unknown {
  if (field?.type === 'flag') return id === 'true';
  const name = choices.find((choice) => choice.id === id)?.name;
  const given = /^\d{1,15}$/.test(id) ? Number(id) : id;
  return name === undefined || name === id ? given : { id: given, name };
}

function plainValue(field: Field | null, text: string): unknown {
  return field?.type === 'number' || field?.type === 'money' ? numberOr(text) : text;
}

function oneValue(text: string, unit: string, input: ValueInput & { kind: 'one' }, field: Field | null, op: string): unknown {
  if (unit === 'today') return 'today';
  if (text === '' && MAY_BE_NULL.has(op)) return null;
  if (input.type !== 'number' && unit !== 'ago' && unit !== 'ahead') return plainValue(field, text);
  const number = numberOr(text);
  if (typeof number !== 'number' || !input.units.some(({ value }) => value === unit)) return number;
  switch (unit) {
    case '':
      return number;
    case 'percent':
      return { percent: number };
    case 'days':
    case 'ahead':
      return { days: number };
    case 'ago':
      return { days: -number };
    default:
      return { amount: number, currency: unit };
  }
}

function numberOr(text: string): number | string {
  const number = Number(text.replaceAll(/[\s']/g, ''));
  return text === '' || Number.isNaN(number) ? text : number;
}

/** Lists of conditions are told from one condition by being a list. */
export function isListOf<Item>(value: Item | readonly Item[]): value is readonly Item[] {
  return Array.isArray(value);
}
