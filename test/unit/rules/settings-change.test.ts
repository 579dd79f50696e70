/** Settings that are changed while a batch is routed: in PostgreSQL, through the API, in the very moment between the plan and its writing. */

import type { PoolClient } from 'pg';
import { pino } from 'pino';
import { makeRouteEvents, type RoutingStore } from '../../../src/rules/route-events';
import { makeRoutingStore } from '../../../src/rules/routing.store';
import { loadRules } from '../../../src/rules/rule.store';
import { aDealWebhook, at } from '../../support/builders';
import { useTestDatabase } from '../../support/test-database';
import { chatUrl, useApi } from '../../support/use-api';
import { waitUntil } from '../../support/wait-until';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { call } = api;
let space: number;
let rule: number;
const held = new Set<PoolClient>();

beforeEach(async () => {
  await testDatabase.database.pool.query('DELETE FROM events; DELETE FROM deliveries; DELETE FROM records');
  space = await api.addDestination();
  const wanted = { name: 'Moves', eventType: 'deal.stage_changed', targetWebhookIds: [space], settleMs: 60_000 };
  rule = (await call('post', '/rules').send(wanted).expect(201)).body.id;
  await query(`UPDATE rules SET enabled_at = 'epoch'`);
});

afterEach(() => {
  for (const client of held) client.release(true);
  held.clear();
});

const CHANGES: readonly [string, () => PromiseLike<unknown>, Awaited<ReturnType<typeof outcome>>][] = [
  ['the URL is replaced', () => replaceUrl().expect(200), { told: ['NEW'], codes: ['matched'] }],
  [
    'the destination is deleted',
    () => call('delete', `/chat-webhooks/${space}`).expect(204),
    { told: [], codes: ['noDestination'] },
  ],
  ['the rule is deleted', () => call('delete', `/rules/${rule}`).expect(204), { told: [], codes: [] }],
  ['the rule’s filter lets it through no more', () => changeRule({ pipelineIds: [9] }), { told: [], codes: ['pipeline'] }],
  [
    'the record is muted',
    () => call('post', '/mutes').send({ entity: 'deal', entityId: '8' }).expect(201),
    { told: [], codes: ['muted'] },
  ],
];

test.each(CHANGES)('when %s after a batch was planned, then it is planned anew by that', async (_, change, expected) => {
  await comesIn(0, 11, 12);
  const records = await hold('LOCK TABLE records IN SHARE MODE');
  const routing = route();
  await untilWaiting(1);

  await change();
  await records.end();
  await routing.done;

  expect(await outcome()).toEqual(expected);
});

test('when a watch ends after a batch was planned, then that batch tells it no more', async () => {
  await call('delete', `/rules/${rule}`).expect(204);
  const watched = { entity: 'deal', entityId: '8', chatWebhookId: space };
  const { body } = await call('post', '/watches').send(watched).expect(201);
  await query(`UPDATE watches SET created_at = 'epoch'`);
  await comesIn(0, 11, 12);
  const records = await hold('LOCK TABLE records IN SHARE MODE');
  const routing = route();
  await untilWaiting(1);

  await call('delete', `/watches/${body.id}`).expect(204);
  await records.end();
  await routing.done;

  expect(await outcome()).toMatchObject({ told: [] });
});

test('when a change is under way, then a batch waits until it is done', async () => {
  await comesIn(0, 11, 12);
  const spaces = await hold('LOCK TABLE chat_webhooks IN SHARE MODE');
  const changed = replaceUrl().then(({ status }) => status);
  await untilWaiting(1);
  const routing = route();
  await waitUntil('it was looked at again', () => routing.batches() >= 3);
  expect(await outcome()).toEqual({ told: [], codes: [] });

  await spaces.end();

  expect(await changed).toBe(200);
  await routing.done;
  expect(await outcome()).toEqual({ told: ['NEW'], codes: ['matched'] });
});

test('when a change is under way and comes to nothing, then a batch is told as it was planned', async () => {
  await comesIn(0, 11, 12);
  const change = await hold('UPDATE tenants SET rules_version = rules_version + 1');
  const routing = route();
  await waitUntil('it was looked at again', () => routing.batches() >= 3);

  await change.end('ROLLBACK');

  await routing.done;
  expect(await outcome()).toEqual({ told: ['AAAA'], codes: ['matched'] });
});

