/** Sent messages by the company's days. Pure. */

import type { TenantProfile } from '../core/tenant';
import type { SentQuarter } from './overview.store';
import { wordsOf } from './words';

export interface SentDay {
  /** "Mon". */
  readonly name: string;
  /** "Mon 23 November". */
  readonly longName: string;
  readonly count: number;
}

const DAY_MS = 86_400_000;

/** The last `days` days in the company's time zone, today last. */
export function sentDays(quarters: readonly SentQuarter[], tenant: TenantProfile, now: Date, days: number): SentDay[] {
  const keyOf = (moment: Date): string => wordsOf(moment, tenant, { year: 'numeric', month: '2-digit', day: '2-digit' });
  const counts = new Map<string, number>();
  for (const { at, count } of quarters) {
    const key = keyOf(at);
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  return lastDays(now, days, keyOf).map((moment) => ({
    name: wordsOf(moment, tenant, { weekday: 'short' }),
    longName: wordsOf(moment, tenant, { weekday: 'long', day: 'numeric', month: 'long' }),
    count: counts.get(keyOf(moment)) ?? 0,
  }));
}

/** One moment of each of the last days; days of 23 and 25 hours are days too. */
function lastDays(now: Date, days: number, keyOf: (moment: Date) => string): Date[] {
  const moments = new Map<string, Date>();
  for (let back = 0; moments.size < days; back += DAY_MS / 2) {
    const moment = new Date(now.getTime() - back);
    if (!moments.has(keyOf(moment))) moments.set(keyOf(moment), moment);
  }
  return [...moments.values()].reverse();
}
