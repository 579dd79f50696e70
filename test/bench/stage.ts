/** What every part of the benchmark plays on: the ledger, a stand-in Google Chat with 200 spaces and no quota, Redis if there is one. */

import { randomBytes } from 'node:crypto';
import { startFakeGoogleChat, type FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { startMeasured, type Measured } from './child-process';
import { webhookRequest, type NextRequest } from './drive-load';
import { OWNERS_PER_TENANT, type MakeEvent } from './deal-events';
import { startLedger, type Ledger } from './ledger';
import type { AppSettings } from './measured-app';
import { startRedis, type RedisServer } from './redis-server';
import { authorizationOf, SPACES, TENANTS } from './seed-tenants';

/** One write a second. */
const QUOTA_MS = 1_000;

export type Backend = 'postgres' | 'redis';

export interface RunningApp extends Measured {
  readonly databaseUrl: string;
  readonly backend: Backend;
}

export interface AppOptions {
  readonly web: boolean;
  readonly worker: boolean;
  readonly databaseUrl?: string;
  readonly redisUrl?: string | null;
  readonly isStrict?: boolean;
  readonly isSilent?: boolean;
  readonly isAlone?: boolean;
  readonly settleMs?: number;
}

export interface Stage {
  readonly ledger: Ledger;
  /** Takes as many messages as come. */
  readonly chat: FakeGoogleChat;
  /** The same spaces, of which each takes one message a second and answers 429 to more. */
  readonly strictChat: FakeGoogleChat;
  readonly webhookUrls: readonly string[];
  readonly backends: readonly Backend[];
  /** An address for a queue of its own; null is PostgreSQL. */
  redisUrl(backend: Backend): string | null;
  /** Dealbell on a fresh database, or on the one given; it may write as fast as it can, unless it posts to the strict Chat. */
  startApp(backend: Backend, given: AppOptions): Promise<RunningApp>;
  close(): Promise<void>;
}

/** Sets it up; everything is on loopback and in temporary folders. */
export async function setStage(): Promise<Stage> {
  const encryptionKeys = `bench:${randomBytes(32).toString('base64')}`;
  const [chat, strictChat] = await Promise.all(
    [false, true].map((enforceQuota) => startFakeGoogleChat({ enforceQuota, validate: false, keepBodies: false })),
  );
  if (chat === undefined || strictChat === undefined) throw new Error('no stand-in was started');
  const webhookUrls = Array.from({ length: SPACES }, (_, index) => {
    const space = { name: `Space ${index}`, id: spaceIdOf(index) };
    const webhook = { token: randomBytes(32).toString('base64url') };
    for (const each of [chat, strictChat]) each.createSpace(space);
    strictChat.createWebhook(space.id, webhook);
    return chat.createWebhook(space.id, webhook).url;
  });
  const closeChats = () => Promise.all([chat.close(), strictChat.close()]);
  const { ledger, redis } = await startStores(encryptionKeys, webhookUrls).catch(async (error: unknown) => {
    await closeChats();
    throw error;
  });
  const redisUrl = (backend: Backend): string | null => (backend === 'redis' ? (redis?.nextUrl() ?? null) : null);
  return {
    ledger,
    chat,
    strictChat,
    webhookUrls,
    backends: redis === null ? ['postgres'] : ['postgres', 'redis'],
    redisUrl,
    async startApp(backend, { web, worker, isStrict = false, isSilent = false, isAlone = true, settleMs = 0, ...given }) {
      const databaseUrl = given.databaseUrl ?? (await ledger.copy());
      const queue = given.redisUrl === undefined ? redisUrl(backend) : given.redisUrl;
      const base = { databaseUrl, redisUrl: queue, encryptionKeys, web, worker, isSilent, isAlone, settleMs };
      const settings: AppSettings = isStrict
        ? { ...base, chatOrigin: strictChat.url, spaceIntervalMs: QUOTA_MS }
        : { ...base, chatOrigin: chat.url, spaceIntervalMs: 0 };
      return { ...(await startMeasured('measured-app.js', settings)), databaseUrl, backend };
    },
    async close() {
      await redis?.close();
      await ledger.close();
      await closeChats();
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

/** The space of tenant `Math.floor(index / 20)`'s owner `index % 20`. */
export function spaceIdOf(index: number): string {
  return `SPACE${String(index).padStart(4, '0')}`;
}

/** Requests with events `start`, `start + 1`, ...; a deal always belongs to the same tenant. */
export function requestsOf(makeEvent: MakeEvent, deals: number, start = 0): NextRequest {
  let n = start;
  return () => requestOf(makeEvent, deals, n++);
}

const AUTHORIZATIONS = Array.from({ length: TENANTS }, (_, index) => authorizationOf(index));

/** The request with event `n`: it is told in space `n % 200`, if that divides `deals`. */
export function requestOf(makeEvent: MakeEvent, deals: number, n: number): string {
  const authorization = AUTHORIZATIONS[Math.floor((n % deals) / OWNERS_PER_TENANT) % TENANTS] ?? '';
  return webhookRequest(makeEvent(n), authorization);
}

/** Waits until nothing waits in an app's ledger. Throws when that takes too long. */
export async function untilDrained(stage: Stage, app: RunningApp, limitMs: number): Promise<void> {
  // By the partial indexes and no further than the first that waits: counting them all would be a good part of what is measured.
  const waiting = `
    SELECT (EXISTS (SELECT FROM events WHERE routed_at IS NULL ORDER BY tenant_id + 0, id + 0 LIMIT 1)
         OR EXISTS (SELECT FROM deliveries WHERE state IN ('queued', 'sending') ORDER BY space_id LIMIT 1)) AS waits`;
  const endsAtMs = performance.now() + limitMs;
  for (;;) {
    const [row] = await stage.ledger.query(app.databaseUrl, waiting);
    if (row?.['waits'] === false) return;
    if (performance.now() > endsAtMs) throw new Error('there are rows that still wait in the ledger');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
