/** Whether an operator and its value fit a field: what could never hold is refused when the rule is saved, in words that help. Pure. */

import type { Condition } from '../core/condition';
import { isObject } from '../core/record';
import type { FieldType } from './standard-fields';

type Op = Condition['op'];

const EVERYWHERE: readonly Op[] = ['is', 'isNot', 'in', 'notIn', 'isEmpty', 'isNotEmpty', 'changed', 'changedTo', 'changedFrom'];
const SEARCH: readonly Op[] = ['contains', 'notContains', 'matches'];
const ORDER: readonly Op[] = ['gt', 'gte', 'lt', 'lte', 'between'];
const STEP: readonly Op[] = ['increasedBy', 'decreasedBy'];
const DAYS: readonly Op[] = ['before', 'after', 'withinDays'];
const LIST: readonly Op[] = ['includes', 'includesAny', 'includesAll', 'includesNone'];
const EVERYTHING: readonly Op[] = [...EVERYWHERE, ...SEARCH, ...ORDER, ...STEP, ...DAYS, ...LIST];

/** What a field of each type is, which operators it takes, and what it is compared with. */
const TYPES: Readonly<Record<FieldType, { readonly is: string; readonly takes: readonly Op[]; readonly values: string }>> = {
  text: { is: 'is text', takes: [...EVERYWHERE, ...SEARCH], values: 'a text' },
  number: { is: 'is a number', takes: [...EVERYWHERE, ...ORDER, ...STEP], values: 'a number' },
  money: { is: 'is money', takes: [...EVERYWHERE, ...ORDER, ...STEP], values: 'a number or {amount, currency}' },
  day: {
    is: 'is a date',
    takes: [...EVERYWHERE, ...SEARCH, ...ORDER, ...STEP, ...DAYS],
    values: 'a date such as 2026-11-23, “today” or {days}',
  },
  moment: {
    is: 'is a date with a time',
    takes: [...EVERYWHERE, ...SEARCH, ...ORDER, ...STEP, ...DAYS],
    values: 'a date such as 2026-11-23, with a time or without, “today” or {days}',
  },
  time: { is: 'is a time of day', takes: [...EVERYWHERE, ...SEARCH, ...ORDER], values: 'a time such as 09:30' },
  flag: { is: 'is yes or no', takes: EVERYWHERE, values: 'true or false' },
  choice: { is: 'is one of several choices', takes: [...EVERYWHERE, ...LIST], values: 'an id or a name' },
  choices: { is: 'is a list of choices', takes: [...EVERYWHERE, ...LIST], values: 'an id or a name' },
  word: { is: 'is one of a few words', takes: [...EVERYWHERE, ...SEARCH, ...LIST], values: 'a text' },
  texts: { is: 'is a list of texts', takes: [...EVERYWHERE, ...SEARCH, ...LIST], values: 'a text' },
  address: { is: 'is an address', takes: [...EVERYWHERE, ...SEARCH], values: 'a text' },
  dayRange: {
    is: 'is a range of dates',
    takes: [...EVERYWHERE, ...SEARCH, ...ORDER, ...STEP, ...DAYS],
    values: 'a date such as 2026-11-23, “today” or {days}',
  },
  timeRange: { is: 'is a range of times', takes: [...EVERYWHERE, ...SEARCH, ...ORDER], values: 'a time such as 09:30' },
  unknown: { is: 'is of a type that is not known', takes: EVERYTHING, values: 'anything' },
};

/** The operators that a field of this type takes. */
export function operatorsOf(type: FieldType): readonly Op[] {
  return TYPES[type].takes;
}

/** What is wrong with asking this of a field of the type; null when nothing is. `name` is what the field is called. */
export function operatorProblem(name: string, type: FieldType, op: Op): string | null {
  const { is, takes } = TYPES[type];
  if (takes.includes(op)) return null;
  const better = INSTEAD.find(({ ops, types }) => ops.includes(op) && types.includes(type))?.say;
  return `“${op}” cannot be asked of “${name}”, which ${is}: ${better ?? `it takes ${takes.join(', ')}`}`;
}

