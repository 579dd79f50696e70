/** The stand-in Pipedrive keeps Pipedrive's rules: who may register webhooks, API limits and faults, pages. */
import { z } from 'zod';
import type { FakePipedrive } from '../../fakes/pipedrive/fake-pipedrive';
import { startFakePipedrive } from '../../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../../fakes/pipedrive/seed-crm';
import { aWebhook, callApi, firstDealId, install, installWithWebhook, userId } from './app-of-the-fake';
import type { WebhookReceiver } from './webhook-receiver';
import { startWebhookReceiver } from './webhook-receiver';

let fake: FakePipedrive;
let receiver: WebhookReceiver;

beforeEach(async () => {
  fake = await startFakePipedrive({ retryDelaysMs: [10, 10, 10], banMs: 40, deliveryTimeoutMs: 2000 });
  receiver = await startWebhookReceiver();
});

afterEach(async () => {
  await fake.close();
  await receiver.close();
});

describe('registering webhooks', () => {
  test('when a webhook is made, then its credentials cannot be read back', async () => {
    const { access_token: token } = await install(fake);

    const created = await callApi(fake, { token: token, path: '/api/v1/webhooks', body: aWebhook(receiver.url) });

    const shape = z
      .object({ data: z.object({ type: z.literal('application'), http_auth_user: z.string(), http_auth_password: z.string() }) })
      .parse(created.json);
    expect(shape.data.http_auth_user).not.toContain('bell');
    expect(shape.data.http_auth_password).not.toContain('ring');
  });

  test.each([
    ['no URL', { subscription_url: 'nonsense' }, 400],
    ['an unknown object', { event_object: 'pizza' }, 400],
    ['a v1 action', { event_action: 'added' }, 400],
    ['no name', { name: undefined }, 400],
    ['a plain http URL of the outside', { subscription_url: 'http://example.org/hook' }, 403],
  ])('when asked for %s, then it is refused', async (_case, change, status) => {
    const { access_token: token } = await install(fake);

    const answer = await callApi(fake, { token: token, path: '/api/v1/webhooks', body: aWebhook(receiver.url, change) });

    expect(answer.status).toBe(status);
    expect(fake.webhooks.size).toBe(0);
  });

  test('when a user has 40 webhooks, then the next is refused with 422', async () => {
    const { access_token: token } = await install(fake);
    for (let made = 0; made < 40; made += 1)
      await callApi(fake, { token: token, path: '/api/v1/webhooks', body: aWebhook(receiver.url, { event_object: 'user' }) });

    const answer = await callApi(fake, { token: token, path: '/api/v1/webhooks', body: aWebhook(receiver.url) });

    expect(answer.status).toBe(422);
  });

  test('when another user lists or deletes, then only own webhooks are theirs', async () => {
    await installWithWebhook(fake, receiver.url);
    const [webhook] = [...fake.webhooks.values()];
    const { access_token: colleague } = await install(fake, DEMO_COMPANY_ID, 1);
    const { access_token: stranger } = await install(fake, OTHER_COMPANY_ID);

    const listed = await callApi(fake, { token: colleague, path: '/api/v1/webhooks' });
    const forbidden = await callApi(fake, { token: colleague, path: `/api/v1/webhooks/${webhook?.id}`, method: 'DELETE' });
    const unknown = await callApi(fake, { token: stranger, path: `/api/v1/webhooks/${webhook?.id}`, method: 'DELETE' });

    expect(listed.json).toMatchObject({ data: [] });
    expect(forbidden).toEqual({ status: 403, json: { success: false, message: 'Forbidden' } });
    expect(unknown).toEqual({ status: 404, json: { status: 'error', success: false, errors: { id: ['not found'] } } });
  });
});

