/** The API's description tells the truth: every request has its answer described, and what is answered is what is described. */

import { Ajv2020 } from 'ajv/dist/2020.js';
import request from 'supertest';
import { makeApiFixture, iframeToken, type ApiFixture, type TestTenant } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
const ajv = new Ajv2020({ strict: false, validateFormats: false });
let fixture: ApiFixture;
let tenant: TestTenant;
/** As `/openapi.json` says. */
let paths: Record<
  string,
  Record<string, { responses: Record<string, { content?: { 'application/json': { schema?: object } } }> }>
>;

beforeAll(async () => {
  fixture = makeApiFixture(testDatabase.database);
  tenant = await fixture.addTenant();
  paths = (await request(fixture.app).get('/openapi.json').expect(200)).body.paths;
});

type Method = 'get' | 'post' | 'put' | 'delete';

/** Makes the request; gives the answer's body once it is what the description says. */
async function described(method: Method, path: string, body?: object, described: string = path) {
  const answer = await request(fixture.app)[method](path).set('Authorization', `Bearer ${tenant.key}`).send(body);
  const schema = paths[described]?.[method]?.responses[String(answer.status)]?.content?.['application/json'].schema;
  expect({ path, status: answer.status, isDescribed: schema !== undefined, problem: answer.body.detail }).toEqual({
    ...{ path, status: answer.status, isDescribed: true, problem: undefined },
  });
  const validate = ajv.compile(schema ?? {});
  validate(answer.body);
  expect(validate.errors ?? []).toEqual([]);
  return answer.body;
}

test('when the description is read, then every answer with a body has its schema', () => {
  const bare = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) =>
      Object.entries(responses)
        .filter(([status]) => status !== '204' && status !== 'default')
        .filter(([, { content }]) => content?.['application/json'].schema === undefined)
        .map(() => `${method} ${path}`),
    ),
  );

  expect(bare).toEqual([]);
});

test('when requests are made, then their answers are what the description says', async () => {
  const url = 'https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=t';
  const destination = await described('post', '/chat-webhooks', { name: 'Sales', url });
  const rule = {
    name: 'Wins',
    eventType: 'deal.won',
    targetWebhookId: destination.id,
    filters: { minValue: 5, currency: 'EUR' },
  };
  const { id } = await described('post', '/rules', rule);
  await addEvent(id);

  await described('get', '/chat-webhooks');
  await described('get', `/chat-webhooks/${destination.id}`, undefined, '/chat-webhooks/{id}');
  await described('put', `/chat-webhooks/${destination.id}`, { name: 'Other' }, '/chat-webhooks/{id}');
  await described('get', '/rules');
  await described('get', `/rules/${id}`, undefined, '/rules/{id}');
  await described('put', `/rules/${id}`, { position: 5 }, '/rules/{id}');
  const preview = await described('post', '/rules/preview', { rule });
  expect(preview.examples).toHaveLength(1);
  const document = await described('get', '/rules/export');
  await described('post', '/rules/import', { document, dryRun: true });
  for (const path of ['/presets', '/logs', '/deliveries', '/account', '/audit', '/reconciliation']) await described('get', path);
  expect((await described('get', '/events')).items[0].decisions).toHaveLength(1);
  await described('put', '/account', { settings: { timeZone: 'Europe/Tallinn' } });
  await described('post', '/api-keys', { name: 'CI' });
  await described('get', '/api-keys');
  await described('post', '/test', { ruleId: id });
  await described('post', '/deliveries/replay', { filter: { state: 'sent' } });
  await described('post', '/session', { token: iframeToken({ userId: 1, companyId: tenant.companyId }) });
});

/** A win as it lies in the ledger once it is routed. */
async function addEvent(ruleId: number): Promise<void> {
  const data = { id: 8, title: 'Acme licence', status: 'won', value: 10, currency: 'EUR', owner_id: 1 };
  const meta = { action: 'change', entity: 'deal', entity_id: '8', id: crypto.randomUUID(), timestamp: new Date().toISOString() };
  const payload = Buffer.from(JSON.stringify({ data, previous: { status: 'open' }, meta }));
  await testDatabase.database.prisma.event.create({
    data: {
      ...{ tenantId: tenant.id, entity: 'deal', entityId: '8', action: 'change', metaId: meta.id, transitions: ['deal.won'] },
      ...{ occurredAt: new Date(), receivedAt: new Date(), routedAt: new Date(), payload },
      decisions: [{ ruleId, matched: true, code: 'matched' }],
    },
  });
}
