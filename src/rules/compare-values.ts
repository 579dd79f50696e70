/** Compares a field's value with what a condition asks for: equality, order, money over currencies, days in the tenant's zone. Pure. */

import { convert } from '../core/exchange-rates';
import { dayOf, relativeDay } from './calendar-day';
import type { ConditionSubject } from './evaluate-conditions';
import type { FieldValue } from './field-value';

/** The comparison may need an exchange rate that is not known. */
export type Verdict = boolean | 'lacksRate';

/** Whether a field is exactly this; `{id, name}` counts by its id, an empty text or null asks for an empty field. */
export function equals(actual: FieldValue, wanted: unknown, subject: ConditionSubject): Verdict {
  const plain = bare(wanted);
  if (plain === null || plain === '') return actual.kind === 'empty';
  switch (actual.kind) {
    case 'empty':
      return false;
    case 'flag':
      return actual.flag === (plain === true || plain === 1 || plain === 'true' || plain === '1');
    case 'money':
      return compared(actual, wanted, subject, (order) => order === 0);
    case 'list':
      return actual.items.length === 1 && actual.items[0] === String(plain);
    case 'range':
      return actual.from === plain;
    case 'number':
      return actual.number === Number(plain);
    case 'text':
      return actual.text.toLowerCase() === String(plain).toLowerCase();
    default:
      return actual satisfies never;
  }
}

/** `{id, name}` counts by its id; everything else is itself. */
function bare(wanted: unknown): string | number | boolean | null {
  if (typeof wanted === 'object' && wanted !== null) return 'id' in wanted ? bare(wanted.id) : null;
  return typeof wanted === 'string' || typeof wanted === 'number' || typeof wanted === 'boolean' ? wanted : null;
}

/** Whether a list (or a single value) has every one of these. */
export function hasAll(actual: FieldValue, wanted: readonly unknown[]): boolean {
  const items = actual.kind === 'list' ? actual.items : textsOf(actual);
  return wanted.every((item) => items.includes(String(bare(item))));
}

/** A value as the texts that can be searched. */
export function textsOf(value: FieldValue): readonly string[] {
  switch (value.kind) {
    case 'empty':
      return [];
    case 'list':
      return value.items;
    case 'text':
      return [value.text];
    case 'number':
      return [String(value.number)];
    case 'flag':
      return [String(value.flag)];
    case 'money':
      return [String(value.amount)];
    case 'range':
      return [value.from, value.until].filter((end) => end !== null);
    default:
      return value satisfies never;
  }
}

/** Compares in order: numbers, money (converted where the currency is named), dates by day, texts by alphabet. */
export function compared(
  actual: FieldValue,
  wanted: unknown,
  subject: ConditionSubject,
  isRight: (order: number) => boolean,
): Verdict {
  if (actual.kind === 'empty') return false;
  if (actual.kind === 'money') return comparedMoney(actual, wanted, subject, isRight);
  const day = dayOfWanted(wanted, subject);
  const text = actual.kind === 'range' ? actual.from : actual.kind === 'text' ? actual.text : null;
  if (text !== null && day !== null) {
    const actualDay = dayOf(text, subject.timeZone);
    return actualDay !== null && isRight(Math.sign(actualDay.localeCompare(day)));
  }
  const number = actual.kind === 'number' ? actual.number : text === null ? Number.NaN : Number(text);
  const limit = typeof wanted === 'number' ? wanted : Number(bare(wanted) ?? Number.NaN);
  return !Number.isNaN(number) && !Number.isNaN(limit) && isRight(Math.sign(number - limit));
}

function comparedMoney(
  actual: Extract<FieldValue, { kind: 'money' }>,
  wanted: unknown,
  subject: ConditionSubject,
  isRight: (order: number) => boolean,
): Verdict {
  const limit = amountOf(wanted);
  if (limit === null) return false;
  if (limit.currency === null) return isRight(Math.sign(actual.amount - limit.amount));
  const amount = convert(actual, limit.currency, subject.rates);
  return amount === null ? 'lacksRate' : isRight(Math.sign(amount - limit.amount));
}

