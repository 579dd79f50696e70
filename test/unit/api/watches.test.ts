/** `/watches` over HTTP, on a real database. */

import { moveWatches } from '../../../src/rules/watch.store';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';
import { waitUntil } from '../../support/wait-until';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { call } = api;
let space: number;

beforeEach(async () => {
  space = await api.addDestination();
});

const aDeal = (given: object = {}) => ({ entity: 'deal', entityId: '7', chatWebhookId: space, ...given });
const listed = async (query = '', by: { readonly key: string } = api.tenant) =>
  (await call('get', `/watches${query}`, by).expect(200)).body.items;

it('tells who watches what where since when, newest first, by record and by space', async () => {
  const other = await api.addDestination({ name: 'Support' });
  const { body: first } = await call('post', '/watches').send(aDeal()).expect(201);
  const { body: second } = await call('post', '/watches', await api.openSession(1))
    .send(aDeal({ chatWebhookId: other }))
    .expect(201);
  await call('post', '/watches')
    .send(aDeal({ entity: 'lead', entityId: 'adf21080-0e10-11eb-879b-05d71fb426ec' }))
    .expect(201);

  expect(first).toMatchObject({ ...aDeal(), author: 'API key test key', createdAt: expect.any(String) });
  expect(second).toMatchObject({ author: 'Admin', chatWebhookId: other });
  expect(await listed('?entity=deal&entityId=7')).toEqual([second, first]);
  expect(await listed(`?chatWebhookId=${other}`)).toEqual([second]);
  expect(await listed()).toHaveLength(3);
  const { body: account } = await call('get', '/account').expect(200);
  expect(account).toMatchObject({ limits: { watches: 5000 }, usage: { watches: 3 } });
});

it('watches a record once per space, however often it is asked, also at the same moment', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => call('post', '/watches').send(aDeal()).expect(201)));

  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(await listed()).toHaveLength(1);
  const { body: audit } = await call('get', '/audit').expect(200);
  expect(audit.items.filter(({ action }: { action: string }) => action === 'record.watched')).toEqual([
    expect.objectContaining({ subject: 'deal 7', changes: { chatWebhookId: space } }),
  ]);
});

it('finds the watch that is just coming to the record with another one that was merged into it', async () => {
  const { pool, repeatableTransaction } = testDatabase.database;
  const { body } = await call('post', '/watches').send(aDeal()).expect(201);
  const isWaiting = async (): Promise<boolean> =>
    (await pool.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).rows
      .length > 0;

  const asked = await repeatableTransaction(async (client) => {
    await moveWatches(client, api.tenant.id, [{ id: body.id, to: { entity: 'deal', entityId: '9' } }]);
    const answer = call('post', '/watches')
      .send(aDeal({ entityId: '9' }))
      .then((response) => response);
    await waitUntil('the request waits for it', isWaiting);
    return { answer };
  });

  expect(await asked.answer).toMatchObject({ status: 201, body: { ...body, entityId: '9' } });
});

it('tells routers to read anew, with and after a watch', async () => {
  const version = async (): Promise<number> =>
    (await testDatabase.database.prisma.tenant.findUniqueOrThrow({ where: { id: api.tenant.id } })).rulesVersion;
  const before = await version();

  const { body } = await call('post', '/watches').send(aDeal()).expect(201);
  const between = await version();
  await call('delete', `/watches/${body.id}`).expect(204);

  expect(between).toBeGreaterThan(before);
  expect(await version()).toBeGreaterThan(between);
});

it('drops what waits to be told by the watch alone when it ends, and says so in the audit trail', async () => {
  const { body } = await call('post', '/watches').send(aDeal()).expect(201);
  await testDatabase.database.pool.query(
    `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, not_before, request_id)
     SELECT $1, id, rule_id, $3, 'AAAA', 'deal', '7', '{"type":"deal.won","changes":[]}', '{}', now(), 'compact', now(), gen_random_uuid()
       FROM (VALUES (1, -$2::int), (2, 4)) AS v(id, rule_id)`,
    [api.tenant.id, body.id, space],
  );

  await call('delete', `/watches/${body.id}`).expect(204);
  await call('delete', `/watches/${body.id}`).expect(404);

  const { body: deliveries } = await call('get', '/deliveries').expect(200);
  expect(deliveries.items).toMatchObject([
    { ruleId: 4, state: 'queued' },
    { ruleId: null, watchId: body.id, state: 'dropped', reason: 'Nobody watches this record there any more.' },
  ]);
  expect((await call('get', '/audit').expect(200)).body.items[0]).toMatchObject({
    ...{ action: 'record.unwatched', subject: 'deal 7', changes: { chatWebhookId: space, dropped: 1 } },
  });
});

it('goes with its space, which the audit trail tells', async () => {
  await call('post', '/watches').send(aDeal()).expect(201);

  await call('delete', `/chat-webhooks/${space}`).expect(204);

  expect(await listed()).toEqual([]);
  expect((await call('get', '/audit').expect(200)).body.items[0]).toMatchObject({
    ...{ action: 'chat_webhook.deleted', changes: { watches: 1 } },
  });
});

it.each<[string, object, string, RegExp]>([
  ['a person, of whom too little is told', { entity: 'person' }, 'entity', /deal or lead/],
  ['an id that cannot be', { entityId: '8; DROP' }, 'entityId', /Pipedrive’s id/],
  ['a space that is none', { chatWebhookId: 2_000_000 }, 'chatWebhookId', /no such space/],
  ['no space', { chatWebhookId: undefined }, 'chatWebhookId', /./],
  ['a field that is not known', { loud: true }, 'loud', /./],
])('refuses %s, and watches nothing', async (_, given, path, words) => {
  const { body } = await call('post', '/watches').send(aDeal(given)).expect(422);

  expect(body.errors).toEqual([{ path, message: expect.stringMatching(words) }]);
  expect(await listed()).toEqual([]);
});

it('keeps companies apart: neither the space nor the watch of another one can be named', async () => {
  const { body } = await call('post', '/watches').send(aDeal()).expect(201);
  const other = await api.addTenant();

  await call('post', '/watches', other).send(aDeal()).expect(422);
  await call('delete', `/watches/${body.id}`, other).expect(404);

  expect(await listed('', other)).toEqual([]);
  expect(await listed()).toHaveLength(1);
});

it('lets everybody of the company see, and only admins change', async () => {
  const reader = await api.openSession(2);
  const { body } = await call('post', '/watches').send(aDeal()).expect(201);

  await call('post', '/watches', reader)
    .send(aDeal({ entityId: '8' }))
    .expect(403);
  await call('delete', `/watches/${body.id}`, reader).expect(403);

  expect(await listed('', reader)).toEqual([body]);
});

it('allows as many as the plan does', async () => {
  api.tenant = await api.addTenant({ trial: false });
  space = await api.addDestination();
  await testDatabase.database.pool.query(
    `INSERT INTO watches (tenant_id, entity, entity_id, chat_webhook_id, author)
     SELECT $1, 'deal', n::text, $2, 'Ana' FROM generate_series(1001, 1200) n`,
    [api.tenant.id, space],
  );

  const { body } = await call('post', '/watches').send(aDeal()).expect(403);

  expect(body.detail).toBe('Your Professional plan allows 200 watched records, all of which are in use.');
  await call('post', '/watches')
    .send(aDeal({ entityId: '1001' }))
    .expect(201);
});
