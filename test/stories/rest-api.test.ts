/** The REST API of the whole application, as strangers and tenants see it, and whatever they may send. */

import fc from 'fast-check';
import { OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { oddBody } from '../support/odd-body';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';

const RUNS = 300;

// Before the database goes: such hooks run in the order in which they stand.
afterAll(() => world.close());
const testDatabase = useTestDatabase();
let world: World;
let token: string;
let otherToken: string;
let apiKey: string;
let url: string;
const own: Record<string, number> = {};

beforeAll(async () => {
  world = await startWorld({
    databaseUrl: testDatabase.connectionString,
    config: { apiRateLimit: 10_000_000, spaceIntervalMs: 0 },
    chat: { enforceQuota: false },
  });
  token = await world.install();
  otherToken = await world.install(undefined, OTHER_COMPANY_ID);
  apiKey = String((await world.api('POST', '/api-keys', token, { name: 'test' })).body.key);
  const channel = await connectChannel(world, token, 'Sales');
  ({ url } = channel);
  own['chat-webhooks'] = channel.id;
  own['rules'] = await addRule(world, token, 'deal.won', channel);
  const data = { id: 1, title: 'Known', status: 'won', value: 5, currency: 'EUR' };
  await postAs(world, rawWebhook('deal', 'change', 1, { data, previous: { status: 'open' } }));
  await ledgerAtRest(world, testDatabase.database.pool);
  own['deliveries'] = Number((await world.api('GET', '/deliveries', token)).body.items[0].id);
  own['api-keys'] = Number((await world.api('GET', '/api-keys', token)).body.items[0].id);
});

const ENDPOINTS = [
  ...[
    'GET /chat-webhooks',
    'POST /chat-webhooks',
    'GET /chat-webhooks/:id',
    'PUT /chat-webhooks/:id',
    'DELETE /chat-webhooks/:id',
  ],
  ...[
    'GET /rules',
    'POST /rules',
    'GET /rules/:id',
    'PUT /rules/:id',
    'DELETE /rules/:id',
    'POST /test',
    'GET /logs',
    'GET /events',
  ],
  ...[
    'GET /deliveries',
    'POST /deliveries/:id/replay',
    'POST /deliveries/replay',
    'GET /account',
    'PUT /account',
    'DELETE /account',
  ],
  ...['GET /api-keys', 'POST /api-keys', 'DELETE /api-keys/:id', 'GET /audit'],
] as const;

function target(endpoint: string, id: string | number): { method: string; path: string } {
  const [method = '', path = ''] = endpoint.split(' ');
  return { method, path: path.replace(':id', String(id)) };
}

describe('who may ask', () => {
  test.each(ENDPOINTS)('when a stranger sends %s, then it is a 401 problem', async (endpoint) => {
    const { method, path } = target(endpoint, 1);

    for (const credential of [null, 'nonsense', 'dbk_wrong', `${token}x`]) {
      const answer = await world.api(method, path, credential, method === 'GET' ? undefined : {});
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        401,
        expect.stringContaining('application/problem+json'),
      ]);
      expect(answer.body).toMatchObject({
        type: expect.any(String),
        title: expect.any(String),
        status: 401,
        detail: expect.any(String),
      });
    }
  });

  test.each(ENDPOINTS.filter((endpoint) => endpoint.includes(':id')))(
    'when another tenant sends %s with our id, then it is a 404 and nothing changes',
    async (endpoint) => {
      const resource = endpoint.split('/')[1] ?? '';
      const { method, path } = target(endpoint, own[resource] ?? 0);

      const answer = await world.api(method, path, otherToken, method === 'PUT' ? { name: 'Stolen' } : undefined);

      expect(answer.status).toBe(404);
      expect((await world.api('GET', `/${resource}`, token)).body.items.length).toBeGreaterThan(0);
    },
  );

  test('when a key and a page token ask, then both see their own tenant only', async () => {
    for (const path of ['/chat-webhooks', '/rules', '/logs', '/events', '/deliveries']) {
      expect((await world.api('GET', path, apiKey)).body).toEqual((await world.api('GET', path, token)).body);
      expect((await world.api('GET', path, otherToken)).body.items).toEqual([]);
    }
  });
});

