/** The HTTP application around the API: headers, CORS, limits, and the shape of every refusal. */

import type { Express } from 'express';
import request from 'supertest';
import { openDatabase } from '../../../src/platform/database';
import { iframeToken, makeApiFixture, type ApiFixture, type TestTenant } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';
import { waitUntil } from '../../support/wait-until';

const testDatabase = useTestDatabase();
let fixture: ApiFixture;
let tenant: TestTenant;

beforeAll(async () => {
  fixture = makeApiFixture(testDatabase.database, { corsOrigins: ['https://*.example.app'] });
  tenant = await fixture.addTenant();
});

function authorized(test: request.Test, { key } = tenant): request.Test {
  return test.set('Authorization', `Bearer ${key}`);
}

test('when a page stands in a frame, then only Pipedrive may frame it, and nothing inline runs', async () => {
  const token = iframeToken({ userId: 1, companyId: tenant.companyId });

  const { headers } = await request(fixture.app).get(`/extension/settings?token=${token}`);

  expect(headers['x-frame-options']).toBeUndefined();
  expect(headers['content-security-policy']).toContain('frame-ancestors https://*.pipedrive.com');
  expect(headers['content-security-policy']).toMatch(/script-src 'self';.*style-src 'self';/);
  expect(headers['content-security-policy']).not.toContain('unsafe');
  expect(headers).toMatchObject({
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
});

test.each(['/docs', '/rules', '/nowhere', '/assets/dealbell.css', '/extensions'])(
  'when %s is answered, then nobody may frame it',
  async (path) => {
    const { headers } = await request(fixture.app).get(path);

    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['x-powered-by']).toBeUndefined();
  },
);

test('when an allowed origin asks first, then the preflight is answered 204 without credentials', async () => {
  const { status, headers } = await request(fixture.app).options('/rules').set({
    Origin: 'https://a.example.app',
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'authorization',
  });

  expect(status).toBe(204);
  expect(headers).toMatchObject({
    'access-control-allow-origin': 'https://a.example.app',
    vary: expect.stringContaining('Origin'),
  });
  expect(headers['access-control-allow-headers']).toBe('Authorization, Content-Type');
  expect(headers['access-control-allow-methods']).toContain('PUT');
  expect(headers['access-control-allow-credentials']).toBeUndefined();
});

test('when another origin asks, then it is not named', async () => {
  const preflight = await request(fixture.app)
    .options('/rules')
    .set({ Origin: 'https://a.b.example.app', 'Access-Control-Request-Method': 'GET' });
  const plain = await authorized(request(fixture.app).get('/rules')).set('Origin', 'https://evil.example');

  expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
  expect(plain.headers['access-control-allow-origin']).toBeUndefined();
  expect(plain.headers['vary']).toContain('Origin');
});

test('when an allowed origin gets an error, then it may read it', async () => {
  const { status, headers } = await request(fixture.app).get('/rules').set('Origin', 'https://a.example.app');

  expect([status, headers['access-control-allow-origin']]).toEqual([401, 'https://a.example.app']);
});

test.each([
  ['cut JSON', '{"name":'],
  ['no object', '"text"'],
  ['words', 'hello'],
])('when the body is %s, then the answer is 400', async (_, body) => {
  const answer = await authorized(request(fixture.app).post('/rules')).set('Content-Type', 'application/json').send(body);

  expect([answer.status, answer.type, answer.body.status]).toEqual([400, 'application/problem+json', 400]);
});

test('when the body is a list, empty or of another type, then its content counts', async () => {
  const list = await authorized(request(fixture.app).post('/rules')).send([]);
  const empty = await authorized(request(fixture.app).post('/rules'));
  const form = await authorized(request(fixture.app).post('/rules')).type('form').send('name=x');

  expect([list.status, empty.status, form.status]).toEqual([422, 422, 400]);
});

test('when the body is over 100 kB, then the answer is 413', async () => {
  const answer = await authorized(request(fixture.app).post('/rules')).send({ name: 'x'.repeat(110_000) });

  expect([answer.status, answer.type]).toEqual([413, 'application/problem+json']);
});

test('when the address is unknown, then programs get a problem and people a page', async () => {
  const program = await request(fixture.app).get('/nowhere');
  const person = await request(fixture.app).get('/nowhere').set('Accept', 'text/html,*/*');

  expect([program.status, program.type]).toEqual([404, 'application/problem+json']);
  expect([person.status, person.type]).toEqual([404, 'text/html']);
  expect(person.text).toContain('<h1>This page does not exist</h1>');
});

test('when a browser asks the API, then it still gets a problem', async () => {
  const answer = await request(fixture.app).get('/rules').set('Accept', 'text/html');

  expect(answer.type).toBe('application/problem+json');
});

test('when the method does not fit, then the answer is 405 and names those that do', async () => {
  const answer = await authorized(request(fixture.app).patch('/rules/1'));
  const head = await authorized(request(fixture.app).head('/rules'));
  const options = await request(fixture.app).options('/rules');

  expect([answer.status, answer.type, answer.headers['allow']]).toEqual([
    405,
    'application/problem+json',
    'GET, PUT, DELETE, HEAD, OPTIONS',
  ]);
  expect(head.status).toBe(200);
  expect([options.status, options.headers['allow']]).toEqual([204, 'GET, POST, HEAD, OPTIONS']);
});

test('when a key asks too often, then it gets 429 with the time to wait, and other tenants go on', async () => {
  const limited = makeApiFixture(testDatabase.database, { apiRateLimit: 3 });
  const other = await limited.addTenant();
  const ask = (who: TestTenant) => authorized(request(limited.app).get('/rules'), who);

  const answers = [await ask(tenant), await ask(tenant), await ask(tenant), await ask(tenant)];

  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 429]);
  expect(answers[0]?.headers).toMatchObject({ 'ratelimit-limit': '3', 'ratelimit-remaining': '2' });
  expect(answers[3]?.type).toBe('application/problem+json');
  expect(Number(answers[3]?.headers['retry-after'])).toBeGreaterThan(0);
  expect(answers[3]?.headers['ratelimit-remaining']).toBe('0');
  expect((await ask(other)).status).toBe(200);
});

