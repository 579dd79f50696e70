/** The stand-in Pipedrive keeps Pipedrive's rules: OAuth codes, tokens, consent and uninstall. */
import type { FakePipedrive, FakePipedriveOptions } from '../../fakes/pipedrive/fake-pipedrive';
import { startFakePipedrive } from '../../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID } from '../../fakes/pipedrive/seed-crm';
import { callApi, install, installWithWebhook, tokenAnswer, tokenRequest, userId } from './app-of-the-fake';
import type { WebhookReceiver } from './webhook-receiver';
import { startWebhookReceiver } from './webhook-receiver';

let fake: FakePipedrive;
let receiver: WebhookReceiver;

async function start(options: FakePipedriveOptions = {}): Promise<void> {
  await fake.close();
  fake = await startFakePipedrive({ retryDelaysMs: [10, 10, 10], banMs: 40, deliveryTimeoutMs: 2000, ...options });
}

beforeEach(async () => {
  fake = await startFakePipedrive({ retryDelaysMs: [10, 10, 10], banMs: 40, deliveryTimeoutMs: 2000 });
  receiver = await startWebhookReceiver();
});

afterEach(async () => {
  await fake.close();
  await receiver.close();
});

describe('OAuth', () => {
  test('when a code is exchanged twice, then the second time is refused', async () => {
    const code = fake.authorizeDirectly(userId(fake, DEMO_COMPANY_ID, 0));
    const form = { grant_type: 'authorization_code', code, redirect_uri: 'http://localhost/cb' };

    const first = await tokenRequest(fake, form);
    const second = await tokenRequest(fake, form);

    expect(tokenAnswer.parse(await first.json())).toMatchObject({ api_domain: fake.url, expires_in: 3599, token_type: 'Bearer' });
    expect(second.status).toBe(400);
    expect(await second.json()).toMatchObject({
      error: 'invalid_grant',
      message: 'Invalid grant: authorization_code is invalid',
    });
  });

  test('when five minutes have passed, then a code has expired', async () => {
    let now = new Date('2026-11-01T10:00:00Z');
    await start({ clock: () => now });
    const code = fake.authorizeDirectly(userId(fake, DEMO_COMPANY_ID, 0));
    now = new Date('2026-11-01T10:05:01Z');

    const answer = await tokenRequest(fake, { grant_type: 'authorization_code', code, redirect_uri: 'http://localhost/cb' });

    expect(await answer.json()).toMatchObject({ message: 'Invalid grant: authorization_code has expired' });
  });

  test('when a user allows the app on the consent page, then the callback gets code and state', async () => {
    fake.setAppUrl('http://localhost:9');
    const query = new URLSearchParams({
      client_id: fake.clientId,
      redirect_uri: 'http://localhost:9/oauth/callback',
      state: 's1',
    });
    const body = new URLSearchParams({ user: `${DEMO_COMPANY_ID}-${userId(fake, DEMO_COMPANY_ID, 1)}`, decision: 'allow' });

    const allowed = await fetch(`${fake.url}/oauth/authorize?${query}`, { method: 'POST', body, redirect: 'manual' });
    const cancelled = await fetch(`${fake.url}/oauth/authorize?${query}`, {
      method: 'POST',
      body: new URLSearchParams({ decision: 'cancel' }),
      redirect: 'manual',
    });

    expect(allowed.headers.get('location')).toMatch(/^http:\/\/localhost:9\/oauth\/callback\?code=[^&]+&state=s1$/);
    expect(cancelled.headers.get('location')).toBe('http://localhost:9/oauth/callback?error=user_denied&state=s1');
  });

  test('when another redirect URL is asked for, then the consent page is refused', async () => {
    fake.setAppUrl('http://localhost:9');

    const answer = await fetch(
      `${fake.url}/oauth/authorize?client_id=${fake.clientId}&redirect_uri=http://localhost:9/elsewhere`,
    );

    expect([answer.status, await answer.json()]).toEqual([400, { error: 'Invalid redirect URL' }]);
  });

  test('when refresh tokens rotate, then the old one dies; when not, then the same comes back', async () => {
    const first = await install(fake);
    const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token ?? '' };

    const same = tokenAnswer.parse(await (await tokenRequest(fake, form)).json());
    fake.rotateRefreshTokens = true;
    const rotated = tokenAnswer.parse(await (await tokenRequest(fake, form)).json());
    const dead = await tokenRequest(fake, form);

    expect(same.refresh_token).toBe(first.refresh_token);
    expect(rotated.refresh_token).not.toBe(first.refresh_token);
    expect(dead.status).toBe(400);
  });

  test('when access tokens are expired, then the API says 401 and a refresh helps', async () => {
    const { access_token: token, refresh_token: refreshToken } = await install(fake);
    fake.expireAccessTokens();

    const refused = await callApi(fake, { token: token, path: '/api/v1/users/me' });
    const fresh = tokenAnswer.parse(
      await (await tokenRequest(fake, { grant_type: 'refresh_token', refresh_token: refreshToken ?? '' })).json(),
    );
    const accepted = await callApi(fake, { token: fresh.access_token, path: '/api/v1/users/me' });

    expect(refused).toEqual({
      status: 401,
      json: { success: false, error: 'Invalid token: access_token is invalid', errorCode: 401 },
    });
    expect(accepted.json).toMatchObject({ data: { company_id: DEMO_COMPANY_ID, company_domain: 'brightwater' } });
  });

  test('when a user uninstalls, then tokens and webhooks go and the callback gets a DELETE', async () => {
    const token = await installWithWebhook(fake, receiver.url);
    fake.setAppUrl(receiver.url);

    const outcome = await fake.uninstall(userId(fake, DEMO_COMPANY_ID, 0));

    const call = receiver.received.at(-1);
    expect(outcome).toEqual({ status: 200 });
    expect(call?.method).toBe('DELETE');
    expect(call?.headers.authorization).toBe(`Basic ${Buffer.from(`${fake.clientId}:${fake.clientSecret}`).toString('base64')}`);
    expect(JSON.parse(call?.body ?? '')).toMatchObject({
      client_id: fake.clientId,
      company_id: DEMO_COMPANY_ID,
      user_id: userId(fake, DEMO_COMPANY_ID, 0),
    });
    expect(fake.webhooks.size).toBe(0);
    expect((await callApi(fake, { token: token, path: '/api/v1/users/me' })).status).toBe(401);
  });
});
