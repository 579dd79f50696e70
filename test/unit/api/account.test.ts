/** `/session`, `/connect/pipedrive`, `/account`, `/api-keys` over HTTP, on a real database. */

import request from 'supertest';
import type { ApiDeps } from '../../../src/api/api.routes';
import { AppError } from '../../../src/core/errors';
import { ROUTE_LOCK } from '../../../src/rules/routing.store';
import { iframeToken, makeApiFixture } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';
import { waitUntil } from '../../support/wait-until';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { call } = api;

test('when a connected user opens a session, then its token reads the own tenant', async () => {
  const opened = await request(api.app)
    .post('/session')
    .send({ token: iframeToken({ userId: 1, companyId: api.tenant.companyId }) });

  expect(opened.status).toBe(200);
  expect(opened.body).toMatchObject({ token: expect.any(String), expiresAt: expect.any(String), tenant: { id: api.tenant.id } });
  expect(new Date(opened.body.expiresAt).getTime()).toBeGreaterThan(Date.now());
  expect((await call('get', '/account', { key: opened.body.token })).body.tenant.id).toBe(api.tenant.id);
});

test('when the user, or the company, is not connected, then a session is refused with 403', async () => {
  await testDatabase.database.pool.query(
    `UPDATE pipedrive_connections SET state = 'revoked' WHERE tenant_id = $1 AND user_id = 2`,
    [api.tenant.id],
  );
  const tokens = [
    iframeToken({ userId: 3, companyId: api.tenant.companyId }),
    iframeToken({ userId: 2, companyId: api.tenant.companyId }),
    iframeToken({ userId: 1, companyId: 1 }),
    iframeToken({ userId: Number.MAX_SAFE_INTEGER, companyId: Number.MAX_SAFE_INTEGER }),
  ];

  for (const token of tokens) {
    const answer = await request(api.app).post('/session').send({ token });
    expect([answer.status, answer.type]).toEqual([403, 'application/problem+json']);
  }
});

test('when the token is bad, then a session is refused with 401, and a bad body with 422', async () => {
  const bad = await request(api.app)
    .post('/session')
    .send({ token: iframeToken({ userId: 1, companyId: 1 }, { secret: 'x' }) });

  expect(bad.status).toBe(401);
  expect(bad.headers['www-authenticate']).toBe('Bearer');
  await request(api.app).post('/session').send({}).expect(422);
  await request(api.app).post('/session').send({ token: 5 }).expect(422);
});

test.each(['', 'Bearer', 'Bearer dbk_wrong', 'Bearer x.y.z', 'Basic dXNlcjpwYXNz', 'Bearer dbk_\u00e9'])(
  'when the credential is "%s", then the answer is 401 with a challenge',
  async (authorization) => {
    const answer = await request(api.app).get('/rules').set('Authorization', authorization);

    expect([answer.status, answer.type, answer.headers['www-authenticate']]).toEqual([401, 'application/problem+json', 'Bearer']);
    expect(answer.body).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: expect.any(String),
      errors: [],
    });
  },
);

test('when a user without rights uses the page, then it may read and change nothing', async () => {
  const token = await api.openSession(2);

  const account = await call('get', '/account', token);

  expect(account.status).toBe(200);
  expect(account.body).not.toHaveProperty('webhook');
  await call('get', '/rules', token).expect(200);
  await call('post', '/rules', token).send({}).expect(403);
  await call('post', '/test', token).send({}).expect(403);
  await call('post', '/api-keys', token).send({ name: 'x' }).expect(403);
  await call('delete', '/account', token).expect(403);
});

test('when the user’s authorization ends, then the page token does too', async () => {
  const token = await api.openSession(1);
  await testDatabase.database.pool.query(`UPDATE pipedrive_connections SET state = 'uninstalled' WHERE tenant_id = $1`, [
    api.tenant.id,
  ]);

  await call('get', '/account', token).expect(401);
});

test('when an admin asks for the account, then plan, limits, usage and the relay’s credentials are shown', async () => {
  const { body } = await call('get', '/account', await api.openSession(1));

  expect(body).toMatchObject({
    tenant: { id: api.tenant.id, companyId: api.tenant.companyId, companyDomain: 'acme', baseCurrency: 'EUR' },
    ...{ plan: 'Professional', isTrial: true, trialEndsAt: expect.any(String), retentionDays: 90 },
    limits: { destinations: 200, activeRules: 1000, apiKeys: 50 },
    usage: { destinations: 0, activeRules: 0, apiKeys: 1 },
    settings: { locale: null, timeZone: null },
    webhook: { tenantPublicId: expect.any(String), signingSecret: 'a signing secret' },
  });
});

test('when settings are put, then only the given ones change', async () => {
  await call('put', '/account')
    .send({ settings: { locale: 'de_DE', timeZone: 'Europe/Berlin' } })
    .expect(200);

  const { body } = await call('put', '/account')
    .send({ settings: { locale: null } })
    .expect(200);

  expect(body.settings).toEqual({ locale: null, timeZone: 'Europe/Berlin' });
  await call('put', '/account')
    .send({ settings: { timeZone: 'Mars' } })
    .expect(422);
  await call('put', '/account').send({ plan: 'Enterprise' }).expect(422);
});

