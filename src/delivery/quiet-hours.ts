/** Whether a destination wants quiet at a moment, and until when. Pure; by the wall clock of the zone, so that summer time moves nothing. */

import { DAYS, type Day, type QuietHours } from '../core/destination';
import { dayOfDate, momentsOf, wallTime, type WallTime } from './wall-clock';

type Hours = Pick<QuietHours, 'from' | 'to' | 'days' | 'businessDays'>;

/** Quiet hours that never end are looked through for so many days. */
const DAYS_AHEAD = 8;
const ROUND_THE_CLOCK_MS = DAYS_AHEAD * 24 * 60 * 60 * 1000;

/**
 * `timeZone` is an IANA name; one that this machine does not know counts as UTC. Quiet hours belong to the day on which they
 * begin: what runs over midnight on Friday is still Friday's on Saturday morning. `from` equal to `to` is the whole day round.
 */
export function isQuiet(quietHours: Hours, timeZone: string, at: Date): boolean {
  return isQuietAt(quietHours, wallTime(timeZone, at));
}

/** Whether they leave no time of any week, so that what waits for their end waits for ever. */
export function neverEnds(quietHours: Hours): boolean {
  // Any seven days in a row. What is not quiet begins at a midnight, or where the quiet hours end.
  const week = DAYS.map((_day, date) => ({ day: dayOfDate(date), date }));
  return week.every((at) => [0, minutesOf(quietHours.to)].every((minutes) => isQuietAt(quietHours, { ...at, minutes })));
}

/** The first moment after `at` that is not quiet; a week later when there is none, so that it is looked at again. */
export function quietUntil(quietHours: Hours, timeZone: string, at: Date): Date {
  const today = wallTime(timeZone, at).date;
  for (let date = today; date <= today + DAYS_AHEAD; date += 1) {
    // Quiet ends when the quiet hours do, or at the midnight of a business day; a clock that is set back may show that twice.
    const ends = [0, minutesOf(quietHours.to)].flatMap((minutes) => momentsOf(timeZone, date, minutes));
    const first = ends
      .sort((one, other) => one.getTime() - other.getTime())
      .find((end) => end > at && !isQuiet(quietHours, timeZone, end));
    if (first !== undefined) return first;
  }
  return new Date(at.getTime() + ROUND_THE_CLOCK_MS);
}

/** "20:30" in minutes after midnight. */
export function minutesOf(clockTime: string): number {
  const [hours = 0, minutes = 0] = clockTime.split(':').map(Number);
  return hours * 60 + minutes;
}

function isQuietAt({ from, to, days, businessDays }: Hours, { day, minutes, date }: WallTime): boolean {
  const isWork = (when: Day) => businessDays === undefined || businessDays.includes(when);
  const isMeant = (when: Day) => days === undefined || days.includes(when);
  if (!isWork(day)) return true;
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  if (begin < end) return minutes >= begin && minutes < end && isMeant(day);
  const dayBefore = dayOfDate(date - 1);
  return minutes >= begin ? isMeant(day) : minutes < end && (isMeant(dayBefore) || !isWork(dayBefore));
}
