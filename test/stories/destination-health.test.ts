/** A destination that cannot take its messages: held, tried, sent elsewhere, let go in order, dropped in the end; and threads. */

import { makeDeliveryStore } from '../../src/delivery/delivery.store';
import { OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { RequestRecord } from '../fakes/google-chat/request-tally';
import { aClaimedDelivery } from '../support/builders';
import { addRule, closeSpace, connectChannel, openSpace, put, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { firstAdmin, startWorld, type World } from '../support/world';

const REFUSAL_CONFIRM_MS = 50;

// Before the database goes: such hooks run in the order in which they stand.
afterAll(() => world.close());
const testDatabase = useTestDatabase();
let world: World;
let token: string;
let lastId = 70_000;

beforeAll(async () => {
  world = await startWorld({
    databaseUrl: testDatabase.connectionString,
    sweepIntervalMs: 100,
    config: { refusalConfirmMs: REFUSAL_CONFIRM_MS, firstProbeMs: 600_000, spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
    chat: { enforceQuota: false },
  });
  token = await world.install();
});

/** A plan has room for so many destinations. */
beforeEach(async () => {
  for (const { id } of (await world.api('GET', '/chat-webhooks?limit=100', token)).body.items)
    await world.api('DELETE', `/chat-webhooks/${id}`, token);
});

const rest = () => ledgerAtRest(world, testDatabase.database.pool);

interface Audience {
  /** Wins a deal in the pipeline that only this audience hears of. */
  win(title: string, id?: number): Promise<void>;
}

async function audience(channels: readonly Channel[]): Promise<Audience> {
  const pipelineId = (lastId += 1);
  const [first] = channels;
  if (first === undefined) throw new Error('an audience has at least one channel');
  await addRule(world, token, 'deal.won', first, {
    filters: { pipelineIds: [pipelineId] },
    targetWebhookIds: channels.map(({ id }) => id),
  });
  return {
    async win(title, id = (lastId += 1)) {
      const data = { id, title, status: 'won', value: 1, currency: 'EUR', owner_id: 12415001, pipeline_id: pipelineId };
      const answer = await postAs(world, rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } }));
      expect(answer).toMatchObject({ status: 200 });
    },
  };
}

const requestsTo = (channel: Channel): readonly RequestRecord[] =>
  world.chat.requests.filter((request) => request.spaceId === channel.spaceId);
const titles = (channel: Channel): readonly string[] =>
  world.chat.messages(channel.spaceId).map((message) => /Message \w+/.exec(visibleText(message))?.[0] ?? '');
const shown = async (channel: Channel) => (await world.api('GET', `/chat-webhooks/${channel.id}`, token)).body;
const deliveriesOf = async (channel: Channel, state: string, as: string = token) =>
  (await world.api('GET', `/deliveries?state=${state}&chatWebhookId=${channel.id}`, as)).body.items;
const untilBroken = (channel: Channel) =>
  waitUntil('the destination is broken', async () => (await shown(channel)).health === 'broken');
const untilHeld = (channel: Channel, count: number) =>
  waitUntil(`${count} messages are held`, async () => (await deliveriesOf(channel, 'held')).length === count);

/** Breaks a channel by three refusals of one message. */
async function breakDown(channel: Channel, listeners: Audience, title: string, deal?: number): Promise<void> {
  world.chat.setOutage(channel.spaceId, 403);
  await listeners.win(title, deal);
  await untilBroken(channel);
}

