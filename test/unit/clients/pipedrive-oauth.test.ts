import nock from 'nock';
import { makePipedriveOAuth } from '../../../src/clients/pipedrive-oauth';

const ORIGIN = 'https://oauth.pipedrive.test';
const SETTINGS = {
  oauthUrl: ORIGIN,
  clientId: 'client+id',
  clientSecret: 'se cret/%',
  redirectUri: 'https://dealbell.example/oauth/callback',
  timeoutMs: 10_000,
};
const oauth = makePipedriveOAuth(SETTINGS);
const BASIC = `Basic ${Buffer.from('client+id:se cret/%').toString('base64')}`;
const TOKEN = {
  access_token: 'v1u:abc',
  token_type: 'Bearer',
  refresh_token: '1:1:r',
  scope: 'base,deals:read',
  expires_in: 3599,
  api_domain: 'https://acme.pipedrive.com',
};

beforeAll(() => {
  nock.disableNetConnect();
});
afterEach(() => {
  expect(nock.isDone()).toBe(true);
  nock.cleanAll();
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

describe('makePipedriveOAuth', () => {
  test('when the consent address is made, then it has client, callback and state and nothing else', () => {
    const url = new URL(oauth.authorizeUrl('s t&x'));

    expect(url.origin + url.pathname).toBe(`${ORIGIN}/oauth/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'client+id',
      redirect_uri: 'https://dealbell.example/oauth/callback',
      state: 's t&x',
    });
  });

  test('when a code is exchanged, then it goes as a form with plain Basic credentials and the grant comes back parsed', async () => {
    nock(ORIGIN, { reqheaders: { authorization: BASIC, 'content-type': 'application/x-www-form-urlencoded' } })
      .post('/oauth/token', {
        grant_type: 'authorization_code',
        code: 'c.1',
        redirect_uri: 'https://dealbell.example/oauth/callback',
      })
      .reply(200, TOKEN);

    const answer = await oauth.exchangeCode('c.1');

    expect(answer).toEqual({
      ok: true,
      grant: {
        accessToken: 'v1u:abc',
        refreshToken: '1:1:r',
        scopes: ['base', 'deals:read'],
        expiresInSeconds: 3599,
        apiDomain: 'https://acme.pipedrive.com',
      },
    });
  });

  test('when a refresh answer omits the refresh token and the domain, then the old token stays in force', async () => {
    nock(ORIGIN)
      .post('/oauth/token', { grant_type: 'refresh_token', refresh_token: 'old' })
      .reply(200, { access_token: 'new', expires_in: 60 });

    const answer = await oauth.refresh('old');

    expect(answer).toEqual({
      ok: true,
      grant: { accessToken: 'new', refreshToken: 'old', scopes: [], expiresInSeconds: 60, apiDomain: null },
    });
  });

  test('when Pipedrive says the grant is invalid, then it is refused with its words', async () => {
    nock(ORIGIN)
      .post('/oauth/token')
      .reply(400, { success: false, error: 'invalid_grant', message: 'Invalid grant: refresh_token is invalid' });

    const answer = await oauth.refresh('old');

    expect(answer).toEqual({
      ok: false,
      failure: { kind: 'refused', reason: expect.stringContaining('refresh_token is invalid') },
    });
  });

  test.each([
    ['our credentials are wrong', 400, { error: 'invalid_client', message: 'Invalid client: client is invalid' }],
    ['our credentials are wrong (401)', 401, {}],
    ['a page blocks us', 403, '<html>blocked</html>'],
    ['it is down', 503, 'maintenance'],
    ['it asks to wait', 429, {}],
    ['it answers with a page', 200, '<html>hello</html>'],
    ['it answers without a token', 200, { success: true }],
    ['it redirects', 302, ''],
  ])('when %s, then nothing is known about the token', async (_name, status, body) => {
    nock(ORIGIN).post('/oauth/token').reply(status, body);

    const answer = await oauth.refresh('old');

    expect(answer).toMatchObject({ ok: false, failure: { kind: 'unreachable' } });
  });

  test.each([400, 401, 404, 422])('when a code is answered with %i, then it is refused', async (status) => {
    nock(ORIGIN).post('/oauth/token').reply(status, {});

    expect(await oauth.exchangeCode('c')).toMatchObject({ ok: false, failure: { kind: 'refused' } });
  });

  test('when it does not answer in time or breaks off, then it is unreachable', async () => {
    nock(ORIGIN).post('/oauth/token').delay(1_000).reply(200, TOKEN);
    nock(ORIGIN).post('/oauth/token').replyWithError('socket hang up');

    const hurried = makePipedriveOAuth({ ...SETTINGS, timeoutMs: 200 });
    const answers = [await hurried.refresh('old'), await oauth.exchangeCode('c')];

    expect(answers).toMatchObject([{ failure: { kind: 'unreachable' } }, { failure: { kind: 'unreachable' } }]);
  });

  test('when a refresh token is revoked, then it is told by its kind', async () => {
    nock(ORIGIN).post('/oauth/revoke', { token: 'old', token_type_hint: 'refresh_token' }).reply(200, { success: true });
    nock(ORIGIN).post('/oauth/revoke').reply(500, {});

    const outcomes = [await oauth.revoke('old'), await oauth.revoke('old')];

    expect(outcomes).toEqual([null, { kind: 'unreachable', reason: expect.any(String) }]);
  });
});
