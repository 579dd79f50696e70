/** The benchmark's PostgreSQL: the embedded one in a temporary folder, with one seeded database that every measurement gets a copy of. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres';
import { cpuMsOf, endedCpuMsOf } from './cpu-time';
import { seedTenants } from './seed-tenants';

export interface Ledger {
  /** A database with the tenants of the benchmark and no event, or a copy of another one that nobody uses. */
  copy(of?: string): Promise<string>;
  /** One statement; the rows. */
  query(databaseUrl: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** CPU time of the connections that Dealbell has open to it; null where the system does not tell. */
  cpuMs(databaseUrl: string): Promise<number | null>;
  /** CPU time of the whole server: every connection, also those that have ended, and what works in its background. */
  serverCpuMs(): Promise<number | null>;
  drop(databaseUrl: string): Promise<void>;
  close(): Promise<void>;
}

const TEMPLATE = 'bench_template';
const BACKENDS = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dealbell'`;

const SERVER = `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`;
const PROCESSES = 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()';

/** Starts it. `webhookUrls`: of the Chat webhooks, shared out over the tenants. */
export async function startLedger(encryptionKeys: string, webhookUrls: readonly string[]): Promise<Ledger> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  let copies = 0;
  const urlOf = (name: string): string => {
    const url = new URL(postgres.connectionString);
    url.pathname = `/${name}`;
    return url.href;
  };
  const admin = (sql: string) => query(urlOf('postgres'), sql);
  const close = async (): Promise<void> => {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await admin(`CREATE DATABASE ${TEMPLATE}`);
    await applyMigrations({ connectionString: urlOf(TEMPLATE) });
    await seedTenants(urlOf(TEMPLATE), encryptionKeys, webhookUrls);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async copy(of = urlOf(TEMPLATE)) {
      const name = `bench_${(copies += 1)}`;
      await admin(`CREATE DATABASE ${name} TEMPLATE ${nameOf(of)}`);
      return urlOf(name);
    },
    query,
    async cpuMs(databaseUrl) {
      const rows = await query(databaseUrl, BACKENDS);
      return cpuMsOf(rows.map(({ pid }) => Number(pid)));
    },
    async serverCpuMs() {
      const [server] = await admin(SERVER);
      const pid = Number(server?.['pid']);
      const rows = await admin(PROCESSES);
      const living = cpuMsOf([pid, ...rows.map((row) => Number(row['pid']))]);
      const ended = endedCpuMsOf(pid);
      return living === null || ended === null ? null : living + ended;
    },
    async drop(databaseUrl) {
      await admin(`DROP DATABASE IF EXISTS ${nameOf(databaseUrl)} WITH (FORCE)`);
    },
    close,
  };
}

async function query(databaseUrl: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

function nameOf(databaseUrl: string): string {
  return new URL(databaseUrl).pathname.slice(1);
}