test('when a test goes through, then what a broken destination held follows in order', async () => {
  const channel = await connectChannel(world, token, 'Healed by a test');
  const listeners = await audience([channel]);
  const deal = (lastId += 1);
  await breakDown(channel, listeners, 'Message one', deal);
  await listeners.win('Message two', deal);
  await untilHeld(channel, 2);

  const inVain = await world.api('POST', '/test', token, { chatWebhookId: channel.id });
  const stillBroken = await shown(channel);
  world.chat.setOutage(channel.spaceId, null);
  const good = await world.api('POST', '/test', token, { chatWebhookId: channel.id });
  await listeners.win('Message three', deal);
  await world.chat.waitForMessages(channel.spaceId, 4, 10_000);

  expect(inVain.body).toMatchObject({ status: 'failure', httpStatus: 403 });
  expect(stillBroken).toMatchObject({ health: 'broken', healthReason: expect.stringContaining('HTTP 403') });
  expect(good.body.status).toBe('success');
  expect(titles(channel).slice(1)).toEqual(['Message one', 'Message two', 'Message three']);
  expect(await shown(channel)).toMatchObject({ health: 'healthy', healthReason: null });
});

test('when a broken destination works again, then the trial of its oldest message finds out, and the others follow', async () => {
  const channel = await connectChannel(world, token, 'Healed by itself');
  const listeners = await audience([channel]);
  const deal = (lastId += 1);
  await breakDown(channel, listeners, 'Message one', deal);
  await listeners.win('Message two', deal);
  await untilHeld(channel, 2);
  const { pool } = testDatabase.database;
  const probe = () => pool.query('UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1', [channel.id]);

  const before = requestsTo(channel).length;
  await probe();
  await waitUntil('the trial in vain', () => requestsTo(channel).length === before + 1);
  await untilHeld(channel, 2);
  world.chat.setOutage(channel.spaceId, null);
  await probe();
  await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
  await rest();

  expect(titles(channel)).toEqual(['Message one', 'Message two']);
  expect(requestsTo(channel)).toHaveLength(before + 3);
  expect((await shown(channel)).health).toBe('healthy');
});

test('when a message was held for longer than its destination holds, then it is dropped with the reason, the younger ones are not', async () => {
  const channel = await connectChannel(world, token, 'Too old', { holdHours: 2 });
  const listeners = await audience([channel]);
  await breakDown(channel, listeners, 'Message old');
  await testDatabase.database.pool.query(
    `UPDATE deliveries SET waiting_since = now() - interval '2 hours 1 second' WHERE chat_webhook_id = $1`,
    [channel.id],
  );
  await listeners.win('Message young');
  await waitUntil('the old one is dropped', async () => (await deliveriesOf(channel, 'dropped')).length === 1);

  const [dropped] = await deliveriesOf(channel, 'dropped');
  expect(dropped.reason).toMatch(/^Held for more than 2 hours\. .*HTTP 403/);
  await untilHeld(channel, 1);
  world.chat.setOutage(channel.spaceId, null);
  await put(world, token, `/chat-webhooks/${channel.id}`, { url: world.chat.createWebhook(channel.spaceId, {}).url });
  await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
  await rest();
  expect(titles(channel)).toEqual(['Message young']);
});

test('when Google is away, then each space keeps retrying for its own hours: one message is given up with the reason, the other arrives', async () => {
  const short = await connectChannel(world, token, 'Gives up soon', { holdHours: 1 });
  const patient = await connectChannel(world, token, 'Patient', { holdHours: 72 });
  const listeners = await audience([short, patient]);
  for (const { spaceId } of [short, patient]) world.chat.setOutage(spaceId, 503);
  await listeners.win('Message owed');
  await waitUntil('both were tried', () => [short, patient].every((channel) => requestsTo(channel).length > 0));
  const spend = (channel: Channel, hours: number) =>
    testDatabase.database.pool.query(
      `UPDATE deliveries SET attempts = attempts + 20, waiting_since = now() - $2 * interval '1 hour' WHERE chat_webhook_id = $1`,
      [channel.id, hours],
    );
  await spend(short, 1);
  await spend(patient, 30);
  const before = requestsTo(patient).length;
  await waitUntil('one is given up', async () => (await deliveriesOf(short, 'failed')).length === 1);
  await waitUntil('the other is tried again', () => requestsTo(patient).length > before);
  world.chat.setOutage(patient.spaceId, null);
  await world.chat.waitForMessages(patient.spaceId, 1, 20_000);
  await rest();

  const [failed] = await deliveriesOf(short, 'failed');
  expect(failed.reason).toMatch(/^Not delivered within 1 hour; .*HTTP 503/);
  expect(titles(patient)).toEqual(['Message owed']);
});

