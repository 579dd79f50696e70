/** `POST /webhook/pipedrive`: every answer of the contract, and nothing that breaks it. */

import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { credentialsOf, rawWebhook } from '../support/raw-webhook';
import { sharedDataPath } from '../support/shared-data';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';

// Before the database goes: such hooks run in the order in which they stand.
afterAll(() => world.close());
const testDatabase = useTestDatabase();
let world: World;
let token: string;
let lastId = 70_000;

beforeAll(async () => {
  world = await startWorld({
    databaseUrl: testDatabase.connectionString,
    config: { apiRateLimit: 1_000_000, spaceIntervalMs: 0 },
    chat: { enforceQuota: false },
  });
  token = await world.install();
  await world.install(undefined, OTHER_COMPANY_ID);
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(body: BodyInit, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers }, duplex: 'half' as const };
  const response = await fetch(`${world.baseUrl}/webhook/pipedrive`, init);
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const basic = (pair: string): { authorization: string } => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
const ours = (): { authorization: string } => ({ authorization: credentialsOf(world) });
const pairOf = (companyId: number): [string, string] => {
  const [user = '', password = ''] = Buffer.from(credentialsOf(world, companyId).slice('Basic '.length), 'base64')
    .toString()
    .split(':');
  return [user, password];
};
const won = (id = (lastId += 1)): string => {
  const data = { id, title: `Deal ${id}`, status: 'won', value: 1, currency: 'EUR' };
  return JSON.stringify(rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } }));
};
const isListed = async (body: string): Promise<boolean> => {
  const { entity, entity_id: id } = JSON.parse(body).meta;
  return (await world.api('GET', `/events?entity=${entity}&entityId=${id}`, token)).body.items.length === 1;
};

describe('answers', () => {
  test('when a webhook comes, comes again, or is of no interest, then 200 says which', async () => {
    const body = won();

    const answers = [await post(body, ours()), await post(body, ours())];
    const product = await post(JSON.stringify(rawWebhook('product', 'create', 1, { data: { id: 1 } })), ours());

    expect(answers).toEqual([
      { status: 200, body: { status: 'accepted' } },
      { status: 200, body: { status: 'duplicate' } },
    ]);
    expect(product).toMatchObject({ status: 200, body: { status: 'ignored', reason: expect.any(String) } });
    expect(await isListed(body)).toBe(true);
  });

  test('when one webhook comes many times at once, then one of them is accepted', async () => {
    const body = won();

    const answers = await Promise.all(Array.from({ length: 20 }, () => post(body, ours())));

    expect(answers.filter(({ body: { status } }) => status === 'accepted')).toHaveLength(1);
    expect(answers.filter(({ body: { status } }) => status === 'duplicate')).toHaveLength(19);
  });

  test('when the credentials are absent, wrong or odd, then it is 401 and nothing is stored', async () => {
    const [user, password] = pairOf(DEMO_COMPANY_ID);
    const [, otherPassword] = pairOf(OTHER_COMPANY_ID);
    const body = won();
    const headers: readonly Readonly<Record<string, string>>[] = [
      {},
      basic(`${user}:wrong`),
      basic(`${user}:${otherPassword}`),
      basic(`nobody:${password}`),
      basic(user),
      basic(`${user}:`),
      basic(`:${password}`),
      basic(`${user}\0:${password}`),
      basic(`${user}:${password}\0`),
      basic(`${user}:${password} `),
      { authorization: 'Basic' },
      { authorization: 'Basic !!!' },
      { authorization: `Bearer ${token}` },
      { 'x-dealbell-tenant': 'nobody', 'x-dealbell-signature': 'sha256=00' },
    ];

    for (const header of headers) expect([header, (await post(body, header)).status]).toEqual([header, 401]);

    expect(await isListed(body)).toBe(false);
  });

  test.each([
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{}',
    '{"meta":{}}',
    '{"meta":{"entity":"deal"}}',
    '<xml/>',
    '\0',
    '{"data":{},"previous":null}',
  ])('when the body is no webhook (%j), then it is 400', async (body) => {
    expect((await post(body, ours())).status).toBe(400);
  });

  test('when the body is over 1 MB, then it is 413, told beforehand or chunk by chunk', async () => {
    const tooMuch = Buffer.alloc(1_048_577, 0x20);

    expect((await post(tooMuch, ours())).status).toBe(413);
    expect(await chunkedStatus(tooMuch)).toBe(413);
    expect((await post(won().padEnd(1_048_576, ' '), ours())).status).toBe(200);
  });

  test('when a relay signs the body, then the tenant’s secret decides', async () => {
    const { tenantPublicId, signingSecret } = (await world.api('GET', '/account', token)).body.webhook;
    const body = won();
    const signed = (secret: string, of = body) => ({
      'x-dealbell-tenant': String(tenantPublicId),
      'x-dealbell-signature': `sha256=${createHmac('sha256', secret).update(of).digest('hex')}`,
    });

    const answers = [
      (await post(body, signed('another secret'))).status,
      (await post(body, signed(signingSecret, `${body} `))).status,
      (await post(body, { ...signed(signingSecret), 'x-dealbell-tenant': crypto.randomUUID() })).status,
      (await post(body, signed(signingSecret))).status,
    ];

    expect(answers).toEqual([401, 401, 401, 200]);
    expect(await isListed(body)).toBe(true);
  });

  test('when the sender goes away in the middle, then the next one is served', async () => {
    const { port } = new URL(world.baseUrl);
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    socket.write(
      `POST /webhook/pipedrive HTTP/1.1\r\nhost: x\r\nauthorization: ${ours().authorization}\r\ncontent-length: 50\r\n\r\n{"meta"`,
    );
    socket.destroy();

    expect((await post(won(), ours())).status).toBe(200);
  });
});

