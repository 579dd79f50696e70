/** One connection for the work of a start: none of it waits for ever for a database that takes connections and then says nothing. */

import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { AppError, messageOf } from '../core/errors';

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
/** A connection that does not end by then is left to the end of the process. */
const END_TIMEOUT_MS = 2_000;

export interface ConnectionPlace {
  /** Any PostgreSQL connection string. */
  readonly connectionString: string;
  /** For the answer to one statement; half a minute when absent. */
  readonly answerTimeoutMs?: number | undefined;
}

/** Lends a connection. Throws an AppError `database_unreachable` when there is none in time, or a statement is not answered in time. */
export async function withConnection<T>(
  { connectionString, answerTimeoutMs = ANSWER_TIMEOUT_MS }: ConnectionPlace,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: answerTimeoutMs,
  });
  // Whoever asks it next is told; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error: unknown) => {
      throw unreachable(client, error);
    });
    return await use(client);
  } catch (error) {
    throw isUnanswered(error) ? unreachable(client, error) : error;
  } finally {
    await Promise.race([client.end(), delay(END_TIMEOUT_MS, undefined, { ref: false })]);
  }
}

/**
 * The outcome of work on other connections that may take as long as it likes, while the database answers on this one. Throws as
 * `withConnection` when it does not any more.
 */
export async function whileAnswering<T>(client: Client, work: Promise<T>, pulseMs = 10_000): Promise<T> {
  const over = new AbortController();
  const pulse = async (): Promise<never> => {
    for (;;) {
      await delay(pulseMs, undefined, { signal: over.signal });
      await client.query('SELECT 1');
    }
  };
  try {
    return await Promise.race([work, pulse()]);
  } finally {
    over.abort();
  }
}

/** pg has no other sign of it. */
function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

function unreachable(client: Client, cause: unknown): AppError {
  const words = isUnanswered(cause) ? 'it takes connections, but does not answer' : wordsOf(cause);
  return new AppError('database_unreachable', `The database at ${client.host}:${String(client.port)} cannot be used: ${words}`, {
    cause,
  });
}

/** Node gives an error without words of its own when every address of a name failed. */
function wordsOf(error: unknown): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
}