test('when Chat has said “in a second” for hours, then the message that is meant by that arrives all the same', async () => {
  const channel = await connectChannel(world, token, 'Too many requests');
  const listeners = await audience([channel]);
  world.chat.failNext({ spaceId: channel.spaceId, status: 429, headers: { 'retry-after': '1' }, times: 2 });
  await listeners.win('Message patient');
  await waitUntil('it was tried', () => requestsTo(channel).length > 0);
  await testDatabase.database.pool.query(
    `UPDATE deliveries SET attempts = attempts + 80000, waiting_since = now() - interval '23 hours' WHERE chat_webhook_id = $1`,
    [channel.id],
  );
  await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
  await rest();

  expect(requestsTo(channel)).toHaveLength(3);
  expect(titles(channel)).toEqual(['Message patient']);
});

test('when a paused destination goes on, then what came meanwhile follows in order', async () => {
  const channel = await connectChannel(world, token, 'Paused');
  const listeners = await audience([channel]);
  await put(world, token, `/chat-webhooks/${channel.id}`, { paused: true });
  const deal = (lastId += 1);
  await listeners.win('Message one', deal);
  await listeners.win('Message two', deal);
  await untilHeld(channel, 2);
  const paused = await shown(channel);

  await put(world, token, `/chat-webhooks/${channel.id}`, { paused: false });
  await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
  await rest();

  expect(paused).toMatchObject({ health: 'paused', healthReason: expect.stringMatching(/paused/) });
  expect(titles(channel)).toEqual(['Message one', 'Message two']);
});

test('when a destination with a fallback breaks, then its messages go there, marked, once and in order, and not when it is told anyhow', async () => {
  const fallback = await connectChannel(world, token, 'Stand-in');
  const channel = await connectChannel(world, token, 'Big <deals>', { fallbackWebhookId: fallback.id });
  await put(world, token, `/chat-webhooks/${fallback.id}`, { fallbackWebhookId: channel.id });
  const listeners = await audience([channel]);
  const both = await audience([channel, fallback]);
  const deal = (lastId += 1);

  await breakDown(channel, listeners, 'Message one', deal);
  await listeners.win('Message two', deal);
  await both.win('Message both');
  const news = () => world.chat.messages(fallback.spaceId).filter((message) => visibleText(message).includes('Deal won'));
  await waitUntil('the fallback tells all', () => news().length === 3);
  await untilHeld(channel, 1);
  await rest();

  const [own, ...redirected] = [...news()].sort(
    (one, other) => Number(visibleText(one).includes('Meant for')) - Number(visibleText(other).includes('Meant for')),
  );
  expect(own === undefined ? '' : visibleText(own)).toContain('Message both');
  expect(redirected.map(visibleText)).toEqual([expect.stringContaining('Message one'), expect.stringContaining('Message two')]);
  for (const message of redirected) expect(visibleText(message)).toContain('Meant for “Big <deals>”');
  expect(await deliveriesOf(channel, 'sent')).toMatchObject([{ viaWebhookId: fallback.id }, { viaWebhookId: fallback.id }]);

  world.chat.setOutage(channel.spaceId, null);
  await put(world, token, `/chat-webhooks/${channel.id}`, { url: world.chat.createWebhook(channel.spaceId, {}).url });
  await listeners.win('Message three', deal);
  await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
  await rest();
  expect([...titles(channel)].sort()).toEqual(['Message both', 'Message three']);
  expect(news()).toHaveLength(3);
});

