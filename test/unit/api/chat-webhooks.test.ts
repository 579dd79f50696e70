/** `/chat-webhooks` over HTTP, on a real database. */

import { useTestDatabase } from '../../support/test-database';
import { chatUrl, useApi } from '../../support/use-api';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { call } = api;

const ALL_DAY = { from: '00:00', to: '00:00' };
const NIGHTS = { from: '20:00', to: '08:00', mode: 'hold' };

test('when a destination is connected, then all its fields are kept and its URL is shown nowhere', async () => {
  const fields = {
    name: 'Sales',
    timeZone: 'Europe/Tallinn',
    locale: 'et_EE',
    threads: 'perRecord',
    fold: 'off',
    foldThreshold: 25,
    quietHours: { from: '20:00', to: '08:00', days: ['mon', 'fri'], businessDays: ['mon', 'fri'], mode: 'hold' },
    paused: true,
  };

  const made = await call('post', '/chat-webhooks').send({ ...fields, url: chatUrl('BBBB') });
  const read = await call('get', `/chat-webhooks/${made.body.id}`);
  const listed = await call('get', '/chat-webhooks');

  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ ...fields, id: expect.any(Number), spaceId: 'BBBB', health: 'paused' });
  expect(made.body.healthReason).toMatch(/paused/);
  expect(read.body).toEqual(made.body);
  expect(listed.body).toEqual({ items: [made.body], nextCursor: null });
  expect(made.text).not.toMatch(/AIzaSecret|tok\d/);
});

test('when only a name and a URL are given, then the rest has its defaults', async () => {
  const { body } = await call('post', '/chat-webhooks').send({ name: '  Sales ', url: chatUrl() });

  expect(body).toMatchObject({
    name: 'Sales',
    health: 'healthy',
    paused: false,
    threads: 'off',
    fold: 'auto',
    foldThreshold: null,
    timeZone: null,
    quietHours: null,
  });
});

test.each([
  ['no URL', { name: 'x' }, 'url'],
  ['no name', { url: chatUrl() }, 'name'],
  ['an empty name', { name: '  ', url: chatUrl() }, 'name'],
  ['a long name', { name: 'x'.repeat(101), url: chatUrl() }, 'name'],
  ['another site', { name: 'x', url: 'https://example.com/v1/spaces/A/messages?key=a&token=b' }, 'url'],
  ['an unknown field', { name: 'x', url: chatUrl(), colour: 'red' }, 'colour'],
  ['an unknown zone', { name: 'x', url: chatUrl(), timeZone: 'Mars/Olympus' }, 'timeZone'],
  ['an offset for a zone', { name: 'x', url: chatUrl(), timeZone: '+01:00' }, 'timeZone'],
  ['an unknown locale', { name: 'x', url: chatUrl(), locale: 'no_such_locale_at_all' }, 'locale'],
  ['bad quiet hours', { name: 'x', url: chatUrl(), quietHours: { from: '25:00', to: '08:00', mode: 'hold' } }, 'quietHours.from'],
  ['no business day', { name: 'x', url: chatUrl(), quietHours: { ...NIGHTS, businessDays: [] } }, 'quietHours.businessDays'],
  [
    'an unknown day',
    { name: 'x', url: chatUrl(), quietHours: { ...NIGHTS, businessDays: ['monday'] } },
    'quietHours.businessDays.0',
  ],
  ['a threshold of nothing', { name: 'x', url: chatUrl(), foldThreshold: 0 }, 'foldThreshold'],
  ['half a threshold', { name: 'x', url: chatUrl(), foldThreshold: 2.5 }, 'foldThreshold'],
  ['an unknown policy', { name: 'x', url: chatUrl(), threads: 'always' }, 'threads'],
  ['a NUL character', { name: 'a\0b', url: chatUrl() }, 'name'],
  ['half a surrogate pair', { name: 'a\ud800b', url: chatUrl() }, 'name'],
])('when a destination has %s, then it is refused at that field', async (_, body, path) => {
  const answer = await call('post', '/chat-webhooks').send(body);

  expect(answer.status).toBe(422);
  expect(answer.type).toBe('application/problem+json');
  expect(answer.body).toMatchObject({ status: 422, title: expect.any(String), detail: expect.any(String) });
  expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
});

