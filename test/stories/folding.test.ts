/** Many messages at once for one space: told in few, counted, linked and named; each delivery on record; nothing out of order. */

import { randomUUID } from 'node:crypto';
import { addRule, closeSpace, connectChannel, openSpace, put, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { makeDeliveryStore } from '../../src/delivery/delivery.store';
import { makeFoldStore } from '../../src/delivery/fold.store';
import { planBacklog } from '../../src/delivery/plan-fold';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';
import { pipeline, stage } from './tellings';

const ALICE = 12415001;

describeOnBackends('Folding', (backend) => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;
  let lastId = 70_000;

  beforeAll(async () => {
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, redisUrl: backend.redisUrl() },
      config: { apiRateLimit: 1_000_000 },
    });
    token = await world.install();
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool, 40_000);
  const nextId = () => (lastId += 1);
  const deal = (id: number, title: string, fields: object = {}) => ({
    ...{ id, title, status: 'open', value: 1_000, currency: 'EUR', owner_id: ALICE },
    ...{ pipeline_id: pipeline(world, 'New business'), stage_id: stage(world, 'Negotiations started') },
    ...fields,
  });
  const bulk = () => ({ is_bulk_edit: true, correlation_id: randomUUID(), user_id: String(ALICE) });
  const move = (id: number, title: string, meta: object, fields: object = {}) =>
    postAs(
      world,
      rawWebhook('deal', 'change', id, {
        ...{ data: deal(id, title, fields), previous: { stage_id: stage(world, 'Qualified') } },
        ...meta,
      }),
    );
  const win = (id: number, title: string, meta: object = {}, fields: object = {}) =>
    postAs(
      world,
      rawWebhook('deal', 'change', id, {
        data: deal(id, title, { status: 'won', ...fields }),
        previous: { status: 'open' },
        ...meta,
      }),
    );
  const moveMany = async (count: number, meta: object = bulk(), name = 'Deal'): Promise<readonly number[]> => {
    const ids = Array.from({ length: count }, nextId);
    await Promise.all(ids.map((id, index) => move(id, `${name} ${index + 1}`, meta, { value: 1_000 + index })));
    return ids;
  };
  const listening = async (
    name: string,
    types: readonly string[],
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<Channel> => {
    await stopAll();
    const channel = await connectChannel(world, token, name, fields);
    for (const type of types) await addRule(world, token, type, channel);
    return channel;
  };
  /** Each test hears of its own deals alone. */
  const stopAll = async () => {
    const { items } = (await world.api('GET', '/rules?limit=100', token)).body;
    for (const { id } of items) await world.api('DELETE', `/rules/${id}`, token);
  };
  const requestsTo = ({ spaceId }: Channel) => world.chat.requests.filter((request) => request.spaceId === spaceId);
  const texts = ({ spaceId }: Channel) => world.chat.messages(spaceId).map((message) => visibleText(message));
  const deliveriesOf = async (channel: Channel, state: string) => {
    const items: { id: number; toldBy: { deliveryId: number; messageName: string | null } | null; entityId: string }[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const path: string = `/deliveries?chatWebhookId=${channel.id}&state=${state}&limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body } = await world.api('GET', path, token);
      items.push(...body.items);
      cursor = body.nextCursor;
    }
    return items;
  };

  test('when 300 deals are moved in one bulk edit, then few messages tell of all of them, and each delivery says which', async () => {
    const channel = await listening('Bulk', ['deal.stage_changed']);

    const ids = await moveMany(300);
    await rest();

    const folded = await deliveriesOf(channel, 'folded');
    const sent = await deliveriesOf(channel, 'sent');
    expect(texts(channel).length).toBeLessThanOrEqual(6);
    expect(texts(channel).join('\n')).toMatch(/Alice Moreau moved [23]\d\d deals to Negotiations started/);
    expect(sent).toHaveLength(texts(channel).length);
    expect([...folded, ...sent].map(({ entityId }) => Number(entityId)).sort()).toEqual([...ids].sort());
    const leads = new Map(sent.map((one) => [one.id, one]));
    expect(folded.every(({ toldBy }) => toldBy !== null && leads.has(toldBy.deliveryId))).toBe(true);
    expect(folded.every(({ toldBy }) => toldBy?.messageName?.startsWith(`spaces/${channel.spaceId}`))).toBe(true);
  });

  test('when deals are won amid a bulk edit, then each of them is named, and what is counted adds up', async () => {
    const channel = await listening('Mixture', ['deal.stage_changed', 'deal.won']);

    const meta = bulk();
    await moveMany(30, meta);
    const titles = ['Won one', 'Won <users/all>', 'Won "three" & more'];
    await Promise.all(titles.map((title) => win(nextId(), title)));
    await moveMany(30, meta);
    await rest();

    const all = texts(channel).join('\n');
    for (const title of titles) expect(all).toContain(title);
    expect(world.chat.messages(channel.spaceId).every(({ rawBody }) => !rawBody.includes('<users/'))).toBe(true);
    const counted = [...all.matchAll(/moved (\d+) deals to/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    const singly = texts(channel).filter((text) => /Deal (moved|stage changed)/.test(text.split('\n')[0] ?? '')).length;
    // Each sentence stands on its card and in its notification line.
    expect(counted / 2 + singly).toBe(60);
  });

  test('when folding is off, then every message goes by itself', async () => {
    const channel = await listening('Off', ['deal.stage_changed'], { fold: 'off', foldThreshold: 1 });

    await moveMany(4);
    await rest();

    expect(texts(channel)).toHaveLength(4);
    expect(await deliveriesOf(channel, 'folded')).toEqual([]);
  });

  test('when a destination has a threshold of its own, then more than that are folded, and so many are not', async () => {
    const channel = await listening('Threshold', ['deal.stage_changed'], { foldThreshold: 3 });

    await moveMany(3);
    await rest();
    const before = texts(channel).length;
    await put(world, token, `/chat-webhooks/${channel.id}`, { foldThreshold: 2 });
    await moveMany(8);
    await rest();

    expect(before).toBe(3);
    expect(texts(channel).length).toBeLessThan(before + 5);
    expect((await deliveriesOf(channel, 'folded')).length).toBeGreaterThanOrEqual(4);
  });

  test('when Chat is away, then the fold is sent again as it was, and later messages of its deals come after it', async () => {
    const channel = await listening('Away', ['deal.stage_changed', 'deal.won']);
    world.chat.setOutage(channel.spaceId, 503);
    await closeSpace(testDatabase.database.pool, channel);

    const [first = 0] = await moveMany(40);
    await waitUntil('all are owed', async () => (await deliveriesOf(channel, 'queued')).length === 40);
    await openSpace(testDatabase.database.pool, channel);
    await waitUntil('the fold was tried', () => requestsTo(channel).length >= 2);
    await win(first, 'Deal 1');
    const [folded] = await deliveriesOf(channel, 'folded');
    const replayed = await world.api('POST', `/deliveries/${folded?.id}/replay`, token);
    world.chat.setOutage(channel.spaceId, null);
    await rest();

    const bodies = new Map(requestsTo(channel).map(({ requestId, rawBody }) => [requestId, rawBody]));
    expect(requestsTo(channel).every(({ requestId, rawBody }) => bodies.get(requestId) === rawBody)).toBe(true);
    const all = texts(channel);
    expect(all[0]).toMatch(/^➡️/);
    expect(replayed.body).toEqual({ queued: 0 });
    expect(all.findIndex((text) => /Deal won/.test(text))).toBe(all.length - 1);
  });

  test('when Chat takes neither the card nor its text, then what it was to tell has failed too, with the reason', async () => {
    const channel = await listening('Refused', ['deal.stage_changed']);
    for (let times = 0; times < 2; times += 1) world.chat.failNext({ spaceId: channel.spaceId, status: 400 });
    // Otherwise the first may go by itself before there are others to fold it with, and be refused alone.
    await closeSpace(testDatabase.database.pool, channel);

    await moveMany(20);
    await waitUntil('all are owed', async () => (await deliveriesOf(channel, 'queued')).length === 20);
    await openSpace(testDatabase.database.pool, channel);
    await rest();
    await waitUntil('all have failed', async () => (await deliveriesOf(channel, 'failed')).length === 20);

    expect(requestsTo(channel)[1]?.rawBody).toContain('MARKUP_SYNTAX_CHAT');
  });

  test('when Chat does not take the card of very many deals won, then they are told by name in several texts', async () => {
    const channel = await listening('Textual', ['deal.won']);
    world.chat.failNext({ spaceId: channel.spaceId, status: 400 });
    await closeSpace(testDatabase.database.pool, channel);
    const names = Array.from({ length: 120 }, (_, index) => `Renewal of the service contract no. ${index + 1}.`);

    await Promise.all(names.map((name) => win(nextId(), name)));
    await waitUntil('all are owed', async () => (await deliveriesOf(channel, 'queued')).length === names.length);
    await openSpace(testDatabase.database.pool, channel);
    await rest();

    const told = texts(channel);
    expect(told.length).toBeGreaterThan(1);
    expect(names.map((name) => told.filter((text) => text.includes(name)).length)).toEqual(names.map(() => 1));
    expect(requestsTo(channel).filter(({ rawBody }) => rawBody.includes('cardsV2'))).toHaveLength(1);
  });

  test('when a worker dies after it has folded and before it has posted, then the next one tells all of it once', async () => {
    const { pool } = testDatabase.database;
    const channel = await listening('Dying', ['deal.stage_changed']);
    await closeSpace(pool, channel);
    await moveMany(25);
    await waitUntil('all are owed', async () => (await deliveriesOf(channel, 'queued')).length === 25);
    await world.dealbell.close();

    await openSpace(pool, channel);
    const [head] = (await makeDeliveryStore(testDatabase.database).claimDue(10)).claimed;
    if (head === undefined) throw new Error('nothing was due');
    const plan = { limit: 10, isBurst: false, isGrowing: false, nameRoom: { alone: 24_000, amidOthers: 16_000 } };
    await makeFoldStore(testDatabase.database).fold(head, false, (first, due) => planBacklog(first, due, plan));
    const foldedThen = (await pool.query(`SELECT id FROM deliveries WHERE folded_into = $1`, [head.id])).rowCount;
    await pool.query(`UPDATE google_spaces SET lease_until = now() WHERE space_id = $1`, [channel.spaceId]);
    world.dealbell = await world.startAnother({ web: false, worker: true });
    await world.chat.waitForMessages(channel.spaceId, 1, 10_000);

    expect(foldedThen).toBe(24);
    await waitUntil('it is recorded', async () => {
      const { rows } = await pool.query(`SELECT state FROM deliveries WHERE id = $1`, [head.id]);
      return rows[0]?.state === 'sent';
    });
    expect(texts(channel)).toEqual([expect.stringContaining('Alice Moreau moved 25 deals to Negotiations started')]);
  });
});
