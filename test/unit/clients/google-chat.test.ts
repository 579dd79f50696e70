/** One POST to Google Chat over a real connection: whatever comes back is a value, in time, and says nothing of the key. */

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { makeGoogleChat } from '../../../src/clients/google-chat';
import { portOf } from '../../../src/platform/http-server';

const SENT = JSON.stringify({ name: 'spaces/AAAA/messages/1', thread: { name: 'spaces/AAAA/threads/1' } });
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function chatThat(answers: RequestListener): Promise<string> {
  server = createServer(answers).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${portOf(server)}`;
}

const aPost = (onWritten?: () => void) => ({
  url: { spaceId: 'AAAA', key: 'secret-key', token: 'secret-token' },
  requestId: 'request-1',
  body: '{"text":"Ünïcode"}',
  isThreaded: false,
  ...(onWritten === undefined ? {} : { onWritten }),
});

test('when Chat takes the message, then it got its bytes under its request id, and connections are used again', async () => {
  const seen: { url: string | undefined; type: string | undefined; body: string; port: number | undefined }[] = [];
  const post = makeGoogleChat(
    await chatThat((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url, headers, socket } = request;
        seen.push({ url, type: headers['content-type'], body: Buffer.concat(chunks).toString('utf8'), port: socket.remotePort });
        response.end(SENT);
      });
    }),
  );

  const outcome = await post(aPost());
  for (let again = 0; again < 5; again += 1) await post(aPost());

  expect(outcome).toEqual({
    kind: 'sent',
    httpStatus: 200,
    messageName: 'spaces/AAAA/messages/1',
    threadName: 'spaces/AAAA/threads/1',
  });
  expect(seen[0]).toMatchObject({
    url: '/v1/spaces/AAAA/messages?key=secret-key&token=secret-token&requestId=request-1',
    type: 'application/json; charset=UTF-8',
    body: '{"text":"Ünïcode"}',
  });
  expect(new Set(seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2);
});

test('when the answer is not complete in time, then the message is unreachable, and it was known to be written', async () => {
  let written = 0;
  const origin = await chatThat((_request, response) => response.writeHead(200).write('{"na'));
  const post = makeGoogleChat(origin, 100);

  const outcome = await post(aPost(() => (written += 1)));

  expect(outcome).toEqual({ kind: 'unreachable', httpStatus: null, reason: 'Google Chat did not answer within 0.1 s.' });
  expect(written).toBe(1);
});

test('when the connection is cut in the middle of the answer, then the message is unreachable', async () => {
  const origin = await chatThat((_request, response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('{"na', () => response.destroy());
  });

  expect(await makeGoogleChat(origin)(aPost())).toEqual({
    kind: 'unreachable',
    httpStatus: null,
    reason: 'Google Chat could not be reached (other side closed).',
  });
});

test('when nobody listens, then the reason names the failure, nothing was written, and no key is told', async () => {
  let written = 0;
  const origin = await chatThat(() => undefined);
  server?.close();

  const outcome = await makeGoogleChat(origin)(aPost(() => (written += 1)));

  expect(outcome).toEqual({
    kind: 'unreachable',
    httpStatus: null,
    reason: 'Google Chat could not be reached (ECONNREFUSED).',
  });
  expect(written).toBe(0);
});

test('when the answer does not end, then no more than 1 MB of it is waited for', async () => {
  const origin = await chatThat((_request, response) => response.writeHead(200).write(`{"text":"${'x'.repeat(2_000_000)}`));

  expect(await makeGoogleChat(origin)(aPost())).toMatchObject({ kind: 'unnamed', httpStatus: 200 });
});

