/** The offline migrator: brings a database to the migrations of this folder and keeps Prisma's own books (`_prisma_migrations`). */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import { DatabaseError } from 'pg';
import { AppError, messageOf } from '../src/core/errors';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres';
import { whileAnswering, withConnection, type ConnectionPlace } from '../src/platform/postgres-connection';
import {
  defaultMigrationsDir,
  defaultSchemaPath,
  migrationList,
  migrationNames,
  schemaFiles,
  writeMigration,
} from './migrations-folder';
import { withSchemaEngine } from './schema-engine';

export interface MigrationPlace extends ConnectionPlace {
  /** Default: prisma/migrations of the project. */
  readonly migrationsDir?: string;
  /** Default: prisma/schema.prisma of the project. */
  readonly schemaPath?: string;
}

// Any number will do that nobody else locks in this database; Prisma's own is 72707369.
const MIGRATION_LOCK = 4_207_551_932;
const LOCK_TIMEOUT_MS = 120_000;
const NO_FILTER = { externalTables: [], externalEnums: [] };

/**
 * Applies what is not applied yet and returns the names. Processes that do it at once wait for each other.
 * Throws an AppError `database_unreachable`, or `migration_failed` with the migration's name and the database's words.
 */
export async function applyMigrations(place: MigrationPlace): Promise<string[]> {
  const migrationsDir = place.migrationsDir ?? defaultMigrationsDir();
  return underLock(place, async () => {
    if ((await pendingMigrations(place)).length === 0) return [];
    try {
      const { appliedMigrationNames } = await withEngine(place, (engine) =>
        engine.applyMigrations({ migrationsList: migrationList(migrationsDir), filters: NO_FILTER }),
      );
      return appliedMigrationNames;
    } catch (cause) {
      // They are applied in order, so the one that failed is the first that is still missing.
      const [failed = 'A migration'] = await pendingMigrations(place);
      throw new AppError('migration_failed', `${failed} was not applied: ${messageOf(cause)}`, { cause });
    }
  });
}

/** Names of the migrations that this database lacks, oldest first: whoever serves requests must not start while there are any. */
export async function pendingMigrations({ migrationsDir = defaultMigrationsDir(), ...place }: MigrationPlace): Promise<string[]> {
  const applied = await withConnection(place, async (client) => {
    try {
      const { rows } = await client.query<{ name: string }>(
        'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
      );
      return new Set(rows.map((row) => row.name));
    } catch (error) {
      const isFreshDatabase = error instanceof DatabaseError && error.code === '42P01';
      if (isFreshDatabase) return new Set<string>();
      throw error;
    }
  });
  return migrationNames(migrationsDir).filter((name) => !applied.has(name));
}

/**
 * The SQL that is missing between the migrations and schema.prisma, empty when they agree. It looks at files alone:
 * the server only lends a shadow database (made and dropped), so use a throw-away one. Conditions of partial indexes are compared as text,
 * so schema.prisma has them in PostgreSQL's own words: `state = ANY (ARRAY['queued'::text])` and not `state IN ('queued')`.
 */
export async function schemaDrift(place: MigrationPlace): Promise<string> {
  const migrationsDir = place.migrationsDir ?? defaultMigrationsDir();
  const { stdout } = await withEngine(place, (engine) =>
    engine.diff({
      from: { tag: 'migrations', ...migrationList(migrationsDir) },
      to: { tag: 'schemaDatamodel', ...schemaFiles(place.schemaPath ?? defaultSchemaPath()) },
      script: true,
      exitCode: null,
      filters: NO_FILTER,
    }),
  );
  const sql = stdout ?? '';
  return /^\s*(--.*\s*)*$/.test(sql) ? '' : sql;
}

/** Writes the drift as a new migration and returns its folder's name; undefined when there is nothing to write. */
export async function createMigration(place: MigrationPlace & { readonly name: string }): Promise<string | undefined> {
  const sql = await schemaDrift(place);
  if (sql === '') return undefined;
  return writeMigration({ migrationsDir: place.migrationsDir ?? defaultMigrationsDir(), name: place.name, sql });
}

/** Notes that a failed migration was undone (PostgreSQL undoes a failed one by itself), so that it is tried again. */
export async function markRolledBack(place: MigrationPlace & { readonly name: string }): Promise<void> {
  await withEngine(place, (engine) => engine.markMigrationRolledBack({ migrationName: place.name }));
}

async function withEngine<T>(place: MigrationPlace, use: (engine: SchemaEngine) => Promise<T>): Promise<T> {
  const schema = await readFile(place.schemaPath ?? defaultSchemaPath(), 'utf8');
  try {
    return await withSchemaEngine({ connectionString: place.connectionString, schema }, use);
  } catch (cause) {
    // The engine's errors end in its own stack trace.
    const [words = ''] = messageOf(cause).split(/\n\s+0: /, 1);
    throw new AppError('migration_failed', words.trim(), { cause });
  }
}

function underLock<T>(place: MigrationPlace, work: () => Promise<T>): Promise<T> {
  return withConnection(place, async (client) => {
    await client.query(`SET lock_timeout = ${String(LOCK_TIMEOUT_MS)}`);
    // The server's own limit comes first.
    const takeLock = { text: 'SELECT pg_advisory_lock($1)', values: [MIGRATION_LOCK], query_timeout: LOCK_TIMEOUT_MS + 5_000 };
    await client.query(takeLock);
    // Ending the connection gives the lock back. A migration of a large table may take hours.
    return whileAnswering(client, work());
  });
}

async function onThrowAwayServer<T>(use: (connectionString: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'dealbell-schema-'));
  try {
    const server = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
    try {
      return await use(server.connectionString);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function main(): Promise<string> {
  const { values } = parseArgs({
    options: { check: { type: 'boolean' }, create: { type: 'string' }, 'rolled-back': { type: 'string' } },
  });
  if (values.check === true) {
    const drift = await onThrowAwayServer((connectionString) => schemaDrift({ connectionString }));
    if (drift !== '')
      throw new AppError(
        'schema_drift',
        `schema.prisma is ahead of the migrations ("npm run migrate -- --create <name>" writes one):\n${drift}`,
      );
    return 'The migrations and schema.prisma agree.';
  }
  const newName = values.create;
  if (newName !== undefined) {
    const folder = await onThrowAwayServer((connectionString) => createMigration({ connectionString, name: newName }));
    return folder === undefined
      ? 'Nothing to write: the migrations and schema.prisma agree.'
      : `Wrote prisma/migrations/${folder}/migration.sql: read it before you commit it.`;
  }
  const connectionString = process.env['DATABASE_URL'];
  if (connectionString === undefined || connectionString === '') {
    throw new AppError(
      'no_database_url',
      'DATABASE_URL is not set. (Without it Dealbell keeps its own database and migrates that at each start.)',
    );
  }
  const undone = values['rolled-back'];
  if (undone !== undefined) {
    await markRolledBack({ connectionString, name: undone });
    return `Noted that ${undone} was rolled back; the next "npm run migrate" tries it again.`;
  }
  const applied = await applyMigrations({ connectionString });
  return applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`;
}

if (require.main === module) {
  main().then(
    (sentence) => console.log(sentence),
    (error: unknown) => {
      console.error(error instanceof AppError ? error.message : error);
      // At once: a connection to a database that does not answer would keep it from its end.
      process.exit(1);
    },
  );
}