test('when a change takes longer than a job may, then the job ends and another one is rung for', async () => {
  await comesIn(0, 11, 12);
  const change = await hold('UPDATE tenants SET rules_version = rules_version + 1');
  const routing = route();
  await waitUntil('it was looked at again', () => routing.batches() >= 3);

  routing.passTime(60_000);

  await routing.done;
  expect(routing.rings()).toBe(1);
  await change.end();
  expect(await outcome()).toEqual({ told: [], codes: [] });
});

test('when an account is erased after a batch was planned, then nothing of it is written and nothing is waited for', async () => {
  await comesIn(0, 11, 12);
  const records = await hold('LOCK TABLE records IN SHARE MODE');
  const routing = route();
  await untilWaiting(1);
  await query('DELETE FROM tenants WHERE id = $1', api.tenant.id);

  await records.end();

  await routing.done;
  expect(routing.batches()).toBe(2);
  expect(await outcome()).toEqual({ told: [], codes: [] });
});

test('when settings do not change, then a batch is planned once', async () => {
  await comesIn(0, 11, 12);
  const routing = route();

  await routing.done;

  expect(routing.batches()).toBe(1);
});

test('when a change waits for a message that a batch is to tell anew, then the batch gives way', async () => {
  await comesIn(0, 11, 12);
  await route().done;
  await comesIn(1000, 12, 13);
  const records = await hold('LOCK TABLE records IN SHARE MODE');
  const routing = route();
  await untilWaiting(1);
  const muted = call('post', '/mutes')
    .send({ entity: 'deal', entityId: '8' })
    .expect(201)
    .then(() => true);
  await untilWaiting(2);

  await records.end();

  expect(await muted).toBe(true);
  await routing.done;
  expect(await outcome()).toEqual({ told: [], codes: ['matched', 'muted'] });
});

const query = (sql: string, ...values: readonly unknown[]) => testDatabase.database.pool.query(sql, [...values]);

const replaceUrl = () => call('put', `/chat-webhooks/${space}`).send({ url: chatUrl('NEW') });
const changeRule = (filters: object) => call('put', `/rules/${rule}`).send({ filters }).expect(200);

/** An event that moves deal 8. */
async function comesIn(ms: number, from: number, to: number): Promise<void> {
  const { body } = aDealWebhook({ atMs: ms, previous: { stage_id: from }, data: { stage_id: to } });
  await query(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload)
     VALUES ($1, 'deal', '8', 'change', $2, $3, $3, $4)`,
    ...[api.tenant.id, `event ${ms}`, at(ms), body],
  );
}

/** Routes what has come in, as long as time does not pass. */
function route(): { readonly done: Promise<void>; batches(): number; rings(): number; passTime(ms: number): void } {
  const made = makeRoutingStore(testDatabase.database, loadRules);
  let nowMs = 0;
  let begun = 0;
  let rings = 0;
  const store: RoutingStore = {
    ...made,
    inTransaction(work) {
      begun += 1;
      return made.inTransaction(work);
    },
  };
  const routeEvents = makeRouteEvents({
    store,
    bell: { ringRoute: () => void (rings += 1), ringDeliver: () => undefined },
    log: pino({ level: 'silent' }),
    settleMs: 1500,
    nowMs: () => nowMs,
    refreshRates: () => Promise.resolve(false),
    refreshStages: () => Promise.resolve(false),
  });
  return {
    done: routeEvents(api.tenant.id),
    batches: () => begun,
    rings: () => rings,
    passTime: (ms) => void (nowMs += ms),
  };
}

/** What a transaction of another connection holds. */
async function hold(statement: string): Promise<{ end(how?: 'COMMIT' | 'ROLLBACK'): Promise<void> }> {
  const client: PoolClient = await testDatabase.database.pool.connect();
  held.add(client);
  await client.query('BEGIN');
  await client.query(statement);
  return {
    async end(how = 'COMMIT') {
      held.delete(client);
      await client.query(how);
      client.release();
    },
  };
}

/** Until so many statements wait for locks of others. */
async function untilWaiting(count: number): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await waitUntil(`${count} wait for a lock`, async () => (await query(waiting)).rows.length === count);
}

/** Spaces of what is told, and what the decisions on the events say, in order. */
async function outcome(): Promise<{ told: string[]; codes: string[] }> {
  const told = await query(
    `SELECT space_id FROM deliveries WHERE tenant_id = $1 AND state <> 'dropped' ORDER BY id`,
    api.tenant.id,
  );
  const events = await query('SELECT decisions FROM events WHERE tenant_id = $1 ORDER BY id', api.tenant.id);
  return {
    told: told.rows.map((row) => row.space_id),
    codes: events.rows.flatMap(({ decisions }) => (decisions ?? []).map(({ code }: { code: string }) => code)),
  };
}
