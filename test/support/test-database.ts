/** A migrated PostgreSQL database of its own for a test file, copied from the run's template and dropped afterwards. */
import { randomBytes } from 'node:crypto';
import { Client, type Pool } from 'pg';
import { openDatabase, type Database } from '../../src/platform/database';
import { TEST_SERVER_URL } from './test-server';

export interface TestDatabase {
  /** Ready from `beforeAll` on. */
  readonly connectionString: string;
  /** Opened at first use; closed and dropped after the file's last test. */
  readonly database: Database;
  /** Empties every table, for files whose tests must not see each other's rows. */
  clear(): Promise<void>;
}

const SILENT_LOG = { warn: (): void => undefined };
const TEST_POOL_SIZE = 10;

/** Call it at the top of a test file (or `describe`): it registers its own `beforeAll` and `afterAll`. */
export function useTestDatabase({ poolSize = TEST_POOL_SIZE }: { poolSize?: number } = {}): TestDatabase {
  let connectionString: string | undefined;
  let database: Database | undefined;
  beforeAll(async () => {
    connectionString = await createDatabase();
  });
  afterAll(async () => {
    await database?.close();
    if (connectionString !== undefined) await dropDatabase(connectionString);
  });
  return {
    get connectionString() {
      if (connectionString === undefined) throw new Error('the test database is there from beforeAll on');
      return connectionString;
    },
    get database() {
      return (database ??= openDatabase({ connectionString: this.connectionString, log: SILENT_LOG, poolSize }));
    },
    async clear() {
      await emptyTables(this.database.pool);
    },
  };
}

interface Table {
  readonly name: string;
  /** Large, or the planner has statistics of it. */
  readonly is_marked: boolean;
}

const TABLES = `
  SELECT quote_ident(c.relname) AS name, c.reltuples >= 0 OR pg_relation_size(c.oid) > 100000 AS is_marked
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'`;
const RESTART_SEQUENCES = `
  SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL`;

/**
 * Deletes what is there: TRUNCATE makes each file of a table and of its indexes anew, which costs a hundred times as much where there are a few
 * rows. Tables of which the planner knows are truncated, so that it plans the next test as the first. Whoever still writes is waited for.
 */
async function emptyTables(pool: Pool): Promise<void> {
  const { rows } = await pool.query<Table>(TABLES);
  const names = rows.map(({ name }) => name);
  const marked = rows.flatMap(({ name, is_marked }) => (is_marked ? [name] : []));
  const statements = [
    `LOCK TABLE ${names.join(', ')} IN ACCESS EXCLUSIVE MODE`,
    ...(marked.length > 0 ? [`TRUNCATE ${marked.join(', ')} CASCADE`] : []),
    // One statement: whatever refers to others goes together with them.
    `WITH ${names.map((name, at) => `emptied_${at} AS (DELETE FROM ${name})`).join(', ')} ${RESTART_SEQUENCES}`,
  ];
  await pool.query(`BEGIN; ${statements.join('; ')}; COMMIT`);
}

/** An empty database (no tables of ours) on the run's server; drop it with `dropDatabase`. */
export async function createEmptyDatabase(): Promise<string> {
  return createFrom('template0');
}

/** A migrated database on the run's server, for tests that need more than one; drop it with `dropDatabase`. */
export async function createDatabase(): Promise<string> {
  return createFrom(setting(TEST_SERVER_URL.template));
}

/** Drops it whoever is still connected. */
export async function dropDatabase(connectionString: string): Promise<void> {
  const name = new URL(connectionString).pathname.slice(1);
  await onServer((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
}

async function createFrom(template: string): Promise<string> {
  const name = `dealbell_test_${randomBytes(6).toString('hex')}`;
  await onServer(async (client) => {
    // Copying a template needs it to itself for a moment: workers take turns.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const url = new URL(setting(TEST_SERVER_URL.server));
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer(use: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: setting(TEST_SERVER_URL.server) });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: does jest.config.cjs name test/support/global-setup.ts?`);
  return value;
}
