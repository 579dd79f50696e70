/** Whatever comes in, the REST API answers in the contract's words and never with a 5xx. */

import fc from 'fast-check';
import request from 'supertest';
import { makeApiFixture, type ApiFixture, type TestTenant } from '../../support/api-fixture';
import { oddBody } from '../../support/odd-body';
import { useTestDatabase } from '../../support/test-database';

const RUNS = 150;
const testDatabase = useTestDatabase();
let fixture: ApiFixture;
let tenant: TestTenant;
let ids: { destination: number; rule: number };

beforeAll(async () => {
  fixture = makeApiFixture(testDatabase.database);
  tenant = await fixture.addTenant();
  const url = 'https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=t';
  const destination = (await call('post', '/chat-webhooks', { name: 'Sales', url })).body.id;
  const rule = (await call('post', '/rules', { name: 'r', eventType: 'deal.won', targetWebhookId: destination })).body.id;
  ids = { destination, rule };
});

type Method = 'get' | 'post' | 'put' | 'delete';

function call(method: Method, path: string, body?: unknown): request.Test {
  const agent = request(fixture.app);
  const sent = agent[method](path).set('Authorization', `Bearer ${tenant.key}`).type('json');
  return body === undefined ? sent : sent.send(JSON.stringify(body));
}

function expectContract(answer: request.Response): void {
  expect(answer.status).toBeLessThan(500);
  expect(fixture.reported).toEqual([]);
  if (answer.status < 400) return;
  expect(answer.type).toBe('application/problem+json');
  expect(answer.body).toMatchObject({ status: answer.status, title: expect.any(String), errors: expect.any(Array) });
}

test('when bodies are odd, then no request fails on our side', async () => {
  const target = fc.constantFrom<readonly [Method, () => string]>(
    ['post', () => '/chat-webhooks'],
    ['put', () => `/chat-webhooks/${ids.destination}`],
    ['post', () => '/rules'],
    ['put', () => `/rules/${ids.rule}`],
    ['post', () => '/rules/preview'],
    ['post', () => '/rules/import'],
    ['post', () => '/test'],
    ['post', () => '/deliveries/replay'],
    ['put', () => '/account'],
    ['post', () => '/api-keys'],
    ['post', () => '/session'],
    ['post', () => '/connect/pipedrive'],
  );

  await fc.assert(
    fc.asyncProperty(target, oddBody, async ([method, path], body) => {
      expectContract(await call(method, path(), body));
    }),
    { numRuns: RUNS * 3 },
  );
});

test('when bodies are no JSON, then the answer is 400 or 422', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (text) => {
      const answer = await request(fixture.app)
        .post('/rules')
        .set('Authorization', `Bearer ${tenant.key}`)
        .type('json')
        .send(text);
      expectContract(answer);
      expect([400, 422]).toContain(answer.status);
    }),
    { numRuns: RUNS },
  );
});

test('when ids and queries are odd, then no request fails on our side', async () => {
  const paths = fc.constantFrom('/chat-webhooks', '/rules', '/logs', '/events', '/deliveries', '/api-keys', '/audit');
  const query = fc.dictionary(
    fc.constantFrom('limit', 'cursor', 'status', 'state', 'ruleId', 'from', 'to', 'entity', 'entityId', 'x'),
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer().map(String),
      fc.date().map(String),
      fc.base64String(),
      fc.constantFrom('0000-01-01', '9999-12-31', '-271821-04-20T00:00:00Z'),
    ),
    { minKeys: 1, maxKeys: 3 },
  );
  const id = fc.oneof(fc.bigInt().map(String), fc.webSegment());

  await fc.assert(
    fc.asyncProperty(paths, query, id, async (path, parameters, segment) => {
      const wellFormed = Object.entries(parameters).filter(([, value]) => !/\p{Surrogate}/u.test(value));
      expectContract(await call('get', `${path}?${new URLSearchParams(wellFormed).toString()}`));
      const answer = await call('get', `${path}/${segment}`);
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: RUNS },
  );
});
