/** Runs the same suite on both of the queue's backends: PostgreSQL always, Redis where there is one (in CI there must be). */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port';

export interface QueueBackend {
  readonly name: 'PostgreSQL' | 'Redis';
  /** From `beforeAll` on; null for the queue in PostgreSQL. */
  redisUrl(): string | null;
}

interface TestRedis {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A describe block per backend. */
export function describeOnBackends(title: string, suite: (backend: QueueBackend) => void): void {
  describe(`${title}, queue in PostgreSQL`, () => {
    suite({ name: 'PostgreSQL', redisUrl: () => null });
  });
  describeWithRedis(`${title}, queue in Redis`, (redisUrl) => {
    suite({ name: 'Redis', redisUrl });
  });
}

/** A describe block with a Redis of its own; left out with one line where there is none, failed in CI. */
export function describeWithRedis(title: string, suite: (redisUrl: () => string) => void): void {
  const given = process.env['REDIS_URL'] ?? '';
  if (!canStartRedis() && given === '') {
    leaveOut(title);
    return;
  }
  describe(title, () => {
    let redis: TestRedis | undefined;
    beforeAll(async () => {
      redis = canStartRedis() ? await startRedis() : borrowed(given);
    });
    afterAll(() => redis?.close());
    // A block of its own: its hooks end before Redis does.
    describe('redis-server', () => {
      suite(() => {
        if (redis === undefined) throw new Error('Redis is there from beforeAll on');
        return redis.url;
      });
    });
  });
}

function leaveOut(title: string): void {
  if (process.env['CI'] === 'true') {
    test(`${title}: Redis must be here in CI`, () => {
      throw new Error('Neither redis-server on the PATH nor REDIS_URL: in CI the Redis suites must run.');
    });
    return;
  }
  process.stderr.write(`Redis suites left out: ${title} (neither redis-server on the PATH nor REDIS_URL)\n`);
}

/** True when `redis-server` is on the PATH. */
function canStartRedis(): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isExecutable(join(folder, 'redis-server')));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run.
    return false;
  }
}

/** Workers of one run share the given server: each takes a database of its own there. */
function borrowed(url: string): TestRedis {
  const own = new URL(url);
  own.pathname = `/${process.env['JEST_WORKER_ID'] ?? '1'}`;
  return { url: own.href, port: Number(own.port === '' ? 6379 : own.port), close: () => Promise.resolve() };
}

/** Starts a server without persistence on a free port of 127.0.0.1. */
async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'dealbell-redis-'));
  const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'no' };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
  await ready(server);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    async close() {
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function ready(server: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let said = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (said.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => {
      reject(new Error(`redis-server ended with ${String(code)}: ${said}`));
    });
  });
}