test('when the database is away, then the answer is 503 and nothing is reported as a bug', async () => {
  const away = openDatabase({
    connectionString: 'postgresql://nobody@127.0.0.1:1/none',
    log: { warn: () => undefined },
    poolSize: 1,
  });
  const lost = makeApiFixture(away);

  const api = await authorized(request(lost.app).get('/rules'));
  const page = await request(lost.app).get(`/extension/settings?token=${iframeToken({ userId: 1, companyId: 1 })}`);

  expect([api.status, api.type, api.headers['retry-after']]).toEqual([503, 'application/problem+json', '5']);
  expect([page.status, page.type]).toEqual([503, 'text/html']);
  expect(lost.reported).toEqual([]);
  await away.close();
});

test.each([
  ['a list that is read', 'rules', (app: Express) => request(app).get('/rules')],
  ['a change', 'rules', (app: Express) => request(app).delete('/rules/1')],
  [
    'a change by a statement',
    'deliveries',
    (app: Express) => request(app).post('/mutes').send({ entity: 'deal', entityId: '8' }),
  ],
  ['a history', 'logs', (app: Express) => request(app).get('/logs')],
])('when an administrator ends the connection of %s, then the answer is 503 and nothing is reported', async (_, table, ask) => {
  const { pool } = testDatabase.database;
  const cut = makeApiFixture(testDatabase.database);
  const holder = await pool.connect();
  await holder.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  const asked = authorized(ask(cut.app)).then((answer) => answer);

  await waitUntil('its connection was ended', async () => {
    const ended = `
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return (await pool.query(ended)).rows.length > 0;
  });

  const { status, type, headers } = await asked;
  await holder.query('ROLLBACK');
  holder.release();
  expect([status, type, headers['retry-after']]).toEqual([503, 'application/problem+json', '5']);
  expect(cut.reported).toEqual([]);
});

test('when something breaks that nobody foresaw, then the answer is 500 without its words, and it is reported', async () => {
  const broken = makeApiFixture(testDatabase.database, {
    openSigningSecret: () => Promise.reject(new TypeError('secret words')),
  });

  const answer = await authorized(request(broken.app).get('/account'));

  expect([answer.status, answer.type]).toEqual([500, 'application/problem+json']);
  expect(answer.text).not.toContain('secret words');
  expect(broken.reported).toEqual([new TypeError('secret words')]);
});

test('when the description is asked for, then it lists every request with its body', async () => {
  const { body } = await request(fixture.app).get('/openapi.json').expect(200);
  const docs = await request(fixture.app).get('/docs').expect(200);

  expect(body.openapi).toBe('3.1.0');
  expect(body.paths['/rules'].post.requestBody.content['application/json'].schema.properties).toHaveProperty('settleMs');
  const id = expect.objectContaining({ name: 'id', in: 'path' });
  const key = expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: false });
  expect(body.paths['/deliveries/{id}/replay'].post.parameters).toEqual([id, key]);
  expect(body.paths['/deliveries/replay'].post.parameters).toEqual([key]);
  expect(body.paths['/chat-webhooks/{id}'].put.parameters).toEqual([id]);
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(['/session', '/connect/pipedrive', '/chat-webhooks/{id}', '/test', '/logs', '/audit']),
  );
  expect(docs.text).toContain('POST /rules');
});

test('when people read the description, then each request stands below a heading of its topic', async () => {
  const { text } = await request(fixture.app).get('/docs');

  const headings = [...text.matchAll(/<h[23]>(?:<code>)?([^<]+)/g)].map(([, words]) => words);
  const topics = ['Spaces', 'Rules', 'Single records', 'What came in and went out', 'Company', 'Signing in'];
  expect(headings.filter((heading) => !/^(GET|POST|PUT|DELETE) /.test(heading ?? ''))).toEqual(topics);
  const topicOf = (operation: string) =>
    headings.slice(0, headings.indexOf(operation)).findLast((heading) => topics.includes(heading ?? ''));
  expect(['POST /test', 'GET /presets', 'PUT /rules/:id', 'GET /reconciliation'].map(topicOf)).toEqual([
    ...['Spaces', 'Rules', 'Rules', 'What came in and went out'],
  ]);
});

test.each([
  '/assets/pico.min.css',
  '/assets/htmx.min.js',
  '/assets/app-extensions-sdk.js',
  '/assets/dealbell.js',
  '/assets/dealbell.css',
])('when %s is asked for, then it comes from here and may be kept', async (path) => {
  const answer = await request(fixture.app).get(path);

  expect(answer.status).toBe(200);
  expect(answer.headers['cache-control']).toBe('public, max-age=86400');
  expect(answer.type).toMatch(path.endsWith('.css') ? /css/ : /javascript/);
});

test('when an asset is asked for by the version of its content, then it may be kept for ever, and small', async () => {
  const { text } = await request(fixture.app).get('/docs');
  const path = /\/assets\/pico\.min\.css\?v=[\w-]+/.exec(text)?.[0] ?? '';

  const answer = await request(fixture.app).get(path).set('Accept-Encoding', 'gzip');
  const again = await request(fixture.app).get(path).set('If-None-Match', String(answer.headers['etag']));
  const outdated = await request(fixture.app).get(`${path}x`);

  expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(answer.headers['content-encoding']).toBe('gzip');
  expect(answer.text).toContain('--pico-');
  expect(again.status).toBe(304);
  expect(outdated.headers['cache-control']).toBe('public, max-age=86400');
});

test.each(['/assets/../package.json', '/assets/%2e%2e/package.json', '/assets/..%2fpackage.json', '/assets/'])(
  'when %s is asked for, then nothing is given',
  async (path) => {
    const answer = await request(fixture.app).get(path);

    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  },
);
