/** The log: JSON lines in which no secret stands, wherever it hung. */

import { makeLogger, redactText } from '../../../src/platform/logger';

const SECRET = 'S3cretValue-123456';

function logged(write: (log: ReturnType<typeof makeLogger>) => void): string {
  const lines: string[] = [];
  write(makeLogger('trace', { write: (line: string) => void lines.push(line) }));
  return lines.join('');
}

describe('texts', () => {
  test.each([
    `https://chat.googleapis.com/v1/spaces/AAAA/messages?key=${SECRET}&token=${SECRET}%3D`,
    `GET /oauth/callback?code=${SECRET}&state=${SECRET} failed`,
    `Authorization: Bearer ${SECRET}`,
    `authorization: bearer ${SECRET}`,
    `Basic ${Buffer.from(SECRET).toString('base64')}`,
    `key dbk_${SECRET} is unknown`,
    `postgresql://dealbell:${SECRET}@db.example:5432/dealbell?sslmode=require`,
    `postgres://dealbell:${SECRET}@${SECRET}@db.example/dealbell`,
    `redis://:${SECRET}@cache.example:6379`,
    `rediss://default:${SECRET}@cache.example:6379/0`,
    `https://company.pipedrive.com/v1/users?api_token=${SECRET}`,
  ])('when a text is %s, then the secret is gone', (text) => {
    const safe = redactText(text);

    expect(safe).not.toContain(SECRET);
    expect(safe).not.toContain(Buffer.from(SECRET).toString('base64'));
    expect(safe).toContain('***');
  });

  test('when a text has no secret, then it stays as it is', () => {
    const text = 'deal 8 of tenant 7 went to spaces/AAAA at 12:00';

    expect(redactText(text)).toBe(text);
  });

  test('when a connection text is redacted, then the user and the host are still told', () => {
    expect(redactText('postgresql://dealbell:pw@db.example/x')).toBe('postgresql://dealbell:***@db.example/x');
  });
});

describe('lines', () => {
  test.each<[string, object]>([
    ['a field', { token: SECRET }],
    ['a field of a field', { connection: { accessToken: SECRET } }],
    ['a field far below', { a: { b: { c: { refresh_token: SECRET } } } }],
    ['a list', { items: [{ password: SECRET }] }],
    ['a text', { reason: `https://chat.googleapis.com/?key=${SECRET}` }],
    ['a text in a list', { reasons: [`Bearer ${SECRET}`] }],
    ['request headers', { req: { headers: { authorization: SECRET, cookie: SECRET, 'x-api-token': SECRET } } }],
    ['an address', { url: `https://x/${SECRET}` }],
    ['a URL', { address: new URL(`https://x/?key=${SECRET}`) }],
    ['a request', { req: Object.assign(new Map(), { headers: { authorization: SECRET } }) }],
    ['an instance', { client: Object.assign(new Map(), { password: SECRET }) }],
    ['bytes', { body: Buffer.from(SECRET) }],
  ])('when a secret hangs on %s, then it is not logged', (_name, fields) => {
    const line = logged((log) => log.info(fields, 'facts'));

    expect(line).not.toContain(SECRET);
    expect(line).toContain('"msg":"facts"');
  });

  test('when an error carries a secret in message, stack, cause or properties, then it is not logged', () => {
    const cause = new Error(`connect redis://:${SECRET}@x failed`);
    const error = Object.assign(new Error(`POST https://x/?token=${SECRET}`, { cause }), {
      config: { headers: { Authorization: `Bearer ${SECRET}` } },
      accessToken: SECRET,
    });

    const line = logged((log) => log.error({ err: error }, 'failed'));

    expect(line).not.toContain(SECRET);
    expect(line).toContain('"type":"Error"');
  });

  test.each([[null], ['text'], [{ error: 'bare body' }], [42], [undefined]])(
    'when %j was thrown, then logging it does not throw',
    (thrown) => {
      const line = logged((log) => log.error({ err: thrown }, 'failed'));

      expect(JSON.parse(line)).toMatchObject({ msg: 'failed' });
    },
  );

  test('when a library hangs its whole connection on an error, then only plain facts of the error are logged', () => {
    const error = Object.assign(new Error('terminating connection'), { code: '57P01', client: new Map([['host', 'db']]) });

    const line = logged((log) => log.warn({ err: error }, 'trouble'));

    expect(JSON.parse(line)).toMatchObject({ err: { message: 'terminating connection', code: '57P01' } });
    expect(line).not.toContain('client');
  });

  test('when a message itself has a secret, then it is redacted', () => {
    expect(logged((log) => log.info(`Bearer ${SECRET}`))).not.toContain(SECRET);
    expect(logged((log) => log.child({ tenantId: 7 }).info({}, `dbk_${SECRET}`))).not.toContain(SECRET);
    expect(logged((log) => log.child({ tenantId: 7, token: SECRET }).info({}, 'facts'))).not.toContain(SECRET);
  });

  test('when facts are logged, then they stand as fields beside an ISO time', () => {
    const line: unknown = JSON.parse(logged((log) => log.info({ tenantId: 7, count: 2n, at: new Date(0), list: [1] }, 'routed')));

    expect(line).toMatchObject({
      tenantId: 7,
      at: '1970-01-01T00:00:00.000Z',
      list: [1],
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });
});
