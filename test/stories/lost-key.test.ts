/** A destination whose sealed key cannot be opened, as when the installation's secret was changed: broken like one that refuses, and nothing is posted. */

import { makeSecretBox } from '../../src/platform/secret-box';
import { addRule, connectChannel, put, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

const REASON = 'Dealbell cannot read the key of this space. Replace its URL.';
const DEAL = 7_000_001;

// Before the database goes: such hooks run in the order in which they stand.
afterAll(() => world.close());
const testDatabase = useTestDatabase();
const query = (sql: string, ...values: unknown[]) => testDatabase.database.pool.query(sql, values);
let world: World;
let token: string;

beforeAll(async () => {
  world = await startWorld({
    databaseUrl: testDatabase.connectionString,
    sweepIntervalMs: 100,
    config: { firstProbeMs: 600_000, spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
    chat: { enforceQuota: false },
  });
  token = await world.install();
});

/** Each test has its own, and the rules go with them. */
beforeEach(async () => {
  for (const { id } of (await world.api('GET', '/chat-webhooks?limit=100', token)).body.items)
    await world.api('DELETE', `/chat-webhooks/${id}`, token);
});

/** As if another installation had sealed it; gives what puts it back. */
async function loseKey(channel: Channel): Promise<() => Promise<void>> {
  const { rows } = await query('SELECT tenant_id, sealed_credentials AS sealed FROM chat_webhooks WHERE id = $1', channel.id);
  const box = makeSecretBox([{ id: 'test', key: new Uint8Array(32).fill(8) }]);
  const seal = (sealed: string) => query('UPDATE chat_webhooks SET sealed_credentials = $2 WHERE id = $1', channel.id, sealed);
  await seal(await box.seal(rows[0].tenant_id, 'chat-webhook', { key: 'k', token: 't' }));
  return async () => {
    await seal(rows[0].sealed);
  };
}

async function win(title: string): Promise<void> {
  const data = { id: DEAL, title, status: 'won', value: 1, currency: 'EUR', owner_id: 12415001 };
  const answer = await postAs(world, rawWebhook('deal', 'change', DEAL, { data, previous: { status: 'open' } }));
  expect(answer).toMatchObject({ status: 200 });
}

const shown = async ({ id }: Channel) => (await world.api('GET', `/chat-webhooks/${id}`, token)).body;
const held = async ({ id }: Channel) => (await world.api('GET', `/deliveries?state=held&chatWebhookId=${id}`, token)).body.items;
const untilHeld = (channel: Channel, count: number) =>
  waitUntil(`${count} messages are held`, async () => (await held(channel)).length === count);
const requestsTo = ({ spaceId }: Channel) => world.chat.requests.filter((request) => request.spaceId === spaceId);
const titles = ({ spaceId }: Channel) =>
  world.chat.messages(spaceId).flatMap((message) => /Message \w+/.exec(visibleText(message)) ?? []);
const trial = ({ id }: Channel) => query('UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1', id);

test('when its key cannot be opened, then its messages are held and another space hears of it, and a trial lets them go in order once it opens again', async () => {
  const desk = await connectChannel(world, token, 'Desk');
  const channel = await connectChannel(world, token, 'Lost room');
  await addRule(world, token, 'deal.won', channel);
  const restore = await loseKey(channel);

  await win('Message one');
  await untilHeld(channel, 1);
  await win('Message two');
  await untilHeld(channel, 2);
  const stored = (
    await query('SELECT health, health_reason AS reason, health_cause AS cause FROM chat_webhooks WHERE id = $1', channel.id)
  ).rows;
  const reasons = (await held(channel)).map(({ reason }: { reason: string }) => reason);
  await waitUntil('the desk hears of it', () => world.chat.messages(desk.spaceId).length === 1);
  await trial(channel);
  await waitUntil('the trial in vain', async () => {
    const { rows } = await query(
      'SELECT probes, next_probe_at > now() AS "isLater" FROM chat_webhooks WHERE id = $1',
      channel.id,
    );
    return rows[0].probes === 1 && rows[0].isLater;
  });
  await untilHeld(channel, 2);
  const inVain = requestsTo(channel).length;
  const logs = (await query('SELECT FROM logs WHERE chat_webhook_id = $1', channel.id)).rows;
  await restore();
  await trial(channel);
  await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
  await ledgerAtRest(world, testDatabase.database.pool);
  const healed = (await query('SELECT health_cause AS cause FROM chat_webhooks WHERE id = $1', channel.id)).rows;

  expect(stored).toEqual([{ health: 'broken', reason: REASON, cause: 'keyLost' }]);
  expect(healed).toEqual([{ cause: null }]);
  expect(reasons).toEqual([expect.stringContaining(REASON), expect.stringContaining(REASON)]);
  expect(world.chat.messages(desk.spaceId).map(visibleText)[0]).toContain(REASON);
  expect([inVain, logs]).toEqual([0, []]);
  expect(titles(channel)).toEqual(['Message one', 'Message two']);
  expect(requestsTo(channel)).toHaveLength(2);
  expect(await shown(channel)).toMatchObject({ health: 'healthy', healthReason: null });
});

test('when it has a fallback, then its messages go there at once, and to itself again once a new URL is saved', async () => {
  const fallback = await connectChannel(world, token, 'Stand-in');
  const channel = await connectChannel(world, token, 'Lost room', { fallbackWebhookId: fallback.id });
  await addRule(world, token, 'deal.won', channel);
  await loseKey(channel);

  await win('Message one');
  await waitUntil('the fallback is told', () => titles(fallback).length === 1);
  await put(world, token, `/chat-webhooks/${channel.id}`, { url: world.chat.createWebhook(channel.spaceId, {}).url });
  await win('Message two');
  await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
  await ledgerAtRest(world, testDatabase.database.pool);

  expect([titles(fallback), titles(channel)]).toEqual([['Message one'], ['Message two']]);
  expect(world.chat.messages(fallback.spaceId).map(visibleText).join()).toContain('Meant for “Lost room”');
  expect(requestsTo(channel)).toHaveLength(1);
});

test('when a new URL is saved, then what was held meanwhile follows in order, but not what is too old by then', async () => {
  const channel = await connectChannel(world, token, 'Lost room', { holdHours: 2 });
  await addRule(world, token, 'deal.won', channel);
  await loseKey(channel);
  await win('Message old');
  await untilHeld(channel, 1);
  await query(`UPDATE deliveries SET waiting_since = now() - interval '2 hours 1 second' WHERE chat_webhook_id = $1`, channel.id);
  const dropped = async () => (await world.api('GET', `/deliveries?state=dropped&chatWebhookId=${channel.id}`, token)).body.items;
  await waitUntil('the old one is dropped', async () => (await dropped()).length === 1);
  await win('Message one');
  await win('Message two');
  await untilHeld(channel, 2);

  await put(world, token, `/chat-webhooks/${channel.id}`, { url: world.chat.createWebhook(channel.spaceId, {}).url });
  await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
  await ledgerAtRest(world, testDatabase.database.pool);

  expect(await dropped()).toMatchObject([{ reason: `Held for more than 2 hours. ${REASON}` }]);
  expect(titles(channel)).toEqual(['Message one', 'Message two']);
});
