/** `/logs`, `/events`, `/deliveries` and replays over HTTP, on a real database. */

import type { Decision } from '../../../src/core/decision';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { call } = api;
let destination: number;

beforeEach(async () => {
  destination = await api.addDestination();
});

async function addRule(name: string, eventType: string): Promise<number> {
  const { body } = await call('post', '/rules')
    .send({ name, eventType, targetWebhookIds: [destination] })
    .expect(201);
  return body.id;
}

async function addEvent({
  entityId = '7',
  decisions = [],
  ignoredReason = null,
  routed = true,
}: EventFields = {}): Promise<number> {
  const { rows } = await testDatabase.database.pool.query<{ id: string }>(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, ignored_reason, routed_at, transitions, decisions)
     VALUES ($1, 'deal', $2, 'change', gen_random_uuid(), now(), '{}', $3, CASE WHEN $4 THEN now() END, '{deal.won}', $5) RETURNING id`,
    [api.tenant.id, entityId, ignoredReason, routed, JSON.stringify(decisions)],
  );
  return Number(rows[0]?.id);
}

interface EventFields {
  entityId?: string;
  decisions?: Decision[];
  ignoredReason?: string | null;
  routed?: boolean;
}

async function addDelivery({
  eventId = 1,
  ruleId = 1,
  state = 'sent',
  body = null,
  chatWebhookId = destination,
}: DeliveryFields = {}): Promise<number> {
  const { rows } = await testDatabase.database.pool.query<{ id: string }>(
    `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, state, not_before, request_id, rendered_body)
     VALUES ($1, $2, $3, $4, 'AAAA', 'deal', '7', '{"type":"deal.won"}', '{}', now(), 'compact', $5, now(), gen_random_uuid(), $6) RETURNING id`,
    [api.tenant.id, eventId, ruleId, chatWebhookId, state, body],
  );
  return Number(rows[0]?.id);
}

interface DeliveryFields {
  eventId?: number;
  ruleId?: number;
  state?: string;
  body?: string | null;
  chatWebhookId?: number;
}

/** Deliveries 1 and 3 of one rule and 2 of another, held to be told by the message of the first. */
async function addFold(): Promise<{ readonly ids: readonly number[]; readonly ruleIds: readonly number[] }> {
  const ruleIds = [await addRule('Wins', 'deal.won'), await addRule('More wins', 'deal.won')];
  const ids = [];
  for (const [at, ruleId] of [...ruleIds, ruleIds[0] ?? 0].entries())
    ids.push(await addDelivery({ eventId: at + 1, ruleId, state: at === 0 ? 'held' : 'folded' }));
  const { pool } = testDatabase.database;
  await pool.query(`UPDATE deliveries SET fold_kind = 'backlog', held_because = 'paused' WHERE id = $1`, [ids[0]]);
  await pool.query(`UPDATE deliveries SET folded_into = $1, finished_at = now() WHERE id = ANY ($2)`, [ids[0], ids.slice(1)]);
  await pool.query(`UPDATE deliveries SET entity_id = '8' WHERE id = $1`, [ids[2]]);
  return { ids, ruleIds };
}

const UNTOLD = { state: 'dropped', foldedInto: null, toldBy: null, foldKind: null, finishedAt: expect.any(String) };

test('when a rule is removed of which a message of several tells, then that is shown as dropped and told by none', async () => {
  const { ids, ruleIds } = await addFold();

  await call('delete', `/rules/${ruleIds[0]}`).expect(204);

  const { items } = (await call('get', '/deliveries').expect(200)).body;
  const reason = 'the rule was removed';
  expect(items).toMatchObject([
    { id: ids[2], ...UNTOLD, reason },
    { id: ids[1], state: 'held', foldedInto: null, toldBy: null, foldKind: null, finishedAt: null },
    { id: ids[0], ...UNTOLD, reason },
  ]);
  expect((await call('get', '/deliveries?state=folded')).body.items).toEqual([]);
  expect((await call('get', '/deliveries?state=dropped')).body.items).toHaveLength(2);
});

test('when a record is muted of which a message of several tells, then that is shown as dropped and told by none', async () => {
  const { ids } = await addFold();

  await call('post', '/mutes').send({ entity: 'deal', entityId: '8' }).expect(201);

  const { items } = (await call('get', '/deliveries').expect(200)).body;
  expect(items).toMatchObject([
    { id: ids[2], ...UNTOLD, reason: 'The record was muted.' },
    { id: ids[1], state: 'folded', foldedInto: ids[0], toldBy: { deliveryId: ids[0], state: 'held' } },
    { id: ids[0], state: 'held', foldKind: 'backlog' },
  ]);
  const [audited] = (await call('get', '/audit').expect(200)).body.items;
  expect(audited).toMatchObject({ action: 'record.muted', changes: { dropped: 1 } });
});

test('when a rule is only switched off, then what waits of it is told all the same, alone or with others', async () => {
  const { ruleIds } = await addFold();
  await addDelivery({ eventId: 4, ruleId: ruleIds[0] ?? 0, state: 'queued' });
  const before = (await call('get', '/deliveries').expect(200)).body.items;

  await call('put', `/rules/${ruleIds[0]}`).send({ enabled: false }).expect(200);

  expect((await call('get', '/deliveries').expect(200)).body.items).toEqual(before);
});

test('when an event was decided, then each rule is listed with its reason in words, silent listeners of other kinds too', async () => {
  const won = await addRule('Wins', 'deal.won');
  const lost = await addRule('Losses', 'deal.lost');
  const id = await addEvent({ decisions: [{ ruleId: won, matched: true, code: 'matched' }] });

  const { body } = await call('get', '/events');

  expect(body.items).toEqual([
    expect.objectContaining({
      ...{ id, entity: 'deal', entityId: '7', action: 'change', transitions: ['deal.won'], ignoredReason: null },
      decisions: [
        { ruleId: won, ruleName: 'Wins', matched: true, reason: expect.any(String) },
        { ruleId: lost, ruleName: 'Losses', matched: false, reason: expect.stringMatching(/\w/) },
      ],
    }),
  ]);
});

test('when an event came before a rule, was ignored or is not routed yet, then that rule has no decision on it', async () => {
  await addEvent();
  await addEvent({ ignoredReason: 'v1' });
  await addEvent({ routed: false });
  await testDatabase.database.pool.query(`UPDATE events SET received_at = now() - interval '1 hour' WHERE tenant_id = $1`, [
    api.tenant.id,
  ]);
  await addRule('Wins', 'deal.won');

  const { body } = await call('get', '/events');

  expect(body.items.map((event: { decisions: unknown[] }) => event.decisions)).toEqual([[], [], []]);
});

test('when a rule was removed, then its decision still has words', async () => {
  await addEvent({ decisions: [{ ruleId: 99, matched: false, code: 'pipeline', actual: 3 }] });

  const { body } = await call('get', '/events');

  expect(body.items[0].decisions).toEqual([{ ruleId: 99, ruleName: 'removed rule', matched: false, reason: expect.any(String) }]);
});

test('when events of one record are asked for, then only its own come, newest first, in pages', async () => {
  const ids = [await addEvent(), await addEvent(), await addEvent()];
  await addEvent({ entityId: '8' });

  const first = await call('get', '/events?entity=deal&entityId=7&limit=2');
  const second = await call('get', `/events?entity=deal&entityId=7&limit=2&cursor=${first.body.nextCursor}`);

  expect(first.body.items.map((event: { id: number }) => event.id)).toEqual([ids[2], ids[1]]);
  expect(second.body).toMatchObject({ items: [{ id: ids[0] }], nextCursor: null });
});

test('when attempts are listed, then each shows its message as an object, and filters hold', async () => {
  const deliveryId = await addDelivery({ body: '{"fallbackText":"Deal won"}' });
  await addLog({ deliveryId, status: 'success', httpStatus: 200 });
  await addLog({ deliveryId, status: 'failure', httpStatus: 503 });
  const today = new Date().toISOString().slice(0, 10);

  const all = await call('get', `/logs?from=${today}&to=${today}&ruleId=1`);
  const failures = await call('get', '/logs?status=failure');
  const later = await call('get', '/logs?from=2999-01-01T00:00:00Z');

  expect(all.body.items).toHaveLength(2);
  expect(failures.body.items).toEqual([
    expect.objectContaining({
      ...{ ruleId: 1, deliveryId, eventId: 1, status: 'failure', httpStatus: 503, errorMessage: 'words' },
      payload: { fallbackText: 'Deal won' },
      createdAt: expect.any(String),
    }),
  ]);
  expect(later.body.items).toEqual([]);
});

test('when what a watch told is asked for, then only its own messages and attempts come, and only they are sent again', async () => {
  const ofWatch = await addDelivery({ ruleId: -9 });
  const ofOther = await addDelivery({ ruleId: -10 });
  const ofRule = await addDelivery({ ruleId: 9 });
  for (const [deliveryId, ruleId] of [[ofWatch, -9] as const, [ofOther, -10] as const, [ofRule, 9] as const])
    await addLog({ deliveryId, ruleId, status: 'success', httpStatus: 200 });

  const deliveries = await call('get', '/deliveries?watchId=9');
  const sent = await call('get', '/deliveries?watchId=9&state=sent');
  const attempts = await call('get', '/logs?watchId=9');
  const again = await call('post', '/deliveries/replay').send({ filter: { watchId: 9 } });

  expect(deliveries.body.items).toMatchObject([{ id: ofWatch, ruleId: null, watchId: 9 }]);
  expect(sent.body).toEqual(deliveries.body);
  expect(attempts.body.items).toMatchObject([{ deliveryId: ofWatch, ruleId: null, watchId: 9 }]);
  expect(again.body).toEqual({ queued: 1 });
  expect((await call('get', '/deliveries?state=queued')).body.items).toMatchObject([{ watchId: 9, replay: 1 }]);
});

test.each([
  '/logs?status=maybe',
  '/logs?ruleId=x',
  '/logs?ruleId=99999999999',
  '/logs?from=yesterday',
  '/logs?to=2026-13-01',
  '/events?entity=',
  '/events?entityId=%00',
  '/deliveries?state=lost',
  '/deliveries?from=1',
  '/deliveries?watchId=0',
  '/deliveries?watchId=1&ruleId=1',
  '/logs?watchId=1&ruleId=1',
])('when %s is asked for, then it is refused', async (path) => {
  await call('get', path).expect(422);
});

test('when a finished delivery is replayed, then a new message with a new request id is queued once and the bell rung', async () => {
  const id = await addDelivery({ state: 'failed' });
  const ringsBefore = api.rings.count;

  const dry = await call('post', `/deliveries/${id}/replay`).send({ dryRun: true });
  const first = await call('post', `/deliveries/${id}/replay`);
  const second = await call('post', `/deliveries/${id}/replay`);
  const { body } = await call('get', '/deliveries');

  expect([dry.status, dry.body]).toEqual([202, { queued: 0, wouldQueue: 1 }]);
  expect([first.status, first.body]).toEqual([202, { queued: 1 }]);
  expect([second.status, second.body]).toEqual([202, { queued: 0 }]);
  expect(body.items).toMatchObject([
    { state: 'queued', replay: 1, attempts: 0, eventType: 'deal.won' },
    { id, state: 'failed', replay: 0 },
  ]);
  expect(new Set(body.items.map((item: { requestId: string }) => item.requestId)).size).toBe(2);
  expect(api.rings.count).toBe(ringsBefore + 1);
});

test('when a replay that was sent is asked for again by the same filter, then nothing is told a third time', async () => {
  await addDelivery({ state: 'failed' });
  const request = { filter: { state: 'failed' } };

  const dry = await call('post', '/deliveries/replay').send({ ...request, dryRun: true });
  const first = await call('post', '/deliveries/replay').send(request);
  await testDatabase.database.pool.query(`UPDATE deliveries SET state = 'sent' WHERE tenant_id = $1 AND replay = 1`, [
    api.tenant.id,
  ]);
  const again = await call('post', '/deliveries/replay').send(request);

  expect(dry.body).toEqual({ queued: 0, wouldQueue: 1 });
  expect([first.body, again.body]).toEqual([{ queued: 1 }, { queued: 0 }]);
});

test('when what has failed since a moment is asked for, then what came before it and was given up after it is among that', async () => {
  const [long, recent, waiting] = [
    await addDelivery({ eventId: 1, state: 'failed' }),
    await addDelivery({ eventId: 2, state: 'failed' }),
    await addDelivery({ eventId: 3, state: 'held' }),
  ];
  const set = (columns: string, id: number) =>
    testDatabase.database.pool.query(`UPDATE deliveries SET ${columns} WHERE id = $1`, [id]);
  await set(`created_at = now() - interval '30 hours', finished_at = now() - interval '26 hours'`, long);
  await set(`created_at = now() - interval '30 hours', finished_at = now()`, recent);
  await set(`created_at = now() - interval '30 hours'`, waiting);
  const from = new Date(Date.now() - 24 * 3_600_000).toISOString();

  const listed = await call('get', `/deliveries?from=${from}`);
  const until = await call('get', `/deliveries?to=${from}`);
  const again = await call('post', '/deliveries/replay').send({ filter: { state: 'failed', from } });

  expect(listed.body.items.map(({ id }: { id: number }) => id)).toEqual([recent]);
  expect(until.body.items.map(({ id }: { id: number }) => id)).toEqual([waiting, long]);
  expect(again.body).toEqual({ queued: 1 });
  expect((await call('get', '/deliveries?state=queued')).body.items).toMatchObject([{ eventId: 2, replay: 1 }]);
});

test('when a replay bears an idempotency key, then it happens once however often it is asked for, and the key is good for nothing else', async () => {
  const id = await addDelivery({ state: 'sent' });
  const keyed = (path: string, key = 'again-1') => call('post', path).set('Idempotency-Key', key);
  const finish = () =>
    testDatabase.database.pool.query(`UPDATE deliveries SET state = 'sent' WHERE tenant_id = $1`, [api.tenant.id]);

  const atOnce = await Promise.all([1, 2, 3].map(() => keyed(`/deliveries/${id}/replay`)));
  await finish();
  const later = await keyed(`/deliveries/${id}/replay`);
  const other = await keyed('/deliveries/replay').send({ filter: { state: 'sent' } });
  const odd = await keyed(`/deliveries/${id}/replay`, 'k'.repeat(256));
  const fresh = await keyed(`/deliveries/${id}/replay`, 'again-2');

  expect([...atOnce, later].map(({ status, body }) => [status, body])).toEqual(Array(4).fill([202, { queued: 1 }]));
  expect([other.status, odd.status]).toEqual([422, 422]);
  expect(fresh.body).toEqual({ queued: 1 });
  expect((await call('get', '/deliveries')).body.items).toHaveLength(3);
});

test.each(['queued', 'sending', 'held'])('when a delivery is %s, then it is not replayed', async (state) => {
  const id = await addDelivery({ state });

  const answer = await call('post', `/deliveries/${id}/replay`);

  expect([answer.status, answer.body]).toEqual([202, { queued: 0 }]);
});

test('when its destination is gone, or it is another api.tenant’s, then a delivery cannot be replayed', async () => {
  const orphan = await addDelivery({ chatWebhookId: 999_999 });
  const other = await api.addTenant();

  await call('post', `/deliveries/${orphan}/replay`).expect(409);
  await call('post', `/deliveries/${orphan}/replay`, other).expect(404);
  await call('post', '/deliveries/9007199254740993/replay').expect(404);
  expect((await call('get', '/deliveries', other)).body.items).toEqual([]);
});

test('when deliveries are replayed by filter, then each is told once, and none that is still on its way', async () => {
  await addDelivery({ eventId: 1, state: 'failed' });
  await addDelivery({ eventId: 2, state: 'failed' });
  await addDelivery({ eventId: 3, state: 'sent' });
  await addDelivery({ eventId: 4, state: 'held' });

  const first = await call('post', '/deliveries/replay').send({ filter: { state: 'failed' } });
  const again = await call('post', '/deliveries/replay').send({ filter: { state: 'failed' } });
  const held = await call('post', '/deliveries/replay').send({
    filter: { state: 'held', ruleId: 1, chatWebhookId: destination },
  });

  expect([first.status, first.body]).toEqual([202, { queued: 2 }]);
  expect(again.body).toEqual({ queued: 0 });
  expect(held.body).toEqual({ queued: 0 });
  expect((await call('get', '/deliveries?state=queued')).body.items).toHaveLength(2);
});

test.each([
  {},
  { filter: {} },
  { filter: { state: 'nope' } },
  { filter: { from: 5 } },
  { filter: { ruleId: 1, watchId: 1 } },
  { filter: { state: 'sent' }, more: 1 },
  { state: 'sent' },
])('when a replay is asked for with %j, then it is refused', async (body) => {
  await call('post', '/deliveries/replay').send(body).expect(422);
});

async function addLog({
  deliveryId,
  ruleId = 1,
  status,
  httpStatus,
}: {
  deliveryId: number;
  ruleId?: number;
  status: string;
  httpStatus: number;
}): Promise<void> {
  await testDatabase.database.pool.query(
    `INSERT INTO logs (tenant_id, delivery_id, event_id, rule_id, chat_webhook_id, status, http_status, error_message, duration_ms)
     VALUES ($1, $2, 1, $6, $3, $4, $5, 'words', 12)`,
    [api.tenant.id, deliveryId, destination, status, httpStatus, ruleId],
  );
}
