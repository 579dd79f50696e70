/** Our own PostgreSQL for a machine that has none: started from npm's binaries, stopped with us, and mended after we were killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../core/errors';
import { keepRunning } from './keep-running';
import { stopLeftOverServer, serverStatus } from './left-over-postgres';
import { assertReachable, findPostgresBinaries, postgresUser, type PostgresBinaries, type RunAs } from './postgres-binaries';
import { withConnection } from './postgres-connection';
import { ensureCluster, POSTGRES_ENV, SUPERUSER } from './postgres-cluster';
import { acquireProcessLock } from './process-lock';

const DATABASE = 'dealbell';
const MAX_START_ATTEMPTS = 5;
// Long, because after a crash PostgreSQL replays its log before it is ready.
const START_TIMEOUT_MS = 120_000;
const FAST_STOP_MS = 10_000;
const IMMEDIATE_STOP_MS = 5_000;
const LOG_ROTATION_BYTES = 10_000_000;

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  // Nobody replicates from it.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Full load writes a gigabyte in a minute or two; after each checkpoint every page that changes is written once again as a whole.
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  // Our statements are short: compiling them costs more than running them.
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

/** For what is thrown away at its end: nothing waits for the disk. */
const THROWAWAY_SETTINGS: Readonly<Record<string, string>> = { fsync: 'off', full_page_writes: 'off' };

export interface EmbeddedPostgresLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedPostgres {
  readonly connectionString: string;
  /** Fast shutdown; may be called twice; takes 16 seconds at most. */
  stop(): Promise<void>;
}

