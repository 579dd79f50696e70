/** A tenant's life: install, reinstall, a second user, cancelled and forged callbacks, uninstall, fail-over, tokens that end. */

import { startFakePipedrive, type FakePipedrive } from '../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { useTestDatabase } from '../support/test-database';
import { startInstallStack, type InstallStack } from './install-stack';

const WANTED = ['activity', 'deal', 'lead', 'note', 'organization', 'person', 'pipeline', 'stage', 'user'];
const test_ = useTestDatabase();
let fake: FakePipedrive;
let stack: InstallStack;
const started: InstallStack[] = [];

beforeEach(async () => {
  await test_.clear();
  fake = await startFakePipedrive();
  stack = await start();
});

afterEach(async () => {
  for (const each of started.splice(0)) await each.close();
  await fake.close();
});

async function start(options: { baseUrl?: string; clock?: () => Date } = {}): Promise<InstallStack> {
  const one = await startInstallStack({ fake, database: test_.database, ...options });
  started.push(one);
  return one;
}

function userIds(companyId = DEMO_COMPANY_ID): number[] {
  return [...fake.company(companyId).users.live.keys()];
}
const adminId = (companyId = DEMO_COMPANY_ID): number => userIds(companyId)[0] ?? 0;
const secondId = (companyId = DEMO_COMPANY_ID): number => userIds(companyId)[1] ?? 0;

const get = (path: string, headers: Record<string, string> = {}) => fetch(stack.url + path, { redirect: 'manual', headers });
const callback = (query: Record<string, string>, headers?: Record<string, string>) =>
  get(`/oauth/callback?${new URLSearchParams(query).toString()}`, headers);
const install = (userId: number, companyId = DEMO_COMPANY_ID) => callback({ code: fake.authorizeDirectly(userId, companyId) });

async function begin(): Promise<{ state: string; cookie: string; location: URL }> {
  const response = await get('/oauth/install');
  const location = new URL(response.headers.get('location') ?? '');
  return { state: location.searchParams.get('state') ?? '', cookie: cookieOf(response), location };
}

function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

async function count(table: string): Promise<number> {
  const { rows } = await test_.database.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  return rows[0]?.n ?? 0;
}

async function tenantOf(companyId = DEMO_COMPANY_ID) {
  const tenant = await stack.tenants.findByCompany(companyId);
  if (tenant === null) throw new Error('no tenant');
  return tenant;
}

async function activeConnectionOf(userId: number) {
  const found = (await stack.connections.listActive((await tenantOf()).id)).find((connection) => connection.userId === userId);
  if (found === undefined) throw new Error('no active connection of that user');
  return found;
}

const registered = (companyId = DEMO_COMPANY_ID) =>
  [...fake.webhooks.values()].filter((webhook) => webhook.companyId === companyId);
const objectsOf = (webhooks: { eventObject: string }[]) => webhooks.map((webhook) => webhook.eventObject).sort();
const tokenPosts = () => fake.requests.filter(({ path }) => path === '/oauth/token').length;

