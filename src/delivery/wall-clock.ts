/** Wall clocks of IANA time zones: what they read at a moment, and at which moment they read something. Pure. */

import { DAYS, type Day } from '../core/destination';

/** What a wall clock and the calendar beside it show. */
export interface WallTime {
  readonly day: Day;
  /** After midnight. */
  readonly minutes: number;
  /** Days since 1970-01-01 of the zone's own calendar. */
  readonly date: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const DAY_MINUTES = 24 * 60;
/** No zone is further from UTC than this. */
const FURTHEST_MS = 15 * 60 * MINUTE_MS;

/** `timeZone` is an IANA name; one that this machine does not know counts as UTC. */
export function wallTime(timeZone: string, at: Date): WallTime {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: 'year' | 'month' | 'day' | 'hour' | 'minute') => parts.get(type) ?? 0;
  const date = Date.UTC(part('year'), part('month') - 1, part('day')) / DAY_MS;
  return { day: dayOfDate(date), minutes: part('hour') * 60 + part('minute'), date };
}

/** The day of the week of a `WallTime`'s date. */
export function dayOfDate(date: number): Day {
  // 1970-01-01 was a Thursday.
  return DAYS[(((date + 4) % 7) + 7) % 7] ?? 'sun';
}

/** So far apart two moments show the same time: clocks are set back by an hour, on Lord Howe by half of one, at Troll by two. */
const APART_MINUTES = [-120, -60, -30, 0, 30, 60, 120] as const;

/**
 * When the clock of the zone shows this time on this date; the first such moment when it is shown twice, and the moment of the change
 * when summer time skips it.
 */
export function momentOf(timeZone: string, date: number, minutes: number): Date {
  return momentsOf(timeZone, date, minutes)[0];
}

/** As `momentOf`, and the second moment as well when the clock shows the time twice. */
export function momentsOf(timeZone: string, date: number, minutes: number): readonly [Date, ...Date[]] {
  const wanted = date * DAY_MINUTES + minutes;
  // Clocks run forward but for the hour that comes twice: a moment from which on they are not behind any more.
  let [behind, reached] = [wanted * MINUTE_MS - FURTHEST_MS, wanted * MINUTE_MS + FURTHEST_MS];
  while (reached - behind > MINUTE_MS) {
    const middle = Math.floor((behind + reached) / 2 / MINUTE_MS) * MINUTE_MS;
    if (shownAt(timeZone, middle) >= wanted) reached = middle;
    else behind = middle;
  }
  const around = APART_MINUTES.map((apart) => reached + apart * MINUTE_MS);
  const [first, ...more] = around.filter((atMs) => shownAt(timeZone, atMs) === wanted).map((atMs) => new Date(atMs));
  return first === undefined ? [new Date(reached)] : [first, ...more];
}

function shownAt(timeZone: string, atMs: number): number {
  const { date, minutes } = wallTime(timeZone, new Date(atMs));
  return date * DAY_MINUTES + minutes;
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
  const numeric = 'numeric' as const;
  const parts = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric };
  const shape = { ...parts, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { ...shape, timeZone });
  } catch {
    // A zone that this machine does not know.
    return new Intl.DateTimeFormat('en-US', { ...shape, timeZone: 'UTC' });
  }
}