test.each([[['won', 'moved', 'won']], [['moved', 'won', 'won']]])(
  'when a message that tells %j meets a broken destination, then the fallback hears of each once, also of what it is told anyhow',
  async (kinds) => {
    const { pool } = testDatabase.database;
    const fallback = await connectChannel(world, token, 'Unfolded', { fold: 'off' });
    const channel = await connectChannel(world, token, 'Folded', { foldThreshold: 1, fallbackWebhookId: fallback.id });
    const pipelineIds = [(lastId += 1)];
    const targetWebhookIds = [channel.id, fallback.id];
    await addRule(world, token, 'deal.won', channel, { filters: { pipelineIds }, targetWebhookIds });
    await addRule(world, token, 'deal.stage_changed', channel, { filters: { pipelineIds } });
    world.chat.setOutage(channel.spaceId, 404);
    await closeSpace(pool, channel);

    for (const [index, kind] of kinds.entries()) {
      const id = (lastId += 1);
      const status = kind === 'won' ? 'won' : 'open';
      const data = {
        id,
        title: `Message number${index}`,
        status,
        stage_id: 12,
        value: 1,
        currency: 'EUR',
        pipeline_id: pipelineIds[0],
      };
      const previous = kind === 'won' ? { status: 'open' } : { stage_id: 11 };
      await postAs(world, rawWebhook('deal', 'change', id, { data, previous }));
    }
    await waitUntil('all are owed', async () => (await deliveriesOf(channel, 'queued')).length === 3);
    await openSpace(pool, channel);
    await untilBroken(channel);
    await untilHeld(channel, 2);
    await waitUntil('the fallback is told', () => titles(fallback).length >= 3);
    await rest();

    expect(requestsTo(channel)[0]?.rawBody).toContain('3 changes');
    expect([...titles(fallback)].filter((title) => title !== '').sort()).toEqual(
      kinds.map((_kind, index) => `Message number${index}`),
    );
    expect(await deliveriesOf(channel, 'folded')).toEqual([]);
  },
);

test.each([
  ['refuses it then', ''],
  ['is broken then', `UPDATE chat_webhooks SET health = 'broken', next_probe_at = now() + interval '1 hour' WHERE id = $1`],
])(
  'when a worker is killed while it posts and the destination %s, then the fallback is not told what may be shown, and it goes again as it was',
  async (_when, breaking) => {
    const { database } = testDatabase;
    const fallback = await connectChannel(world, token, 'Aside', { fold: 'off' });
    const channel = await connectChannel(world, token, 'Torn', { fold: 'off', fallbackWebhookId: fallback.id });
    const listeners = await audience([channel]);
    await closeSpace(database.pool, channel);
    await listeners.win('Message torn');
    await waitUntil('it is owed', async () => (await deliveriesOf(channel, 'queued')).length === 1);
    const requestId = await beginAttempt(channel, '{"text":"Message torn"}');
    await listeners.win('Message whole');
    await waitUntil('the next one is owed', async () => (await deliveriesOf(channel, 'queued')).length === 1);

    world.chat.setOutage(channel.spaceId, 403);
    if (breaking !== '') await database.pool.query(breaking, [channel.id]);
    await openSpace(database.pool, channel);
    await waitUntil('the fallback is told the next one', () => titles(fallback).includes('Message whole'));
    await untilHeld(channel, 1);
    world.chat.setOutage(channel.spaceId, null);
    await database.pool.query(`UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1`, [channel.id]);
    await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
    await rest();

    // The rest are notices.
    expect(titles(fallback).filter((title) => title !== '')).toEqual(['Message whole']);
    expect(titles(channel)).toEqual(['Message torn']);
    expect(new Set(requestsTo(channel).map((request) => request.requestId))).toEqual(new Set([requestId]));
  },
);