test.each([
  ['hold every day', { ...ALL_DAY, mode: 'hold' }, true],
  ['hold on its only business day', { ...ALL_DAY, days: ['mon', 'tue'], businessDays: ['mon'], mode: 'hold' }, true],
  ['drop every day', { ...ALL_DAY, mode: 'drop' }, false],
  ['hold on some days', { ...ALL_DAY, days: ['sat', 'sun'], mode: 'hold' }, false],
])(
  'when whole quiet days %s, then that needs attention only where what waits would wait for ever',
  async (_what, quietHours, needsIt) => {
    const { status, body } = await call('post', '/chat-webhooks').send({ name: 'Asleep', url: chatUrl(), quietHours });

    const { needsAttention } = (await call('get', '/account')).body;

    expect([status, body.quietHours]).toEqual([201, quietHours]);
    const need = { kind: 'quietForEver', chatWebhookId: body.id, name: 'Asleep' };
    expect(needsAttention.filter(({ kind }: { kind: string }) => kind === 'quietForEver')).toEqual(needsIt ? [need] : []);
  },
);

test('when one URL is connected twice, then it is refused, but not to another tenant', async () => {
  const url = chatUrl();
  await api.addDestination({ url });
  const other = await api.addTenant();

  const again = await call('post', '/chat-webhooks').send({ name: 'Again', url });

  expect(again.status).toBe(422);
  expect(again.body.errors).toEqual([{ path: 'url', message: 'This webhook is connected already, as “Sales”.' }]);
  await api.addDestination({ url }, other);
});

test('when a broken destination gets a new URL, then it is healthy and what was held goes to the new space', async () => {
  const id = await api.addDestination();
  const { pool } = testDatabase.database;
  await pool.query(`UPDATE chat_webhooks SET health = 'broken', health_reason = 'gone', refusals = 3 WHERE id = $1`, [id]);
  await addDelivery(id, 'held');
  await pool.query(`UPDATE deliveries SET held_because = 'broken' WHERE chat_webhook_id = $1`, [id]);

  const broken = await call('get', `/chat-webhooks/${id}`);
  const repaired = await call('put', `/chat-webhooks/${id}`).send({ url: chatUrl('NEW1') });

  expect(broken.body).toMatchObject({ health: 'broken', healthReason: 'gone' });
  expect(repaired.body).toMatchObject({ health: 'healthy', healthReason: null, spaceId: 'NEW1', name: 'Sales' });
  const { rows } = await pool.query('SELECT state, space_id FROM deliveries WHERE chat_webhook_id = $1', [id]);
  expect(rows).toEqual([{ state: 'queued', space_id: 'NEW1' }]);
});

test('when a fallback is set, then it must be another destination of the api.tenant’s own, and goes when that is removed', async () => {
  const fallback = await api.addDestination({ url: chatUrl() });
  const foreign = await api.addDestination({ url: chatUrl() }, await api.addTenant());
  const id = await api.addDestination({ url: chatUrl(), fallbackWebhookId: fallback, holdHours: 48 });
  const set = (fields: object) => call('put', `/chat-webhooks/${id}`).send(fields);

  const refused = [await set({ fallbackWebhookId: id }), await set({ fallbackWebhookId: foreign }), await set({ holdHours: 0 })];
  const before = await call('get', `/chat-webhooks/${id}`);
  await call('delete', `/chat-webhooks/${fallback}`).expect(204);
  const after = await call('get', `/chat-webhooks/${id}`);

  expect(refused.map(({ status }) => status)).toEqual([422, 422, 422]);
  expect(refused[1]?.body.errors).toEqual([{ path: 'fallbackWebhookId', message: 'There is no Chat webhook of this id.' }]);
  expect(before.body).toMatchObject({ fallbackWebhookId: fallback, holdHours: 48 });
  expect(after.body).toMatchObject({ fallbackWebhookId: null, holdHours: 48 });
});

