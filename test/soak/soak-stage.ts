/** What a soak runs on: Dealbell as one web and two worker processes between stand-ins, its PostgreSQL and Redis behind proxies that can be cut. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { applyMigrations } from '../../prisma/migrate';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres';
import { startRedis } from '../bench/redis-server';
import { startFakeGoogleChat, type FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { startFakePipedrive } from '../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { startBreakableProxy, type BreakableProxy } from '../support/breakable-proxy';
import { startProcess, type DealbellProcess, type Entry } from '../support/dealbell-process';
import { freePort } from '../support/free-port';
import { firstAdmin } from '../support/world';

export interface SoakSpace {
  readonly spaceId: string;
  readonly destinationId: number;
  readonly pipelineId: number;
}

/** A place in the fleet: its process is ended and started again. */
export interface Post {
  readonly entry: Entry;
  /** Kills or ends it, and starts it anew; the exit code of what ended. */
  replace(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

export interface SoakStage {
  readonly chat: FakeGoogleChat;
  readonly spaces: readonly SoakSpace[];
  readonly fleet: readonly Post[];
  readonly database: BreakableProxy;
  /** Null where there is no redis-server: then the queue lives in PostgreSQL. */
  readonly redis: { readonly proxy: BreakableProxy; flushAll(): Promise<void> } | null;
  /** Past the proxy. */
  readonly ledger: Pool;
  /** Posts a body as the registered deal webhook, once; true when it was accepted. */
  send(body: unknown): Promise<boolean>;
  /** Asks the API until it answers. */
  api(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }>;
  close(): Promise<void>;
}

const RETRY_MS = 200;

/** Starts everything and connects `count` spaces, each with a rule on changes of value in a pipeline of its own. */
export async function setStage(count: number): Promise<SoakStage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-soak-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  await applyMigrations({ connectionString: postgres.connectionString });
  const ledger = new Pool({ connectionString: postgres.connectionString });
  const database = await startBreakableProxy(placeOf(postgres.connectionString));
  const server = await startRedis();
  const redisUrl = server?.nextUrl() ?? null;
  const redisProxy = redisUrl === null ? null : await startBreakableProxy(placeOf(redisUrl));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const chat = await startFakeGoogleChat();
  const pipedrive = await startFakePipedrive({ appUrl: baseUrl });
  const environment: Readonly<Record<string, string>> = {
    ...{
      PORT: String(port),
      HOST: '127.0.0.1',
      BASE_URL: baseUrl,
      LOG_LEVEL: 'fatal',
      SETTLE_MS: '0',
      REFUSAL_CONFIRM_MS: '500',
    },
    ...{ DATABASE_URL: through(postgres.connectionString, database), SESSION_SECRET: randomBytes(16).toString('hex') },
    ...{ ENCRYPTION_KEYS: `soak:${randomBytes(32).toString('base64')}`, API_RATE_LIMIT: '1000000' },
    ...{ PIPEDRIVE_CLIENT_ID: pipedrive.clientId, PIPEDRIVE_CLIENT_SECRET: pipedrive.clientSecret },
    ...{ PIPEDRIVE_OAUTH_URL: pipedrive.url, GOOGLE_CHAT_ORIGIN: chat.url, FRAME_ANCESTORS: pipedrive.url },
    ...(redisUrl === null || redisProxy === null ? {} : { REDIS_URL: through(redisUrl, redisProxy) }),
  };
  const running = new Map<string, DealbellProcess>();
  const start = (name: string, entry: Entry): void => void running.set(name, startProcess(entry, environment));
  const post = (name: string, entry: Entry): Post => {
    start(name, entry);
    return {
      entry,
      async replace(signal) {
        const code = (await running.get(name)?.end(signal)) ?? null;
        start(name, entry);
        return code;
      },
    };
  };
  const fleet = [post('web', 'web'), post('worker 1', 'worker'), post('worker 2', 'worker')];
  await running.get('web')?.ready();

  const user = firstAdmin(pipedrive, DEMO_COMPANY_ID);
  const code = pipedrive.authorizeDirectly(user, DEMO_COMPANY_ID);
  await fetch(`${baseUrl}/oauth/callback?code=${encodeURIComponent(code)}`, { redirect: 'manual' });
  const call = async (method: string, path: string, token: string | null, body?: object) => {
    for (;;) {
      try {
        const headers = { 'Content-Type': 'application/json', ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
        const sent = body === undefined ? {} : { body: JSON.stringify(body) };
        const response = await fetch(`${baseUrl}${path}`, { method, headers, ...sent });
        if (response.status < 500) return { status: response.status, body: await response.json() };
      } catch {
        // The web process is being replaced.
      }
      await pause(RETRY_MS);
    }
  };
  const session = await call('POST', '/session', null, { token: pipedrive.frameToken(DEMO_COMPANY_ID, user) });
  const api: SoakStage['api'] = (method, path, body) => call(method, path, String(session.body.token), body);
  const made = async (path: string, body: object): Promise<number> => {
    const answer = await call('POST', path, String(session.body.token), body);
    if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return Number(answer.body.id);
  };
  const spaces: SoakSpace[] = [];
  for (let pipelineId = 1; pipelineId <= count; pipelineId += 1) {
    const { id: spaceId } = chat.createSpace({ name: `Space ${pipelineId}` });
    const { url } = chat.createWebhook(spaceId, {});
    // Each message by itself: what is told in a fold cannot be counted by its title.
    const destinationId = await made('/chat-webhooks', { name: `Space ${pipelineId}`, url, fold: 'off' });
    const rule = { name: `Pipeline ${pipelineId}`, eventType: 'deal.value_changed', targetWebhookIds: [destinationId] };
    await made('/rules', { ...rule, filters: { pipelineIds: [pipelineId] } });
    spaces.push({ spaceId, destinationId, pipelineId });
  }
  const webhook = [...pipedrive.webhooks.values()].find((each) => each.eventObject === 'deal');
  if (webhook === undefined) throw new Error('the install registered no webhook for deals');

  return {
    ...{ chat, spaces, fleet, database, ledger, api },
    redis: redisUrl === null || redisProxy === null ? null : { proxy: redisProxy, flushAll: () => flushAll(redisUrl) },
    send: async (body) => (await pipedrive.sendRaw(webhook.id, body)).status === 200,
    async close() {
      await Promise.all([...running.values()].map((each) => each.end('SIGKILL')));
      await Promise.all([pipedrive.close(), chat.close(), database.close(), redisProxy?.close(), server?.close(), ledger.end()]);
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function flushAll(redisUrl: string): Promise<void> {
  const connection = new Redis(redisUrl);
  await connection.flushall();
  connection.disconnect();
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
