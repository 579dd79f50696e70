/** Compares a field's value with what a condition asks for: equality, order, money over currencies, days in the tenant's zone. Pure. */

import { convert } from '../core/exchange-rates';
import { isObject } from '../core/record';
import { dayOf, momentOf, relativeDay } from './calendar-day';
import type { ConditionSubject } from './evaluate-conditions';
import type { FieldValue } from './field-value';

/** The comparison may need an exchange rate that is not known. */
export type Verdict = boolean | 'lacksRate';

type Filled = Exclude<FieldValue, { readonly kind: 'empty' }>;
type MoneyValue = Extract<FieldValue, { readonly kind: 'money' }>;

/**
 * Whether a field is this: `{id, name}` counts by its id, an empty text or null asks for an empty field. A list is what any of its
 * entries is, as in Pipedrive's own filters.
 */
export function equals(actual: FieldValue, wanted: unknown, subject: ConditionSubject): Verdict {
  const plain = bare(wanted);
  if (wanted === null || plain === '') return actual.kind === 'empty';
  if (actual.kind === 'empty') return false;
  if (actual.kind === 'money') return compared(actual, wanted, subject, (order) => order === 0);
  return isTimeEqual(actual, wanted, subject) || (plain !== null && isPlainEqual(actual, plain));
}

/** A day is a day however it is written: a date, "today", `{days}`. */
function isTimeEqual(actual: Filled, wanted: unknown, subject: ConditionSubject): boolean {
  const text = timeIn(actual);
  return text !== null && orderInTime(text, wanted, subject) === 0;
}

function isPlainEqual(actual: Exclude<Filled, MoneyValue>, plain: string | number | boolean): boolean {
  switch (actual.kind) {
    case 'flag':
      return flagOf(plain) === actual.flag;
    case 'list':
      return actual.items.some((item) => isSameText(item, String(plain)));
    case 'range':
      return actual.from !== null && isSameText(actual.from, String(plain));
    case 'number':
      return typeof plain === 'boolean' ? flagOf(actual.number) === plain : numberOf(plain) === actual.number;
    case 'text':
      if (typeof plain === 'boolean') return flagOf(actual.text) === plain;
      if (typeof plain === 'number') return numberOf(actual.text) === plain;
      return [actual.text, ...(actual.more ?? [])].some((text) => isSameText(text, plain));
    default:
      return actual satisfies never;
  }
}

function isSameText(left: string, right: string): boolean {
  return left.trim().toLowerCase() === right.trim().toLowerCase();
}

/** Pipedrive's flags are `true`, 1 and "1". */
function flagOf(value: string | number | boolean): boolean | null {
  if (typeof value === 'boolean') return value;
  const text = String(value).toLowerCase();
  return text === '1' || text === 'true' ? true : text === '0' || text === 'false' ? false : null;
}

/** A number, also out of a numeric text; null otherwise. */
function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

/** `{id, name}` counts by its id; null for what is no plain value. */
function bare(wanted: unknown): string | number | boolean | null {
  if (isObject(wanted)) return 'id' in wanted ? bare(wanted['id']) : null;
  return typeof wanted === 'string' || typeof wanted === 'number' || typeof wanted === 'boolean' ? wanted : null;
}

/** Whether a list (or a single value) has every one of these. */
export function hasAll(actual: FieldValue, wanted: readonly unknown[]): boolean {
  const items = textsOf(actual);
  return wanted.every((item) => {
    const plain = bare(item);
    return plain !== null && items.some((text) => isSameText(text, String(plain)));
  });
}

