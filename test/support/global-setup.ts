/** Before all tests of a run: one PostgreSQL server with one migrated template database, which each test file copies. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/embedded-postgres';
import { LOG_LINE_PREFIX } from './executed-plans';
import { rememberTestServer, TEST_SERVER_URL } from './test-server';

/** Uses the server of TEST_DATABASE_URL (its user must be allowed to create databases), else starts its own in a fresh folder. */
export default async function globalSetup(): Promise<void> {
  const given = process.env['TEST_DATABASE_URL'];
  const server = given === undefined || given === '' ? await startOwnServer() : undefined;
  const serverUrl = server?.postgres.connectionString ?? given ?? '';
  const template = `dealbell_template_${String(process.pid)}`;
  const templateUrl = new URL(serverUrl);
  templateUrl.pathname = `/${template}`;
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${template}`);
    if (server !== undefined) {
      // Whoever connects once the tables are made finds it so.
      await client.query(`ALTER SYSTEM SET log_line_prefix = '${LOG_LINE_PREFIX}'`);
      await client.query('SELECT pg_reload_conf()');
    }
  } finally {
    await client.end();
  }
  await applyMigrations({ connectionString: templateUrl.href });
  rememberTestServer({ serverUrl, template, server });
  // Workers inherit the environment as it is now.
  process.env[TEST_SERVER_URL.server] = serverUrl;
  process.env[TEST_SERVER_URL.template] = template;
}

async function startOwnServer(): Promise<{ postgres: EmbeddedPostgres; dataDir: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-test-'));
  return { postgres: await startEmbeddedPostgres({ dataDir, isThrowaway: true }), dataDir };
}
