/** What a soak runs on: a web and two worker processes of Dealbell, their own PostgreSQL and Redis, which are stopped, killed, emptied, and cut off by proxies. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres';
import { startFakeGoogleChat, type FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { startBreakableProxy, type BreakableProxy } from '../support/breakable-proxy';
import { startFleet, type Fleet } from '../support/fleet';
import { freePort } from '../support/free-port';
import { canStartRedis, startRedisServer, type RedisServer } from '../support/redis-server';

/** A server of the soak's own. */
export interface SoakServer {
  /** Between it and the processes. */
  readonly proxy: BreakableProxy;
  stop(): Promise<void>;
  /** At the same address. */
  start(): Promise<void>;
}

export interface SoakStage extends Omit<Fleet, 'close'> {
  readonly chat: FakeGoogleChat;
  readonly postgres: SoakServer & { /** It starts again by itself. */ kill(): void };
  /** Null where there is no redis-server: then the queue lives in PostgreSQL. */
  readonly redis: (SoakServer & Pick<RedisServer, 'flushAll'>) | null;
  /** Past the proxy. */
  readonly ledger: Pool;
  close(): Promise<void>;
}

/** Starts everything and connects a space per entry of `spaces`, which are fields of `POST /chat-webhooks`. */
export async function setStage(spaces: readonly object[]): Promise<SoakStage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-soak-'));
  const port = await freePort();
  let postgres = await startEmbeddedPostgres({ dataDir, port });
  const { connectionString } = postgres;
  await applyMigrations({ connectionString });
  const ledger = new Pool({ connectionString });
  ledger.on('error', () => undefined);
  const database = await startBreakableProxy(placeOf(connectionString));
  const server = canStartRedis() ? await startRedisServer() : null;
  const redisProxy = server === null ? null : await startBreakableProxy(placeOf(server.url));
  const chat = await startFakeGoogleChat();
  const { close: closeFleet, ...fleet } = await startFleet({
    ...{ chat, spaces, entries: ['web', 'worker', 'worker'], databaseUrl: through(connectionString, database) },
    redisUrl: server === null || redisProxy === null ? null : through(server.url, redisProxy),
  });

  return {
    ...fleet,
    ...{ chat, ledger },
    postgres: {
      proxy: database,
      stop: () => postgres.stop(),
      async start() {
        postgres = await startEmbeddedPostgres({ dataDir, port });
      },
      kill: () => process.kill(Number.parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10), 'SIGKILL'),
    },
    redis: server === null || redisProxy === null ? null : { ...server, proxy: redisProxy },
    async close() {
      await closeFleet();
      await Promise.all([chat.close(), database.close(), redisProxy?.close(), server?.close(), ledger.end()]);
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function placeOf(address: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(address);
  return { host: hostname, port: Number(port) };
}

function through(address: string, proxy: BreakableProxy): string {
  const url = new URL(address);
  url.host = `127.0.0.1:${proxy.port}`;
  return url.href;
}
