/** Real processes that are killed at bad moments: every accepted event's message arrives once and in order. And starts that must not be. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeGoogleChat, type FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { startFakePipedrive, type FakePipedrive } from '../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { visibleText } from '../support/channel';
import { startProcess, type DealbellProcess, type Entry } from '../support/dealbell-process';
import { freePort } from '../support/free-port';
import { rawWebhook } from '../support/raw-webhook';
import { createEmptyDatabase, dropDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';

const ADMIN = 12415001;
const SECRET = 'dealbell-sandbox-secret-of-the-stand-in';
/** From SIGTERM to the end, as hosts allow it. */
const DRAIN_LIMIT_MS = 10_000;

const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-crash-'));
const running: DealbellProcess[] = [];
let pipedrive: FakePipedrive;
let chat: FakeGoogleChat;
let environment: Readonly<Record<string, string>>;
let baseUrl: string;

beforeAll(async () => {
  const port = await freePort();
  baseUrl = `http://127.0.0.1:${port}`;
  chat = await startFakeGoogleChat();
  pipedrive = await startFakePipedrive({ appUrl: baseUrl, retryDelaysMs: [300, 600, 1_200, 2_400, 4_800, 9_600] });
  environment = {
    ...{ PORT: String(port), HOST: '127.0.0.1', BASE_URL: baseUrl, DATA_DIR: dataDir, LOG_LEVEL: 'warn', SETTLE_MS: '0' },
    ...{ PIPEDRIVE_CLIENT_ID: pipedrive.clientId, PIPEDRIVE_CLIENT_SECRET: SECRET },
    ...{ PIPEDRIVE_OAUTH_URL: pipedrive.url, GOOGLE_CHAT_ORIGIN: chat.url, FRAME_ANCESTORS: pipedrive.url },
  };
});
afterAll(async () => {
  // In order, so that the embedded database stops too.
  await Promise.all(running.map((each) => each.end('SIGTERM')));
  await pipedrive.close();
  await chat.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<DealbellProcess> {
  const dealbell = startProcess('main', environment);
  running.push(dealbell);
  await dealbell.ready();
  return dealbell;
}

async function api(method: string, path: string, token: string | null, body?: object) {
  const headers = { 'Content-Type': 'application/json', ...(token === null ? {} : { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

async function install(): Promise<string> {
  const code = pipedrive.authorizeDirectly(ADMIN, DEMO_COMPANY_ID);
  await fetch(`${baseUrl}/oauth/callback?code=${encodeURIComponent(code)}`, { redirect: 'manual' });
  return await session();
}

async function session(): Promise<string> {
  const answer = await api('POST', '/session', null, { token: pipedrive.frameToken(DEMO_COMPANY_ID, ADMIN) });
  return String(answer.body.token);
}

async function channelFor(token: string, name: string): Promise<{ spaceId: string; ruleId: number }> {
  const { id: spaceId } = chat.createSpace({ name });
  const { url } = chat.createWebhook(spaceId, {});
  const destination = await api('POST', '/chat-webhooks', token, { name, url });
  const rule = await api('POST', '/rules', token, {
    name,
    eventType: 'deal.value_changed',
    targetWebhookIds: [destination.body.id],
  });
  return { spaceId, ruleId: Number(rule.body.id) };
}

/** Posts a change of value as the registered webhook; true when it was accepted. */
async function change(deal: number, value: number): Promise<boolean> {
  const [webhook] = [...pipedrive.webhooks.values()].filter((each) => each.eventObject === 'deal');
  const data = { id: deal, title: `Deal ${deal}.`, value, currency: 'EUR', status: 'open' };
  const outcome = await pipedrive.sendRaw(
    webhook?.id ?? 0,
    rawWebhook('deal', 'change', deal, { data, previous: { value: value - 1 } }),
  );
  return outcome.status === 200;
}

const valuesIn = (spaceId: string): readonly number[] =>
  chat
    .messages(spaceId)
    .map((message) => Number(/→ €(\d+)/.exec(visibleText(message))?.[1] ?? /€(\d+)\D*$/.exec(message.fallbackText ?? '')?.[1]));

describe('kill -9', () => {
  let dealbell: DealbellProcess;
  let token: string;

  beforeAll(async () => {
    dealbell = await start();
    token = await install();
  }, 90_000);

  /** Ends it in order and starts it again. */
  async function deploy(): Promise<{ readonly code: number | null; readonly isInTime: boolean }> {
    const startedAtMs = performance.now();
    const code = await dealbell.end('SIGTERM');
    const isInTime = performance.now() - startedAtMs < DRAIN_LIMIT_MS;
    dealbell = await start();
    return { code, isInTime };
  }

  async function allIsSent(ruleId: number, count: number): Promise<void> {
    const sent = async () => (await api('GET', `/deliveries?state=sent&ruleId=${ruleId}`, token)).body.items;
    await waitUntil('all is sent', async () => (await sent()).length === count, 30_000);
  }

  test('when it is killed during an install, then the install can be done again and its webhooks are there once', async () => {
    const code = pipedrive.authorizeDirectly(ADMIN, DEMO_COMPANY_ID);
    pipedrive.webhooks.clear();
    const cut = fetch(`${baseUrl}/oauth/callback?code=${encodeURIComponent(code)}`, { redirect: 'manual' }).then(
      () => 'answered',
      () => 'cut',
    );
    await waitUntil('some webhooks are registered', () => pipedrive.webhooks.size >= 3);
    await dealbell.end('SIGKILL');
    await cut;

    dealbell = await start();
    token = await install();

    const objects = [...pipedrive.webhooks.values()].map((webhook) => webhook.eventObject);
    expect([...objects].sort()).toEqual([
      'activity',
      'deal',
      'lead',
      'note',
      'organization',
      'person',
      'pipeline',
      'stage',
      'user',
    ]);
  }, 90_000);

  test('when it is killed right after accepting, while Chat hangs, and between its messages, then each arrives once and in order', async () => {
    const { spaceId } = await channelFor(token, 'Crash');

    for (let value = 1; value <= 3; value += 1) expect(await change(1, value)).toBe(true);
    await dealbell.end('SIGKILL');
    dealbell = await start();
    await chat.waitForMessages(spaceId, 1, 30_000);

    chat.failNext({ spaceId, hang: true, afterPosting: true });
    const asked = chat.requests.length;
    for (let value = 4; value <= 5; value += 1) expect(await change(1, value)).toBe(true);
    await waitUntil('Chat hangs', () => chat.requests.slice(asked).some((request) => request.status === null), 30_000);
    await dealbell.end('SIGKILL');
    dealbell = await start();
    await chat.waitForMessages(spaceId, 4, 30_000);
    await dealbell.end('SIGKILL');
    dealbell = await start();
    await chat.waitForMessages(spaceId, 5, 30_000);
    await waitUntil(
      'nothing is owed',
      async () => (await api('GET', '/deliveries?state=sent', token)).body.items.length === 5,
      30_000,
    );

    expect(valuesIn(spaceId)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(chat.messages(spaceId).map((message) => message.requestId)).size).toBe(5);
    expect(chat.requestIdMismatch).toBe(0);
  }, 150_000);

  test('when it gets SIGTERM, then it ends within 10 s with code 0, and after a start nothing is sent again', async () => {
    const { spaceId, ruleId } = await channelFor(token, 'Drain');
    const before = chat.counts;
    for (let value = 10; value <= 12; value += 1) await change(2, value);
    await chat.waitForMessages(spaceId, 1, 20_000);

    const end = await deploy();
    await allIsSent(ruleId, 3);

    expect(end).toEqual({ code: 0, isInTime: true });
    expect(valuesIn(spaceId)).toEqual([10, 11, 12]);
    expect(chat.counts.replayed).toBe(before.replayed);
  }, 90_000);

  test('when it gets SIGTERM while Chat takes its time, then it waits for the answer, ends within 10 s, and after a start nothing is sent again', async () => {
    const { spaceId, ruleId } = await channelFor(token, 'Slow');
    const before = chat.counts;
    chat.failNext({ spaceId, delayMs: 7_500, afterPosting: true });
    for (let value = 15; value <= 17; value += 1) expect(await change(4, value)).toBe(true);
    await chat.waitForMessages(spaceId, 1, 20_000);

    const end = await deploy();
    await allIsSent(ruleId, 3);

    expect(end).toEqual({ code: 0, isInTime: true });
    expect(valuesIn(spaceId)).toEqual([15, 16, 17]);
    expect(chat.counts.replayed).toBe(before.replayed);
  }, 90_000);

  test('when it gets SIGTERM while Chat hangs, then it ends as soon, and after a start the very same message goes again and is shown once', async () => {
    const { spaceId, ruleId } = await channelFor(token, 'Hanging');
    const requests = () => chat.requests.filter((request) => request.spaceId === spaceId);
    chat.failNext({ spaceId, hang: true, afterPosting: true });
    for (let value = 20; value <= 22; value += 1) expect(await change(3, value)).toBe(true);
    await waitUntil('Chat hangs', () => requests().some((request) => request.status === null), 30_000);

    const end = await deploy();
    await allIsSent(ruleId, 3);

    const [cutOff, again] = requests();
    expect(end).toEqual({ code: 0, isInTime: true });
    expect([again?.requestId, again?.rawBody]).toEqual([cutOff?.requestId, cutOff?.rawBody]);
    expect(new Set(requests().map((request) => request.requestId)).size).toBe(requests().length - 1);
    expect(valuesIn(spaceId)).toEqual([20, 21, 22]);
  }, 90_000);

  test('when a second process starts on the same folder, then it says so in one line and the first goes on', async () => {
    const second = startProcess('main', { ...environment, PORT: String(await freePort()) });

    const code = await second.ended();

    expect(code).toBe(1);
    expect(second.output().trim().split('\n')).toHaveLength(1);
    expect(second.output()).toContain(dataDir);
    expect((await api('GET', '/health', null)).status).toBe(200);
  });
});

describe('starts that must not be', () => {
  const refusal = async (entry: Entry, changes: Readonly<Record<string, string>>): Promise<string> => {
    const fresh = mkdtempSync(join(tmpdir(), 'dealbell-refused-'));
    const { DATA_DIR: _without, ...rest } = environment;
    try {
      const refused = startProcess(entry, { ...rest, DATA_DIR: fresh, PORT: '0', ...changes });
      expect(await refused.ended()).toBe(1);
      return refused.output().trim();
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  };

  test.each(['web', 'worker'] as const)(
    'when %s has no database, then one line says that DATABASE_URL is required',
    async (entry) => {
      const said = await refusal(entry, {});

      expect(said.split('\n')).toHaveLength(1);
      expect(said).toContain('DATABASE_URL');
    },
    60_000,
  );

  test('when the schema is behind, then the command that mends it is named', async () => {
    const databaseUrl = await createEmptyDatabase();
    try {
      expect(await refusal('web', { DATABASE_URL: databaseUrl })).toContain('npm run migrate');
    } finally {
      await dropDatabase(databaseUrl);
    }
  });

  test('when variables are malformed, then each has its line and no secret is printed', async () => {
    const said = await refusal('main', {
      ...{
        DATABASE_URL: 'mysql://root:hunter2@db/x',
        REDIS_URL: 'hunter2',
        ENCRYPTION_KEYS: 'a:hunter2',
        SESSION_SECRET: 'hunter2',
      },
      ...{
        PORT: 'http',
        SETTLE_MS: '-1',
        LOG_LEVEL: 'loud',
        PIPEDRIVE_CLIENT_ID: '',
        GOOGLE_CHAT_ORIGIN: 'http://chat.example.com',
      },
    });

    const names = [
      'DATABASE_URL',
      'REDIS_URL',
      'ENCRYPTION_KEYS',
      'SESSION_SECRET',
      'PORT',
      'SETTLE_MS',
      'LOG_LEVEL',
      'PIPEDRIVE_CLIENT_ID',
    ];
    for (const name of names) expect(said.split('\n').filter((line) => line.trim().startsWith(name))).toHaveLength(1);
    expect(said).not.toContain('hunter2');
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain('    at ');
  });
});
