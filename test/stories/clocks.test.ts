/** A clock that was ahead for a while, the database's or our own, and was set right: nothing waits for the lost time to come again. */

import { pino } from 'pino';
import { makeQueues } from '../../src/platform/queues';
import { addRule, connectChannel, put, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { createDatabase, dropDatabase, useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

const DAY_MS = 86_400_000;

describe('A clock that was set right', () => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;
  let aheadMs = 0;

  beforeAll(async () => {
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, sweepIntervalMs: 20, clock: () => new Date(Date.now() + aheadMs) },
      config: { refusalConfirmMs: 600, spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
      chat: { enforceQuota: false },
    });
    token = (await world.api('POST', '/api-keys', await world.install(), { name: 'Clock' })).body.key;
  });

  const listening = async (name: string, pipelineId: number, fields: object = {}): Promise<Channel> => {
    const channel = await connectChannel(world, token, name, { ...fields });
    await addRule(world, token, 'deal.won', channel, { filters: { pipelineIds: [pipelineId] } });
    return channel;
  };
  const win = async (id: number, title: string, pipelineId: number): Promise<void> => {
    const data = { id, title, status: 'won', value: 1, currency: 'EUR', pipeline_id: pipelineId };
    await postAs(world, rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } }));
  };
  /** Of what was told; the notice that another destination is broken goes to the same spaces. */
  const titles = ({ spaceId }: Channel) =>
    world.chat.messages(spaceId).flatMap((message) => /Message \w+/.exec(visibleText(message))?.[0] ?? []);
  const states = async (channel: Channel): Promise<readonly string[]> =>
    (await world.api('GET', `/deliveries?chatWebhookId=${channel.id}`, token)).body.items.map(
      (one: { state: string }) => one.state,
    );

  test('when slots, leases, retries and refusals of the ledger lie days ahead, then all is told soon, in order, and trials go on', async () => {
    const { pool } = testDatabase.database;
    const channel = await listening('Ahead', 1);
    world.chat.setOutage(channel.spaceId, 503);
    for (const title of ['Message one', 'Message two']) await win(1, title, 1);
    await waitUntil('it was tried', () => world.chat.requests.some(({ spaceId }) => spaceId === channel.spaceId));
    const broken = await listening('Broken', 2);
    world.chat.setOutage(broken.spaceId, 403);
    await win(2, 'Message held', 2);
    await waitUntil('it is held', async () => (await states(broken)).includes('held'));

    await pool.query(
      `UPDATE google_spaces SET next_slot_at = now() + interval '3 days', lease_until = now() + interval '3 days'`,
    );
    await pool.query(`UPDATE deliveries SET not_before = now() + interval '3 days' WHERE state IN ('queued', 'sending')`);
    await pool.query(
      `UPDATE chat_webhooks SET last_refusal_at = now() + interval '3 days', next_probe_at = now() + interval '3 days' WHERE id = $1`,
      [broken.id],
    );
    await pool.query(
      `UPDATE chat_webhooks SET health = 'doubtful', refusals = 1, last_refusal_at = now() + interval '3 days' WHERE id = $1`,
      [channel.id],
    );
    world.chat.setOutage(channel.spaceId, null);
    world.chat.setOutage(broken.spaceId, null);

    await waitUntil('all is told', () => titles(channel).length === 2 && titles(broken).length === 1);
    expect(titles(channel)).toEqual(['Message one', 'Message two']);
    expect(titles(broken)).toEqual(['Message held']);
  });

  test('when the clock of the ledger jumps three days ahead while Chat is away, then nothing is given up or dropped for its age', async () => {
    const { pool } = testDatabase.database;
    const [away, broken] = [await listening('Away', 4), await listening('Refusing', 5)];
    world.chat.setOutage(away.spaceId, 503);
    world.chat.setOutage(broken.spaceId, 403);
    await win(5, 'Message refused', 5);
    await waitUntil('one is held', async () => (await states(broken)).includes('held'));
    await win(4, 'Message away', 4);
    const attempts = () => world.chat.requests.filter(({ spaceId }) => spaceId === away.spaceId).length;
    await waitUntil('one is tried', () => attempts() > 0);

    await pool.query(`
      WITH looks AS (UPDATE heartbeats SET beat_at = beat_at - interval '3 days'),
           spaces AS (UPDATE google_spaces SET next_slot_at = next_slot_at - interval '3 days', due_at = due_at - interval '3 days')
      UPDATE deliveries SET waiting_since = waiting_since - interval '3 days', not_before = not_before - interval '3 days'`);
    const before = attempts();
    await waitUntil('it is tried again', () => attempts() > before);
    world.chat.setOutage(away.spaceId, null);
    world.chat.setOutage(broken.spaceId, null);
    await pool.query(`UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1`, [broken.id]);

    await waitUntil('both are told', () => titles(away).length === 1 && titles(broken).length === 1);
    expect([...titles(away), ...titles(broken)]).toEqual(['Message away', 'Message refused']);
  });

  test('when our own clock was a month ahead while a message was held for the night, then it is judged anew by the right time', async () => {
    const nights = { from: '00:00', to: '00:00', mode: 'hold' };
    const channel = await listening('Nights', 3, { timeZone: 'UTC', quietHours: nights });
    aheadMs = 30 * DAY_MS;
    await win(3, 'Message night', 3);
    await waitUntil('it is held', async () => (await states(channel)).includes('held'));

    aheadMs = 0;
    await waitUntil('it waits for a time that is near', async () => {
      const [held] = (await world.api('GET', `/deliveries?chatWebhookId=${channel.id}`, token)).body.items;
      return Date.parse(held.heldUntil) < Date.now() + 9 * DAY_MS;
    });
    await put(world, token, `/chat-webhooks/${channel.id}`, { quietHours: null });
    await ledgerAtRest(world, testDatabase.database.pool);
    await waitUntil('it is told', () => titles(channel).length === 1);

    expect(titles(channel)).toEqual(['Message night']);
  });

  test('when turns and leases of the reconciliation lie days ahead, then the next run comes all the same', async () => {
    const { pool } = testDatabase.database;
    const queues = makeQueues({ databaseUrl: testDatabase.connectionString, redisUrl: null, log: pino({ level: 'silent' }) });
    const upkeep = queues.queue('upkeep');
    /** Its bell rings as every minute, and until it is heard, since a bell may be lost. */
    const compared = (what: string) =>
      waitUntil(what, async () => {
        upkeep.ring('reconcile', { key: 'reconcile' });
        const { rows } = await pool.query<{ is_done: boolean; trouble: string | null }>(
          'SELECT last_finished_at IS NOT NULL AND lease_until IS NULL AS is_done, trouble FROM reconciliations',
        );
        expect(rows[0]?.trouble ?? null).toBeNull();
        return rows[0]?.is_done === true;
      });
    try {
      await world.api('POST', '/reconciliation', token);
      await compared('it has its turn');

      await pool.query(
        `UPDATE reconciliations SET next_run_at = now() + interval '3 days', lease_until = now() + interval '3 days', last_started_at = NULL, last_finished_at = NULL`,
      );
      await compared('it was compared again');
    } finally {
      await queues.close();
    }
  });
});

describeOnBackends('Upkeep that was scheduled by a clock that was ahead', (backend) => {
  test('when it is scheduled again by the right clock, then it comes at once', async () => {
    const databaseUrl = await createDatabase();
    const queues = makeQueues({ databaseUrl, redisUrl: backend.redisUrl(), log: pino({ level: 'silent' }) });
    const realNow = Date.now;
    try {
      const queue = queues.queue('upkeep-of-clocks');
      Date.now = () => realNow() + 3 * DAY_MS;
      await queue.schedule('every-second', '* * * * * *');
      Date.now = realNow;
      const heard: unknown[] = [];
      queue.hear((payload) => Promise.resolve(void heard.push(payload)), 1);

      await queue.schedule('every-second', '* * * * * *');
      await waitUntil('it comes', () => heard.length >= 2);

      expect(heard[0]).toEqual({ key: 'every-second' });
    } finally {
      Date.now = realNow;
      await queues.close();
      await dropDatabase(databaseUrl);
    }
  });
});