function amountOf(wanted: unknown): { amount: number; currency: string | null } | null {
  if (typeof wanted === 'object' && wanted !== null && 'amount' in wanted && typeof wanted.amount === 'number') {
    const currency = 'currency' in wanted && typeof wanted.currency === 'string' ? wanted.currency : null;
    return { amount: wanted.amount, currency };
  }
  const number = Number(bare(wanted) ?? Number.NaN);
  return Number.isNaN(number) ? null : { amount: number, currency: null };
}

/** The day that a condition names, as YYYY-MM-DD; null when it names none. */
function dayOfWanted(wanted: unknown, subject: ConditionSubject): string | null {
  if (wanted === 'today') return relativeDay(subject.now, 0, subject.timeZone);
  if (typeof wanted === 'object' && wanted !== null && 'days' in wanted && typeof wanted.days === 'number') {
    return relativeDay(subject.now, wanted.days, subject.timeZone);
  }
  return typeof wanted === 'string' ? dayOf(wanted, subject.timeZone) : null;
}

/** Between today and `days` from now, both included; a negative number looks back. */
export function isWithinDays(actual: FieldValue, days: number, subject: ConditionSubject): boolean {
  const text = actual.kind === 'text' ? actual.text : actual.kind === 'range' ? actual.from : null;
  const day = text === null ? null : dayOf(text, subject.timeZone);
  if (day === null) return false;
  const today = relativeDay(subject.now, 0, subject.timeZone);
  const limit = relativeDay(subject.now, days, subject.timeZone);
  return days >= 0 ? day >= today && day <= limit : day <= today && day >= limit;
}

/** From `low` to `high` at least by the step: an amount, a percentage of the old value, or days. */
export function isStep(
  low: FieldValue,
  high: FieldValue,
  step: unknown,
  subject: ConditionSubject,
  old: FieldValue = low,
): Verdict {
  if (typeof step === 'object' && step !== null && 'days' in step && typeof step.days === 'number')
    return isDayStep(low, high, step.days, subject);
  const currency = typeof step === 'object' && step !== null && 'currency' in step ? String(step.currency) : currencyOf(old);
  const amounts = [low, high, old].map((value) => amountIn(value, currency, subject));
  if (amounts.includes('lacksRate')) return 'lacksRate';
  const [from, to, base] = amounts;
  if (typeof from !== 'number' || typeof to !== 'number' || typeof base !== 'number') return false;
  if (typeof step === 'object' && step !== null && 'percent' in step && typeof step.percent === 'number') {
    return base !== 0 && to - from >= (Math.abs(base) * step.percent) / 100;
  }
  return to - from >= (amountOf(step)?.amount ?? Number.POSITIVE_INFINITY);
}

function isDayStep(low: FieldValue, high: FieldValue, days: number, subject: ConditionSubject): boolean {
  const from = low.kind === 'text' ? dayOf(low.text, subject.timeZone) : null;
  const to = high.kind === 'text' ? dayOf(high.text, subject.timeZone) : null;
  return from !== null && to !== null && (Date.parse(to) - Date.parse(from)) / 86_400_000 >= days;
}

function currencyOf(value: FieldValue): string | null {
  return value.kind === 'money' ? value.currency : null;
}

/** An empty amount counts as nothing, so that a value that is set has increased. */
function amountIn(value: FieldValue, currency: string | null, subject: ConditionSubject): number | 'lacksRate' | null {
  if (value.kind === 'empty') return 0;
  if (value.kind === 'number') return value.number;
  if (value.kind !== 'money') return null;
  return currency === null ? value.amount : (convert(value, currency, subject.rates) ?? 'lacksRate');
}

/** True when one is; else whether a rate was missing. */
export function anyOf(wanted: readonly unknown[], judgeOne: (item: unknown) => Verdict): Verdict {
  const verdicts = wanted.map(judgeOne);
  return verdicts.includes(true) ? true : verdicts.includes('lacksRate') ? 'lacksRate' : false;
}

/** The opposite; a missing rate stays one. */
export function opposite(verdict: Verdict): Verdict {
  return verdict === 'lacksRate' ? verdict : !verdict;
}

/** True when both are. */
export function both(left: Verdict, right: Verdict): Verdict {
  return left === 'lacksRate' || right === 'lacksRate' ? 'lacksRate' : left && right;
}