const uninstallCall = (body: object, credentials = `${fake.clientId}:${fake.clientSecret}`) =>
  fetch(`${stack.url}/oauth/callback`, {
    method: 'DELETE',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('install', () => {
  test('when an install begins, then the browser goes to the consent page with client, callback and state alone', async () => {
    const { location, state, cookie } = await begin();

    expect(location.origin + location.pathname).toBe(`${fake.url}/oauth/authorize`);
    expect([...location.searchParams.keys()].sort()).toEqual(['client_id', 'redirect_uri', 'state']);
    expect(location.searchParams.get('redirect_uri')).toBe(`${stack.url}/oauth/callback`);
    expect(state.length).toBeGreaterThan(20);
    expect(cookie).toMatch(/^dealbell\.install=/);
  });

  test('when the user allows it, then tenant, connection, trial, names and one webhook per object stand', async () => {
    const { state, cookie } = await begin();

    const response = await callback({ code: fake.authorizeDirectly(adminId()), state }, { cookie });

    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Dealbell is installed');
    const tenant = await tenantOf();
    expect(tenant).toMatchObject({ companyName: 'Brightwater Supplies', companyDomain: 'brightwater', baseCurrency: 'EUR' });
    expect(objectsOf(registered())).toEqual(WANTED);
    expect(registered().map(({ eventAction, subscriptionUrl }) => `${eventAction} ${subscriptionUrl}`)).toEqual(
      WANTED.map(() => `* ${stack.url}/webhook/pipedrive`),
    );
    const { rows } = await test_.database.pool.query(
      'SELECT plan, status, is_trial, ends_at - starts_at AS length FROM subscriptions',
    );
    expect(rows).toMatchObject([{ plan: 'Professional', status: 'active', is_trial: true, length: { days: 14 } }]);
    expect(await count(`records WHERE entity = 'user'`)).toBe(userIds().length);
    expect(await count(`records WHERE entity = 'stage'`)).toBe(10);
    expect(await count(`records WHERE entity = 'pipeline'`)).toBe(2);
  });

  test('when it is installed, then the registered password opens the webhook and no secret stands readable in the database', async () => {
    await install(adminId());
    const [webhook] = registered();

    const credential = await stack.webhookStore.findWebhookCredential(webhook?.httpAuthUser ?? '');

    expect(credential?.tenantId).toBe((await tenantOf()).id);
    const { rows } = await test_.database.pool.query<{ all: string }>(
      `SELECT string_agg(row_to_json(c)::text, '') || (SELECT string_agg(row_to_json(w)::text, '') FROM pipedrive_webhooks w) AS all
       FROM pipedrive_connections c`,
    );
    expect(rows[0]?.all).not.toContain(webhook?.httpAuthPassword ?? 'missing');
    expect(rows[0]?.all).not.toContain('v1u:');
  });

  test('when Marketplace sends a code without any state, then it is accepted', async () => {
    const response = await install(adminId());

    expect(response.status).toBe(200);
    expect(await count('tenants')).toBe(1);
  });

  test('when BASE_URL is https, then the browser ends in the app settings and the cookie is secure', async () => {
    stack = await start({ baseUrl: 'https://dealbell.example' });
    const begun = await get('/oauth/install');
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';

    const response = await callback({ code: fake.authorizeDirectly(adminId()), state }, { cookie: cookieOf(begun) });

    expect(begun.headers.get('set-cookie')).toMatch(/HttpOnly; Secure; SameSite=Lax/);
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe(
      `https://brightwater.pipedrive.com/settings/marketplace/app/${fake.clientId}/app-settings`,
    );
  });

  test.each([
    ['a wrong state', { state: 'wrong' }],
    ['an empty state', { state: '' }],
  ])('when the callback bears %s, then it is 400 and nothing is stored', async (_name, extra) => {
    const { cookie } = await begin();

    const response = await callback({ code: fake.authorizeDirectly(adminId()), ...extra }, { cookie });

    expect(response.status).toBe(400);
    expect(await count('tenants')).toBe(0);
    expect(tokenPosts()).toBe(0);
  });

  test('when a right state comes from another browser or a second time, then it is 400', async () => {
    const { state, cookie } = await begin();

    const other = await callback({ code: fake.authorizeDirectly(adminId()), state });
    const first = await callback({ code: fake.authorizeDirectly(adminId()), state }, { cookie });
    const again = await callback({ code: fake.authorizeDirectly(adminId()), state }, { cookie });

    expect([other.status, first.status, again.status]).toEqual([400, 200, 400]);
  });

  test('when the user cancels, then a page says so and nothing is stored', async () => {
    const { state, cookie } = await begin();

    const response = await callback({ error: 'user_denied', state }, { cookie });

    expect(response.status).toBe(200);
    expect(await response.text()).toContain('cancelled');
    expect(await count('tenants')).toBe(0);
  });

  test('when a code is wrong or used, then it is 400 and nothing new is stored', async () => {
    const code = fake.authorizeDirectly(adminId());
    await callback({ code });

    const used = await callback({ code });
    const wrong = await callback({ code: 'wrong' });

    expect([used.status, wrong.status]).toEqual([400, 400]);
    expect(await count('pipedrive_connections')).toBe(1);
  });

  test.each([
    ['nothing', ''],
    ['two codes', '?code=a&code=b'],
    ['an empty code', '?code='],
    ['a nested code', '?code[a]=b'],
    ['a state alone', '?state=x'],
    ['an endless code', `?code=${'x'.repeat(3_000)}`],
    ['a zero byte', '?code=%00'],
    ['two errors', '?error=a&error=b'],
    ['broken escapes', '?code=%E0%A4%A'],
  ])('when the callback is garbage (%s), then it is 400', async (_name, query) => {
    const response = await get(`/oauth/callback${query}`);

    expect(response.status).toBe(400);
  });

  test('when Pipedrive cannot say who it is, then it is 502 and nothing is stored', async () => {
    fake.failNext({ match: ({ path }) => path.endsWith('/users/me'), status: 503, body: { success: false } });

    const response = await install(adminId());

    expect(response.status).toBe(502);
    expect(await count('tenants')).toBe(0);
  });

  test('when a webhook and the names are refused, then the install stands and the page says what is missing', async () => {
    fake.failNext({
      match: ({ method, path }) => method === 'POST' && path.endsWith('/webhooks'),
      status: 422,
      body: { success: false, error: 'limit' },
    });
    fake.failNext({ match: ({ path }) => path.endsWith('/pipelines'), status: 500 });

    const response = await install(adminId());
    const page = await response.text();
    await stack.syncWebhooks((await tenantOf()).id);

    expect(response.status).toBe(200);
    expect(page).toContain('does not hear everything yet');
    expect(objectsOf(registered())).toEqual(WANTED);
  });
});

describe('again and others', () => {
  test('when the same user installs again, then the webhooks stay as they are', async () => {
    await install(adminId());
    const before = [...fake.webhooks.keys()];

    await install(adminId());

    expect([...fake.webhooks.keys()]).toEqual(before);
    expect([await count('tenants'), await count('pipedrive_connections'), await count('subscriptions')]).toEqual([1, 1, 1]);
  });

  test.each([
    ['in another zone', { timezone_name: 'Asia/Tokyo' }, null, 1],
    ['in the same zone', {}, null, 0],
    ['in another zone than the company has set', { timezone_name: 'Asia/Tokyo' }, 'Europe/London', 0],
  ])(
    'when a user installs %s, then what was reckoned by the zone counts no more only if that changed',
    async (_who, user, set, raised) => {
      await install(adminId());
      await test_.database.pool.query('UPDATE tenants SET settings = jsonb_build_object($1::text, $2::text)', ['timeZone', set]);
      const { id } = fake.createUser(DEMO_COMPANY_ID, user);
      const version = async () => (await test_.database.prisma.tenant.findFirstOrThrow()).rulesVersion;
      const before = await version();

      await install(id);

      expect((await version()) - before).toBe(raised);
    },
  );

  test('when a second user installs, then there is one connection more and still one set of webhooks', async () => {
    await install(adminId());

    await install(secondId());

    expect(await count('pipedrive_connections')).toBe(2);
    expect(objectsOf(registered())).toEqual(WANTED);
    expect(new Set(registered().map((webhook) => webhook.ownerId))).toEqual(new Set([adminId()]));
  });

  test('when an admin installs after somebody who is none, then the webhooks change over to the admin', async () => {
    await install(secondId());
    const oldUser = registered()[0]?.httpAuthUser ?? '';

    await install(adminId());

    expect(objectsOf(registered())).toEqual(WANTED);
    expect(new Set(registered().map((webhook) => webhook.ownerId))).toEqual(new Set([adminId()]));
    expect(await stack.webhookStore.findWebhookCredential(oldUser)).not.toBeNull();
  });

  test('when two users install at the same moment, then there is one tenant and one set of webhooks', async () => {
    const responses = await Promise.all([install(adminId()), install(secondId())]);

    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect([await count('tenants'), await count('subscriptions'), await count('pipedrive_connections')]).toEqual([1, 1, 2]);
    expect(objectsOf(registered())).toEqual(WANTED);
  });

  test('when two companies install, then each has its own tenant and webhooks', async () => {
    await install(adminId());
    await install(adminId(OTHER_COMPANY_ID), OTHER_COMPANY_ID);

    expect((await tenantOf(DEMO_COMPANY_ID)).id).not.toBe((await tenantOf(OTHER_COMPANY_ID)).id);
    expect(objectsOf(registered(OTHER_COMPANY_ID))).toEqual(WANTED);
  });
});

describe('webhooks at Pipedrive', () => {
  test('when some vanished or were switched off, then only those are made anew', async () => {
    await install(adminId());
    const [gone, off, ...kept] = registered();
    fake.webhooks.delete(gone?.id ?? 0);
    if (off !== undefined) off.isActive = false;

    const report = await stack.syncWebhooks((await tenantOf()).id);

    expect([...report.created].sort()).toEqual([gone?.eventObject, off?.eventObject].sort());
    expect(report.kept).toBe(kept.length);
    expect(objectsOf(registered())).toEqual(WANTED);
    expect(registered().map(({ id }) => id)).toEqual(expect.arrayContaining(kept.map(({ id }) => id)));
  });

  test('when one with our address is unknown to us, then it is replaced, and another party’s stays', async () => {
    await install(adminId());
    const [first] = registered();
    if (first === undefined) throw new Error('no webhook');
    const stranger = { ...first, id: 1, subscriptionUrl: 'https://elsewhere.example/hook' };
    const orphan = { ...first, id: 2 };
    fake.webhooks.set(1, stranger).set(2, orphan);

    const report = await stack.syncWebhooks((await tenantOf()).id);

    expect(report).toMatchObject({ created: [], kept: WANTED.length, removed: 1, failed: [] });
    expect(fake.webhooks.has(1)).toBe(true);
    expect(fake.webhooks.has(2)).toBe(false);
  });

  test('when a creation is never answered, then the next run makes up for it', async () => {
    fake.failNext({ match: ({ method, path }) => method === 'POST' && path.endsWith('/webhooks'), delayMs: Infinity });
    await install(adminId());
    expect(registered()).toHaveLength(WANTED.length - 1);

    await stack.syncWebhooks((await tenantOf()).id);

    expect(objectsOf(registered())).toEqual(WANTED);
  });
});

describe('uninstall', () => {
  test('when the last user uninstalls, then the tenant sleeps, its tokens are erased and its webhooks are refused', async () => {
    await install(adminId());
    const authUser = registered()[0]?.httpAuthUser ?? '';

    const outcome = await fake.uninstall(adminId());

    expect(outcome).toEqual({ status: 200 });
    expect((await tenantOf()).uninstalledAt).not.toBeNull();
    expect(await count(`pipedrive_connections WHERE state = 'uninstalled' AND sealed_tokens = ''`)).toBe(1);
    expect(await stack.webhookStore.findWebhookCredential(authUser)).toBeNull();
  });

  test('when the owner of the webhooks uninstalls, then they go on under the other user', async () => {
    await install(adminId());
    await install(secondId());

    await fake.uninstall(adminId());

    expect((await tenantOf()).uninstalledAt).toBeNull();
    expect(objectsOf(registered())).toEqual(WANTED);
    expect(new Set(registered().map((webhook) => webhook.ownerId))).toEqual(new Set([secondId()]));
  });

  test('when the company comes back, then the tenant wakes with the same id and a whole set of webhooks', async () => {
    await install(adminId());
    const { id } = await tenantOf();
    await fake.uninstall(adminId());

    await install(adminId());

    expect(await tenantOf()).toMatchObject({ id, uninstalledAt: null });
    expect(await count('subscriptions')).toBe(1);
    expect(objectsOf(registered())).toEqual(WANTED);
  });

  test('when the credentials are wrong or absent, then it is 401 and nothing is done', async () => {
    await install(adminId());
    const body = { client_id: fake.clientId, company_id: DEMO_COMPANY_ID, user_id: adminId(), timestamp: 1 };

    const wrong = await uninstallCall(body, `${fake.clientId}:wrong`);
    const absent = await fetch(`${stack.url}/oauth/callback`, { method: 'DELETE' });

    expect([wrong.status, absent.status]).toEqual([401, 401]);
    expect((await tenantOf()).uninstalledAt).toBeNull();
  });

  test('when ids are strings and the call is repeated, then it is 200 both times', async () => {
    await install(adminId());
    const body = { client_id: fake.clientId, company_id: `${DEMO_COMPANY_ID}`, user_id: `${adminId()}`, timestamp: '2026-11-01' };

    const statuses = [(await uninstallCall(body)).status, (await uninstallCall(body)).status];

    expect(statuses).toEqual([200, 200]);
    expect((await tenantOf()).uninstalledAt).not.toBeNull();
  });

  test.each([
    [{}],
    [{ client_id: 'another', company_id: DEMO_COMPANY_ID, user_id: 1 }],
    [[]],
    [{ company_id: 'x', user_id: {} }],
  ])('when the body is of no use (%j), then it is 200 and nothing is done', async (body) => {
    await install(adminId());

    const response = await uninstallCall(body);

    expect(response.status).toBe(200);
    expect((await tenantOf()).uninstalledAt).toBeNull();
  });

  test('when app sharing tells of a user, then it is 200 and nothing is stored', async () => {
    const response = await fetch(`${stack.url}/oauth/callback`, {
      method: 'POST',
      body: '{"company_id":1,"user_id":7,"isShared":false}',
    });

    expect(response.status).toBe(200);
    expect(await count('tenants')).toBe(0);
  });
});

describe('tokens', () => {
  const inAnHour = () => new Date(Date.now() + 3_600_000);

  test('when five ask two instances of the app for an ended token, then one refresh is made', async () => {
    await install(adminId());
    const { id, tenantId } = await activeConnectionOf(adminId());
    const [one, two] = [await start({ clock: inAnHour }), await start({ clock: inAnHour })];
    fake.clearLogs();

    const tokens = await Promise.all([one, two, one, two, one].map((each) => each.accessTokens.accessToken(tenantId, id)));

    expect(tokenPosts()).toBe(1);
    expect(new Set(tokens).size).toBe(1);
  });

  test('when the answer omits the refresh token, then the old one is used the next time', async () => {
    await install(adminId());
    const { id, tenantId } = await activeConnectionOf(adminId());
    fake.omitRefreshToken = true;

    await stack.accessTokens.renew(tenantId, id);
    await stack.accessTokens.renew(tenantId, id);

    expect((await activeConnectionOf(adminId())).state).toBe('active');
  });

  test('when Pipedrive rotates the refresh token, then the new one is used the next time', async () => {
    await install(adminId());
    const { id, tenantId } = await activeConnectionOf(adminId());
    fake.rotateRefreshTokens = true;

    await stack.accessTokens.renew(tenantId, id);
    await stack.accessTokens.renew(tenantId, id);

    expect((await activeConnectionOf(adminId())).state).toBe('active');
  });

  test('when Pipedrive refuses a token that looks good, then it is refreshed once and the question asked again', async () => {
    await install(adminId());
    const { id: tenantId } = await tenantOf();
    fake.expireAccessTokens();
    fake.clearLogs();

    const user = await stack.fetchRecord(tenantId, 'user', `${adminId()}`);

    expect(user).toMatchObject({ name: 'Alice Moreau' });
    expect(tokenPosts()).toBe(1);
  });

  test('when the refresh token is refused, then the connection is revoked and the webhooks go on under the other user', async () => {
    await install(adminId());
    await install(secondId());
    const { id, tenantId } = await activeConnectionOf(adminId());
    fake.revokeUser(DEMO_COMPANY_ID, adminId());

    const asking = stack.accessTokens.renew(tenantId, id);

    await expect(asking).rejects.toMatchObject({ code: 'connection_revoked' });
    await stack.failOver.settled();
    expect(await stack.connections.find(tenantId, id)).toMatchObject({ state: 'revoked', sealedTokens: '' });
    expect(objectsOf(registered())).toEqual(WANTED);
    expect(new Set(registered().map((webhook) => webhook.ownerId))).toEqual(new Set([secondId()]));
  });

  test('when the OAuth server has trouble, then an error says so and nothing is changed', async () => {
    await install(adminId());
    const before = await activeConnectionOf(adminId());
    fake.failNext({ match: ({ path }) => path === '/oauth/token', status: 503, body: 'down' });

    const asking = stack.accessTokens.renew(before.tenantId, before.id);

    await expect(asking).rejects.toMatchObject({ code: 'pipedrive_unreachable' });
    expect(await activeConnectionOf(adminId())).toEqual(before);
  });
});

describe('self-hosting and the end', () => {
  test('when an API token is right, then tenant, connection and webhooks stand', async () => {
    const tenant = await stack.install.connectByApiToken({ apiToken: fake.apiToken(DEMO_COMPANY_ID, adminId()) });

    expect(tenant.companyName).toBe('Brightwater Supplies');
    expect(await activeConnectionOf(adminId())).toMatchObject({
      kind: 'apiToken',
      expiresAt: null,
      apiDomain: 'https://brightwater.pipedrive.com',
    });
  });

  test.each(['0'.repeat(40), 'with\nnewline', 'ünïcode'])(
    'when an API token is wrong (%j), then it is 422 and nothing is stored',
    async (apiToken) => {
      const connecting = stack.install.connectByApiToken({ apiToken });

      await expect(connecting).rejects.toMatchObject({ status: 422 });
      expect(await count('tenants')).toBe(0);
    },
  );

  test('when a tenant is forgotten, then its webhooks are gone at Pipedrive and its install has ended there', async () => {
    await install(adminId());

    await stack.forgetTenant((await tenantOf()).id);

    expect(registered()).toEqual([]);
    expect(fake.isInstalled(DEMO_COMPANY_ID, adminId())).toBe(false);
  });
});
