/** A Redis of the benchmark's own, when the machine has one: in memory, on a free port, ended with the benchmark. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../support/free-port';

export interface RedisServer {
  /** The address of a database that nobody else uses. */
  nextUrl(): string;
  close(): Promise<void>;
}

const DATABASES = 200;
const START_TRIES = 100;

/** Null when `redis-server` is not on the PATH. */
export async function startRedis(): Promise<RedisServer | null> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return null;
  const port = await freePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--databases', String(DATABASES)];
  const server = spawn('redis-server', flags, { cwd: tmpdir(), stdio: 'ignore' });
  let databases = 0;
  await answers(`redis://127.0.0.1:${port}`);
  return {
    nextUrl: () => `redis://127.0.0.1:${port}/${(databases += 1) % DATABASES}`,
    async close() {
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
    },
  };
}

async function answers(url: string): Promise<void> {
  const connection = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  connection.on('error', () => {
    // Expected until the server listens; the loop below counts the tries.
  });
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        await connection.connect();
        return;
      } catch (error) {
        if (tries === START_TRIES) throw error;
        await pause(50);
      }
    }
  } finally {
    connection.disconnect();
  }
}
