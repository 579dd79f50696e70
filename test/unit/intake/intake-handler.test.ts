/** The webhook endpoint as an HTTP server: every request gets the contract's answer. */

import { createHash, createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import type { AcceptEvent } from '../../../src/intake/accept-event';
import { isWebhookRequest, makeIntakeHandler, MAX_BODY_BYTES, WEBHOOK_PATH } from '../../../src/intake/intake.routes';
import { waitUntil } from '../../support/wait-until';

/** Long enough for every other test here. */
const ANSWER_LIMIT_MS = 3_000;
const TENANT = tenantId(7);
const PUBLIC_ID = '11111111-2222-4333-8444-555555555555';
const RIGHT = `Basic ${Buffer.from('user:right').toString('base64')}`;

let server: Server;
let port: number;
let accept: AcceptEvent;
let isSourceDown: boolean;
let beforeLookUp: () => Promise<void>;
let waiting: number;
let bodies: Buffer[];
let answers: string[];

beforeEach(async () => {
  isSourceDown = false;
  beforeLookUp = () => Promise.resolve();
  waiting = 0;
  bodies = [];
  answers = [];
  accept = (_tenant, body) => {
    bodies.push(body);
    return Promise.resolve({ status: 'accepted' });
  };
  const hash = createHash('sha256').update('right').digest();
  const handler = makeIntakeHandler({
    acceptEvent: (tenant, body) => accept(tenant, body),
    senders: {
      findCredential: async (user) => {
        await beforeLookUp();
        if (isSourceDown) throw new Error('database down');
        return user === 'user' ? { tenantId: TENANT, credentialHash: hash } : null;
      },
      findSigningSecret: (id) => Promise.resolve(id === PUBLIC_ID ? { tenantId: TENANT, secret: 's' } : null),
    },
    log: pino({ level: 'silent' }),
    answerLimitMs: ANSWER_LIMIT_MS,
    arrive: () => {
      waiting += 1;
      return () => {
        waiting -= 1;
      };
    },
    onAnswer: (status, outcome) => answers.push(`${status} ${outcome}`),
  });
  server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address: AddressInfo | string | null = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = { authorization: RIGHT }) =>
  fetch(`http://127.0.0.1:${port}${WEBHOOK_PATH}`, { method: 'POST', body, headers });

test.each([
  [{ status: 'accepted' }, 200, { status: 'accepted' }],
  [{ status: 'duplicate' }, 200, { status: 'duplicate' }],
  [{ status: 'ignored', reason: 'Of no interest.' }, 200, { status: 'ignored', reason: 'Of no interest.' }],
  [{ status: 'invalid', reason: 'No webhook.' }, 400, { status: 400, detail: 'No webhook.' }],
  [{ status: 'orphan' }, 401, { status: 401 }],
] as const)('when the body comes to %j, then the answer is %d', async (acceptance, status, body) => {
  accept = () => Promise.resolve(acceptance);

  const response = await post('{}');

  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject(body);
  expect(response.headers.get('content-type')).toBe(status >= 400 ? 'application/problem+json' : 'application/json');
});

test('when credentials are missing or wrong, then 401 and the body is not looked at', async () => {
  const responses = await Promise.all([
    post('{}', {}),
    post('{}', { authorization: RIGHT.slice(0, -4) }),
    post('{}', { authorization: 'Bearer x' }),
  ]);

  expect(responses.map(({ status }) => status)).toEqual([401, 401, 401]);
  expect(responses[0].headers.get('www-authenticate')).toContain('Basic');
  expect(bodies).toEqual([]);
});

test('when a relay signs the very bytes, then they are accepted, and any other are not', async () => {
  const signature = `sha256=${createHmac('sha256', 's').update('{"a":1}').digest('hex')}`;
  const headers = { 'x-dealbell-tenant': PUBLIC_ID, 'x-dealbell-signature': signature };

  const [right, wrong] = [await post('{"a":1}', headers), await post('{"a": 1}', headers)];

  expect([right.status, wrong.status]).toEqual([200, 401]);
  expect(bodies.map(String)).toEqual(['{"a":1}']);
});

test('when the body is exactly as large as allowed, then it is taken whole', async () => {
  const response = await post(Buffer.alloc(MAX_BODY_BYTES, 'a'));

  expect(response.status).toBe(200);
  expect(bodies[0]).toHaveLength(MAX_BODY_BYTES);
});

test('when the body claims to be too large, then 413 before it is read', async () => {
  const response = await post(Buffer.alloc(MAX_BODY_BYTES + 1, 'a'));

  expect(response.status).toBe(413);
  expect(bodies).toEqual([]);
});

test('when a body without a length grows too large, then 413', async () => {
  const answer = await rawRequest((socket) => {
    socket.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: ${RIGHT}\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = 'a'.repeat(65_536);
    for (let sent = 0; sent <= MAX_BODY_BYTES; sent += chunk.length) socket.write(`10000\r\n${chunk}\r\n`);
  });

  expect(answer).toMatch(/^HTTP\/1.1 413 /);
  expect(answer).toContain('Connection: close');
});

test('when the store is down, then 503 so that Pipedrive sends it again', async () => {
  accept = () => Promise.reject(new Error('database down'));

  expect((await post('{}')).status).toBe(503);
});

test('when credentials cannot be looked up, then 503 and not 401', async () => {
  isSourceDown = true;

  expect((await post('{}')).status).toBe(503);
});

test('when answers go out, then each is counted with what it was', async () => {
  await post('{}');
  await post('{}', {});

  expect(answers).toEqual(['200 accepted', '401 401']);
});

test.each([
  ['the rest of its body', '{'],
  ['all of it', '{}'],
])(
  'when the sender goes away during the look-up of its credentials, with %s on the way, then it waits no more',
  async (_what, sent) => {
    let goOn: () => void = () => undefined;
    beforeLookUp = () => new Promise((resolve) => (goOn = resolve));
    const gone = new Promise((resolve) => server.once('connection', (socket) => socket.once('close', resolve)));
    const socket = connect(port, '127.0.0.1');
    socket.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: ${RIGHT}\r\nContent-Length: 2\r\n\r\n${sent}`);
    await waitUntil('it has come', () => waiting === 1);

    socket.destroy();
    await gone;
    goOn();

    await waitUntil('it is counted down', () => waiting === 0);
    expect(bodies).toEqual([]);
  },
);

test.each([
  ['POST', WEBHOOK_PATH, true],
  ['POST', `${WEBHOOK_PATH}?a=b`, true],
  ['GET', WEBHOOK_PATH, false],
  ['POST', `${WEBHOOK_PATH}/x`, false],
  ['POST', '/rules', false],
])('when %s %s is asked, then it is a webhook: %s', (method, url, expected) => {
  expect(isWebhookRequest(Object.assign(Object.create(null), { method, url }))).toBe(expected);
});

function rawRequest(write: (socket: ReturnType<typeof connect>) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => write(socket));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
      if (answer.includes('\r\n\r\n')) {
        resolve(answer);
        socket.destroy();
      }
    });
    socket.on('error', (error) => (answer === '' ? reject(error) : undefined));
  });
}

test('when the event is not stored in time, then it is 503, and what is stored later changes nothing', async () => {
  let store: () => void = () => undefined;
  accept = () => new Promise((resolve) => (store = () => resolve({ status: 'accepted' })));

  const response = await post('{}');
  const body: unknown = await response.json();
  store();

  expect(response.status).toBe(503);
  expect(body).toMatchObject({ status: 503, detail: expect.stringContaining('send it again') });
  expect(answers).toEqual(['503 503']);
});