/** A value as the texts that can be searched. */
export function textsOf(value: FieldValue): readonly string[] {
  switch (value.kind) {
    case 'empty':
      return [];
    case 'list':
      return value.items;
    case 'text':
      return [value.text, ...(value.more ?? [])];
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

/** Compares in order: numbers, money (converted where the currency is named), dates by day, moments, times of day. */
export function compared(
  actual: FieldValue,
  wanted: unknown,
  subject: ConditionSubject,
  isRight: (order: number) => boolean,
): Verdict {
  if (actual.kind === 'empty') return false;
  const order = actual.kind === 'money' ? orderOfMoney(actual, wanted, subject) : orderOf(actual, wanted, subject);
  return order === 'lacksRate' ? order : order !== null && isRight(order);
}

function orderOf(actual: Filled, wanted: unknown, subject: ConditionSubject): number | null {
  const text = timeIn(actual);
  const inTime = text === null ? null : orderInTime(text, wanted, subject);
  if (inTime !== null) return inTime;
  const number = numberOf(actual.kind === 'number' ? actual.number : text);
  const limit = numberOf(bare(wanted));
  return number === null || limit === null ? null : Math.sign(number - limit);
}

function orderOfMoney(actual: MoneyValue, wanted: unknown, subject: ConditionSubject): number | 'lacksRate' | null {
  const limit = amountOf(wanted);
  if (limit === null) return null;
  const amount = limit.currency === null ? actual.amount : convert(actual, limit.currency, subject.rates);
  return amount === null ? 'lacksRate' : Math.sign(amount - limit.amount);
}

/** An amount that a condition names; without a currency it means the record's own. */
export function amountOf(wanted: unknown): { readonly amount: number; readonly currency: string | null } | null {
  if (isObject(wanted) && typeof wanted['amount'] === 'number') {
    return { amount: wanted['amount'], currency: typeof wanted['currency'] === 'string' ? wanted['currency'] : null };
  }
  const number = numberOf(bare(wanted));
  return number === null ? null : { amount: number, currency: null };
}

/** What can be a date or time; of a range its beginning, which is what Pipedrive names the field by. */
export function timeIn(value: FieldValue): string | null {
  return value.kind === 'text' ? value.text : value.kind === 'range' ? value.from : null;
}

/** Two moments by the moment, else two days by the day in the tenant's zone, else two times of day; null when they are none. */
function orderInTime(text: string, wanted: unknown, subject: ConditionSubject): number | null {
  const [moment, limit] = [momentOf(text), typeof wanted === 'string' ? momentOf(wanted) : null];
  if (moment !== null && limit !== null) return Math.sign(moment.getTime() - limit.getTime());
  const [day, wantedDay] = [dayOf(text, subject.timeZone), dayOfWanted(wanted, subject)];
  if (day !== null && wantedDay !== null) return orderOfTexts(day, wantedDay);
  const [clock, wantedClock] = [clockOf(text), clockOf(wanted)];
  return clock === null || wantedClock === null ? null : orderOfTexts(clock, wantedClock);
}

const orderOfTexts = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

function clockOf(value: unknown): string | null {
  return typeof value === 'string' && /^\d{2}:\d{2}(:\d{2})?$/.test(value) ? value.padEnd(8, ':00') : null;
}

/** The day that a condition names, as YYYY-MM-DD; null when it names none. */
export function dayOfWanted(wanted: unknown, { now, timeZone }: Pick<ConditionSubject, 'now' | 'timeZone'>): string | null {
  if (wanted === 'today') return relativeDay(now, 0, timeZone);
  if (isObject(wanted) && typeof wanted['days'] === 'number') return relativeDay(now, wanted['days'], timeZone);
  return typeof wanted === 'string' ? dayOf(wanted, timeZone) : null;
}

/** Between today and `days` from now, both included; a negative number looks back. */
export function isWithinDays(actual: FieldValue, days: number, { now, timeZone }: ConditionSubject): boolean {
  const text = timeIn(actual);
  const day = text === null ? null : dayOf(text, timeZone);
  if (day === null) return false;
  const [today, limit] = [relativeDay(now, 0, timeZone), relativeDay(now, days, timeZone)];
  return days >= 0 ? day >= today && day <= limit : day <= today && day >= limit;
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

/** True when both are; where one is false a missing rate does not matter. */
export function both(left: Verdict, right: Verdict): Verdict {
  if (left === false || right === false) return false;
  return left === 'lacksRate' || right === 'lacksRate' ? 'lacksRate' : true;
}

/** A number out of a value that is one; null otherwise. */
export function plainNumberOf(value: FieldValue): number | null {
  return value.kind === 'number' ? value.number : value.kind === 'text' ? numberOf(value.text) : null;
}
