/** The way out to Google Chat when it is slow, broken, or refuses: order, quota, the same message again, and the state on record. */

import { OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { RequestRecord } from '../fakes/google-chat/request-tally';
import { addRule, connectChannel, put, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

const QUOTA_MS = 1_000;
/** The stand-in's clock reads when a request was taken in, ours when it was answered: a little less than the quota may be seen. */
const CLOCK_SLACK_MS = 5;
const REFUSAL_CONFIRM_MS = 600;

describeOnBackends('Delivery', (backend) => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;
  let lastId = 60_000;

  beforeAll(async () => {
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, redisUrl: backend.redisUrl() },
      config: { refusalConfirmMs: REFUSAL_CONFIRM_MS, apiRateLimit: 1_000_000 },
    });
    token = await world.install();
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  const listening = async (name: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Channel> => {
    const channel = await connectChannel(world, token, name, fields);
    await addRule(world, token, 'deal.won', channel, { filters: { pipelineIds: [(lastId += 1)] } });
    return channel;
  };
  /** Wins a deal that only the rule of `channel` hears of. */
  const win = async (channel: Channel, title: string, id = (lastId += 1)): Promise<void> => {
    const { items } = (await world.api('GET', '/rules?limit=100', token)).body;
    const rule = items.find((one: { targetWebhookIds: number[] }) => one.targetWebhookIds.includes(channel.id));
    const data = {
      id,
      title,
      status: 'won',
      value: 1,
      currency: 'EUR',
      owner_id: 12415001,
      pipeline_id: rule.filters.pipelineIds[0],
    };
    expect(await postAs(world, rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } }))).toMatchObject({
      status: 200,
    });
  };
  const requestsTo = (channel: { spaceId: string }): readonly RequestRecord[] =>
    world.chat.requests.filter((request) => request.spaceId === channel.spaceId);
  const titles = (channel: Channel): readonly string[] =>
    world.chat.messages(channel.spaceId).map((message) => /Message \w+/.exec(visibleText(message))?.[0] ?? '');
  const destination = async (channel: Channel) => (await world.api('GET', `/chat-webhooks/${channel.id}`, token)).body;
  const attemptsOf = async (
    channel: Channel,
  ): Promise<readonly { status: string; httpStatus: number | null; errorMessage: string | null }[]> => {
    const deliveries = (await world.api('GET', `/deliveries?chatWebhookId=${channel.id}`, token)).body.items.map(
      (one: { id: number }) => one.id,
    );
    const { items } = (await world.api('GET', '/logs?limit=100', token)).body;
    return items.filter((one: { deliveryId: number }) => deliveries.includes(one.deliveryId)).reverse();
  };

  test('when three tenants’ webhooks share a space, then no two writes are less than a second apart and each arrives', async () => {
    const otherToken = await world.install(undefined, OTHER_COMPANY_ID);
    const first = await listening('Shared one');
    const second = await listening('Shared two', { spaceId: first.spaceId });
    const foreign = await connectChannel(world, otherToken, 'Shared three', { spaceId: first.spaceId });
    await addRule(world, otherToken, 'deal.won', foreign);

    await Promise.all([win(first, 'Message 1'), win(second, 'Message 2')]);
    const state = { id: 1, title: 'Message 3', status: 'won', value: 1, currency: 'USD' };
    await postAs(world, rawWebhook('deal', 'change', 1, { data: state, previous: { status: 'open' } }), OTHER_COMPANY_ID);
    await world.chat.waitForMessages(first.spaceId, 3, 10_000);
    await rest();

    const times = requestsTo(first).map((request) => request.at);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(QUOTA_MS - CLOCK_SLACK_MS);
    expect([...titles(first)].sort()).toEqual(['Message 1', 'Message 2', 'Message 3']);
  });

  describe('one odd answer of Chat', () => {
    const ODD_ANSWERS = {
      '401': { status: 401 },
      '403': { status: 403 },
      '404': { status: 404 },
      '429 with Retry-After': { status: 429, headers: { 'retry-after': '1' } },
      '429 without it': { status: 429 },
      '429 in HTML': { status: 429, body: '<h1>Too many</h1>' },
      '500 in HTML': { status: 500, body: '<h1>Internal</h1>' },
      '503 with Retry-After': { status: 503, headers: { 'retry-after': '3' } },
      '503, though the message was posted': { status: 503, afterPosting: true },
      'a cut connection': { reset: true },
      'a cut connection after posting': { reset: true, afterPosting: true },
      'nothing at all': { hang: true },
      'nothing at all after posting': { hang: true, afterPosting: true },
      '200 without a message name': { status: 200, body: { error: { message: 'odd' } } },
      '200 in HTML': { status: 200, body: '<h1>OK</h1>' },
      'a redirect': { redirectTo: 'http://127.0.0.1:1/elsewhere' },
    };
    const channels = new Map<string, Channel>();

    // Side by side, each in a space of its own: some wait for ten seconds.
    beforeAll(async () => {
      await Promise.all(
        Object.entries(ODD_ANSWERS).map(async ([what, fault]) => {
          const channel = await listening(`Odd: ${what}`);
          channels.set(what, channel);
          world.chat.failNext({ spaceId: channel.spaceId, ...fault });
          const deal = (lastId += 1);
          await win(channel, 'Message first', deal);
          await win(channel, 'Message second', deal);
        }),
      );
      await Promise.all([...channels.values()].map(({ spaceId }) => world.chat.waitForMessages(spaceId, 2, 40_000)));
      await rest();
    });

    test.each(Object.keys(ODD_ANSWERS))(
      'when it is %s, then the same message goes out again and people see it once, before the next',
      async (what) => {
        const channel = channels.get(what);
        if (channel === undefined) throw new Error(`nothing was sent for ${what}`);

        const [failed, again] = requestsTo(channel);
        expect([again?.requestId, again?.rawBody]).toEqual([failed?.requestId, failed?.rawBody]);
        expect(requestsTo(channel)).toHaveLength(3);
        expect(titles(channel)).toEqual(['Message first', 'Message second']);
        expect((await attemptsOf(channel)).map((one) => one.status)).toEqual(['failure', 'success', 'success']);
        expect((await attemptsOf(channel))[0]?.errorMessage).toMatch(/\S/);
        expect(world.chat.requestIdMismatch).toBe(0);
        expect((await destination(channel)).health).toBe('healthy');
      },
    );

    test('when Chat says 503 with Retry-After, then the next attempt waits for that', () => {
      const channel = channels.get('503 with Retry-After');
      if (channel === undefined) throw new Error('nothing was sent');

      const [failed = 0, again = 0] = requestsTo(channel).map((request) => request.at);
      expect(again - failed).toBeGreaterThanOrEqual(3_000 - CLOCK_SLACK_MS);
    });
  });

  test('when Chat rejects a message with 400, then a plain text goes out once in its place', async () => {
    const channel = await listening('Odd card');
    world.chat.failNext({ spaceId: channel.spaceId, status: 400 });

    await win(channel, 'Message plain');
    await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
    await rest();

    const [card, plain] = requestsTo(channel);
    expect(JSON.parse(plain?.rawBody ?? '{}')).toMatchObject({ text: expect.stringContaining('Message plain') });
    expect(plain?.rawBody).not.toContain('cardsV2');
    expect(plain?.requestId).not.toBe(card?.requestId);
  });

  test('when Chat rejects the plain text too, then the message has failed and its space is in doubt until the next one goes', async () => {
    const channel = await listening('Never');
    const failed = async () => (await world.api('GET', `/deliveries?state=failed&chatWebhookId=${channel.id}`, token)).body.items;
    world.chat.failNext({ spaceId: channel.spaceId, status: 400, times: 2 });

    await win(channel, 'Message lost');
    await waitUntil('it has failed', async () => (await failed()).length === 1);
    expect(await destination(channel)).toMatchObject({
      health: 'doubtful',
      healthReason: expect.stringContaining('nor its plain text'),
    });
    await win(channel, 'Message next');
    await world.chat.waitForMessages(channel.spaceId, 1, 10_000);
    await waitUntil('its space is well again', async () => (await destination(channel)).health === 'healthy');
    await rest();

    expect(await failed()).toHaveLength(1);
    expect(titles(channel)).toEqual(['Message next']);
  });

  test('when Chat refuses three times, spaced, then the destination is broken and holds; a new URL lets the messages go in order', async () => {
    const channel = await listening('Gone');
    world.chat.deleteWebhook(channel.url);

    const deal = (lastId += 1);
    await win(channel, 'Message one', deal);
    await win(channel, 'Message two', deal);
    await waitUntil('the destination is broken', async () => (await destination(channel)).health === 'broken');
    await win(channel, 'Message three', deal);
    await rest();
    const refusals = requestsTo(channel).map((request) => request.at);
    const broken = await destination(channel);
    const held = (await world.api('GET', `/deliveries?state=held&chatWebhookId=${channel.id}`, token)).body.items;
    await put(world, token, `/chat-webhooks/${channel.id}`, { url: world.chat.createWebhook(channel.spaceId, {}).url });
    await world.chat.waitForMessages(channel.spaceId, 3, 10_000);

    expect(refusals).toHaveLength(3);
    expect(Math.min(...refusals.slice(1).map((at, index) => at - (refusals[index] ?? 0)))).toBeGreaterThanOrEqual(
      REFUSAL_CONFIRM_MS - CLOCK_SLACK_MS,
    );
    expect(broken).toMatchObject({ health: 'broken', healthReason: expect.stringContaining('404') });
    expect(held).toHaveLength(3);
    expect(titles(channel)).toEqual(['Message one', 'Message two', 'Message three']);
    expect((await destination(channel)).health).toBe('healthy');
  });

  test('when a single 401 comes, then it is tried again, later messages of the deal wait for it, and the destination is well', async () => {
    const channel = await listening('Random refusal');
    world.chat.failNext({ spaceId: channel.spaceId, status: 401 });

    const deal = (lastId += 1);
    await win(channel, 'Message early', deal);
    await waitUntil('the refusal', () => requestsTo(channel).length === 1);
    await win(channel, 'Message late', deal);
    await world.chat.waitForMessages(channel.spaceId, 2, 10_000);
    await rest();

    expect(titles(channel)).toEqual(['Message early', 'Message late']);
    expect((await destination(channel)).health).toBe('healthy');
  });

  test('when a test message is asked for, then it is sent at once and logged, and a refusal is told in words', async () => {
    const channel = await connectChannel(world, token, 'Trial');

    const good = await world.api('POST', '/test', token, { chatWebhookId: channel.id });
    world.chat.failNext({ spaceId: channel.spaceId, status: 404 });
    const bad = await world.api('POST', '/test', token, { chatWebhookId: channel.id });

    expect([good.status, good.body]).toEqual([200, expect.objectContaining({ status: 'success', httpStatus: 200 })]);
    expect([bad.status, bad.body]).toEqual([
      200,
      expect.objectContaining({ status: 'failure', httpStatus: 404, errorMessage: expect.any(String) }),
    ]);
    expect(world.chat.messages(channel.spaceId)).toHaveLength(1);
  });

  test('when a rule is tested that is not saved, then its card tells of the last deal that it would have told of', async () => {
    const channel = await listening('Draft');
    await win(channel, 'Told by a draft');
    await rest();
    const before = world.chat.messages(channel.spaceId).length;
    const rule = { name: 'Draft', eventType: 'deal.won', targetWebhookIds: [channel.id], template: 'Hear, hear!' };

    const { status, body } = await world.api('POST', '/test', token, { rule });
    const nothingYet = await world.api('POST', '/test', token, { rule: { ...rule, eventType: 'deal.deleted' } });
    const refused = await world.api('POST', '/test', token, { rule: { ...rule, template: '{{ owner' } });

    expect([status, body]).toEqual([200, expect.objectContaining({ status: 'success' })]);
    expect(nothingYet.body).toMatchObject({ status: 'success' });
    expect([refused.status, refused.body.errors[0].path]).toEqual([422, 'rule.template']);
    const [real, sample] = world.chat
      .messages(channel.spaceId)
      .slice(before)
      .map((message) => JSON.stringify(message));
    expect(real).toMatch(/Test: .*Told by a draft.*Hear, hear!/);
    expect(sample).toContain('Sample deal');
    expect((await world.api('GET', '/rules', token)).body.items.map(({ name }: { name: string }) => name)).not.toContain('Draft');
  });

  test('when a message is replayed, then it is a new one under a new request id', async () => {
    const channel = await listening('Again');
    await win(channel, 'Message replayed');
    await rest();
    const [delivery] = (await world.api('GET', `/deliveries?chatWebhookId=${channel.id}`, token)).body.items;

    const answer = await world.api('POST', `/deliveries/${String(delivery.id)}/replay`, token);
    await world.chat.waitForMessages(channel.spaceId, 2, 10_000);

    expect([answer.status, answer.body]).toEqual([202, { queued: 1 }]);
    expect(new Set(requestsTo(channel).map((request) => request.requestId)).size).toBe(2);
  });

  test('when several workers run and one of them ends, then every message arrives once and in order', async () => {
    const channels = await Promise.all([1, 2, 3].map((number) => listening(`Crowd ${number}`)));
    const [second] = [
      await world.startAnother({ web: false, worker: true }),
      await world.startAnother({ web: false, worker: true }),
    ];

    for (const channel of channels) {
      const deal = (lastId += 1);
      for (const number of [1, 2, 3]) await win(channel, `Message ${number}`, deal);
    }
    await second.close();
    await Promise.all(channels.map((channel) => world.chat.waitForMessages(channel.spaceId, 3, 15_000)));
    await rest();

    for (const channel of channels) {
      expect(titles(channel)).toEqual(['Message 1', 'Message 2', 'Message 3']);
      expect(requestsTo(channel)).toHaveLength(3);
    }
  });

  test('when all is done, then Chat never had to answer 429 of its own and no body changed under its request id', () => {
    const own = world.chat.requests.filter((request) => request.status === 429);

    expect(own).toHaveLength(3);
    expect(world.chat.requestIdMismatch).toBe(0);
  });
});
