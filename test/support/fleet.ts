/** Dealbell as real processes on one database, with its spaces connected, between stand-ins: for whoever kills and replaces them. */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { startFakePipedrive } from '../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { Entry } from './dealbell-process';
import { freePort } from './free-port';
import { openPost, type Fall, type Post } from './post';
import { firstAdmin } from './world';

export interface FleetOptions {
  readonly chat: FakeGoogleChat;
  /** Migrated. */
  readonly databaseUrl: string;
  /** Null: the queue lives in PostgreSQL. */
  readonly redisUrl: string | null;
  /** The first one answers HTTP. */
  readonly entries: readonly Entry[];
  /** Fields of `POST /chat-webhooks`, one per space; its rule hears of changes of value in a pipeline of its own. */
  readonly spaces: readonly object[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface FleetSpace {
  readonly spaceId: string;
  readonly destinationId: number;
  readonly pipelineId: number;
}

export interface Fleet {
  readonly spaces: readonly FleetSpace[];
  readonly posts: readonly Post[];
  /** Its processes that ended by themselves so far: at a start without a database, else by a fault of theirs. */
  readonly falls: readonly Fall[];
  /** Posts a body as the registered deal webhook, once; the HTTP status, null when there was no answer. */
  send(body: unknown): Promise<number | null>;
  /** Asks the API until it answers. */
  api(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }>;
  close(): Promise<void>;
}

const RETRY_MS = 200;

/** Starts the processes, installs, connects the spaces. */
export async function startFleet({ chat, databaseUrl, redisUrl, entries, spaces, ...more }: FleetOptions): Promise<Fleet> {
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const pipedrive = await startFakePipedrive({ appUrl: baseUrl });
  const environment: Readonly<Record<string, string>> = {
    ...{ PORT: String(port), HOST: '127.0.0.1', BASE_URL: baseUrl, LOG_LEVEL: 'fatal', API_RATE_LIMIT: '1000000' },
    ...{ DATABASE_URL: databaseUrl, SESSION_SECRET: randomBytes(16).toString('hex'), SETTLE_MS: '0', REFUSAL_CONFIRM_MS: '500' },
    ...{ ENCRYPTION_KEYS: `fleet:${randomBytes(32).toString('base64')}` },
    ...{ PIPEDRIVE_CLIENT_ID: pipedrive.clientId, PIPEDRIVE_CLIENT_SECRET: pipedrive.clientSecret },
    ...{ PIPEDRIVE_OAUTH_URL: pipedrive.url, GOOGLE_CHAT_ORIGIN: chat.url, FRAME_ANCESTORS: pipedrive.url },
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    ...more.environment,
  };
  const falls: Fall[] = [];
  const posts = entries.map((entry) => openPost(entry, environment, (fall) => falls.push(fall)));
  await posts[0]?.ready();

  const user = firstAdmin(pipedrive, DEMO_COMPANY_ID);
  const code = pipedrive.authorizeDirectly(user, DEMO_COMPANY_ID);
  await fetch(`${baseUrl}/oauth/callback?code=${encodeURIComponent(code)}`, { redirect: 'manual' });
  const session = await call(baseUrl, 'POST', '/session', null, { token: pipedrive.frameToken(DEMO_COMPANY_ID, user) });
  const token = String(session.body.token);
  const connected: FleetSpace[] = [];
  for (const [index, fields] of spaces.entries()) {
    const name = `Space ${index + 1}`;
    const { id: spaceId } = chat.createSpace({ name });
    const { url } = chat.createWebhook(spaceId, {});
    const destinationId = await made(baseUrl, '/chat-webhooks', token, { name, url, ...fields });
    const pipelineId = index + 1;
    const rule = { name: `Pipeline ${pipelineId}`, eventType: 'deal.value_changed', targetWebhookIds: [destinationId] };
    await made(baseUrl, '/rules', token, { ...rule, filters: { pipelineIds: [pipelineId] } });
    connected.push({ spaceId, destinationId, pipelineId });
  }
  const webhook = [...pipedrive.webhooks.values()].find((each) => each.eventObject === 'deal');
  if (webhook === undefined) throw new Error('the install registered no webhook for deals');

  return {
    ...{ spaces: connected, posts, falls },
    send: async (body) => (await pipedrive.sendRaw(webhook.id, body)).status,
    api: (method, path, body) => call(baseUrl, method, path, token, body),
    async close() {
      await Promise.all(posts.map((post) => post.close()));
      await pipedrive.close();
    },
  };
}

async function call(baseUrl: string, method: string, path: string, token: string | null, body?: object) {
  for (;;) {
    try {
      const headers = { 'Content-Type': 'application/json', ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(`${baseUrl}${path}`, { method, headers, ...sent });
      if (response.status < 500) return { status: response.status, body: await response.json() };
    } catch {
      // The process is being replaced.
    }
    await pause(RETRY_MS);
  }
}

async function made(baseUrl: string, path: string, token: string, body: object): Promise<number> {
  const answer = await call(baseUrl, 'POST', path, token, body);
  if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return Number(answer.body.id);
}
