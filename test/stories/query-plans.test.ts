/**
 * What Dealbell asks PostgreSQL costs by what is to be done, not by what has happened or waits elsewhere: none of the statements of a
 * working installation reads more than a batch of the tables that grow, and none sorts a backlog. The plans are those that ran.
 */

import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { makeHoldStore } from '../../src/delivery/hold.store';
import { openDatabase } from '../../src/platform/database';
import { makeRetentionStore } from '../../src/upkeep/retention.store';
import { ROUTE_LOCK } from '../../src/rules/routing.store';
import { seedHistory } from '../bench/seed-history';
import { OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, type Channel } from '../support/channel';
import { logPlans, type ExecutedPlan, type PlanLog } from '../support/executed-plans';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { createDatabase, dropDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

const HISTORY = 30_000;
/** Messages that wait in one space, and events of another tenant that nobody has routed. */
const BACKLOG = 3_000;
/** More than any batch; a small part of any backlog. */
const MOST_ROWS = 600;
const GROWING = ['events', 'deliveries', 'records', 'logs'];
const DEALS = 30;

describe('Statements over a long history and a backlog', () => {
  let databaseUrl: string;
  let pool: Pool;
  let plans: PlanLog | null;
  let world: World;

  beforeAll(async () => {
    databaseUrl = await createDatabase();
    plans = await logPlans(databaseUrl);
    pool = new Pool({ connectionString: databaseUrl, max: 2 });
    world = await startWorld({
      ...{ databaseUrl, sweepIntervalMs: 100, config: { spaceIntervalMs: 10, apiRateLimit: 1_000_000 } },
      chat: { enforceQuota: false },
    });
  });
  afterAll(async () => {
    await world.close();
    await pool.end();
    await dropDatabase(databaseUrl);
  });

  /** The statistics are those of a quiet night: what waits came after them, which is when plans go wrong. */
  async function fill(tenantId: number, otherTenantId: number, waitingSpaceId: string): Promise<void> {
    await seedHistory(databaseUrl, HISTORY);
    await pool.query(
      `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload)
       SELECT $1, 'deal', n::text, 'change', 'waits-' || n, now(), '{}' FROM generate_series(1, $2::int) n`,
      [otherTenantId, BACKLOG],
    );
    await pool.query(
      `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                               template_mode, not_before, request_id)
       SELECT $1, 1000000 + n, 1, w.id, w.space_id, 'deal', (900000 + n)::text, '{"type": "deal.won", "changes": []}', '{"title": "Waits"}', now(), 'compact',
              now(), gen_random_uuid()
         FROM chat_webhooks w, generate_series(1, $3::int) n WHERE w.space_id = $2`,
      [tenantId, waitingSpaceId, BACKLOG],
    );
    // What one message told for many, what was given up and what was dropped: all of them since.
    for (const [at, state] of ['folded', 'failed', 'dropped'].entries())
      await pool.query(
        `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                                 template_mode, not_before, request_id, state, folded_into, finished_at)
         SELECT $1, 4000000 + $4 * $3 + n, 1, w.id, w.space_id, 'deal', (700000 + n)::text, '{"type": "deal.won", "changes": []}', '{"title": "Past"}',
                now(), 'compact', now(), gen_random_uuid(), $5, CASE WHEN $5 = 'folded' THEN 1 + n % 60 END, now()
           FROM chat_webhooks w, generate_series(1, $3::int) n WHERE w.space_id = $2`,
        [tenantId, waitingSpaceId, BACKLOG, at, state],
      );
  }

  /** Its trial, by one of the messages that it holds, is due when `next_probe_at` says so. */
  async function breakHolding(count: number, tenantId: number, { id, spaceId }: Channel): Promise<void> {
    await pool.query(`UPDATE chat_webhooks SET health = 'broken', next_probe_at = now() + interval '1 hour' WHERE id = $1`, [id]);
    await pool.query(
      `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                               template_mode, not_before, request_id, state, held_because)
       SELECT $1, 2000000 + n, 1, $2, $3, 'deal', (800000 + n)::text, '{"type": "deal.won", "changes": []}', '{"title": "Held"}', now(), 'compact',
              now(), gen_random_uuid(), 'held', 'broken' FROM generate_series(1, $4::int) n`,
      [tenantId, id, spaceId, count],
    );
  }

  /** Takes the router's own lock; gives how to let go of it. */
  async function keepFromRouting(tenantId: number): Promise<() => Promise<void>> {
    const holder = new Client({ connectionString: databaseUrl });
    // If the test fails before, it ends with its database.
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock($1, $2)', [ROUTE_LOCK, tenantId]);
    return () => holder.end();
  }

  test('when there are no statistics yet, then what a clock that was set back left is looked for among what waits', async () => {
    const log = plans;
    if (log === null) return;
    await pool.query(
      `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                               template_mode, not_before, request_id, state)
       SELECT 1, 3000000 + n, 1, 1, 'SENT', 'deal', n::text, '{}', '{}', now(), 'compact', now(), gen_random_uuid(), 'sent'
         FROM generate_series(1, $1::int) n`,
      [BACKLOG],
    );
    const silent = pino({ level: 'silent' });
    const database = openDatabase({ connectionString: databaseUrl, log: silent, poolSize: 1 });
    log.take();

    await makeHoldStore({ pool: database.pool, clock: () => new Date(), log: silent }).tidy();

    const looks = log.take().filter(({ statement }) => statement.includes('created_at = now()'));
    await database.close();
    await pool.query(`DELETE FROM deliveries WHERE space_id = 'SENT'`);
    expect(looks.length).toBeGreaterThan(0);
    expect(looks.flatMap(tooDear)).toEqual([]);
  });

  test('when it works among all that, then no statement reads or sorts more than a batch', async () => {
    if (plans === null) {
      process.stderr.write('Plans left out: the log of the PostgreSQL server of TEST_DATABASE_URL cannot be read.\n');
      return;
    }
    const token = await world.install();
    await world.install(undefined, OTHER_COMPANY_ID);
    const [busy, calm, broken] = [
      await connectChannel(world, token, 'Busy', { fold: 'off' }),
      await connectChannel(world, token, 'Calm'),
      await connectChannel(world, token, 'Broken'),
    ];
    for (const type of ['deal.won', 'deal.stage_changed']) await addRule(world, token, type, calm, { settleMs: 50 });
    const { rows } = await pool.query<{ id: number }>('SELECT id FROM tenants ORDER BY id');
    const [ours = 0, theirs = 0] = rows.map(({ id }) => id);
    const letRoute = await keepFromRouting(theirs);
    await fill(ours, theirs, busy.spaceId);
    await breakHolding(1, ours, broken);
    // What was planned before there were statistics is over then.
    await world.dealbell.sweep();
    plans.take();
    await pool.query(`UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1`, [broken.id]);

    for (let deal = 1; deal <= DEALS; deal += 1) {
      const data = { id: deal, title: `Deal ${deal}`, status: 'won', value: 1, currency: 'EUR', stage_id: 12 };
      await postAs(world, rawWebhook('deal', 'change', deal, { data, previous: { status: 'open', stage_id: 11 } }));
    }
    await waitUntil('the calm space is told', () => world.chat.messages(calm.spaceId).length >= 1);
    await waitUntil('the busy space is told', () => world.chat.messages(busy.spaceId).length >= 20);
    await waitUntil('the broken destination was tried', () => world.chat.messages(broken.spaceId).length === 1);
    await world.dealbell.sweep();
    for (const path of [`/events?entity=deal&entityId=${DEALS}`, '/logs?status=failure', '/deliveries?state=failed'])
      expect((await world.api('GET', path, token)).status).toBe(200);
    const retention = makeRetentionStore(pool);
    for (const table of retention.tables) await retention.deleteChunk(table, 90, 500);
    await letRoute();
    await waitUntil('the other tenant is routed', async () => {
      const waiting = await pool.query('SELECT count(*)::int AS count FROM events WHERE routed_at IS NULL');
      return waiting.rows[0]?.count === 0;
    });

    const executed = plans
      .take()
      .filter(({ statement }) => !statement.includes('count(*)::int AS count FROM events WHERE routed_at'));
    expect(executed.length).toBeGreaterThan(100);
    expect([...new Set(executed.flatMap(tooDear))]).toEqual([]);
  });

  test('when a broken destination holds many messages and is quiet, then looking for one to try reads a batch, round after round', async () => {
    const log = plans;
    if (log === null) return;
    const token = await world.install();
    const quietHours = { from: '00:00', to: '00:00', mode: 'hold' };
    const asleep = await connectChannel(world, token, 'Asleep', { quietHours });
    const { rows } = await pool.query<{ tenant_id: number }>('SELECT tenant_id FROM chat_webhooks WHERE id = $1', [asleep.id]);
    await breakHolding(BACKLOG, rows[0]?.tenant_id ?? 0, asleep);
    await pool.query('ANALYZE deliveries');
    log.take();
    await pool.query('UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1', [asleep.id]);

    const looks: ExecutedPlan[] = [];
    await waitUntil('it was looked for twice', () => {
      looks.push(...log.take().filter(({ statement }) => statement.includes('trial.is_quiet')));
      return looks.length >= 2;
    });

    expect([...new Set(looks.flatMap(tooDear))]).toEqual([]);
  });
});

/** What is wrong with a plan, in words, with the beginning of its statement. */
function tooDear({ statement, nodes }: ExecutedPlan): readonly string[] {
  const text = statement.replace(/\s+/g, ' ').trim().slice(0, 300);
  return nodes.flatMap(({ type, relation, rowsRead }) => {
    const isGrowing = relation !== null && GROWING.includes(relation);
    const isTooDear = rowsRead > MOST_ROWS && (isGrowing || type.includes('Sort'));
    return isTooDear ? [`${type}${relation === null ? '' : ` of ${relation}`} reads ${rowsRead} rows: ${text}`] : [];
  });
}
