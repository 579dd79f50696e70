/** What every part of the benchmark plays on: the ledger, a stand-in Google Chat with 200 spaces and no quota, Redis if there is one. */

import { randomBytes } from 'node:crypto';
import { startFakeGoogleChat, type FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { startMeasured, type Measured } from './child-process';
import { webhookRequest, type NextRequest } from './drive-load';
import type { MakeEvent } from './deal-events';
import { startLedger, type Ledger } from './ledger';
import type { AppSettings } from './measured-app';
import { startRedis, type RedisServer } from './redis-server';
import { authorizationOf, SPACES, TENANTS } from './seed-tenants';

export type Backend = 'postgres' | 'redis';

export interface RunningApp extends Measured {
  readonly databaseUrl: string;
  readonly backend: Backend;
}

export interface Stage {
  readonly ledger: Ledger;
  readonly chat: FakeGoogleChat;
  readonly webhookUrls: readonly string[];
  readonly backends: readonly Backend[];
  /** An address for a queue of its own; null is PostgreSQL. */
  redisUrl(backend: Backend): string | null;
  /** Dealbell on a fresh database, or on the one given. */
  startApp(backend: Backend, roles: { web: boolean; worker: boolean }, databaseUrl?: string): Promise<RunningApp>;
  close(): Promise<void>;
}

/** Sets it up; everything is on loopback and in temporary folders. */
export async function setStage(): Promise<Stage> {
  const encryptionKeys = `bench:${randomBytes(32).toString('base64')}`;
  const chat = await startFakeGoogleChat({ enforceQuota: false, validate: false, keepBodies: false });
  const webhookUrls = Array.from({ length: SPACES }, (_, index) => {
    const space = chat.createSpace({ name: `Space ${index}` });
    return chat.createWebhook(space.id).url;
  });
  const { ledger, redis } = await startStores(encryptionKeys, webhookUrls).catch(async (error: unknown) => {
    await chat.close();
    throw error;
  });
  const redisUrl = (backend: Backend): string | null => (backend === 'redis' ? (redis?.nextUrl() ?? null) : null);
  return {
    ledger,
    chat,
    webhookUrls,
    backends: redis === null ? ['postgres'] : ['postgres', 'redis'],
    redisUrl,
    async startApp(backend, roles, given) {
      const databaseUrl = given ?? (await ledger.copy());
      const base = { databaseUrl, redisUrl: redisUrl(backend), chatOrigin: chat.url, encryptionKeys };
      const settings: AppSettings = { ...base, ...roles, spaceIntervalMs: 0 };
      return { ...(await startMeasured('measured-app.js', settings)), databaseUrl, backend };
    },
    async close() {
      await redis?.close();
      await ledger.close();
      await chat.close();
    },
  };
}

async function startStores(
  encryptionKeys: string,
  webhookUrls: readonly string[],
): Promise<{ ledger: Ledger; redis: RedisServer | null }> {
  const redis = await startRedis();
  try {
    return { ledger: await startLedger(encryptionKeys, webhookUrls), redis };
  } catch (error) {
    await redis?.close();
    throw error;
  }
}

/** Requests with events `start`, `start + 1`, ...; a deal always belongs to the same tenant. */
export function requestsOf(makeEvent: MakeEvent, deals: number, start = 0): NextRequest {
  const authorizations = Array.from({ length: TENANTS }, (_, index) => authorizationOf(index));
  let n = start;
  return () => {
    const authorization = authorizations[Math.floor((n % deals) / 20) % TENANTS] ?? '';
    const request = webhookRequest(makeEvent(n), authorization);
    n += 1;
    return request;
  };
}

/** Waits until nothing waits in an app's ledger. Throws when that takes too long. */
export async function untilDrained(stage: Stage, app: RunningApp, limitMs: number): Promise<void> {
  const waiting = `
    SELECT (SELECT count(*)::int FROM events WHERE routed_at IS NULL)
         + (SELECT count(*)::int FROM deliveries WHERE state IN ('queued', 'sending')) AS n`;
  const endsAtMs = performance.now() + limitMs;
  for (;;) {
    const [row] = await stage.ledger.query(app.databaseUrl, waiting);
    if (Number(row?.['n']) === 0) return;
    if (performance.now() > endsAtMs) throw new Error(`${String(row?.['n'])} rows still wait in the ledger`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
