/** Lists of the API: `limit`, an opaque `cursor`, and `{items, nextCursor}`. Pure. */

import { z } from 'zod';
import { invalid, type ApiAnswer } from './endpoint';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_INT4 = 2_147_483_647;
const NOT_A_MOMENT = 'must be a date such as 2026-11-23 or 2026-11-23T14:00:00Z';

/** The largest id of a bigint column that a JSON number can say. */
export const MAX_BIG_ID = Number.MAX_SAFE_INTEGER;

/** An id in a query: digits. */
export const queryId = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be a positive number')
  .transform(Number)
  .refine((id) => id <= MAX_INT4, 'must be a positive number');

/** What looks for the messages of one rule or of one watch. */
export const deciderFields = {
  ruleId: queryId.optional(),
  watchId: queryId
    .optional()
    .describe('What was told because a record is watched: the id of the watch, also of one that has ended'),
} as const;

/** For `refine`: no message is of both. */
export function isOfOne({ ruleId, watchId }: { readonly ruleId?: unknown; readonly watchId?: unknown }): boolean {
  return ruleId === undefined || watchId === undefined;
}
export const OF_ONE = { path: ['watchId'], message: 'must not be given together with ruleId' };

/** The fields that every list takes; cursors stay text until their list reads them. */
export const pageFields = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, `must be a number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, `must be a number from 1 to ${MAX_LIMIT}`)
    .default(DEFAULT_LIMIT),
  cursor: z.string().min(1).max(200).optional(),
} as const;

/** A moment (`2026-11-23T14:00:00Z`) or a day (`2026-11-23`: its first moment in UTC). */
export const fromMoment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: NOT_A_MOMENT })
  .transform((text) => new Date(text));

/** The same, a day meaning its last moment. */
export const toMoment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date().transform((day) => `${day}T23:59:59.999Z`)], { error: NOT_A_MOMENT })
  .transform((text) => new Date(text));

/**
 * Cuts `rows` (fetched with one more than `limit`) to a page. `positionOf` gives the numbers by which the next page goes on
 * after a row.
 */
export function pageAnswer<Row>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => readonly number[],
  show: (row: Row) => object,
): ApiAnswer {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? writeCursor(positionOf(last)) : null;
  return { status: 200, body: { items: items.map(show), nextCursor } };
}

/**
 * The numbers in a cursor, of which there must be `count`; empty without a cursor. Throws an AppError (422) on one that is
 * not ours. `max` keeps them inside the column they are compared with.
 */
export function readCursor(cursor: string | undefined, count: number, max: number = MAX_INT4): readonly number[] {
  if (cursor === undefined) return [];
  const text = /^[A-Za-z0-9_-]+$/.test(cursor) ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
  const numbers = /^\d{1,15}(\.\d{1,15})*$/.test(text) ? text.split('.').map(Number) : [];
  if (numbers.length !== count || numbers.some((number) => number > max)) {
    throw invalid([{ path: 'cursor', message: 'is not a cursor of this list' }]);
  }
  return numbers;
}

function writeCursor(position: readonly number[]): string {
  return Buffer.from(position.join('.')).toString('base64url');
}
