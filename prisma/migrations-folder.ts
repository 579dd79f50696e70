/** The migrations and the schema as files of the project, in the shape that Prisma's schema engine takes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MigrationDirectory, MigrationList, SchemasContainer } from '@prisma/schema-engine-wasm';

const LOCK_FILE = 'migration_lock.toml';
const LOCK_CONTENT =
  '# Prisma checks by this file that migrations of one kind of database do not run on another.\nprovider = "postgresql"\n';

/** The folder of package.json: the compiled form of this file lies deeper than the file itself. */
export function projectRoot(): string {
  let dir = __dirname;
  while (!existsSync(join(dir, 'package.json'))) {
    if (dir === dirname(dir)) throw new Error(`no package.json above ${__dirname}`);
    dir = dirname(dir);
  }
  return dir;
}

export function defaultMigrationsDir(): string {
  return join(projectRoot(), 'prisma', 'migrations');
}

export function defaultSchemaPath(): string {
  return join(projectRoot(), 'prisma', 'schema.prisma');
}

/** Names of all migrations, oldest first. */
export function migrationNames(migrationsDir: string): string[] {
  if (!existsSync(migrationsDir)) return [];
  const folders = readdirSync(migrationsDir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map((folder) => folder.name).sort();
}

export function migrationList(migrationsDir: string): MigrationList {
  const lockFile = join(migrationsDir, LOCK_FILE);
  return {
    baseDir: migrationsDir,
    // The engine wants the file even before the first migration.
    lockfile: { path: LOCK_FILE, content: existsSync(lockFile) ? readFileSync(lockFile, 'utf8') : LOCK_CONTENT },
    shadowDbInitScript: '',
    migrationDirectories: migrationNames(migrationsDir).map((name) =>
      asDirectory(name, readFileSync(join(migrationsDir, name, 'migration.sql'), 'utf8')),
    ),
  };
}

function asDirectory(name: string, sql: string): MigrationDirectory {
  return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } } };
}

export function schemaFiles(schemaPath: string): SchemasContainer {
  return { files: [{ path: 'schema.prisma', content: readFileSync(schemaPath, 'utf8') }] };
}

/** Writes a new migration and returns its folder's name: the moment in UTC and the given name, as Prisma does it. */
export async function writeMigration({
  migrationsDir,
  name,
  sql,
}: {
  migrationsDir: string;
  name: string;
  sql: string;
}): Promise<string> {
  const moment = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = `${moment}_${name.toLowerCase().replace(/[^a-z0-9]+/g, '_')}`;
  await mkdir(join(migrationsDir, folder), { recursive: true });
  await writeFile(join(migrationsDir, folder, 'migration.sql'), sql);
  const lockFile = join(migrationsDir, LOCK_FILE);
  if (!existsSync(lockFile)) await writeFile(lockFile, LOCK_CONTENT);
  return folder;
}
