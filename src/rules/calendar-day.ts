/** Days as people mean them, in a time zone: YYYY-MM-DD texts, which sort as they are. Pure. */

const DATE_ONLY = /^\d{4}-\d{2}-\d{2}$/;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The day of a date or of a moment (ISO, or Pipedrive's "YYYY-MM-DD HH:MM:SS" in UTC); a plain date never shifts. Null when it is none. */
export function dayOf(text: string, timeZone: string): string | null {
  if (DATE_ONLY.test(text)) return Number.isNaN(Date.parse(text)) ? null : text;
  const iso = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2})?$/.test(text) ? `${text.replace(' ', 'T')}Z` : text;
  const moment = /^\d{4}-\d{2}-\d{2}T/.test(iso) ? new Date(iso) : null;
  return moment === null || Number.isNaN(moment.getTime()) ? null : formatOf(timeZone).format(moment);
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
