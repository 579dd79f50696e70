/** The files of the embedded PostgreSQL cluster: made once, whole or not at all, and never deleted. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError, messageOf } from '../core/errors';
import type { PostgresBinaries, RunAs } from './postgres-binaries';

const run = promisify(execFile);

const NEW_CLUSTER_PREFIX = 'postgres.new-';
const INITDB_TIMEOUT_MS = 120_000;

export const POSTGRES_MAJOR = '18';
export const SUPERUSER = 'dealbell';

/** PostgreSQL's environment: nothing of ours, so that neither PG* variables nor the machine's locale reach it. Windows needs its own. */
export const POSTGRES_ENV = process.platform === 'win32' ? {} : { env: { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' } };

/** Makes the cluster if there is none and returns its superuser's password. Throws an AppError for a folder that is no cluster of ours. */
export async function ensureCluster({
  dataDir,
  clusterDir,
  binaries,
  runAs,
  isThrowaway,
}: {
  dataDir: string;
  clusterDir: string;
  binaries: PostgresBinaries;
  runAs: RunAs;
  isThrowaway: boolean;
}): Promise<string> {
  const passwordFile = join(dataDir, 'postgres.password');
  removeTornClusters(dataDir);
  if (hasCluster(clusterDir)) {
    if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8').trim();
    throw new AppError('embedded_postgres_password', `${passwordFile} is missing: put it back, or set DATABASE_URL`);
  }
  const password = randomBytes(24).toString('hex');
  const newDir = join(dataDir, `${NEW_CLUSTER_PREFIX}${randomBytes(6).toString('hex')}`);
  await initialise({ newDir, password, binaries, runAs, isThrowaway });
  // The password first: a cluster without it would be lost, a password without a cluster is overwritten by the next try.
  writeFileSync(passwordFile, password, { mode: 0o600 });
  renameSync(join(newDir, 'cluster'), clusterDir);
  rmSync(newDir, { recursive: true, force: true });
  return password;
}

function hasCluster(clusterDir: string): boolean {
  if (!existsSync(clusterDir)) return false;
  const entries = readdirSync(clusterDir);
  if (entries.length === 0) {
    rmdirSync(clusterDir);
    return false;
  }
  if (!entries.includes('PG_VERSION')) {
    throw new AppError(
      'embedded_postgres_strange',
      `${clusterDir} holds files but no PostgreSQL cluster: move them away, or set DATA_DIR`,
    );
  }
  const major = readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8').trim();
  if (major === POSTGRES_MAJOR) return true;
  throw new AppError(
    'embedded_postgres_version',
    `${clusterDir} was made by PostgreSQL ${major}, here is ${POSTGRES_MAJOR}: dump it with the old version and restore, or set DATA_DIR`,
  );
}

/** Removes what a first start left that was killed. A finished cluster never bears such a name: it got its own by one rename. */
function removeTornClusters(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    // Retries: an initdb that outlived its parent may still be writing in there.
    if (name.startsWith(NEW_CLUSTER_PREFIX))
      rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

async function initialise({
  newDir,
  password,
  binaries,
  runAs,
  isThrowaway,
}: {
  newDir: string;
  password: string;
  binaries: PostgresBinaries;
  runAs: RunAs;
  isThrowaway: boolean;
}): Promise<void> {
  const passwordFile = join(newDir, 'password');
  mkdirSync(newDir, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (runAs !== undefined) for (const path of [newDir, passwordFile]) chownSync(path, runAs.uid, runAs.gid);
  const args = [
    `--pgdata=${join(newDir, 'cluster')}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // PostgreSQL's own C.UTF-8: the same on every machine, and it knows upper and lower case beyond ASCII.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    ...(isThrowaway ? ['--no-sync'] : []),
  ];
  try {
    await run(binaries.initdb, args, { ...POSTGRES_ENV, ...runAs, cwd: newDir, timeout: INITDB_TIMEOUT_MS, windowsHide: true });
  } catch (cause) {
    rmSync(newDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    throw new AppError('embedded_postgres_initdb', `The embedded PostgreSQL could not be set up: ${messageOf(cause)}`, { cause });
  }
}