/** What a worker leaves that is killed between freezing the space's message and recording its attempt; gives the request id. */
async function beginAttempt({ id: channelId }: Channel, body: string): Promise<string> {
  const { database } = testDatabase;
  const { rows } = await database.pool.query<{ id: number; version: string; request_id: string }>(
    `SELECT id::float8 AS id, xmin::text AS version, request_id FROM deliveries WHERE chat_webhook_id = $1`,
    [channelId],
  );
  const [owed] = rows;
  if (owed === undefined) throw new Error('nothing is owed');
  const delivery = aClaimedDelivery({ id: owed.id, version: owed.version, renderedBody: null });
  expect(await makeDeliveryStore(database).freeze([{ delivery, body }])).toEqual([true]);
  return owed.request_id;
}

test.each([
  ['paused', 'UPDATE chat_webhooks SET paused = true WHERE id = $1'],
  ['broken', `UPDATE chat_webhooks SET health = 'broken', next_probe_at = now() + interval '1 hour' WHERE id = $1`],
])(
  'when a destination is %s and much is due there, then all of it is held at once, so that the others of its space need not wait',
  async (_state, closing) => {
    const { pool } = testDatabase.database;
    const channel = await connectChannel(world, token, 'Closed');
    const neighbour = await connectChannel(world, token, 'Neighbour', { spaceId: channel.spaceId });
    const [listeners, neighbours] = [await audience([channel]), await audience([neighbour])];
    await closeSpace(pool, channel);
    for (const number of [1, 2, 3, 4]) await listeners.win(`Message ${number}`);
    await neighbours.win('Message beside');
    await waitUntil('all is owed', async () => (await deliveriesOf(channel, 'queued')).length === 4);
    await pool.query(closing, [channel.id]);

    await openSpace(pool, channel);
    await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
    await untilHeld(channel, 4);
    await rest();

    const times = await pool.query(`SELECT DISTINCT waiting_since FROM deliveries WHERE chat_webhook_id = $1`, [channel.id]);
    expect(times.rows).toHaveLength(1);
    expect(titles(channel)).toContain('Message beside');
  },
);

test('when a destination breaks while a change may still be taken back, and that is, then it is not held to be told later', async () => {
  const channel = await connectChannel(world, token, 'Windows');
  const listeners = await audience([channel]);
  await addRule(world, token, 'deal.lost', channel, { settleMs: 60_000 });
  const deal = (lastId += 1);
  const change = (from: string, to: string) => {
    const data = { id: deal, title: 'Message lost', status: to, value: 1, currency: 'EUR', owner_id: 12415001, pipeline_id: 1 };
    return postAs(world, rawWebhook('deal', 'change', deal, { data, previous: { status: from } }));
  };
  await change('open', 'lost');
  await waitUntil('it is owed', async () => (await deliveriesOf(channel, 'queued')).length === 1);
  await breakDown(channel, listeners, 'Message one');

  await change('lost', 'open');
  await waitUntil('it is owed no more', async () => (await deliveriesOf(channel, 'queued')).length === 0);

  expect((await deliveriesOf(channel, 'held')).map(({ entityId }: { entityId: string }) => entityId)).not.toContain(String(deal));
  expect(await deliveriesOf(channel, 'dropped')).toHaveLength(1);
});

test('when the fallback breaks too, or is removed, then its guests wait and go to their own destination once that works', async () => {
  const fallback = await connectChannel(world, token, 'Broken stand-in');
  const channel = await connectChannel(world, token, 'Broken too', { fallbackWebhookId: fallback.id });
  const listeners = await audience([channel]);
  world.chat.setOutage(fallback.spaceId, 404);
  const deal = (lastId += 1);
  await breakDown(channel, listeners, 'Message one', deal);
  await listeners.win('Message two', deal);
  await untilBroken(fallback);
  await untilHeld(channel, 2);

  expect((await world.api('DELETE', `/chat-webhooks/${fallback.id}`, token)).status).toBe(204);
  world.chat.setOutage(channel.spaceId, null);
  await untilHeld(channel, 2);
  await world.api('POST', '/test', token, { chatWebhookId: channel.id });
  // The rest are the test and notices, which come when they can.
  const told = () => titles(channel).filter((title) => title !== '');
  await waitUntil('both are told', () => told().length >= 2);
  await rest();

  expect(told()).toEqual(['Message one', 'Message two']);
  expect(world.chat.messages(channel.spaceId).some((message) => visibleText(message).includes('Meant for'))).toBe(false);
});

