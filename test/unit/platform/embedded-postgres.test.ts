/** The embedded PostgreSQL over its whole life: first start, restart, second process, kill at every bad moment, stop. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/platform/embedded-postgres';

const HOLDER = join(__dirname, '..', '..', 'support', 'hold-embedded-postgres.ts');

let dataDir: string;
let running: EmbeddedPostgres[];
let holders: ChildProcess[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'dealbell-embedded-'));
  running = [];
  holders = [];
});

afterEach(async () => {
  // SIGTERM makes a living holder exit, and its server with it.
  for (const holder of holders) holder.kill('SIGTERM');
  await Promise.all(running.map((postgres) => postgres.stop()));
  if (holders.length > 0) await until(() => !existsSync(join(dataDir, 'postgres', 'postmaster.pid')));
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function start(): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir });
  running.push(postgres);
  return postgres;
}

function startHolder(): ChildProcess {
  const holder = spawn(process.execPath, ['--import', 'tsx', HOLDER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  holders.push(holder);
  return holder;
}

async function connectionStringOf(holder: ChildProcess): Promise<string> {
  if (holder.stdout === null) throw new Error('the holder has no stdout');
  for await (const chunk of holder.stdout) return String(chunk).trim();
  throw new Error('the holder ended before its database was up');
}

async function killHard(holder: ChildProcess): Promise<void> {
  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  await ended;
}

async function query(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition(); await delay(5)) {
    if (Date.now() > deadline) throw new Error('the condition was not met within 20 seconds');
  }
}

function postmasterPid(): number {
  return Number.parseInt(postmasterFile(), 10);
}

function isReady(): boolean {
  return postmasterFile().split('\n')[7]?.trim() === 'ready';
}

/** Empty for the moment in which the server is away. */
function postmasterFile(): string {
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

test('when it starts for the first time, then there is an empty UTF-8 database "dealbell" and a secret password file', async () => {
  const postgres = await start();

  const [database] = await query(
    postgres.connectionString,
    `SELECT current_database() AS name, lower('ÄÖÜ') AS lowered, current_setting('server_encoding') AS encoding,
            current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes`,
  );
  expect(database).toMatchObject({ name: 'dealbell', lowered: 'äöü', encoding: 'UTF8' });
  expect(database).toMatchObject({ fsync: 'on', full_page_writes: 'on' });
  expect(statSync(join(dataDir, 'postgres.password')).mode & 0o777).toBe(0o600);
  expect(new URL(postgres.connectionString).hostname).toBe('127.0.0.1');
});

test('when it is stopped and started again, then the rows are there', async () => {
  const first = await start();
  await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();

  const second = await start();

  expect(await query(second.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('when it is stopped twice, then the second stop does nothing and no listener stays on our process', async () => {
  const signals = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException'] as const;
  const countListeners = (): number[] => signals.map((signal) => process.listenerCount(signal));
  const before = countListeners();
  const postgres = await start();

  await postgres.stop();
  await postgres.stop();

  expect(countListeners()).toEqual(before);
  expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  expect(existsSync(join(dataDir, 'postgres.lock'))).toBe(false);
});

test('when another process has the folder, then starting fails and names that process', async () => {
  const holder = startHolder();
  await connectionStringOf(holder);

  const attempt = start();

  await expect(attempt).rejects.toThrow(`${dataDir} is already in use by process ${String(holder.pid)}; stop it or set DATA_DIR`);
});

test('when the app was killed and left its server running, then that one is stopped and committed rows are there', async () => {
  const holder = startHolder();
  const connectionString = await connectionStringOf(holder);
  await query(connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const orphan = postmasterPid();
  await killHard(holder);
  expect(process.kill(orphan, 0)).toBe(true);

  const postgres = await start();

  expect(postmasterPid()).not.toBe(orphan);
  expect(await query(postgres.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('when app and server were both killed, then the next start recovers', async () => {
  const holder = startHolder();
  const connectionString = await connectionStringOf(holder);
  await query(connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
  process.kill(postmasterPid(), 'SIGKILL');
  await killHard(holder);

  const postgres = await start();

  expect(await query(postgres.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('when the server alone is killed, then it is started again at its old address, committed rows are there, and a stop ends it', async () => {
  const postgres = await start();
  await query(postgres.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const killed = postmasterPid();

  process.kill(killed, 'SIGKILL');
  await until(() => postmasterPid() !== killed && isReady());

  expect(await query(postgres.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  await postgres.stop();
  expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
});

test('when the app was killed in the middle of the first start, then the next start begins anew', async () => {
  const holder = startHolder();
  const tornClusters = (): string[] => readdirSync(dataDir).filter((name) => name.startsWith('postgres.new-'));
  await until(() => tornClusters().some((name) => existsSync(join(dataDir, name, 'cluster', 'PG_VERSION'))));
  await killHard(holder);
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);

  const postgres = await start();

  expect(await query(postgres.connectionString, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(tornClusters()).toEqual([]);
});

test('when the pid in a stale postmaster.pid now belongs to another program, then the server starts all the same', async () => {
  const first = await start();
  await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  writeFileSync(
    join(dataDir, 'postgres', 'postmaster.pid'),
    `${String(process.pid)}\n${join(dataDir, 'postgres')}\n0\n0\n\n127.0.0.1\n\nready\n`,
  );

  const second = await start();

  expect(await query(second.connectionString, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('when the folder holds something else than a cluster, then starting fails and leaves it alone', async () => {
  mkdirSync(join(dataDir, 'postgres'));
  writeFileSync(join(dataDir, 'postgres', 'thesis.txt'), 'precious');

  await expect(start()).rejects.toThrow('holds files but no PostgreSQL cluster');

  expect(readFileSync(join(dataDir, 'postgres', 'thesis.txt'), 'utf8')).toBe('precious');
});

test('when our process exits without stopping it, then the server shuts down by itself', async () => {
  const holder = startHolder();
  await connectionStringOf(holder);
  expect(postmasterPid()).toBeGreaterThan(0);

  holder.kill('SIGTERM');
  await once(holder, 'exit');

  await until(() => !existsSync(join(dataDir, 'postgres', 'postmaster.pid')));
});