/** Where people most often mean something else. */
const INSTEAD: readonly { readonly ops: readonly Op[]; readonly types: readonly FieldType[]; readonly say: string }[] = [
  { ops: LIST, types: ['text', 'address'], say: 'use contains, is or in' },
  { ops: SEARCH, types: ['choice', 'choices'], say: 'name what is meant with is, in or includesAny' },
  { ops: DAYS, types: ['time', 'timeRange'], say: 'use lt, gt or between' },
  { ops: DAYS, types: ['number', 'money'], say: 'use lt, gt or between' },
];

/** What is wrong with the value; null when nothing is. Where several are asked for, the place of the one that is wrong. */
export function valueProblem(
  name: string,
  type: FieldType,
  condition: Condition,
): { readonly at: number | null; readonly message: string } | null {
  const { op, value } = condition;
  if (type === 'unknown' || value === null || value === undefined || SEARCH.includes(op)) return null;
  if (op === 'increasedBy' || op === 'decreasedBy') return whole(stepProblem(name, type, value));
  if (op === 'withinDays' || op === 'isEmpty' || op === 'isNotEmpty' || op === 'changed') return null;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const wrong = values.findIndex((item) => item !== null && item !== '' && !fits(type, item));
  const message = `“${name}” ${TYPES[type].is}: compare it with ${TYPES[type].values}`;
  if (wrong >= 0) return { at: Array.isArray(value) ? wrong : null, message };
  return op === 'between' && isBackwards(value[0], value[1])
    ? whole('the first bound is above the second, so nothing could be between them')
    : null;
}

const whole = (message: string | null) => (message === null ? null : { at: null, message });

const DATE = /^\d{4}-\d{2}-\d{2}/;
const TIME = /^\d{2}:\d{2}(:\d{2})?$/;

/** Whether a field of this type could ever equal, exceed or be among this. */
function fits(type: FieldType, value: unknown): boolean {
  switch (type) {
    case 'number':
      return isNumeric(value) || (isObject(value) && 'id' in value);
    case 'money':
      return isNumeric(value) || (isObject(value) && 'amount' in value);
    case 'day':
    case 'moment':
    case 'dayRange':
      return value === 'today' || (typeof value === 'string' && DATE.test(value)) || (isObject(value) && 'days' in value);
    case 'time':
    case 'timeRange':
      return typeof value === 'string' && TIME.test(value);
    case 'flag':
      return (
        typeof value === 'boolean' ||
        value === 0 ||
        value === 1 ||
        (typeof value === 'string' && /^(0|1|true|false)$/i.test(value))
      );
    case 'choice':
    case 'choices':
      return isPlain(value) && typeof value !== 'boolean';
    case 'text':
    case 'texts':
    case 'word':
    case 'address':
      return isPlain(value);
    case 'unknown':
      return true;
    default:
      return type satisfies never;
  }
}

const isPlain = (value: unknown): boolean => !isObject(value) || 'id' in value;

const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)));

function stepProblem(name: string, type: FieldType, step: unknown): string | null {
  const isOfDays = type === 'day' || type === 'moment' || type === 'dayRange';
  if (isOfDays) {
    const isDays = typeof step === 'number' || (isObject(step) && 'days' in step);
    return isDays ? null : `“${name}” ${TYPES[type].is}: a step of it is a number of days, such as {"days": 7}`;
  }
  if (isObject(step) && 'days' in step) return `“${name}” ${TYPES[type].is}: days are no step of it`;
  const isMoney = isObject(step) && 'amount' in step;
  return isMoney && type !== 'money' ? `“${name}” ${TYPES[type].is}: a step of it is a number or {percent}` : null;
}

/** Only where both bounds are of one kind; "today" and {days} move, and moments may be in several zones. */
function isBackwards(low: unknown, high: unknown): boolean {
  if (isNumeric(low) && isNumeric(high)) return Number(low) > Number(high);
  if (isObject(low) && isObject(high)) return isAmountAbove(low, high);
  if (typeof low !== 'string' || typeof high !== 'string') return false;
  return [DAY_ALONE, TIME].some((form) => form.test(low) && form.test(high)) && low > high;
}

const DAY_ALONE = /^\d{4}-\d{2}-\d{2}$/;

function isAmountAbove(low: Readonly<Record<string, unknown>>, high: Readonly<Record<string, unknown>>): boolean {
  const unit = 'amount' in low && low['currency'] === high['currency'] ? 'amount' : 'days';
  const [from, to] = [low[unit], high[unit]];
  return typeof from === 'number' && typeof to === 'number' && from > to;
}
