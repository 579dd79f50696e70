/** What a PostgreSQL error means for the caller: try again later, or never. */

import { z } from 'zod';

const CODE_TROUBLE = /^(08|53|57P0|58)/;
const SOCKET_TROUBLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'ENOENT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
]);
const DRIVER_TROUBLE =
  /connection terminated|connection ended|timeout exceeded when trying to connect|timeout expired|query read timeout|not queryable/i;

/** `query_canceled` by `statement_timeout`, and `lock_not_available` by `lock_timeout`. */
const TIME_LIMIT_CODES = new Set(['57014', '55P03']);
const NO_ANSWER = /query read timeout/i;

/** Prisma gives an error a code of its own; what PostgreSQL itself had answered lies below. */
const prismaError = z.object({
  meta: z.object({ driverAdapterError: z.object({ cause: z.object({ originalCode: z.string() }) }) }),
});

function codeOf(error: unknown): string {
  const ofPrisma = prismaError.safeParse(error);
  if (ofPrisma.success) return ofPrisma.data.meta.driverAdapterError.cause.originalCode;
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** True when the database could not be reached or is going away, so that the same call may succeed later. */
export function isConnectionTrouble(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionTrouble);
  const code = codeOf(error);
  if (SOCKET_TROUBLE.has(code) || CODE_TROUBLE.test(code)) return true;
  return error instanceof Error && DRIVER_TROUBLE.test(error.message);
}

/**
 * What a failure says of the database: `away`, as `isConnectionTrouble`; `timeLimit`: a statement took longer than it may, which says nothing of
 * others. Null: nothing.
 */
export function databaseTrouble(error: unknown): 'away' | 'timeLimit' | null {
  if (TIME_LIMIT_CODES.has(codeOf(error)) || (error instanceof Error && NO_ANSWER.test(error.message))) return 'timeLimit';
  return isConnectionTrouble(error) ? 'away' : null;
}
