/** Intake while the database or Redis is away: 503 without the one, no delay and no loss without the other. */

import { startBreakableProxy, type BreakableProxy } from '../support/breakable-proxy';
import { addRule, connectChannel, type Channel } from '../support/channel';
import { freePort } from '../support/free-port';
import { describeWithRedis } from '../support/queue-backends';
import { postAs, rawWebhook, type RawWebhook } from '../support/raw-webhook';
import { createDatabase, dropDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

/** What the bell may cost at most, and what a busy machine adds; who waits for Redis waits for seconds. */
const BELL_LIMIT_MS = 250;
const MACHINE_SLACK_MS = 1_000;
/** Pipedrive counts a webhook as failed then. */
const PIPEDRIVE_PATIENCE_MS = 10_000;

const won = (id: number): RawWebhook =>
  rawWebhook('deal', 'change', id, {
    data: { id, title: `Deal ${id}`, status: 'won', value: 1, currency: 'EUR' },
    previous: { status: 'open' },
  });

/** A world with a database of its own, a space and a rule. */
async function withWorld(
  redisUrl: string | null,
  use: (place: { world: World; channel: Channel; token: string; database: BreakableProxy }) => Promise<void>,
): Promise<void> {
  const connectionString = await createDatabase();
  const { hostname, port } = new URL(connectionString);
  const database = await startBreakableProxy({ host: hostname, port: Number(port) });
  const through = new URL(connectionString);
  through.port = String(database.port);
  const world = await startWorld({ databaseUrl: through.href, redisUrl });
  try {
    const token = await world.install();
    const channel = await connectChannel(world, token, 'Wins');
    await addRule(world, token, 'deal.won', channel);
    await use({ world, channel, token, database });
  } finally {
    await world.close();
    await database.close();
    await dropDatabase(connectionString);
  }
}

/** After `breakIt` a webhook is answered in time and its message arrives. */
async function expectInTime(redisUrl: string, breakIt: () => void): Promise<void> {
  await withWorld(redisUrl, async ({ world, channel }) => {
    await postAs(world, won(1));
    breakIt();

    const startedAtMs = performance.now();
    const answer = await postAs(world, won(2));
    const tookMs = performance.now() - startedAtMs;
    await world.chat.waitForMessages(channel.spaceId, 2, 10_000);

    expect(answer).toEqual({ status: 200, body: '{"status":"accepted"}' });
    expect(tookMs).toBeLessThan(BELL_LIMIT_MS + MACHINE_SLACK_MS);
  });
}

test('when the database is away, then it is 503, and when it is back, the same webhook is taken and told', async () => {
  await withWorld(null, async ({ world, channel, database }) => {
    await postAs(world, won(1));

    database.set('refuse');
    const away = await postAs(world, won(2));
    database.set('through');
    const body = won(3);
    await waitUntil('the database is back', async () => (await postAs(world, body)).status === 200);
    await world.chat.waitForMessages(channel.spaceId, 2, 15_000);

    expect(away.status).toBe(503);
  });
});

test('when the database hangs, then it is 503 before Pipedrive gives up, and the same webhook is taken when it answers again', async () => {
  await withWorld(null, async ({ world, channel, database }) => {
    await postAs(world, won(1));

    database.set('hang');
    const startedAtMs = performance.now();
    const hanging = await postAs(world, won(2));
    const tookMs = performance.now() - startedAtMs;
    database.set('through');
    await waitUntil('the database is back', async () => (await postAs(world, won(2))).status === 200);
    await world.chat.waitForMessages(channel.spaceId, 2, 15_000);

    expect(hanging.status).toBe(503);
    expect(tookMs).toBeLessThan(PIPEDRIVE_PATIENCE_MS);
  });
});

test('when Redis is away at the start, then intake answers in time and the sweep delivers', async () => {
  await expectInTime(`redis://127.0.0.1:${await freePort()}`, () => undefined);
});

describeWithRedis('when Redis goes away later', (redisUrl) => {
  test.each(['refuse', 'hang'] as const)('by %s, then intake answers in time and the sweep delivers', async (mode) => {
    const redis = await startBreakableProxy({ host: '127.0.0.1', port: Number(new URL(redisUrl()).port) });
    try {
      await expectInTime(`redis://127.0.0.1:${redis.port}`, () => redis.set(mode));
    } finally {
      await redis.close();
    }
  });
});
