/** A migrated PostgreSQL database of its own for a test file, copied from the run's template and dropped afterwards. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
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
      const { rows } = await this.database.pool.query<{ name: string }>(
        `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'`,
      );
      await this.database.pool.query(`TRUNCATE ${rows.map((row) => row.name).join(', ')} RESTART IDENTITY CASCADE`);
    },
  };
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
