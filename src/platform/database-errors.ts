/** What a PostgreSQL error means for the caller: try again later, or never. */

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

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** True when the database could not be reached or is going away, so that the same call may succeed later. */
export function isConnectionTrouble(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionTrouble);
  const code = codeOf(error);
  if (SOCKET_TROUBLE.has(code) || CODE_TROUBLE.test(code)) return true;
  return error instanceof Error && DRIVER_TROUBLE.test(error.message);
}
