/** Starts a process in given roles: configuration, database, schema, everything; one readable line and exit code 1 when that cannot be. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { applyMigrations, pendingMigrations } from '../prisma/migrate';
import { projectRoot } from '../prisma/migrations-folder';
import { compose, type Roles } from './compose';
import { readConfig, type Config } from './config';
import { AppError } from './core/errors';
import { startErrorReporting } from './instrument';
import { startEmbeddedPostgres } from './platform/embedded-postgres';
import { makeLogger } from './platform/logger';
import { closeOnSignal } from './platform/shutdown';

interface OpenedDatabase {
  readonly url: string;
  readonly isEmbedded: boolean;
  close(): Promise<void>;
}

/** Runs until a signal. Expected failures of the start are told in words; anything else with its stack. */
export async function start(service: 'dealbell' | 'web' | 'worker', roles: Roles): Promise<void> {
  try {
    await startUp(service, roles);
  } catch (error) {
    process.stderr.write(`${error instanceof AppError ? error.message : describe(error)}\n`);
    process.exit(1);
  }
}

async function startUp(service: string, roles: Roles): Promise<void> {
  const config = readConfig();
  const log = makeLogger(config.logLevel);
  const errors = await startErrorReporting(config.sentryDsn, service, config.isProduction ? 'production' : 'development');
  const isWhole = roles.web && roles.worker;
  const opened = await openLedger(config, isWhole, log);
  try {
    await readySchema(opened, config, isWhole);
    const app = await compose(
      { config, log, databaseUrl: opened.url, isAlone: opened.isEmbedded, errors, version: versionOf() },
      roles,
    );
    log.info(
      { service, port: app.port, queue: config.redisUrl === null ? 'postgres' : 'redis', embedded: opened.isEmbedded },
      'started',
    );
    closeOnSignal(async () => {
      await app.close();
      await opened.close();
    }, log);
    reportStrays(errors.report, log);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openLedger(config: Config, isWhole: boolean, log: Logger): Promise<OpenedDatabase> {
  if (config.databaseUrl !== null) return { url: config.databaseUrl, isEmbedded: false, close: () => Promise.resolve() };
  if (!isWhole) {
    const sentence = 'DATABASE_URL is required: web and worker apart need a PostgreSQL of their own (npm start brings one).';
    throw new AppError('invalid_configuration', sentence);
  }
  const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  return { url: postgres.connectionString, isEmbedded: true, close: () => postgres.stop() };
}

/** The embedded database is brought up to date; others only when asked, because a deploy does that once for all its processes. */
async function readySchema(opened: OpenedDatabase, config: Config, isWhole: boolean): Promise<void> {
  const place = { connectionString: opened.url };
  if (opened.isEmbedded || (isWhole && config.migrateOnStart)) {
    await applyMigrations(place);
    return;
  }
  const pending = await pendingMigrations(place);
  if (pending.length === 0) return;
  const sentence = `The database schema is behind (${pending.join(', ')}): run "npm run migrate" first.`;
  throw new AppError('schema_behind', sentence);
}

/** What nobody caught is a bug: it is reported and logged, and the process goes on only where Node lets it. */
function reportStrays(report: (error: unknown) => void, log: Logger): void {
  process.on('unhandledRejection', (error) => {
    report(error);
    log.error({ err: error }, 'unhandled rejection');
  });
}

function versionOf(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