interface Cluster {
  readonly dir: string;
  readonly logFile: string;
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Starts PostgreSQL on 127.0.0.1, with its files under `dataDir`, made at the first start. When it ends by itself (killed for want of
 * memory, say) it is started again at the same address. A server that a killed process left over is stopped first. Throws an AppError when another process uses the folder or the server does not start.
 */
export async function startEmbeddedPostgres({
  dataDir,
  port,
  log,
  isThrowaway = false,
}: {
  dataDir: string;
  /** A free one when absent. */
  port?: number;
  log?: EmbeddedPostgresLog;
  /** Nobody needs what is in it after the machine has stopped. */
  isThrowaway?: boolean;
}): Promise<EmbeddedPostgres> {
  const startedAtMs = Date.now();
  mkdirSync(dataDir, { recursive: true });
  const home = realpathSync(dataDir);
  const lock = acquireProcessLock(join(home, 'postgres.lock'));
  if (lock.kind === 'held') throw inUse(dataDir, lock.pid);
  try {
    const { connectionString, ...kept } = await startCluster({ home, wantedPort: port, log, isThrowaway });
    log?.info({ dataDir: home, tookMs: Date.now() - startedAtMs }, 'embedded postgres started');
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      await kept.stop();
      lock.release();
    };
    return { connectionString, stop: () => (stopped ??= stop()) };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startCluster({
  home,
  wantedPort,
  log,
  isThrowaway,
}: {
  home: string;
  wantedPort: number | undefined;
  log: EmbeddedPostgresLog | undefined;
  isThrowaway: boolean;
}): Promise<{ connectionString: string; stop(): Promise<void> }> {
  const clusterDir = join(home, 'postgres');
  const binaries = findPostgresBinaries();
  const runAs = await postgresUser(clusterDir);
  // A folder made by mkdtemp is closed to others; it is ours to open as far as passing through.
  if (runAs !== undefined) chmodSync(home, statSync(home).mode | 0o001);
  assertReachable(home, runAs);
  assertReachable(dirname(binaries.postgres), runAs);
  if (await stopLeftOverServer(clusterDir)) log?.warn({ dataDir: home }, 'stopped the embedded postgres of a killed process');
  const password = await ensureCluster({ dataDir: home, clusterDir, binaries, runAs, isThrowaway });
  const settings = isThrowaway ? { ...SETTINGS, ...THROWAWAY_SETTINGS } : SETTINGS;
  const cluster: Cluster = { dir: clusterDir, logFile: join(home, 'postgres.log'), binaries, runAs, settings };
  const { server, port } = await startServer(cluster, wantedPort);
  try {
    const connectionString = (database: string): string =>
      `postgresql://${SUPERUSER}:${password}@127.0.0.1:${String(port)}/${database}?sslmode=disable`;
    await ensureDatabase(connectionString('postgres'));
    const startAgain = async (): Promise<ChildProcess> => {
      await stopLeftOverServer(clusterDir);
      return (await startServer(cluster, port)).server;
    };
    return { connectionString: connectionString(DATABASE), ...keepRunning({ first: server, startAgain, stopServer, log }) };
  } catch (error) {
    await stopServer(server);
    throw error;
  }
}

async function startServer(cluster: Cluster, wantedPort?: number): Promise<{ server: ChildProcess; port: number }> {
  rotateLog(cluster.logFile);
  for (let attempt = 1; ; attempt += 1) {
    const port = wantedPort ?? (await freePort());
    const logStart = statSync(cluster.logFile, { throwIfNoEntry: false })?.size ?? 0;
    const server = spawnServer(cluster, port);
    if (await becomesReady(server, cluster.dir)) return { server, port };
    const words = readFileSync(cluster.logFile).subarray(logStart).toString('utf8').trim();
    // Both pass: somebody took the port in between, or processes of a killed server are still about to end.
    const passes = /could not bind|could not create any TCP|pre-existing shared memory/.test(words);
    if (!passes || attempt === MAX_START_ATTEMPTS) {
      throw new AppError(
        'embedded_postgres_start',
        `The embedded PostgreSQL did not start (${cluster.logFile}): ${words.slice(-600)}`,
      );
    }
    await delay(200 * attempt);
  }
}

function spawnServer({ dir, logFile, binaries, runAs, settings }: Cluster, port: number): ChildProcess {
  const logFd = openSync(logFile, 'a', 0o600);
  try {
    const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    // Detached: Ctrl-C in a terminal goes to the whole process group, and we want to finish our own work before the database ends.
    const server = spawn(binaries.postgres, ['-D', dir, ...flags], {
      ...POSTGRES_ENV,
      ...runAs,
      cwd: dirname(dir),
      detached: true,
      windowsHide: true,
      stdio: ['ignore', logFd, logFd],
    });
    server.unref();
    return server;
  } finally {
    closeSync(logFd);
  }
}

async function becomesReady(server: ChildProcess, clusterDir: string): Promise<boolean> {
  const outcome: { failed: boolean } = { failed: false };
  const onFailure = (): void => {
    outcome.failed = true;
  };
  server.once('error', onFailure).once('exit', onFailure);
  try {
    for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline && !outcome.failed; await delay(20)) {
      const status = serverStatus(clusterDir);
      if (status !== undefined && status.pid === server.pid && status.isReady) return true;
    }
  } finally {
    server.off('error', onFailure).off('exit', onFailure);
  }
  if (!outcome.failed) await stopServer(server);
  return false;
}

async function stopServer(server: ChildProcess): Promise<void> {
  // SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one (the next start recovers). On Windows every signal ends it at once.
  const steps = [
    { signal: 'SIGINT', waitMs: FAST_STOP_MS },
    { signal: 'SIGQUIT', waitMs: IMMEDIATE_STOP_MS },
    { signal: 'SIGKILL', waitMs: 1_000 },
  ] as const;
  for (const { signal, waitMs } of steps) {
    if (hasEnded(server)) return;
    server.kill(signal);
    for (const deadline = Date.now() + waitMs; Date.now() < deadline && !hasEnded(server);) await delay(10);
  }
}

function hasEnded(server: ChildProcess): boolean {
  return server.pid === undefined || server.exitCode !== null || server.signalCode !== null;
}

async function ensureDatabase(connectionString: string): Promise<void> {
  await withConnection({ connectionString, answerTimeoutMs: START_TIMEOUT_MS }, async (client) => {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('the probe for a free port has no address'));
      });
    });
  });
}

function rotateLog(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_ROTATION_BYTES) renameSync(logFile, `${logFile}.1`);
}

function inUse(dataDir: string, pid: number): AppError {
  return new AppError('data_dir_in_use', `${dataDir} is already in use by process ${String(pid)}; stop it or set DATA_DIR`);
}
