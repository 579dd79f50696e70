import { createServer, type RequestListener } from 'node:http';
import nock from 'nock';
import { pino } from 'pino';
import { makePipedriveApi } from '../../../src/clients/pipedrive-api';
import type { ApiAccess } from '../../../src/clients/pipedrive-call';
import { AppError } from '../../../src/core/errors';

const ORIGIN = 'https://acme.pipedrive.test';
const log = pino({ level: 'silent' });

function anApi(access: Partial<ApiAccess> = {}) {
  const credential = { kind: 'oauth', accessToken: () => Promise.resolve('t1') } as const;
  return makePipedriveApi({ apiOrigin: ORIGIN, credential, patience: 'lookUp', log, timeoutMs: 10_000, ...access });
}

beforeAll(() => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
});
afterEach(() => {
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

describe('answers', () => {
  test('when the user is asked for, then company, locale and admin right are read', async () => {
    nock(ORIGIN, { reqheaders: { authorization: 'Bearer t1' } })
      .get('/api/v1/users/me')
      .reply(200, {
        success: true,
        data: {
          id: 1,
          name: 'Me',
          company_id: 5,
          company_name: 'Acme',
          company_domain: 'acme-1',
          locale: 'et_EE',
          timezone_name: 'Europe/Berlin',
          default_currency: 'EUR',
          access: [
            { app: 'sales', admin: false },
            { app: 'global', admin: true },
          ],
        },
      });

    const answer = await anApi().getCurrentUser();

    expect(answer).toEqual({
      ok: true,
      value: {
        userId: 1,
        userName: 'Me',
        isAdmin: true,
        companyId: 5,
        companyName: 'Acme',
        companyDomain: 'acme-1',
        locale: 'et_EE',
        timeZone: 'Europe/Berlin',
        baseCurrency: 'EUR',
      },
    });
  });

  test.each([
    ['is_admin: 1', { is_admin: 1 }, true],
    ['admin of sales only', { access: [{ app: 'sales', admin: true }] }, false],
    ['unknown access shapes', { access: [null, { app: 'global' }] }, false],
    ['no word about it', {}, false],
  ])('when the user has %s, then admin is told accordingly', async (_name, fields, isAdmin) => {
    nock(ORIGIN)
      .get('/api/v1/users/me')
      .reply(200, { data: { id: 1, company_id: 5, company_domain: 'acme', ...fields } });

    expect(await anApi().getCurrentUser()).toMatchObject({
      ok: true,
      value: { isAdmin, timeZone: 'UTC', baseCurrency: 'USD', companyName: 'acme' },
    });
  });

  test('when the company domain is no DNS label, then the answer is not believed', async () => {
    nock(ORIGIN)
      .get('/api/v1/users/me')
      .reply(200, { data: { id: 1, company_id: 5, company_domain: 'evil.example/#' } });

    expect(await anApi().getCurrentUser()).toMatchObject({ ok: false, failure: { kind: 'unreachable' } });
  });

  test('when stages come in pages, then all are read and named as webhooks name them', async () => {
    const stage = (id: number) => ({
      id,
      name: `S${id}`,
      pipeline_id: 1,
      is_deleted: false,
      days_to_rotten: 2,
      is_deal_rot_enabled: true,
    });
    nock(ORIGIN)
      .get('/api/v2/stages')
      .query({ limit: 500 })
      .reply(200, { data: [stage(1)], additional_data: { next_cursor: 'c2' } });
    nock(ORIGIN)
      .get('/api/v2/stages')
      .query({ limit: 500, cursor: 'c2' })
      .reply(200, { data: [stage(2)], additional_data: { next_cursor: null } });

    const answer = await anApi().listStages();

    expect(answer).toEqual({
      ok: true,
      value: [1, 2].map((id) => ({ id, name: `S${id}`, pipeline_id: 1, active_flag: true, rotten_days: 2, rotten_flag: true })),
    });
  });

  test('when a record has custom fields in the shape of the API, then they are left out', async () => {
    nock(ORIGIN)
      .get('/api/v2/deals/7')
      .reply(200, { data: { id: 7, title: 'Big', visible_to: 3, custom_fields: { ['a'.repeat(40)]: 12 } } });

    expect(await anApi().getDeal(7)).toEqual({ ok: true, value: { id: 7, title: 'Big', visible_to: '3' } });
  });

  test('when a webhook is added by API token, then the request is Pipedrive’s and bears x-api-token', async () => {
    const request = {
      subscription_url: 'https://d.example/webhook/pipedrive',
      event_action: '*',
      event_object: 'deal',
      name: 'Dealbell deal',
      http_auth_user: 'u',
      http_auth_password: 'p',
      version: '2.0',
    };
    nock(ORIGIN, { reqheaders: { 'x-api-token': 'k' }, badheaders: ['authorization'] })
      .post('/api/v1/webhooks', request)
      .reply(201, { data: { id: 12 } });
    const api = anApi({ credential: { kind: 'apiToken', apiToken: 'k' } });

    const answer = await api.addWebhook({
      eventObject: 'deal',
      subscriptionUrl: request.subscription_url,
      name: request.name,
      authUser: 'u',
      authPassword: 'p',
    });

    expect(answer).toEqual({ ok: true, value: 12 });
  });
});

describe('failures', () => {
  test.each([
    [403, { success: false, error: 'Scope and URL mismatch' }, 'forbidden', 'Scope and URL mismatch'],
    [402, { error: 'closed' }, 'forbidden', 'closed'],
    [403, '<html>Cloudflare</html>', 'unreachable', '403'],
    [404, { success: false }, 'notFound', '404'],
    [
      400,
      { errors: { subscription_url: ['invalid or non-reachable URL'] } },
      'invalid',
      'subscription_url: invalid or non-reachable URL',
    ],
    [422, { error: 'Webhooks limit reached' }, 'invalid', 'limit reached'],
    [500, '', 'unreachable', '500'],
    [301, '', 'unreachable', '301'],
    [200, '<html>hello</html>', 'unreachable', 'unknown shape'],
    [200, '{"data":{"id":', 'unreachable', 'unknown shape'],
    [200, '', 'unreachable', 'unknown shape'],
  ])('when Pipedrive answers %i %j, then it is %s', async (status, body, kind, words) => {
    nock(ORIGIN).get('/api/v2/deals/7').reply(status, body, { location: 'https://elsewhere.test/' });

    expect(await anApi().getDeal(7)).toEqual({ ok: false, failure: { kind, reason: expect.stringContaining(words) } });
  });

  test.each<[string, RequestListener]>([
    ['does not answer', () => undefined],
    ['trickles', (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"data":')],
    [
      'breaks off',
      (_request, response) => void response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
    ],
  ])('when Pipedrive %s, then it is unreachable in time', async (_name, listener) => {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const apiOrigin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;

    const answer = await anApi({ apiOrigin, timeoutMs: 200 }).getDeal(7);

    expect(answer).toMatchObject({ ok: false, failure: { kind: 'unreachable' } });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('when a token is refused, then a newer one is asked for and used, once', async () => {
    nock(ORIGIN, { reqheaders: { authorization: 'Bearer t1' } })
      .get('/api/v2/deals/7')
      .reply(401, {});
    nock(ORIGIN, { reqheaders: { authorization: 'Bearer t2' } })
      .get('/api/v2/deals/7')
      .reply(200, { data: { id: 7 } });
    const refusals: (string | undefined)[] = [];
    const accessToken = (refused?: string) => {
      refusals.push(refused);
      return Promise.resolve(refused === undefined ? 't1' : 't2');
    };

    const answer = await anApi({ credential: { kind: 'oauth', accessToken } }).getDeal(7);

    expect(answer).toEqual({ ok: true, value: { id: 7 } });
    expect(refusals).toEqual([undefined, 't1']);
  });

  test('when every token is refused, then it is unauthorized after two tries', async () => {
    nock(ORIGIN).get('/api/v2/deals/7').twice().reply(401, { error: 'Invalid token' });

    expect(await anApi().getDeal(7)).toMatchObject({ ok: false, failure: { kind: 'unauthorized' } });
  });

  test.each([
    ['connection_revoked', 'unauthorized'],
    ['pipedrive_unreachable', 'unreachable'],
  ])('when no token can be had (%s), then it is %s', async (code, kind) => {
    const accessToken = () => Promise.reject(new AppError(code, 'no token'));

    expect(await anApi({ credential: { kind: 'oauth', accessToken } }).getDeal(7)).toMatchObject({
      ok: false,
      failure: { kind },
    });
  });
});

describe('rate limits', () => {
  test.each<[string, Record<string, string>, number]>([
    ['seconds until the reset', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }, 1_000],
    ['a reset far away', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '500' }, 2_000],
    ['a Unix time in the past', { 'x-ratelimit-reset': '1700000000' }, 250],
    ['Retry-After', { 'retry-after': '3' }, 3_000],
    ['requests left in the window: the daily budget', { 'x-ratelimit-remaining': '70' }, 3_600_000],
    ['nothing', {}, 2_000],
  ])('when a 429 names %s, then the wait is clamped', async (_name, headers, retryAfterMs) => {
    nock(ORIGIN).get('/api/v2/deals/7').reply(429, {}, headers);

    expect(await anApi().getDeal(7)).toMatchObject({ ok: false, failure: { kind: 'rateLimited', retryAfterMs } });
  });

  test('when background work meets a burst limit, then it waits and asks once more', async () => {
    nock(ORIGIN).get('/api/v2/deals/7').reply(429, {}, { 'x-ratelimit-reset': '0' });
    nock(ORIGIN)
      .get('/api/v2/deals/7')
      .reply(200, { data: { id: 7 } });

    expect(await anApi({ patience: 'background' }).getDeal(7)).toEqual({ ok: true, value: { id: 7 } });
  });

  test('when background work meets the daily budget, then it does not wait', async () => {
    nock(ORIGIN).get('/api/v2/deals/7').reply(429, {}, { 'x-ratelimit-remaining': '70' });

    expect(await anApi({ patience: 'background' }).getDeal(7)).toMatchObject({ ok: false, failure: { kind: 'rateLimited' } });
  });
});
