/** The sandbox's own database in an embedded PostgreSQL: empty and migrated, or kept from the last time. */

import type { Logger } from 'pino';
import { Client } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres';

export interface SandboxLedger {
  readonly databaseUrl: string;
  close(): Promise<void>;
}

/** Beside the database of `npm start`, which may live in the same folder and is never touched. */
const DATABASE = 'sandbox';

/** Throws an AppError with words for people when another process uses the folder. */
export async function openLedger(needs: {
  readonly dataDir: string;
  readonly isKept: boolean;
  readonly log: Logger;
}): Promise<SandboxLedger> {
  const { dataDir, isKept, log } = needs;
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  try {
    await makeDatabase(postgres.connectionString, isKept);
    const url = new URL(postgres.connectionString);
    url.pathname = `/${DATABASE}`;
    await applyMigrations({ connectionString: url.href });
    return { databaseUrl: url.href, close: () => postgres.stop() };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function makeDatabase(connectionString: string, isKept: boolean): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    if (!isKept) await client.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
