/** Days as people mean them, in a time zone: YYYY-MM-DD texts, which sort as they are. Pure. */

const DATE_ONLY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?$/;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The day of a date or of a moment (ISO, or Pipedrive's "YYYY-MM-DD HH:MM:SS" in UTC); a plain date never shifts. Null when it is none. */
export function dayOf(text: string, timeZone: string): string | null {
  if (DATE_ONLY.test(text)) return Number.isNaN(Date.parse(text)) ? null : text;
  const moment = momentOf(text);
  return moment === null ? null : formatOf(timeZone).format(moment);
}

/** The moment of a date with a time, in UTC where it names no zone; null for anything else, also for a plain date. */
export function momentOf(text: string): Date | null {
  const [, day, time, zone] = MOMENT.exec(text) ?? [];
  if (day === undefined || time === undefined) return null;
  const moment = new Date(`${day}T${time}${zoneOf(zone)}`);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

/** JavaScript wants `+02:00` where PostgreSQL and others write `+02` or `+0200`. */
function zoneOf(zone: string | undefined): string {
  if (zone === undefined || zone === 'Z') return 'Z';
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  return `${zone.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

/** The day that is `days` after today, in the zone. */
export function relativeDay(now: Date, days: number, timeZone: string): string {
  const today = formatOf(timeZone).format(now);
  return new Date(Date.parse(today) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The Canadian form of a date is YYYY-MM-DD. An unknown zone is UTC. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = makeFormat(timeZone) ?? makeFormat('UTC') ?? new Intl.DateTimeFormat('en-CA');
  formats.set(timeZone, format);
  return format;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  } catch {
    // A zone that this machine does not know.
    return null;
  }
}
