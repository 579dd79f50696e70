/** The whole world in one process: Dealbell as composed for production between a stand-in Pipedrive and a stand-in Google Chat. */

import { randomBytes } from 'node:crypto';
import { pino, type Logger } from 'pino';
import { compose, type Dealbell, type Roles } from '../../src/compose';
import { readConfig, type Config } from '../../src/config';
import { startFakeGoogleChat, type FakeGoogleChat, type FakeGoogleChatOptions } from '../fakes/google-chat/fake-google-chat';
import { startFakePipedrive, type FakePipedrive, type FakePipedriveOptions } from '../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { freePort } from './free-port';

export interface WorldOptions {
  readonly databaseUrl: string;
  /** Dealbell's own port; a free one when absent. */
  readonly port?: number;
  /** Keeps the keys over restarts; without it they are made for this world alone. */
  readonly dataDir?: string;
  /** This world alone works on its database. */
  readonly isAlone?: boolean;
  /** Null: the queue lives in PostgreSQL. */
  readonly redisUrl?: string | null;
  readonly settleMs?: number;
  /** Bells say nothing; the sweep alone works. */
  readonly isSilent?: boolean;
  readonly sweepIntervalMs?: number;
  readonly clock?: () => Date;
  readonly logLevel?: string;
  /** Instead of `logLevel`. */
  readonly log?: Logger;
  readonly roles?: Roles;
  readonly config?: Partial<Config>;
  readonly pipedrive?: FakePipedriveOptions;
  readonly chat?: FakeGoogleChatOptions;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // The body is whatever the API says: each test looks at what it is about.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

export interface World {
  readonly pipedrive: FakePipedrive;
  readonly chat: FakeGoogleChat;
  readonly config: Config;
  readonly baseUrl: string;
  dealbell: Dealbell;
  /** Installs as Marketplace does; gives the tenant's page token of that user. */
  install(userId?: number, companyId?: number): Promise<string>;
  /** Calls the REST API; `token` is a page token or an API key. */
  api(method: string, path: string, token: string | null, body?: unknown): Promise<ApiAnswer>;
  /** Starts another Dealbell process-worth on the same database. */
  startAnother(roles: Roles): Promise<Dealbell>;
  /** Ends Dealbell in order and starts it again at its address; `meanwhile` nobody is there. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Starts everything on free ports of 127.0.0.1. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const port = options.port ?? (await freePort());
  const baseUrl = `http://127.0.0.1:${port}`;
  const chat = await startFakeGoogleChat(options.chat);
  const pipedrive = await startFakePipedrive({ appUrl: baseUrl, retryDelaysMs: [200, 400, 800], ...options.pipedrive });
  const config: Config = { ...configFor(options, pipedrive, chat, port, baseUrl), ...options.config };
  const log = options.log ?? pino({ level: options.logLevel ?? process.env['WORLD_LOG'] ?? 'silent' });
  const surroundings = {
    config,
    log,
    databaseUrl: options.databaseUrl,
    isAlone: options.isAlone ?? false,
    errors: { report: () => undefined, close: () => Promise.resolve() },
    version: 'test',
    isSilent: options.isSilent ?? false,
    sweepIntervalMs: options.sweepIntervalMs ?? 500,
    ...(options.clock && { clock: options.clock }),
  };
  const roles = options.roles ?? { web: true, worker: true };
  const dealbell = await compose(surroundings, roles);
  const others: Dealbell[] = [];

  const world: World = {
    pipedrive,
    chat,
    config,
    baseUrl,
    dealbell,
    api: (method, path, token, body) => callApi(baseUrl, method, path, token, body),
    async install(userId, companyId = DEMO_COMPANY_ID) {
      const user = userId ?? firstAdmin(pipedrive, companyId);
      const code = pipedrive.authorizeDirectly(user, companyId);
      const answer = await fetch(`${baseUrl}/oauth/callback?code=${encodeURIComponent(code)}`, { redirect: 'manual' });
      if (answer.status >= 400) throw new Error(`install answered ${answer.status}: ${await answer.text()}`);
      const session = await callApi(baseUrl, 'POST', '/session', null, { token: pipedrive.frameToken(companyId, user) });
      if (session.status !== 200) throw new Error(`session answered ${session.status}: ${JSON.stringify(session.body)}`);
      return String(session.body.token);
    },
    async startAnother(roles) {
      const other = await compose({ ...surroundings, config: { ...config, port: 0 } }, roles);
      others.push(other);
      return other;
    },
    async restart(meanwhile) {
      await world.dealbell.close();
      await meanwhile();
      world.dealbell = await compose(surroundings, roles);
    },
    async close() {
      await Promise.all([world.dealbell, ...others].map((part) => part.close()));
      await pipedrive.close();
      await chat.close();
    },
  };
  return world;
}

function configFor(options: WorldOptions, pipedrive: FakePipedrive, chat: FakeGoogleChat, port: number, baseUrl: string): Config {
  const redis = options.redisUrl == null ? {} : { REDIS_URL: options.redisUrl };
  const keys =
    options.dataDir === undefined
      ? { ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`, SESSION_SECRET: 'a secret for tests only' }
      : { DATA_DIR: options.dataDir };
  return readConfig({
    PORT: String(port),
    HOST: '127.0.0.1',
    BASE_URL: baseUrl,
    DATABASE_URL: options.databaseUrl,
    ...redis,
    PIPEDRIVE_CLIENT_ID: pipedrive.clientId,
    PIPEDRIVE_CLIENT_SECRET: pipedrive.clientSecret,
    PIPEDRIVE_OAUTH_URL: pipedrive.url,
    GOOGLE_CHAT_ORIGIN: chat.url,
    ...keys,
    SETTLE_MS: String(options.settleMs ?? 0),
    FRAME_ANCESTORS: pipedrive.url,
  });
}

/** The user who installs when nobody is named. */
export function firstAdmin(pipedrive: FakePipedrive, companyId: number): number {
  const admins = [...pipedrive.company(companyId).users.live.values()].filter((user) =>
    user.access.some((item) => item.app === 'global' && item.admin),
  );
  const [admin] = admins;
  if (admin === undefined) throw new Error('the demo company has no admin');
  return admin.id;
}

async function callApi(baseUrl: string, method: string, path: string, token: string | null, body?: unknown): Promise<ApiAnswer> {
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}
