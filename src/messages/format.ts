/** Amounts and dates as the tenant's people write them. Pure; formatters are kept because making one costs more than a card. */

import { isObject, type Money } from '../core/record';
import { oneLine } from './escape';

export interface Format {
  money(money: Money): string;
  /** With a sign: "+€12,000". */
  moneyStep(money: Money): string;
  /** `share` 0.25 is "+25%". */
  percentStep(share: number): string;
  number(value: number): string;
  /** A date without a time, `YYYY-MM-DD`, never shifted by a zone; or the day of a moment. Null when it is neither. */
  date(value: unknown): string | null;
  /** A moment: ISO, or Pipedrive's `YYYY-MM-DD HH:MM:SS` in UTC; a date without a time stays one. */
  dateTime(value: unknown): string | null;
  /** From one moment to a later one: what both have in common is written once. */
  timeRange(from: Date, to: Date): string;
}

const FORMATS_KEPT = 500;
const kept = new Map<string, Format>();

/**
 * @param locale Pipedrive's `et_EE` or BCP 47; anything else falls back to `en-US`
 * @param timeZone IANA name; anything else falls back to UTC
 */
export function formatFor(locale: string, timeZone: string): Format {
  const key = `${locale}|${timeZone}`;
  const known = kept.get(key);
  if (known) return known;
  if (kept.size >= FORMATS_KEPT) kept.clear();
  const made = makeFormat(validLocale(locale), validTimeZone(timeZone));
  kept.set(key, made);
  return made;
}

/** Days from one `YYYY-MM-DD` to another; null when one is no date. */
export function daysBetween(from: unknown, to: unknown): number | null {
  const [start, end] = [dayOf(from), dayOf(to)];
  return start === null || end === null ? null : Math.round((end.getTime() - start.getTime()) / 86_400_000);
}

/** A moment out of Pipedrive's spellings (ISO, `YYYY-MM-DD HH:MM:SS` in UTC); null for anything else, also for bare dates. */
function momentOf(value: unknown): Date | null {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
  if (typeof value !== 'string') return null;
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/.exec(value);
  return match ? validDate(`${match[1] ?? ''}T${match[2] ?? ''}${match[3] ?? 'Z'}`) : null;
}

/** A due date with its time, if it has one: a moment in UTC, else the bare date. `due_time` is a string or `{value}`. */
export function dueOf(date: unknown, time: unknown): string | null {
  if (dayOf(date) === null || typeof date !== 'string') return null;
  const clock = isObject(time) ? time['value'] : time;
  return typeof clock === 'string' && /^\d\d:\d\d/.test(clock)
    ? `${date.slice(0, 10)} ${clock.slice(0, 5)}:00`
    : date.slice(0, 10);
}

function makeFormat(locale: string, timeZone: string): Format {
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  const dayThere = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone });
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const percentOf = (maximumFractionDigits: number) =>
    new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits, signDisplay: 'exceptZero' });
  const [percent, finePercent] = [percentOf(0), percentOf(1)];
  const amounts = new Map<string, Intl.NumberFormat>();
  const amount = (money: Money, sign: 'auto' | 'exceptZero') => formatMoney(money, locale, sign, amounts);
  const date = (value: unknown) => {
    const bare = bareDate(value);
    if (bare) return day.format(bare);
    const at = momentOf(value);
    return at && dayThere.format(at);
  };
  return {
    money: (money) => amount(money, 'auto'),
    moneyStep: (money) => amount(money, 'exceptZero'),
    percentStep: (share) => (Math.abs(share) < 0.1 ? finePercent : percent).format(share),
    number: (value) => number.format(value),
    date,
    timeRange: (from, to) => moment.formatRange(from, to),
    dateTime: (value) => {
      const at = momentOf(value);
      return at ? moment.format(at) : date(value);
    },
  };
}

/** Whole amounts without decimals. A code that is no currency code stands beside the number. */
function formatMoney(
  money: Money,
  locale: string,
  signDisplay: 'auto' | 'exceptZero',
  kept: Map<string, Intl.NumberFormat>,
): string {
  const code = money.currency === null ? null : oneLine(money.currency.slice(0, 20));
  const isCode = code !== null && /^[A-Za-z]{3}$/.test(code);
  const isHuge = Math.abs(money.amount) >= 1e15;
  const key = `${isCode ? code : ''}|${signDisplay}|${String(isHuge)}`;
  const formatter =
    kept.get(key) ??
    new Intl.NumberFormat(locale, {
      signDisplay,
      trailingZeroDisplay: 'stripIfInteger',
      ...(isCode ? { style: 'currency', currency: code } : { maximumFractionDigits: 2 }),
      ...(isHuge && { notation: 'scientific', maximumFractionDigits: 2 }),
    });
  if (kept.size < 100) kept.set(key, formatter);
  const written = formatter.format(money.amount);
  return code === null || isCode ? written : `${written} ${code}`;
}

function dayOf(value: unknown): Date | null {
  return typeof value === 'string' ? bareDate(value.slice(0, 10)) : null;
}

function bareDate(value: unknown): Date | null {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? validDate(`${value}T00:00:00Z`) : null;
}

function validDate(iso: string): Date | null {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? null : date;
}

function validLocale(locale: string): string {
  try {
    const [supported] = Intl.DateTimeFormat.supportedLocalesOf(locale.trim().replaceAll('_', '-'));
    return supported ?? 'en-US';
  } catch {
    // A tag that is no tag at all throws; Pipedrive's locale is free text to us.
    return 'en-US';
  }
}

function validTimeZone(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone }).resolvedOptions().timeZone;
  } catch {
    // Unknown to this Node's ICU.
    return 'UTC';
  }
}
