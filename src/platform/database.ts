/** The way to PostgreSQL: Prisma for ordinary work and a `pg` pool for the hot statements, both over the same connections. */
import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import { Pool, type ClientBase, type PoolClient } from 'pg';
import { PrismaClient } from '../../prisma/generated/client';
import { isConnectionTrouble } from './database-errors';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
// When the network swallows the answer, the server's own limit does not help.
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 3_000;

// Statements and not startup parameters, which connection poolers such as PgBouncer refuse. UTC, because Prisma's adapter
// takes the clock part of a timestamptz as UTC whatever the session's time zone is. No bitmap scans: what is asked for are the first few
// rows of an index, and statistics taken when nothing waited let the planner gather and sort a whole backlog by them instead.
const SESSION_SETTINGS = `SET TIME ZONE 'UTC'; SET statement_timeout = ${String(STATEMENT_TIMEOUT_MS)}; SET idle_in_transaction_session_timeout = ${String(IDLE_IN_TRANSACTION_TIMEOUT_MS)}; SET enable_bitmapscan = off`;

// Looking up by an index is right for these however large the tables are, so one plan per connection will do: a new one for each run
// costs more than running it, and one made while a table was small must not read that table as a whole for ever.
const KEYED_SETTINGS = `${SESSION_SETTINGS}; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off`;
/** Of the connections of a pool, those kept for such statements. */
const KEYED_SHARE = 0.25;

interface DatabaseLog {
  warn(fields: object, message: string): void;
}

export interface Database {
  readonly prisma: PrismaClient;
  /** For batch SQL. Connections that break while idle are logged and replaced. */
  readonly pool: Pool;
  /** For named statements, those of every message above all, which find all they need by keys: planned once per connection, by index alone. */
  readonly keyed: Pool;
  /** Runs `work` between BEGIN and COMMIT on one connection; any throw rolls back and is thrown on. */
  transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  /**
   * The same for work that is simply done again when it is lost: its COMMIT does not wait for the disk. A crash of the database may undo it,
   * but only together with everything that was committed after it. Named statements are planned anew in it.
   */
  repeatableTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  /** Whether a trivial statement is answered in time; never throws. */
  isReachable(timeoutMs: number): Promise<boolean>;
  /** Lets running statements finish, for 3 seconds at most; may be called twice. */
  close(): Promise<void>;
}

/**
 * Opens the database of a connection string (PostgreSQL 14 or newer; TLS as its `sslmode` says). Connects at first use,
 * so that an absent database is an error of the statement and not of the start.
 */
export function openDatabase({
  connectionString,
  log,
  poolSize,
}: {
  connectionString: string;
  log: DatabaseLog;
  poolSize: number;
}): Database {
  const makePool = (max: number, settings: string): Pool => {
    // A variable of its own type: pg waits for the promise of onConnect, which its published types do not say.
    const poolOptions = {
      connectionString,
      max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'dealbell',
      onConnect: async (client: ClientBase): Promise<void> => {
        await client.query(settings);
      },
    };
    // `pool.end()` does not wait until its connections are gone: one that is cut after `close` tells nothing new.
    return new Pool(poolOptions).on('error', (error) => {
      if (closed === undefined) log.warn({ err: error }, 'idle database connection lost');
    });
  };
  const keyedSize = Math.max(1, Math.round(poolSize * KEYED_SHARE));
  const keyed = makePool(keyedSize, KEYED_SETTINGS);
  const pool = makePool(Math.max(1, poolSize - keyedSize), SESSION_SETTINGS);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  let closed: Promise<void> | undefined;
  return {
    prisma,
    pool,
    keyed,
    transaction: (work) => runTransaction(pool, log, 'BEGIN', work),
    repeatableTransaction: (work) => runTransaction(pool, log, BEGIN_REPEATABLE, work),
    isReachable: (timeoutMs) => answersWithin(pool, log, timeoutMs),
    close: () => (closed ??= closeAll(prisma, [pool, keyed], log)),
  };
}

/** One message. Statements with a name are read once per connection, but planned anew: a plan made while a table was small is never kept. */
const BEGIN_REPEATABLE = 'BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL plan_cache_mode = force_custom_plan';

async function runTransaction<T>(
  pool: Pool,
  log: DatabaseLog,
  begin: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A checked-out connection has no listener of the pool: without one of ours its loss would end the process.
  const onError = (error: Error): void => {
    broken = error;
    log.warn({ err: error }, 'database connection lost in a transaction');
  };
  client.on('error', onError);
  try {
    await client.query(begin);
    const result = await work(client);
    const { command } = await client.query('COMMIT');
    // PostgreSQL answers COMMIT with ROLLBACK, and no error, when a statement had failed and somebody caught that.
    if (command === 'ROLLBACK') throw new Error('the transaction had failed before its COMMIT and was rolled back');
    return result;
  } catch (error) {
    broken ??= await rollBack(client, error);
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** Returns the error for which the connection must be thrown away, if any. */
async function rollBack(client: PoolClient, error: unknown): Promise<Error | undefined> {
  if (isConnectionTrouble(error)) return error instanceof Error ? error : new Error(String(error));
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (rollbackError) {
    return rollbackError instanceof Error ? rollbackError : new Error(String(rollbackError));
  }
}

async function answersWithin(pool: Pool, log: DatabaseLog, timeoutMs: number): Promise<boolean> {
  const answered = pool.query('SELECT 1').then(
    () => true,
    (error: unknown) => {
      log.warn({ err: error }, 'database not reachable');
      return false;
    },
  );
  return Promise.race([answered, delay(timeoutMs, false, { ref: false })]);
}

async function closeAll(prisma: PrismaClient, pools: readonly Pool[], log: DatabaseLog): Promise<void> {
  await prisma.$disconnect();
  const ended = Promise.all(pools.map((pool) => pool.end())).then(() => true);
  if (!(await Promise.race([ended, delay(CLOSE_TIMEOUT_MS, false, { ref: false })])))
    log.warn({}, 'database connections still busy at the end');
}