test('when a URL is replaced while a refusal of the old one is under way, then the new one is not blamed and nothing is lost', async () => {
  const channel = await connectChannel(world, token, 'Replaced in flight');
  const listeners = await audience([channel]);
  const moved = world.chat.createSpace({ name: 'New home' });
  world.chat.failNext({ spaceId: channel.spaceId, status: 404, delayMs: 3_000 });
  await listeners.win('Message under', 1_000_001);
  await waitUntil('it is under way', async () => (await deliveriesOf(channel, 'sending')).length === 1);

  await put(world, token, `/chat-webhooks/${channel.id}`, { url: world.chat.createWebhook(moved.id, {}).url });
  await listeners.win('Message after', 1_000_001);
  await world.chat.waitForMessages(moved.id, 2, 10_000);
  await rest();

  expect(world.chat.messages(moved.id).map((message) => /Message \w+/.exec(visibleText(message))?.[0])).toEqual([
    'Message under',
    'Message after',
  ]);
  expect(await shown(channel)).toMatchObject({ health: 'healthy', spaceId: moved.id });
});

test('when Chat never names a message, then it is given up within bounds, and the next one goes', async () => {
  const channel = await connectChannel(world, token, 'Nameless');
  const listeners = await audience([channel]);
  await listeners.win('Message before');
  await rest();
  world.chat.failNext({ spaceId: channel.spaceId, status: 200, body: {}, times: 2 });
  await listeners.win('Message nameless');
  await waitUntil('the first attempt', async () =>
    (await deliveriesOf(channel, 'queued')).some((one: { attempts: number }) => one.attempts > 0),
  );
  await testDatabase.database.pool.query(`UPDATE deliveries SET uncertain = 5 WHERE chat_webhook_id = $1 AND state <> 'sent'`, [
    channel.id,
  ]);
  await listeners.win('Message next');
  await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
  await rest();

  expect(titles(channel)).toEqual(['Message before', 'Message next']);
  expect(await deliveriesOf(channel, 'failed')).toMatchObject([{ reason: expect.stringContaining('never named it') }]);
});

test.each([
  [200, '<h1>Welcome</h1>'],
  [407, '<h1>Proxy Authentication Required</h1>'],
])(
  'when something on the way answers %s for Chat again and again, then the message is tried on, the reason says what came, and it arrives',
  async (status, body) => {
    const channel = await connectChannel(world, token, `Behind a proxy that says ${status}`);
    const listeners = await audience([channel]);
    world.chat.failNext({ spaceId: channel.spaceId, status, body, times: 2 });
    await listeners.win('Message owed');
    await waitUntil('the first attempt', async () =>
      (await deliveriesOf(channel, 'queued')).some((one: { attempts: number }) => one.attempts > 0),
    );
    const [queued] = await deliveriesOf(channel, 'queued');
    await testDatabase.database.pool.query('UPDATE deliveries SET uncertain = 20 WHERE chat_webhook_id = $1', [channel.id]);
    await world.chat.waitForMessages(channel.spaceId, 1, 20_000);
    await rest();

    expect(queued.reason).toContain('a web page instead of Google Chat’s answer');
    expect(new Set(requestsTo(channel).map(({ requestId }) => requestId)).size).toBe(1);
    expect(requestsTo(channel)).toHaveLength(3);
    expect(titles(channel)).toEqual(['Message owed']);
  },
);

