/** Schemas of single fields that several resources share. */

import { z } from 'zod';

/** What people call a thing: 1 to 100 characters without the space around them. */
export const nameField = z.string().trim().min(1, 'must not be empty').max(100, 'must have at most 100 characters');

/** An id in a body. */
export const idField = z.int().positive().max(2_147_483_647);

/** Pipedrive's id of a record: digits, or a lead's UUID. */
export const recordIdField = z
  .string()
  .regex(/^(?:[1-9]\d{0,14}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i, 'must be Pipedrive’s id of the record, as text');

/** An IANA time zone such as `Europe/Berlin`. */
export const timeZoneField = z.string().max(64).refine(isTimeZone, 'must be a time zone such as Europe/Berlin');

/** A language with an optional region, as BCP 47 (`en-GB`) or as Pipedrive writes it (`en_GB`). */
export const localeField = z.string().max(35).refine(isLocale, 'must be a locale such as en-GB');

function isTimeZone(text: string): boolean {
  // Newer runtimes also take offsets such as +01:00, which know no summer time.
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text.replaceAll('_', '-')).length === 1;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