describe('shapes', () => {
  test('when lists are read, then they have the fields of the contract', async () => {
    const [log] = (await world.api('GET', '/logs', token)).body.items;
    const [event] = (await world.api('GET', '/events', token)).body.items;
    const [destination] = (await world.api('GET', '/chat-webhooks', token)).body.items;

    const logShape = {
      id: expect.any(Number),
      ruleId: own['rules'],
      deliveryId: own['deliveries'],
      eventId: event.id,
      status: 'success',
    };
    expect(log).toMatchObject({
      ...logShape,
      httpStatus: 200,
      errorMessage: null,
      payload: expect.any(Object),
      createdAt: expect.any(String),
    });
    const decision = { ruleId: own['rules'], ruleName: expect.any(String), matched: true, reason: expect.any(String) };
    const eventShape = {
      entity: 'deal',
      entityId: '1',
      action: 'change',
      transitions: ['deal.won'],
      occurredAt: expect.any(String),
    };
    expect(event).toMatchObject({ ...eventShape, transitions: expect.arrayContaining(['deal.won']), decisions: [decision] });
    expect(destination).toMatchObject({
      id: own['chat-webhooks'],
      spaceId: expect.any(String),
      maskedUrl: expect.any(String),
      health: 'healthy',
      healthReason: null,
      paused: false,
    });
    expect(JSON.stringify(destination)).not.toContain(new URL(url).searchParams.get('token') ?? 'no token');
  });

  test('when health, the description and the operator’s pages are asked for, then they answer as the contract says', async () => {
    const health = await world.api('GET', '/health', null);
    const live = await fetch(`${world.baseUrl}/health/live`);
    const description = await world.api('GET', '/openapi.json', null);
    const hidden = await Promise.all(['/metrics', '/admin', '/admin/queues'].map((path) => fetch(`${world.baseUrl}${path}`)));

    expect(health).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: { database: {}, queue: {} }, version: expect.any(String) },
    });
    expect(live.status).toBe(200);
    expect(Object.keys(description.body.paths)).toEqual(expect.arrayContaining(['/rules', '/chat-webhooks', '/logs', '/events']));
    for (const answer of hidden) expect([401, 403, 404]).toContain(answer.status);
  });

  test('when a session is asked for by strangers, then it is 401, and 403 for who is not connected', async () => {
    const second = [...world.pipedrive.company(OTHER_COMPANY_ID).users.live.keys()].at(-1) ?? 0;

    const unconnected = await world.api('POST', '/session', null, {
      token: world.pipedrive.frameToken(OTHER_COMPANY_ID, second),
    });
    const expired = await world.api('POST', '/session', null, {
      token: world.pipedrive.frameToken(OTHER_COMPANY_ID, second, -60),
    });

    expect([unconnected.status, expired.status]).toEqual([403, 401]);
  });
});

describe('whatever comes', () => {
  const id = fc.oneof(
    fc.constantFrom('0', '-1', '1e3', '01', '999999999999999999999', '%00', '%ff', '..%2f', 'undefined'),
    fc.nat().map(String),
  );
  const odd = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) });
  const query = fc.dictionary(
    fc.constantFrom('limit', 'cursor', 'status', 'state', 'from', 'to', 'entity', 'entityId'),
    fc.oneof(odd, fc.integer().map(String), fc.constantFrom('\0', '[]', '2026-11-31')),
    { maxKeys: 3 },
  );
  const harmless = ENDPOINTS.filter((endpoint) => !endpoint.startsWith('DELETE'));

  test('it is never answered with a 5xx, and errors are problems', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...harmless), id, query, oddBody, async (endpoint, segment, parameters, sent) => {
        const { method, path } = target(endpoint, segment);
        const answer = await send(method, `${path}?${new URLSearchParams(parameters).toString()}`, `Bearer ${token}`, sent);
        expect([endpoint, answer.status < 500]).toEqual([endpoint, true]);
        if (answer.status >= 400) expect(answer.headers.get('content-type')).toContain('application/problem+json');
      }),
      { numRuns: RUNS },
    );
  });

  test('when credentials are odd, then it is 401', async () => {
    await fc.assert(
      fc.asyncProperty(odd, fc.constantFrom('Bearer ', 'Bearer dbk_', 'Basic ', ''), async (text, scheme) => {
        expect((await send('GET', '/rules', `${scheme}${text}`, undefined)).status).toBe(401);
      }),
      { numRuns: 50 },
    );
  });

  test('when paths and methods are odd, then it is a 4xx', async () => {
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD');

    await fc.assert(
      fc.asyncProperty(method, fc.array(fc.webSegment(), { maxLength: 4 }), async (verb, segments) => {
        expect((await send(verb, `/${segments.join('/')}`, `Bearer ${otherToken}`, undefined)).status).toBeLessThan(500);
      }),
      { numRuns: RUNS },
    );
  });

  async function send(method: string, path: string, authorization: string, sent: unknown): Promise<Response> {
    const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method) && sent !== undefined;
    const answer = await fetch(`${world.baseUrl}${path}`, {
      ...{ method, redirect: 'manual', headers: { authorization, 'content-type': 'application/json' } },
      ...(hasBody ? { body: JSON.stringify(sent) } : {}),
    });
    await answer.arrayBuffer();
    return answer;
  }
});
