/** The offline migrator against real PostgreSQL: apply, refuse, compare, create, and agree with Prisma's own books. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { applyMigrations, createMigration, markRolledBack, pendingMigrations, schemaDrift } from '../../../prisma/migrate';
import { createEmptyDatabase, dropDatabase } from '../../support/test-database';

const PROJECT_MIGRATIONS = join(__dirname, '..', '..', '..', 'prisma', 'migrations');
const SCHEMA = `
datasource db {
  provider = "postgresql"
}
generator client {
  provider        = "prisma-client"
  output          = "./generated"
  previewFeatures = ["partialIndexes"]
}
model Bell {
  id    BigInt @id @default(autoincrement())
  state String
  @@index([state], map: "bells_due", where: raw("state = ANY (ARRAY['queued'::text, 'sending'::text])"))
  @@map("bells")
}
`;

let folder: string;
let migrationsDir: string;
let schemaPath: string;
let connectionString: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dealbell-migrate-'));
  migrationsDir = join(folder, 'migrations');
  schemaPath = join(folder, 'schema.prisma');
  writeFileSync(schemaPath, SCHEMA);
  connectionString = await createEmptyDatabase();
});

afterEach(async () => {
  await dropDatabase(connectionString);
  rmSync(folder, { recursive: true, force: true });
});

function place(): { connectionString: string; migrationsDir: string; schemaPath: string } {
  return { connectionString, migrationsDir, schemaPath };
}

function writeMigration(name: string, sql: string): void {
  mkdirSync(join(migrationsDir, name), { recursive: true });
  writeFileSync(join(migrationsDir, name, 'migration.sql'), sql);
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

test("when the project's migrations are applied to an empty database, then none is pending and Prisma's books hold their checksums", async () => {
  const applied = await applyMigrations({ connectionString });

  const folders = readdirSync(PROJECT_MIGRATIONS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map((entry) => entry.name).sort();
  const checksums = names.map((name) =>
    createHash('sha256')
      .update(readFileSync(join(PROJECT_MIGRATIONS, name, 'migration.sql')))
      .digest('hex'),
  );
  expect(applied).toEqual(names);
  expect(await pendingMigrations({ connectionString })).toEqual([]);
  expect(await query('SELECT migration_name, checksum, rolled_back_at FROM _prisma_migrations ORDER BY 1')).toEqual(
    names.map((name, index) => ({ migration_name: name, checksum: checksums[index], rolled_back_at: null })),
  );
});

test("when the project's migrations are compared with schema.prisma, then they agree", async () => {
  expect(await schemaDrift({ connectionString })).toBe('');
});

test('when a model has no migration, then createMigration writes one, after which nothing drifts and it applies', async () => {
  expect(await schemaDrift(place())).toContain('CREATE TABLE "bells"');

  const name = await createMigration({ ...place(), name: 'Add bells' });

  expect(readFileSync(join(migrationsDir, name ?? '', 'migration.sql'), 'utf8')).toContain('WHERE');
  expect(name).toMatch(/^\d{14}_add_bells$/);
  expect(await schemaDrift(place())).toBe('');
  expect(await createMigration({ ...place(), name: 'again' })).toBeUndefined();
  expect(await applyMigrations(place())).toEqual([name]);
  expect(await applyMigrations(place())).toEqual([]);
});

test('when the database is behind, then pendingMigrations names what it lacks, oldest first', async () => {
  writeMigration('20260101000000_one', 'CREATE TABLE one (id int);');
  await createMigration({ ...place(), name: 'unrelated' });
  rmSync(migrationsDir, { recursive: true });
  writeMigration('20260101000000_one', 'CREATE TABLE one (id int);');
  writeFileSync(join(migrationsDir, 'migration_lock.toml'), 'provider = "postgresql"\n');
  await applyMigrations(place());
  writeMigration('20260103000000_three', 'CREATE TABLE three (id int);');
  writeMigration('20260102000000_two', 'CREATE TABLE two (id int);');

  expect(await pendingMigrations(place())).toEqual(['20260102000000_two', '20260103000000_three']);
});

test('when a migration fails, then its name and the words of the database are told, nothing of it stays, and it can be tried again', async () => {
  writeMigration('20260101000000_broken', "CREATE TABLE half (note text DEFAULT 'a;b'); SELECT nonsense();");

  await expect(applyMigrations(place())).rejects.toThrow(/20260101000000_broken[\s\S]*function nonsense\(\) does not exist/);
  expect(await query("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
  await expect(applyMigrations(place())).rejects.toThrow(/failed migrations/);

  writeMigration('20260101000000_broken', "CREATE TABLE half (note text DEFAULT 'a;b');");
  await markRolledBack({ ...place(), name: '20260101000000_broken' });
  expect(await applyMigrations(place())).toEqual(['20260101000000_broken']);
});

test('when a migration holds a function body with semicolons, then it is applied whole', async () => {
  writeMigration(
    '20260101000000_function',
    'CREATE FUNCTION two() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; RETURN 2; END $$;',
  );

  await applyMigrations(place());

  expect(await query('SELECT two() AS two')).toEqual([{ two: 2 }]);
});

test('when two processes migrate at once, then each migration is applied exactly once', async () => {
  writeMigration('20260101000000_slow', 'CREATE TABLE slow (id int); SELECT pg_sleep(0.3);');

  const results = await Promise.all([applyMigrations(place()), applyMigrations(place()), applyMigrations(place())]);

  expect(results.flat()).toEqual(['20260101000000_slow']);
});

test('when another library keeps its tables in a schema of its own, then they hinder neither applying nor comparing', async () => {
  await query('CREATE SCHEMA bullmq; CREATE TABLE bullmq.jobs (id int)');
  cpSync(PROJECT_MIGRATIONS, migrationsDir, { recursive: true });

  const applied = await applyMigrations({ connectionString, migrationsDir });

  expect(applied.length).toBeGreaterThan(0);
  expect(await schemaDrift({ connectionString, migrationsDir })).toBe('');
  expect(await query('SELECT count(*)::int AS count FROM bullmq.jobs')).toEqual([{ count: 0 }]);
});

test('when the database cannot be reached, then the error says where it was looked for', async () => {
  const attempt = applyMigrations({ ...place(), connectionString: 'postgresql://someone@127.0.0.1:1/nothing' });

  await expect(attempt).rejects.toThrow(/The database at 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/);
});
