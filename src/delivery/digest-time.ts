/** When a rule's digest is told next. Pure; by the wall clock of the destination's zone. */

import type { QuietHours } from '../core/destination';
import type { Digest } from '../core/rule';
import { minutesOf } from './quiet-hours';
import { dayOfDate, momentOf, wallTime } from './wall-clock';

/** A daily digest may have to wait over a long weekend of days that are no business days; a weekly one for its own day. */
const DAYS_AHEAD = 8;
const DAY_MS = 86_400_000;

/**
 * The first time of the digest after `at`. Weekly ones come on Monday unless another day is named. A daily digest leaves out days that
 * are no business days of the destination; quiet hours do not move it, because its time was chosen.
 */
export function nextDigestAt(digest: Digest, timeZone: string, businessDays: QuietHours['businessDays'], at: Date): Date {
  const today = wallTime(timeZone, at).date;
  const isItsDay = (date: number) => {
    const day = dayOfDate(date);
    return digest.every === 'week' ? day === (digest.day ?? 'mon') : businessDays === undefined || businessDays.includes(day);
  };
  for (let date = today; date <= today + DAYS_AHEAD; date += 1) {
    const moment = momentOf(timeZone, date, minutesOf(digest.at));
    if (isItsDay(date) && moment > at) return moment;
  }
  return momentOf(timeZone, today + DAYS_AHEAD, minutesOf(digest.at));
}

/** The last time of the digest that was not after `at`: what came since then has the next one in common. */
export function lastDigestAt(digest: Digest, timeZone: string, businessDays: QuietHours['businessDays'], at: Date): Date {
  const daysAgo = (days: number) => new Date(at.getTime() - days * DAY_MS);
  for (let days = 1; days < DAYS_AHEAD; days += 1) {
    const moment = nextDigestAt(digest, timeZone, businessDays, daysAgo(days));
    if (moment <= at) return moment;
  }
  return daysAgo(DAYS_AHEAD);
}