describe('API', () => {
  test('when an API token is used, then it acts as its user', async () => {
    const apiToken = fake.apiToken(OTHER_COMPANY_ID, userId(fake, OTHER_COMPANY_ID, 0));

    const answer = await fetch(`${fake.url}/api/v1/users/me`, { headers: { 'x-api-token': apiToken } });

    expect(await answer.json()).toMatchObject({ data: { company_id: OTHER_COMPANY_ID, id: userId(fake, OTHER_COMPANY_ID, 0) } });
  });

  test('when a list is longer than the limit, then the cursor leads through all of it', async () => {
    const { access_token: token } = await install(fake);
    for (let field = 0; field < 120; field += 1)
      fake.addCustomField(DEMO_COMPANY_ID, 'deal', { name: `Extra ${field}`, type: 'varchar' });
    const pageShape = z.object({
      data: z.array(z.object({ field_code: z.string() })),
      additional_data: z.object({ next_cursor: z.string().nullable() }),
    });
    const codes: string[] = [];

    let cursor: string | null = '';
    while (cursor !== null) {
      const answer = pageShape.parse((await callApi(fake, { token: token, path: `/api/v2/dealFields?cursor=${cursor}` })).json);
      codes.push(...answer.data.map((field) => field.field_code));
      cursor = answer.additional_data.next_cursor;
    }

    expect(codes.length).toBeGreaterThan(120);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test('when deals are asked for since a time, then only later changes come, of this company alone', async () => {
    const { access_token: token } = await install(fake);
    const since = new Date(Date.now() + 60_000);
    const id = firstDealId(fake);
    fake.updateDeal(id, { title: 'Just now' }, { at: new Date(since.getTime() + 5000) });

    const answer = await callApi(fake, { token: token, path: `/api/v2/deals?updated_since=${since.toISOString()}&status=open` });
    const foreign = await callApi(fake, { token: token, path: `/api/v2/deals/${firstDealId(fake, OTHER_COMPANY_ID)}` });

    expect(answer.json).toMatchObject({ data: [{ id, title: 'Just now' }], additional_data: { next_cursor: null } });
    expect(foreign.status).toBe(404);
  });

  test('when deals are summed, then each currency is converted by the rates of the company', async () => {
    const { access_token: token } = await install(fake);
    fake.setRate(DEMO_COMPANY_ID, 'USD', 2);
    fake.createDeal(DEMO_COMPANY_ID, { value: 10, currency: 'XTS' });

    const { json } = await callApi(fake, { token: token, path: '/api/v1/deals/summary?status=open' });

    const usd = [...fake.company(DEMO_COMPANY_ID).deals.live.values()]
      .filter((deal) => deal.currency === 'USD')
      .reduce((sum, deal) => sum + deal.value, 0);
    expect(json).toMatchObject({ data: { values_total: { USD: { value: usd, value_converted: usd / 2 }, XTS: { value: 10 } } } });
    expect(json).not.toMatchObject({ data: { values_total: { XTS: { value_converted: expect.anything() } } } });
  });

  test('when a fault is armed, then matching requests fail as told, as often as told', async () => {
    const { access_token: token } = await install(fake);
    fake.failNext({
      match: ({ path }) => path === '/api/v2/deals',
      status: 429,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2' },
      body: { success: false },
    });
    fake.failNext({ match: ({ path }) => path === '/api/v2/stages', status: 403, body: '<html>blocked</html>' });
    const get = (path: string): Promise<Response> =>
      fetch(`${fake.url}${path}`, { headers: { authorization: `Bearer ${token}` } });

    const limited = await get('/api/v2/deals');
    const again = await get('/api/v2/deals');
    const html = await get('/api/v2/stages');

    expect([limited.status, limited.headers.get('x-ratelimit-reset'), again.status]).toEqual([429, '2', 200]);
    expect([html.status, html.headers.get('content-type'), await html.text()]).toEqual([
      403,
      'text/html; charset=utf-8',
      '<html>blocked</html>',
    ]);
    expect(fake.requests.filter(({ path }) => path === '/api/v2/deals').map(({ status }) => status)).toEqual([429, 200]);
    expect(fake.tokenCost(DEMO_COMPANY_ID)).toBe(25);
  });
});

describe('pages', () => {
  test('when a form is posted on the deal page, then the CRM changes and a webhook goes out', async () => {
    await installWithWebhook(fake, receiver.url);
    const id = firstDealId(fake);
    const as = `${DEMO_COMPANY_ID}-${userId(fake, DEMO_COMPANY_ID, 1)}`;

    const answer = await fetch(`${fake.url}/deal/${id}/edit?as=${as}`, {
      method: 'POST',
      body: new URLSearchParams({ title: 'By hand', value: '75.5' }),
      redirect: 'manual',
    });

    expect(answer.headers.get('location')).toBe(`/deal/${id}?as=${as}`);
    await fake.idle();
    expect(fake.deliveries.at(-1)?.event).toMatchObject({
      data: { title: 'By hand', value: 75.5 },
      meta: { user_id: String(userId(fake, DEMO_COMPANY_ID, 1)) },
    });
  });

  test('when a title holds HTML, then the page shows it as text', async () => {
    const id = firstDealId(fake);
    fake.updateDeal(id, { title: '<img src=x>' });

    const page = await (await fetch(`${fake.url}/deal/${id}?as=${DEMO_COMPANY_ID}-${userId(fake, DEMO_COMPANY_ID, 0)}`)).text();

    expect(page).toContain('&lt;img src=x&gt;');
    expect(page).not.toContain('<img');
  });

  test('when the app address is known, then the deal page frames its panel with a signed token', async () => {
    fake.setAppUrl('http://localhost:9');
    const id = firstDealId(fake);

    const page = await (await fetch(`${fake.url}/deal/${id}?as=${DEMO_COMPANY_ID}-${userId(fake, DEMO_COMPANY_ID, 0)}`)).text();

    const source = /data-src="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const query = new URL(source).searchParams;
    const claims: unknown = JSON.parse(Buffer.from(query.get('token')?.split('.')[1] ?? '', 'base64url').toString('utf8'));
    expect(Object.fromEntries(query)).toMatchObject({
      resource: 'deal',
      view: 'details',
      selectedIds: String(id),
      theme: 'light',
      companyId: String(DEMO_COMPANY_ID),
    });
    expect(claims).toMatchObject({ userId: userId(fake, DEMO_COMPANY_ID, 0), companyId: DEMO_COMPANY_ID });
  });
});