test.each([
  ['a page of a proxy', 200, '<!doctype html><p>Blocked: /messages?key=secret-key&token=secret-token', 'a web page'],
  ['nothing', 204, '', 'an empty body'],
  ['white space', 200, '\r\n', 'an empty body'],
  ['words', 200, 'secret-token is fine', 'some other text'],
  ['a list', 201, '[{"name":"spaces/AAAA/messages/1"}]', 'some other text'],
  ['a JSON text', 200, '"ok"', 'some other text'],
  ['null', 200, 'null', 'some other text'],
  ['half a message', 200, SENT.slice(0, -1), 'some other text'],
  ['a page longer than what is read of it', 200, `<html>${'x'.repeat(2_000_000)}`, 'a web page'],
])(
  'when a 2xx brings %s, then that is no answer of Chat, and the reason says what came and no key',
  async (_what, status, body, came) => {
    const origin = await chatThat((_request, response) => response.writeHead(status).end(body));

    expect(await makeGoogleChat(origin)(aPost())).toEqual({
      ...{ kind: 'unreachable', httpStatus: status },
      reason: `HTTP ${status} with ${came} instead of Google Chat’s answer`,
    });
  },
);

test.each([
  ['names no message', '{}'],
  ['has an empty name', '{"name":""}'],
  ['is longer than what is read of it', JSON.stringify({ name: 'spaces/AAAA/messages/1', text: 'x'.repeat(2_000_000) })],
])('when a 2xx %s, then its message counts as posted and not named', async (_what, body) => {
  const origin = await chatThat((_request, response) => response.end(body));

  expect(await makeGoogleChat(origin)(aPost())).toEqual({
    ...{ kind: 'unnamed', httpStatus: 200 },
    reason: 'HTTP 200 without a message name',
  });
});

test.each([
  ['a message name too', { name: 'spaces/AAAA/messages/1' }],
  ['no message name', {}],
])('when a 2xx carries an error and %s, then its message is not sent, and Chat’s words are told', async (_what, fields) => {
  const body = JSON.stringify({ ...fields, error: { code: 500, message: 'Internal error encountered.', status: 'INTERNAL' } });
  const origin = await chatThat((_request, response) => response.end(body));

  expect(await makeGoogleChat(origin)(aPost())).toEqual({
    ...{ kind: 'unreachable', httpStatus: 200 },
    reason: 'HTTP 200 with an error: INTERNAL: Internal error encountered.',
  });
});

test('when a long message comes in pieces, then its name is read', async () => {
  const origin = await chatThat((_request, response) => {
    response.write(`{"name":"spaces/AAAA/messages/1","text":"${'x'.repeat(60_000)}`, () =>
      setImmediate(() => response.write('y'.repeat(60_000), () => setImmediate(() => response.end(`${'z'.repeat(60_000)}"}`)))),
    );
  });

  expect(await makeGoogleChat(origin)(aPost())).toMatchObject({ kind: 'sent', messageName: 'spaces/AAAA/messages/1' });
});

test('when a message fills exactly what is read of an answer, then it was sent', async () => {
  const filled = (length: number): string => JSON.stringify({ name: 'spaces/AAAA/messages/1', text: 'x'.repeat(length) });
  const body = filled(1_048_576 - filled(0).length);
  const origin = await chatThat((_request, response) => response.end(body));

  expect(await makeGoogleChat(origin)(aPost())).toMatchObject({ kind: 'sent', messageName: 'spaces/AAAA/messages/1' });
});

test.each(
  [
    { status: 429, kind: 'busy' },
    { status: 500, kind: 'unreachable' },
    { status: 503, kind: 'unreachable' },
  ].flatMap((answer) => [
    { ...answer, header: '7', retryAfterMs: 7_000 },
    { ...answer, header: '100000', retryAfterMs: 600_000 },
    { ...answer, header: '9'.repeat(400), retryAfterMs: null },
    { ...answer, header: 'Fri, 31 Dec 9999 23:59:59 GMT', retryAfterMs: 600_000 },
    { ...answer, header: 'Sat, 01 Jan 2000 00:00:00 GMT', retryAfterMs: null },
    { ...answer, header: '0', retryAfterMs: null },
    { ...answer, header: '-5', retryAfterMs: null },
    { ...answer, header: 'soon', retryAfterMs: null },
  ]),
)(
  'when Chat says $status with Retry-After $header, then it is $kind for that time',
  async ({ status, kind, header, retryAfterMs }) => {
    const origin = await chatThat((_request, response) => response.writeHead(status, { 'Retry-After': header }).end('{}'));

    expect(await makeGoogleChat(origin)(aPost())).toMatchObject({ kind, httpStatus: status, retryAfterMs });
  },
);