test('when a key is made, then it works, is listed without its text, and stops working when it is taken back', async () => {
  const made = await call('post', '/api-keys').send({ name: 'CI' });
  const listed = await call('get', '/api-keys');

  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ id: expect.any(Number), name: 'CI', key: expect.stringMatching(/^dbk_[\w-]{43}$/) });
  expect(listed.text).not.toContain(made.body.key);
  expect(listed.body.items.map((key: { name: string }) => key.name)).toEqual(['test key', 'CI']);
  await call('get', '/rules', made.body).expect(200);
  await call('delete', `/api-keys/${made.body.id}`).expect(204);
  await call('get', '/rules', made.body).expect(401);
  await call('delete', `/api-keys/${made.body.id}`).expect(404);
});

test('when five keys exist on Professional, then one more is refused', async () => {
  const small = await api.addTenant({ trial: false });
  for (let count = 0; count < 4; count += 1) await call('post', '/api-keys', small).send({ name: 'x' }).expect(201);

  await call('post', '/api-keys', small).send({ name: 'x' }).expect(403);
});

test('when another api.tenant’s key is to be taken back, then it is not there', async () => {
  const other = await api.addTenant();
  const [key] = (await call('get', '/api-keys', other)).body.items;

  await call('delete', `/api-keys/${key.id}`).expect(404);
});

test('when the account is erased, then Pipedrive is told, its rows are gone and its keys give 401, and other tenants stay', async () => {
  const told: number[] = [];
  const erasing = makeApiFixture(testDatabase.database, { forgetTenant: (id) => Promise.resolve(void told.push(id)) });
  const other = await api.addTenant();

  await request(erasing.app).delete('/account').set('Authorization', `Bearer ${api.tenant.key}`).expect(204);

  expect(told).toEqual([api.tenant.id]);
  await call('get', '/account').expect(401);
  await call('get', '/account', other).expect(200);
  expect(await testDatabase.database.prisma.pipedriveConnection.count({ where: { tenantId: api.tenant.id } })).toBe(0);
});

test('when something is routed and more comes in while an account is erased, then nothing of it stays', async () => {
  const { pool } = testDatabase.database;
  const { id } = api.tenant;
  const addEvent = (client: Pick<typeof pool, 'query'>, metaId: string) =>
    client.query(
      `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload) VALUES ($1, 'deal', '1', 'change', $2, now(), '')`,
      [id, metaId],
    );
  const router = await pool.connect();
  await router.query('BEGIN');
  await router.query('SELECT pg_advisory_xact_lock($1, $2)', [ROUTE_LOCK, id]);
  const erased = request(api.app).delete('/account').set('Authorization', `Bearer ${api.tenant.key}`).expect(204);
  const isErased = erased.then(() => true);
  await waitUntil('the erasure waits for what is being routed', async () => {
    const { rows } = await pool.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
    return rows.length > 0;
  });
  await addEvent(router, 'routed');
  await router.query('COMMIT');
  router.release();

  await isErased;

  const { rows } = await pool.query('SELECT meta_id FROM events WHERE tenant_id = $1', [id]);
  expect(rows).toEqual([]);
});

test('when Pipedrive cannot be told, then the account is erased all the same', async () => {
  const erasing = makeApiFixture(testDatabase.database, { forgetTenant: () => Promise.reject(new Error('away')) });

  await request(erasing.app).delete('/account').set('Authorization', `Bearer ${api.tenant.key}`).expect(204);

  await call('get', '/account').expect(401);
});

describe('connecting by API token', () => {
  const connecting = (connectByApiToken: ApiDeps['connectByApiToken']) =>
    makeApiFixture(testDatabase.database, { allowApiTokenConnect: true, connectByApiToken }).app;

  test('when it is not allowed, then the answer is 403 whatever the body', async () => {
    await request(api.app).post('/connect/pipedrive').send({ apiToken: 'x' }).expect(403);
    await request(api.app).post('/connect/pipedrive').send({}).expect(403);
  });

  test('when Pipedrive accepts the token, then the tenant and a key that works are answered', async () => {
    const app = connecting(() => Promise.resolve({ id: api.tenant.id, companyName: 'Acme', sealedSigningSecret: 'sealed' }));

    const answer = await request(app).post('/connect/pipedrive').send({ apiToken: 'x' });

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ tenant: { id: api.tenant.id, companyName: 'Acme' }, apiKey: expect.stringMatching(/^dbk_/) });
    await call('get', '/rules', { key: answer.body.apiKey }).expect(200);
  });

  test('when Pipedrive refuses the token, then the answer is 422', async () => {
    const app = connecting(() => Promise.reject(new AppError('api_token_refused', 'No.', { status: 422 })));

    await request(app).post('/connect/pipedrive').send({ apiToken: 'x' }).expect(422);
    await request(app).post('/connect/pipedrive').send({ apiToken: 5 }).expect(422);
  });
});