test('when Chat aborts a message as 409, then the same message goes again and arrives', async () => {
  const channel = await connectChannel(world, token, 'Aborted');
  const listeners = await audience([channel]);
  const error = { code: 409, message: 'The operation was aborted.', status: 'ABORTED' };
  world.chat.failNext({ spaceId: channel.spaceId, status: 409, body: { error } });
  await listeners.win('Message aborted');
  await world.chat.waitForMessages(channel.spaceId, 1, 20_000);
  await rest();

  expect(titles(channel)).toEqual(['Message aborted']);
  expect(new Set(requestsTo(channel).map(({ requestId }) => requestId)).size).toBe(1);
});

test('when destinations break and work again, then the tenant hears of it once each in another one, and never in the broken one', async () => {
  const otherToken = await world.install(undefined, OTHER_COMPANY_ID);
  const [desk, first, second] = [
    await connectChannel(world, otherToken, 'Desk'),
    await connectChannel(world, otherToken, 'First room'),
    await connectChannel(world, otherToken, 'Second room'),
  ];
  for (const channel of [first, second]) {
    await addRule(world, otherToken, 'deal.won', channel);
    world.chat.setOutage(channel.spaceId, 404);
  }
  const data = { id: 3_000_001, title: 'Message lost', status: 'won', value: 1, currency: 'EUR' };
  await postAs(world, rawWebhook('deal', 'change', 3_000_001, { data, previous: { status: 'open' } }), OTHER_COMPANY_ID);
  const notices = () => world.chat.messages(desk.spaceId).map(visibleText);
  const about = (words: string) => notices().filter((text) => text.includes(words));
  await waitUntil('both breaks are told', () => about('First room').length === 1 && about('Second room').length === 1);
  const { needsAttention } = (await world.api('GET', '/account', otherToken)).body;

  for (const channel of [first, second]) world.chat.setOutage(channel.spaceId, null);
  await world.api('POST', '/test', otherToken, { chatWebhookId: first.id });
  await world.api('POST', '/test', otherToken, { chatWebhookId: second.id });
  await waitUntil('both repairs are told', () => about('First room').length === 2 && about('Second room').length === 2);

  expect(notices().length).toBeLessThanOrEqual(4);
  const broken = { kind: 'destination', health: 'broken', reason: expect.stringContaining('HTTP 404'), held: 1 };
  expect(needsAttention).toMatchObject([
    { ...broken, chatWebhookId: first.id, name: 'First room' },
    { ...broken, chatWebhookId: second.id, name: 'Second room' },
  ]);
  expect((await world.api('GET', '/account', otherToken)).body.needsAttention).toEqual([]);
  expect(about('First room')[0]).toContain('HTTP 404');
  expect(about('First room')[1]).toContain('Works again');
  for (const channel of [first, second]) {
    await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
    expect(world.chat.messages(channel.spaceId).map(visibleText).join(' ')).not.toContain('do not arrive');
  }
});

