/** What must not be told: later edits, repetitions, old news, other tenants, rules that are off; and what is told later instead. */

import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, put, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

describeOnBackends('Silences', (backend) => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;
  let wins: Channel;
  let winsRule: number;
  let lastId = 40_000;

  beforeAll(async () => {
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, redisUrl: backend.redisUrl() },
      config: { spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
      chat: { enforceQuota: false },
    });
    token = await world.install();
    wins = await connectChannel(world, token, 'Wins');
    winsRule = await addRule(world, token, 'deal.won', wins);
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  const told = (channel: Channel, title: string): number =>
    world.chat.messages(channel.spaceId).filter((message) => visibleText(message).includes(title)).length;
  const newDeal = async (title: string, fields: object = {}, companyId = DEMO_COMPANY_ID): Promise<number> => {
    const { id } = world.pipedrive.createDeal(companyId, { title, ...fields });
    await world.pipedrive.idle();
    return id;
  };
  const wonBody = (title: string, meta: object = {}) => {
    const id = (lastId += 1);
    const data = { id, title, status: 'won', value: 10, currency: 'EUR', owner_id: 12415001 };
    return rawWebhook('deal', 'change', id, { data, previous: { status: 'open' }, ...meta });
  };
  const eventsOf = async (id: number) => (await world.api('GET', `/events?entity=deal&entityId=${id}`, token)).body.items;

  test('when a won deal is edited later, then nothing more is told of its win', async () => {
    const id = await newDeal('Edited after', { status: 'won' });
    world.pipedrive.updateDeal(id, { value: 4711, probability: 90 });
    await rest();

    expect(told(wins, 'Edited after')).toBe(1);
    const [edit] = await eventsOf(id);
    expect(edit.decisions.find((one: { ruleId: number }) => one.ruleId === winsRule)).toMatchObject({
      ...{ matched: false, ruleName: expect.stringContaining('deal.won'), reason: expect.stringContaining('deal won') },
    });
  });

  test('when a webhook comes twice, or again as a retry, then it is a duplicate and told once', async () => {
    const body = wonBody('Said twice');

    const answers = [body, body, { ...body, meta: { ...body.meta, attempt: 2 } }].map((each) => () => postAs(world, each));
    const statuses: unknown[] = [];
    for (const post of answers) statuses.push(JSON.parse((await post()).body).status);
    await rest();

    expect(statuses).toEqual(['accepted', 'duplicate', 'duplicate']);
    expect(told(wins, 'Said twice')).toBe(1);
  });

  test('when only a retry arrives, then it is told like a first attempt', async () => {
    await postAs(world, wonBody('Came at last', { attempt: 3 }));
    await rest();

    expect(told(wins, 'Came at last')).toBe(1);
  });

  test('when an event is older than what is known, then it changes nothing and its decision says so', async () => {
    const id = await newDeal('Old news');
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: new Date(Date.now() - 60_000) });
    await rest();

    expect(told(wins, 'Old news')).toBe(0);
    const [old] = await eventsOf(id);
    expect(old).toMatchObject({
      transitions: expect.arrayContaining(['deal.won']),
      decisions: [{ ruleId: winsRule, matched: false, reason: expect.stringContaining('older') }],
    });
  });

  test('when another tenant’s deal is won, or our event comes under its credentials, then our spaces stay silent', async () => {
    const otherToken = await world.install(undefined, OTHER_COMPANY_ID);
    const id = await newDeal('Not ours', { status: 'won' }, OTHER_COMPANY_ID);
    const disguised = wonBody('In disguise', { company_id: String(DEMO_COMPANY_ID) });
    await postAs(world, disguised, OTHER_COMPANY_ID);
    await rest();

    expect([told(wins, 'Not ours'), told(wins, 'In disguise')]).toEqual([0, 0]);
    expect(await eventsOf(id)).toEqual([]);
    const theirs = (await world.api('GET', `/events?entityId=${String(disguised.meta['entity_id'])}`, otherToken)).body.items;
    expect(theirs).toHaveLength(1);
  });

  test('when a rule is off, then it is silent, and switched on later it does not tell the past', async () => {
    const channel = await connectChannel(world, token, 'Later');
    const ruleId = await addRule(world, token, 'deal.won', channel, { enabled: false });
    await newDeal('Before the switch', { status: 'won' });
    await rest();
    await put(world, token, `/rules/${ruleId}`, { enabled: true });
    await newDeal('After the switch', { status: 'won' });
    await rest();

    expect([told(channel, 'Before the switch'), told(channel, 'After the switch')]).toEqual([0, 1]);
  });

  test('when a destination is paused, then its messages are held, and go out in order when it goes on', async () => {
    const channel = await connectChannel(world, token, 'Lunch break');
    await addRule(world, token, 'deal.stage_changed', channel);
    const [stages] = [[...world.pipedrive.company(DEMO_COMPANY_ID).stages.live.values()]];
    const id = await newDeal('Held up', { stage_id: stages[0]?.id ?? 0 });
    await put(world, token, `/chat-webhooks/${channel.id}`, { paused: true });

    for (const stage of stages.slice(1, 4)) {
      world.pipedrive.updateDeal(id, { stage_id: stage.id });
      await rest();
    }
    const whilePaused = told(channel, 'Held up');
    const held = (await world.api('GET', `/deliveries?state=held`, token)).body.items;
    await put(world, token, `/chat-webhooks/${channel.id}`, { paused: false });
    await world.chat.waitForMessages(channel.spaceId, 3, 10_000);

    expect(whilePaused).toBe(0);
    expect(held.filter((one: { chatWebhookId: number }) => one.chatWebhookId === channel.id)).toHaveLength(3);
    const order = world.chat.messages(channel.spaceId).map(visibleText);
    stages.slice(1, 4).forEach((stage, index) => expect(order[index]).toContain(stage.name));
  });

  test('when a destination or rule is removed, then what waits for it is not told', async () => {
    const channel = await connectChannel(world, token, 'Short-lived');
    await addRule(world, token, 'deal.won', channel);
    await put(world, token, `/chat-webhooks/${channel.id}`, { paused: true });
    await newDeal('Too late', { status: 'won' });
    await rest();

    const answer = await world.api('DELETE', `/chat-webhooks/${channel.id}`, token);
    await rest();

    expect(answer.status).toBe(204);
    expect(told(channel, 'Too late')).toBe(0);
    const dropped = (await world.api('GET', '/deliveries?state=dropped', token)).body.items;
    expect(dropped.some((one: { chatWebhookId: number }) => one.chatWebhookId === channel.id)).toBe(true);
  });

  test('when an object is of no interest, then the answer says so and nothing comes of it', async () => {
    const answer = await postAs(world, rawWebhook('product', 'create', 5, { data: { id: 5, name: 'Oranges' } }));

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'ignored', reason: expect.stringContaining('product') });
  });

  test('when a body has the v1 format, then it is ignored, and that stands in the list of events', async () => {
    const v1 = {
      ...{ v: 1, event: 'updated.deal', retry: 0, matches_filters: { current: [] } },
      meta: {
        v: 1,
        action: 'updated',
        object: 'deal',
        id: 515151,
        company_id: 1,
        user_id: 2,
        host: 'x.pipedrive.com',
        timestamp: 1523440213,
      },
      current: { id: 515151, title: 'Old format', status: 'won' },
      previous: { id: 515151, title: 'Old format', status: 'open' },
    };

    const answer = await postAs(world, v1);
    await waitUntil('the event is listed', async () => (await eventsOf(515151)).length === 1);
    await rest();

    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'ignored', reason: expect.stringContaining('v1') });
    expect(await eventsOf(515151)).toMatchObject([
      { entity: 'deal', ignoredReason: expect.stringContaining('v1'), transitions: [], decisions: [] },
    ]);
    expect(told(wins, 'Old format')).toBe(0);
  });
});