test('when a destination is changed, then only the given fields change and the routers are told', async () => {
  const id = await api.addDestination({ timeZone: 'Europe/Berlin', locale: 'de' });
  const versionBefore = await rulesVersion();

  const { body } = await call('put', `/chat-webhooks/${id}`).send({ name: 'Renamed', timeZone: null }).expect(200);

  expect(body).toMatchObject({ name: 'Renamed', timeZone: null, locale: 'de' });
  expect(await rulesVersion()).toBeGreaterThan(versionBefore);
});

test('when a destination is removed, then it leaves its rules and what it owed is dropped with the reason', async () => {
  const id = await api.addDestination();
  const kept = await api.addDestination();
  const rule = await call('post', '/rules').send({ name: 'r', eventType: 'deal.won', targetWebhookIds: [id, kept] });
  await addDelivery(id, 'queued');

  await call('delete', `/chat-webhooks/${id}`).expect(204);

  await call('get', `/chat-webhooks/${id}`).expect(404);
  await call('delete', `/chat-webhooks/${id}`).expect(404);
  expect((await call('get', `/rules/${rule.body.id}`)).body.targetWebhookIds).toEqual([kept]);
  const { rows } = await testDatabase.database.pool.query(
    'SELECT state, state_reason FROM deliveries WHERE chat_webhook_id = $1',
    [id],
  );
  expect(rows).toEqual([{ state: 'dropped', state_reason: 'the destination was removed' }]);
});

test('when the plan is full, then one more destination is refused with 403 in words', async () => {
  const small = await api.addTenant({ trial: false });
  for (let count = 0; count < 10; count += 1) await api.addDestination({}, small);

  const answer = await call('post', '/chat-webhooks', small).send({ name: 'x', url: chatUrl() });

  expect(answer.status).toBe(403);
  expect(answer.type).toBe('application/problem+json');
  expect(answer.body.detail).toContain('10 spaces');
});

test('when another tenant asks, then the destination is not there', async () => {
  const id = await api.addDestination();
  const other = await api.addTenant();

  for (const method of ['get', 'put', 'delete'] as const) await call(method, `/chat-webhooks/${id}`, other).send({}).expect(404);
  expect((await call('get', '/chat-webhooks', other)).body.items).toEqual([]);
});

test.each(['0', '-1', 'abc', '1.5', '2147483648', '99999999999999999999', '1e3', '%00', '١'])(
  'when the id is %s, then there is nothing',
  async (id) => {
    const answer = await call('get', `/chat-webhooks/${id}`);

    expect(answer.status).toBe(404);
    expect(answer.type).toBe('application/problem+json');
  },
);

test('when a list is longer than a page, then its cursor goes on where it stopped', async () => {
  const ids = [await api.addDestination(), await api.addDestination(), await api.addDestination()];

  const first = await call('get', '/chat-webhooks?limit=2');
  const second = await call('get', `/chat-webhooks?limit=2&cursor=${first.body.nextCursor}`);

  expect(first.body.items.map((item: { id: number }) => item.id)).toEqual(ids.slice(0, 2));
  expect(second.body.items.map((item: { id: number }) => item.id)).toEqual(ids.slice(2));
  expect(second.body.nextCursor).toBeNull();
});

test.each([
  'limit=0',
  'limit=201',
  'limit=x',
  'limit=1&limit=2',
  'limit=-1',
  'cursor=x',
  'cursor=OTk5OTk5OTk5OTk5',
  'cursor=MS4y',
  'cursor=',
])('when a list is asked for with %s, then it is refused', async (query) => {
  await call('get', `/chat-webhooks?${query}`).expect(422);
});

async function rulesVersion(): Promise<number> {
  const row = await testDatabase.database.prisma.tenant.findUniqueOrThrow({ where: { id: api.tenant.id } });
  return row.rulesVersion;
}

async function addDelivery(chatWebhookId: number, state: string): Promise<void> {
  await testDatabase.database.pool.query(
    `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, state, not_before, request_id)
     VALUES ($1, 1, 1, $2, 'AAAA', 'deal', '1', '{"type":"deal.won"}', '{}', now(), 'compact', $3, now(), gen_random_uuid())`,
    [api.tenant.id, chatWebhookId, state],
  );
}