test('when a company uninstalls and much of it is due in a space, then all of it is dropped at once, so that another company there need not wait', async () => {
  const { pool } = testDatabase.database;
  const otherToken = await world.install(undefined, OTHER_COMPANY_ID);
  const gone = await connectChannel(world, otherToken, 'Gone');
  const neighbour = await connectChannel(world, token, 'Stays', { spaceId: gone.spaceId });
  const neighbours = await audience([neighbour]);
  await addRule(world, otherToken, 'deal.won', gone);
  await closeSpace(pool, gone);
  for (const id of [3_100_001, 3_100_002, 3_100_003, 3_100_004]) {
    const data = { id, title: 'Message gone', status: 'won', value: 1, currency: 'EUR' };
    await postAs(world, rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } }), OTHER_COMPANY_ID);
  }
  await waitUntil('all is owed', async () => (await deliveriesOf(gone, 'queued', otherToken)).length === 4);
  await neighbours.win('Message beside');
  await waitUntil('that is owed too', async () => (await deliveriesOf(neighbour, 'queued')).length === 1);

  await world.pipedrive.uninstall(firstAdmin(world.pipedrive, OTHER_COMPANY_ID));
  await openSpace(pool, gone);
  await world.chat.waitForMessages(gone.spaceId, 1, 10_000);
  await rest();

  const { rows } = await pool.query(
    `SELECT state, state_reason, count(*)::int, count(DISTINCT finished_at)::int AS times FROM deliveries WHERE chat_webhook_id = $1 GROUP BY 1, 2`,
    [gone.id],
  );
  expect(rows).toEqual([
    { state: 'dropped', state_reason: 'Dealbell was uninstalled before it could be told.', count: 4, times: 1 },
  ]);
  expect(titles(gone)).toEqual(['Message beside']);
});

describe('Threads', () => {
  const threadKeys = (channel: Channel) =>
    requestsTo(channel).map(({ rawBody, query }) => [
      JSON.parse(rawBody).thread?.threadKey ?? null,
      query['messageReplyOption'] ?? null,
    ]);

  test('when threads are off, then no message names one; when they are per record, then a record’s messages share its thread', async () => {
    const off = await connectChannel(world, token, 'Flat');
    const on = await connectChannel(world, token, 'Threaded', { threads: 'perRecord' });
    const listeners = await audience([off, on]);

    await listeners.win('Message one', 2_000_001);
    await listeners.win('Message two', 2_000_002);
    await listeners.win('Message three', 2_000_001);
    await rest();

    const option = 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD';
    const [first, second, third] = threadKeys(on);
    expect(threadKeys(off)).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ]);
    expect([first?.[1], second?.[1], third?.[1]]).toEqual([option, option, option]);
    expect(first?.[0]).toMatch(/^pd-\d+-deal-2000001$/);
    expect(third).toEqual(first);
    expect(second?.[0]).not.toEqual(first?.[0]);
  });

  test('when a space cannot thread, then the card goes without, and later ones at once, until threads are switched on anew', async () => {
    const { id: spaceId } = world.chat.createSpace({ name: 'A chat of two', threading: 'unthreaded' });
    const channel = await connectChannel(world, token, 'A chat of two', { spaceId, threads: 'perRecord' });
    const listeners = await audience([channel]);

    await listeners.win('Message one');
    await world.chat.waitForMessages(spaceId, 1, 10_000);
    await rest();
    const remembered = await shown(channel);
    await listeners.win('Message two');
    await world.chat.waitForMessages(spaceId, 2, 10_000);
    await rest();

    expect(requestsTo(channel).map(({ status }) => status)).toEqual([400, 200, 200]);
    expect(requestsTo(channel)[1]?.rawBody).toContain('cardsV2');
    expect(remembered).toMatchObject({ threads: 'perRecord', threadingUnsupported: true, health: 'healthy' });
    await put(world, token, `/chat-webhooks/${channel.id}`, { threads: 'off' });
    await put(world, token, `/chat-webhooks/${channel.id}`, { threads: 'perRecord' });
    expect((await shown(channel)).threadingUnsupported).toBe(false);
  });

  test('when a threaded card is rejected for another reason, then plain text follows and threads stay on', async () => {
    const channel = await connectChannel(world, token, 'Odd card', { threads: 'perRecord' });
    const listeners = await audience([channel]);
    world.chat.failNext({ spaceId: channel.spaceId, status: 400, times: 2 });

    await listeners.win('Message plain');
    await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
    await rest();

    expect(requestsTo(channel).map(({ status }) => status)).toEqual([400, 400, 200]);
    expect(new Set(requestsTo(channel).map(({ requestId }) => requestId)).size).toBe(3);
    expect((await shown(channel)).threadingUnsupported).toBe(false);
  });
});
