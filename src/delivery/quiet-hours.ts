/** Whether a destination wants quiet at a moment. Pure; reckons by the wall clock of the zone, so that changes of summer time move nothing. */

import type { QuietHours } from '../core/destination';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
type Day = (typeof DAYS)[number];

/**
 * `timeZone` is an IANA name; one that this machine does not know counts as UTC. Quiet hours belong to the day on which they
 * begin: what runs over midnight on Friday is still Friday's on Saturday morning. `from` equal to `to` is the whole day round.
 */
export function isQuiet(quietHours: Pick<QuietHours, 'from' | 'to' | 'days'>, timeZone: string, at: Date): boolean {
  const { day, minutes } = wallClock(timeZone, at);
  const from = minutesOf(quietHours.from);
  const to = minutesOf(quietHours.to);
  const isMeant = (when: Day) => quietHours.days === undefined || quietHours.days.includes(when);
  if (from < to) return minutes >= from && minutes < to && isMeant(day);
  return minutes >= from ? isMeant(day) : minutes < to && isMeant(dayBefore(day));
}

/** "20:30" in minutes after midnight. */
function minutesOf(clockTime: string): number {
  const [hours = 0, minutes = 0] = clockTime.split(':').map(Number);
  return hours * 60 + minutes;
}

function dayBefore(day: Day): Day {
  return DAYS[(DAYS.indexOf(day) + DAYS.length - 1) % DAYS.length] ?? day;
}

function wallClock(timeZone: string, at: Date): { readonly day: Day; readonly minutes: number } {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const day = DAYS.find((known) => known === parts.get('weekday')?.toLowerCase()) ?? 'sun';
  return { day, minutes: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = makeFormat(timeZone);
  formats.set(timeZone, format);
  return format;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  const shape = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { ...shape, timeZone });
  } catch {
    // A zone that this machine does not know.
    return new Intl.DateTimeFormat('en-US', { ...shape, timeZone: 'UTC' });
  }
}