/** Posts without a content-length. The answer counts, also when it comes before the upload is over. */
function chunkedStatus(body: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${world.baseUrl}/webhook/pipedrive`, { method: 'POST', headers: ours() });
    sent.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once('error', reject);
    sent.write(body);
    sent.end();
  });
}

describe('whatever comes', () => {
  const folder = sharedDataPath('pipedrive/webhooks');
  const real = folder === null ? [won()] : readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const odd = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.constantFrom('\0', '\ud800', 2 ** 63, -1, 1e308, '9999999999999999999', 'won', null, [], {}),
  );

  let nextId = 1_000_000;

  /** A real payload with some values somewhere replaced. */
  const mutated = fc
    .tuple(fc.constantFrom(...real), fc.array(fc.tuple(fc.nat(), odd), { maxLength: 4 }))
    .map(([text, changes]) => {
      const body = JSON.parse(text);
      // Each its own record: twins would only be duplicates of each other.
      if (body.meta !== undefined) body.meta.entity_id = String((nextId += 1));
      for (const [at, value] of changes) replaceAt(body, at, value);
      return JSON.stringify(body);
    });
  const anything = fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 4, arbitrary: mutated },
  );

  test('it is never answered with a 5xx, what is accepted is listed, and everything gets routed', async () => {
    const listedBefore = await countEvents();
    let accepted = 0;

    await fc.assert(
      fc.asyncProperty(anything, async (body) => {
        const { status, body: answer } = await post(body, ours());
        expect([200, 400]).toContain(status);
        if (answer['status'] === 'accepted') accepted += 1;
      }),
      { numRuns: 500 },
    );
    await ledgerAtRest(world, testDatabase.database.pool, 20_000);

    expect((await countEvents()) - listedBefore).toBeGreaterThanOrEqual(accepted);
    expect(accepted).toBeGreaterThan(20);
  });

  test('when headers are odd, then it is 401 and nothing else', async () => {
    const header = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });

    await fc.assert(
      fc.asyncProperty(header, header, async (one, two) => {
        const base64 = Buffer.from(`${one}:${two}`).toString('base64');
        for (const authorization of [one, `Basic ${two}`, `Basic ${base64}`])
          expect((await post('{}', { authorization })).status).toBe(401);
        expect((await post('{}', { 'x-dealbell-tenant': one, 'x-dealbell-signature': two })).status).toBe(401);
      }),
      { numRuns: 50 },
    );
  });

  async function countEvents(): Promise<number> {
    let count = 0;
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: unknown[]; nextCursor: string | null } = (
        await world.api('GET', `/events?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`, token)
      ).body;
      count += page.items.length;
      cursor = page.nextCursor;
    }
    return count;
  }
});

/** Replaces the value at one of all places of a JSON value. */
function replaceAt(body: unknown, place: number, value: unknown): void {
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const visit = (holder: Record<string, unknown>): void => {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const inner = holder[key];
      if (isHolder(inner)) visit(inner);
    }
  };
  if (isHolder(body)) visit(body);
  const chosen = places[place % Math.max(1, places.length)];
  if (chosen !== undefined) chosen.holder[chosen.key] = value;
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
