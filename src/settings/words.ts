/** Words that several pages use: moments as the company reads them, capitals. */

import type { TenantProfile } from '../core/tenant';

/** "23 Nov 2026, 13:00". */
export function momentWords(moment: Date, tenant: TenantProfile): string {
  return wordsOf(moment, tenant, { dateStyle: 'medium', timeStyle: 'short' });
}

/** "23 Nov 2026". */
export function dayWords(moment: Date, tenant: TenantProfile): string {
  return wordsOf(moment, tenant, { dateStyle: 'medium' });
}

/** The pages are in English; the zone is the company's, and so is the order of day and month. */
export function wordsOf(moment: Date, { locale, timeZone }: TenantProfile, style: Intl.DateTimeFormatOptions): string {
  const region = /[_-]([A-Z]{2})$/.exec(locale)?.[1];
  const language = region === undefined ? 'en' : `en-${region}`;
  const key = JSON.stringify([language, timeZone, style]);
  const format = formats.get(key) ?? formatOf(language, timeZone, style);
  if (formats.size >= MAX_FORMATS) formats.clear();
  formats.set(key, format);
  return format(moment);
}

type FormatMoment = (moment: Date) => string;

/** Making one takes as long as a hundred uses of it. */
const formats = new Map<string, FormatMoment>();
const MAX_FORMATS = 500;

function formatOf(language: string, timeZone: string, style: Intl.DateTimeFormatOptions): FormatMoment {
  try {
    const format = new Intl.DateTimeFormat(language, { ...style, timeZone });
    return (moment) => format.format(moment);
  } catch (error) {
    // A zone that this runtime does not know: UTC, and it says so.
    if (!(error instanceof RangeError)) throw error;
    const format = new Intl.DateTimeFormat('en', { ...style, timeZone: 'UTC' });
    return (moment) => `${format.format(moment)} UTC`;
  }
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** With a full stop at the end, unless it ends one already. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