const googleError = (code: number, status: string): string =>
  JSON.stringify({ error: { code, message: 'In words.', status, details: [] } });
const PAGE = '<!doctype html><p>Blocked: /messages?key=secret-key&token=secret-token';

test.each([
  [400, 'INVALID_ARGUMENT', 'rejected'],
  [413, 'INVALID_ARGUMENT', 'rejected'],
  [401, 'UNAUTHENTICATED', 'refused'],
  [403, 'PERMISSION_DENIED', 'refused'],
  [404, 'NOT_FOUND', 'refused'],
  [408, 'DEADLINE_EXCEEDED', 'unreachable'],
  [409, 'ABORTED', 'unreachable'],
])('when Chat says %s %s, then the message is %s', async (status, name, kind) => {
  const origin = await chatThat((_request, response) => response.writeHead(status).end(googleError(status, name)));

  expect(await makeGoogleChat(origin)(aPost())).toMatchObject({
    ...{ kind, httpStatus: status },
    reason: `HTTP ${status} ${name}: In words.`,
  });
});

test('when Chat says that the message exists already, then it was sent', async () => {
  const origin = await chatThat((_request, response) => response.writeHead(409).end(googleError(409, 'ALREADY_EXISTS')));

  expect(await makeGoogleChat(origin)(aPost())).toEqual({
    ...{ kind: 'sent', httpStatus: 409 },
    ...{ messageName: 'already posted', threadName: null },
  });
});

test('when Chat says that its API key is damaged, then the destination is to blame and not the message', async () => {
  const details = [{ reason: 'API_KEY_INVALID', domain: 'googleapis.com' }];
  const body = JSON.stringify({ error: { code: 400, message: 'In words.', status: 'INVALID_ARGUMENT', details } });
  const origin = await chatThat((_request, response) => response.writeHead(400).end(body));

  expect(await makeGoogleChat(origin)(aPost())).toMatchObject({ kind: 'refused', httpStatus: 400 });
});

test.each(['', 'Bad request', '{"message":"Bad request"}'])(
  'when a 400 comes with “%s”, which is no page, then the body is wrong all the same',
  async (body) => {
    const origin = await chatThat((_request, response) => response.writeHead(400).end(body));

    expect(await makeGoogleChat(origin)(aPost())).toEqual({ kind: 'rejected', httpStatus: 400, reason: 'HTTP 400' });
  },
);

test.each([
  { status: 400, what: 'a page', body: PAGE, came: 'a web page' },
  ...[407, 409, 410, 413].flatMap((status) => [
    { status, what: 'a page', body: PAGE, came: 'a web page' },
    { status, what: 'nothing', body: '', came: 'an empty body' },
    { status, what: 'words', body: 'secret-token', came: 'some other text' },
    { status, what: 'another JSON', body: '{"message":"secret-token"}', came: 'some other text' },
  ]),
])(
  'when $status comes with $what, then that was not Chat: it says nothing of the message, which is tried on',
  async ({ status, body, came }) => {
    const origin = await chatThat((_request, response) => response.writeHead(status).end(body));

    expect(await makeGoogleChat(origin)(aPost())).toMatchObject({
      ...{ kind: 'unreachable', httpStatus: status },
      reason: `HTTP ${status} with ${came} instead of Google Chat’s answer`,
    });
  },
);

test.each([401, 403, 404])(
  'when %s comes with a page, then the destination refuses all the same, and the reason says what came',
  async (status) => {
    const origin = await chatThat((_request, response) => response.writeHead(status).end(PAGE));

    expect(await makeGoogleChat(origin)(aPost())).toEqual({
      ...{ kind: 'refused', httpStatus: status },
      reason: `HTTP ${status} with a web page instead of Google Chat’s answer`,
    });
  },
);

test('when Chat redirects, then nobody follows', async () => {
  const asked: (string | undefined)[] = [];
  const origin = await chatThat((request, response) => {
    asked.push(request.url);
    response.writeHead(302, { Location: '/elsewhere' }).end();
  });

  expect(await makeGoogleChat(origin)(aPost())).toMatchObject({ kind: 'unreachable', httpStatus: 302 });
  expect(asked).toHaveLength(1);
});
