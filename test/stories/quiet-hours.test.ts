/** Quiet hours, business days and digests: held or dropped by the destination's wall clock, let go as one message, once, also after downtime. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, put, visibleText, type Channel } from '../support/channel';
import { ROUTE_LOCK } from '../../src/rules/routing.store';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { firstAdmin, startWorld, type World } from '../support/world';

const NIGHTS = { from: '20:00', to: '08:00', mode: 'hold' };

describeOnBackends('Quiet hours and digests', (backend) => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let key: string;
  let aheadMs = 0;
  let lastId = 80_000;

  beforeAll(async () => {
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, redisUrl: backend.redisUrl() },
      ...{ clock: () => new Date(Date.now() + aheadMs), sweepIntervalMs: 100 },
      config: { apiRateLimit: 1_000_000, spaceIntervalMs: 50 },
      chat: { quotaPerSecond: 1_000 },
    });
    // Page tokens end with the hour; keys do not.
    key = (await world.api('POST', '/api-keys', await world.install(), { name: 'Clock' })).body.key;
  });

  /** A plan has room for so many destinations. */
  beforeEach(async () => {
    for (const { id } of (await world.api('GET', '/chat-webhooks?limit=100', key)).body.items)
      await world.api('DELETE', `/chat-webhooks/${id}`, key);
  });

  /** The wall clock of Dealbell goes on from this moment. */
  const setClock = (iso: string) => {
    aheadMs = Date.parse(iso) - Date.now();
  };
  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  /** Rules are made by today's clock: events come in by that of the database, and a rule never tells what came before it. */
  const listening = async (fields: Record<string, unknown>, rule: object = {}): Promise<Channel> => {
    aheadMs = 0;
    const settings: Record<string, unknown> = { timeZone: 'Europe/Berlin', locale: 'en-GB', ...fields };
    const channel = await connectChannel(world, key, 'Nights', settings);
    await addRule(world, key, 'deal.won', channel, { filters: { pipelineIds: [(lastId += 1)] }, ...rule });
    return channel;
  };
  const pipelineOf = async (channel: Channel): Promise<number> => {
    const { items } = (await world.api('GET', '/rules?limit=100', key)).body;
    const rule = items.find((one: { targetWebhookIds: number[] }) => one.targetWebhookIds.includes(channel.id));
    return rule.filters.pipelineIds[0];
  };
  const post = async (channel: Channel, ...titles: string[]) => {
    const pipeline_id = await pipelineOf(channel);
    for (const title of titles) {
      const id = (lastId += 1);
      const data = { id, title, status: 'won', value: 1_000, currency: 'EUR', owner_id: 12415001, pipeline_id };
      await postAs(world, rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } }));
    }
  };
  const isRouted = () =>
    waitUntil('all is routed', async () => {
      const { rows } = await testDatabase.database.pool.query('SELECT FROM events WHERE routed_at IS NULL LIMIT 1');
      return rows.length === 0;
    });
  const winUnsent = async (channel: Channel, ...titles: string[]) => {
    await post(channel, ...titles);
    await isRouted();
  };
  const win = async (channel: Channel, ...titles: string[]) => {
    await winUnsent(channel, ...titles);
    await rest();
  };
  /** Tells of losses too; gives what changes the status of one of the destination's deals. */
  const winsAndLosses = async (channel: Channel) => {
    const pipeline_id = await pipelineOf(channel);
    await addRule(world, key, 'deal.lost', channel, { filters: { pipelineIds: [pipeline_id] } });
    return (id: number, from: string, to: string) => {
      const data = { id, title: `Deal number ${id}`, value: 1, currency: 'EUR', owner_id: 12415001, pipeline_id, status: to };
      return postAs(world, rawWebhook('deal', 'change', id, { data, previous: { status: from } }));
    };
  };
  /** Nothing goes into the space until it is freed. */
  const holdSpace = ({ spaceId }: Channel) =>
    testDatabase.database.pool.query(
      `UPDATE google_spaces SET next_slot_at = now() + interval '10 minutes' WHERE space_id = $1`,
      [spaceId],
    );
  const freeSpace = ({ spaceId }: Channel) =>
    testDatabase.database.pool.query('UPDATE google_spaces SET next_slot_at = now() WHERE space_id = $1', [spaceId]);
  const putOff = async ({ spaceId }: Channel, ruleId: number, inTime: string) => {
    const { pool } = testDatabase.database;
    await pool.query(`UPDATE deliveries SET not_before = now() + $2::interval WHERE rule_id = $1`, [ruleId, inTime]);
    await pool.query(`UPDATE google_spaces SET due_at = now(), is_waiting = true WHERE space_id = $1`, [spaceId]);
  };
  /** As a backlog is, before it is prepared. */
  const foldWaiting = ({ id }: Channel) =>
    testDatabase.database.pool.query(
      `WITH lead AS (UPDATE deliveries SET fold_kind = 'backlog' WHERE id = (SELECT min(id) FROM deliveries WHERE chat_webhook_id = $1) RETURNING id)
       UPDATE deliveries d SET state = 'folded', folded_into = lead.id FROM lead WHERE d.chat_webhook_id = $1 AND d.id > lead.id`,
      [id],
    );
  const addUrgentRule = async (channel: Channel) => {
    const conditions = { all: [{ field: 'title', op: 'contains', value: 'Urgent' }] };
    await addRule(world, key, 'deal.won', channel, {
      urgent: true,
      filters: { pipelineIds: [await pipelineOf(channel)], conditions },
    });
  };
  const breakDown = ({ id }: Channel) =>
    testDatabase.database.pool.query(
      `UPDATE chat_webhooks SET health = 'broken', next_probe_at = now() + interval '1 hour' WHERE id = $1`,
      [id],
    );
  const texts = ({ spaceId }: Channel) => world.chat.messages(spaceId).map((message) => visibleText(message));
  const deliveriesOf = async (channel: Channel, state: string) =>
    (await world.api('GET', `/deliveries?chatWebhookId=${channel.id}&state=${state}&limit=100`, key)).body.items;
  const arrives = (channel: Channel, count: number) =>
    waitUntil(`${count} messages are there`, () => texts(channel).length >= count);
  const isReleased = (channel: Channel) =>
    waitUntil('nothing is held', async () => (await deliveriesOf(channel, 'held')).length === 0);

  test.each([
    ['the night is an hour longer', '2026-10-24T18:30:00Z', '2026-10-25T06:59:40Z', '2026-10-25T07:00:00.000Z'],
    ['the night is an hour shorter', '2026-03-28T19:30:00Z', '2026-03-29T05:59:40Z', '2026-03-29T06:00:00.000Z'],
    [
      'it is Friday, and weekends are no business days',
      '2026-11-27T20:00:00Z',
      '2026-11-30T06:59:40Z',
      '2026-11-30T07:00:00.000Z',
    ],
  ])(
    'when %s, then what comes in quiet hours is held until their end and told in one card',
    async (_what, evening, before, end) => {
      const businessDays = ['mon', 'tue', 'wed', 'thu', 'fri', ...(end.includes('11-30') ? [] : ['sat', 'sun'])];
      const channel = await listening({ quietHours: { ...NIGHTS, businessDays } });
      setClock(evening);
      await win(channel, 'Night one', 'Night two', 'Night three');

      const held = await deliveriesOf(channel, 'held');
      setClock(before);
      await world.dealbell.sweep();
      const early = texts(channel);
      setClock(end);
      await arrives(channel, 1);
      await rest();

      expect(early).toEqual([]);
      expect(held.map((one: { heldUntil: string }) => one.heldUntil)).toEqual([end, end, end]);
      expect(held[0].reason).toBe('Quiet hours of this space, 20:00 to 08:00 (Europe/Berlin).');
      expect(texts(channel)).toHaveLength(1);
      expect(texts(channel)[0]).toMatch(/3 changes in quiet hours[\s\S]*3 deals won[\s\S]*Night/);
      for (const title of ['Night one', 'Night two', 'Night three']) expect(texts(channel)[0]).toContain(title);
      expect((await deliveriesOf(channel, 'folded')).map((one: { toldBy: { state: string } }) => one.toldBy.state)).toEqual([
        'sent',
        'sent',
      ]);
    },
  );

  test('when one message alone was held, or nothing may be folded, then each goes as it would have gone', async () => {
    const alone = await listening({ quietHours: NIGHTS });
    const unfolded = await listening({ quietHours: NIGHTS, fold: 'off' });
    setClock('2026-11-24T21:00:00Z');
    await win(alone, 'Alone');
    await win(unfolded, 'First', 'Second');

    setClock('2026-11-25T07:00:00Z');
    await arrives(alone, 1);
    await arrives(unfolded, 2);

    expect(texts(alone)[0]).toMatch(/^🏆 Deal won\nAlone/);
    expect(texts(unfolded).map((text) => text.split('\n')[1])).toEqual(['First', 'Second']);
  });

  test('when an urgent rule matches in quiet hours, then it is told at once, and what is dropped says why', async () => {
    const channel = await listening({ quietHours: { ...NIGHTS, mode: 'drop' } });
    await addUrgentRule(channel);
    setClock('2026-11-24T21:00:00Z');

    await win(channel, 'Ordinary', 'Urgent');

    expect(texts(channel)).toHaveLength(1);
    expect(texts(channel)[0]).toContain('Urgent');
    const dropped = await deliveriesOf(channel, 'dropped');
    expect(dropped.map((one: { reason: string }) => one.reason)).toEqual(
      Array(2).fill('Quiet hours of this space, 20:00 to 08:00 (Europe/Berlin): what comes then is dropped.'),
    );
  });

  test('when the last user uninstalls while messages wait, then none of them is told, with the reason, and what comes after a new install is', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Before one', 'Before two');
    await waitUntil('they are held', async () => (await deliveriesOf(channel, 'held')).length === 2);

    await world.pipedrive.uninstall(firstAdmin(world.pipedrive, DEMO_COMPANY_ID));
    setClock('2026-11-25T07:00:00Z');
    await waitUntil('they are dropped', async () => (await deliveriesOf(channel, 'dropped')).length === 2);
    // Pipedrive's token for the page is of today.
    aheadMs = 0;
    await world.install();
    setClock('2026-11-25T07:00:00Z');
    await win(channel, 'After');
    await arrives(channel, 1);

    expect(texts(channel)).toEqual([expect.stringContaining('After')]);
    expect((await deliveriesOf(channel, 'dropped')).map((one: { reason: string }) => one.reason)).toEqual([
      expect.stringContaining('Dealbell was uninstalled before it could be told.'),
      expect.stringContaining('Dealbell was uninstalled before it could be told.'),
    ]);
  });

  test('when quiet hours are lifted or moved while messages wait, then they go, or wait for the new end', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Waiting one', 'Waiting two');

    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: { ...NIGHTS, to: '09:30' } });
    await waitUntil('the new end is known', async () => {
      const [first] = await deliveriesOf(channel, 'held');
      return first?.heldUntil === '2026-11-25T08:30:00.000Z';
    });
    const before = texts(channel).length;
    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: null });
    await isReleased(channel);
    await arrives(channel, 1);

    expect(before).toBe(0);
    expect(texts(channel)).toHaveLength(1);
  });

  test('when quiet hours end, then nothing of a record is told before what waited of it', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    await addRule(world, key, 'deal.lost', channel, { filters: { pipelineIds: [await pipelineOf(channel)] } });
    const id = (lastId += 1);
    const data = { id, title: 'Twice', value: 1, currency: 'EUR', owner_id: 12415001, pipeline_id: await pipelineOf(channel) };
    setClock('2026-11-24T21:00:00Z');
    await postAs(world, rawWebhook('deal', 'change', id, { data: { ...data, status: 'won' }, previous: { status: 'open' } }));
    await rest();

    setClock('2026-11-25T07:00:00Z');
    await postAs(world, rawWebhook('deal', 'change', id, { data: { ...data, status: 'lost' }, previous: { status: 'won' } }));
    await arrives(channel, 2);

    expect(texts(channel).map((text) => text.split('\n')[0])).toEqual(['🏆 Deal won', '❌ Deal lost']);
  });

  test('when a record waits in the quiet hours of one destination, then others of its space go, that record among them', async () => {
    const quiet = await listening({ quietHours: NIGHTS });
    const awake = await connectChannel(world, key, 'Awake', { spaceId: quiet.spaceId, timeZone: 'Europe/Berlin' });
    const pipelineIds = [await pipelineOf(quiet)];
    await addRule(world, key, 'deal.lost', awake, { filters: { pipelineIds } });
    const data = { value: 1, currency: 'EUR', owner_id: 12415001, pipeline_id: pipelineIds[0] };
    const change = (id: number, title: string, status: string) =>
      postAs(world, rawWebhook('deal', 'change', id, { data: { ...data, id, title, status }, previous: { status: 'open' } }));
    const [first, second] = [(lastId += 1), (lastId += 1)];
    setClock('2026-11-24T21:00:00Z');
    await change(first, 'Held', 'won');
    await rest();

    await change(first, 'Held', 'lost');
    await change(second, 'Another', 'lost');
    await arrives(quiet, 2);
    await rest();

    expect(texts(quiet).map((text) => text.split('\n').slice(0, 2))).toEqual([
      ['❌ Deal lost', 'Held'],
      ['❌ Deal lost', 'Another'],
    ]);
    expect(await deliveriesOf(quiet, 'held')).toMatchObject([{ reason: expect.stringContaining('Quiet hours') }]);
  });

  test.each(['in its settings', 'at Pipedrive'])(
    'when the zone of the company changes %s, and with it ends the quiet of a destination without its own, then what waited goes',
    async (where) => {
      await put(world, key, '/account', { settings: { timeZone: 'Europe/Berlin' } });
      const channel = await listening({ quietHours: NIGHTS, timeZone: null, fold: 'off' });
      setClock('2026-11-24T23:30:00Z');
      await win(channel, 'Waiting');
      await waitUntil('it is held', async () => (await deliveriesOf(channel, 'held')).length === 1);
      const [waiting] = await deliveriesOf(channel, 'held');

      if (where === 'in its settings') await put(world, key, '/account', { settings: { timeZone: 'Asia/Tokyo' } });
      else {
        const { pool } = testDatabase.database;
        await pool.query(`UPDATE tenants SET settings = settings - 'timeZone', time_zone = 'Asia/Tokyo'`);
      }
      const data = {
        id: Number(waiting.entityId),
        title: 'Waiting',
        value: 1,
        currency: 'EUR',
        pipeline_id: await pipelineOf(channel),
      };
      await postAs(
        world,
        rawWebhook('deal', 'change', data.id, { data: { ...data, status: 'won' }, previous: { status: 'lost' } }),
      );
      await win(channel, 'Another');
      await arrives(channel, 3);
      await put(world, key, '/account', { settings: { timeZone: null } });

      expect(texts(channel).filter((text) => text.includes('Waiting'))).toHaveLength(2);
      expect(await deliveriesOf(channel, 'held')).toEqual([]);
    },
  );

  test('when a destination with a fallback breaks in its quiet hours, then its messages wait for their end, and go to the fallback then', async () => {
    const fallback = await connectChannel(world, key, 'Fallback', { timeZone: 'Europe/Berlin' });
    const channel = await listening({ quietHours: NIGHTS, fallbackWebhookId: fallback.id });
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Fallback one', 'Fallback two');
    await breakDown(channel);
    await world.dealbell.sweep();
    const early = [texts(fallback), texts(channel)];

    setClock('2026-11-25T07:00:00Z');
    await waitUntil('the fallback tells it', () => texts(fallback).some((text) => text.includes('Fallback one')));
    await rest();

    const told = texts(fallback).filter((text) => text.includes('Fallback one'));
    expect(early.flat().filter((text) => text.includes('Fallback'))).toEqual([]);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('Meant for “Nights”');
    expect(told[0]).toContain('Fallback two');
    expect(texts(channel)).toEqual([]);
  });

  test('when messages wait in the quiet hours of the fallback, then they go at its end, whatever the hours of their own destination', async () => {
    const early = { ...NIGHTS, to: '06:00' };
    const fallback = await connectChannel(world, key, 'Early bird', { timeZone: 'Europe/Berlin', quietHours: early });
    const channel = await listening({ quietHours: NIGHTS, fallbackWebhookId: fallback.id });
    await breakDown(channel);
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Guest');
    const held = () =>
      waitUntil('it waits for a time', async () =>
        (await deliveriesOf(channel, 'held')).some((one: { heldUntil: string }) => one.heldUntil),
      );
    await held();
    const [guest] = await deliveriesOf(channel, 'held');

    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: null });
    await world.dealbell.sweep();
    const [stillHeld] = await deliveriesOf(channel, 'held');
    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: NIGHTS });
    setClock('2026-11-25T05:00:00Z');
    await waitUntil('the fallback tells it', () => texts(fallback).some((text) => text.includes('Guest')));
    await rest();

    expect([guest, stillHeld]).toMatchObject(Array(2).fill({ heldUntil: '2026-11-25T05:00:00.000Z', viaWebhookId: fallback.id }));
    expect(texts(fallback).filter((text) => text.includes('Guest'))).toHaveLength(1);
  });

  test('when a destination breaks and the fallback dropped in its quiet hours what their rule tells both, then it is given that, and tells it when it is quiet no more', async () => {
    const fallback = await connectChannel(world, key, 'Dropping', {
      timeZone: 'Europe/Berlin',
      quietHours: { ...NIGHTS, mode: 'drop' },
    });
    const channel = await listening({ fallbackWebhookId: fallback.id });
    await addRule(world, key, 'deal.lost', channel, {
      targetWebhookIds: [channel.id, fallback.id],
      filters: { pipelineIds: [await pipelineOf(channel)] },
    });
    const data = { title: 'Told by neither', status: 'lost', pipeline_id: await pipelineOf(channel) };
    setClock('2026-11-24T21:00:00Z');
    await breakDown(channel);
    const id = (lastId += 1);
    await postAs(world, rawWebhook('deal', 'change', id, { data: { id, ...data }, previous: { status: 'open' } }));
    await waitUntil('it waits for the end of quiet there', async () =>
      (await deliveriesOf(channel, 'held')).some((one: { heldUntil: string | null }) => one.heldUntil !== null),
    );
    const [held] = await deliveriesOf(channel, 'held');
    setClock('2026-11-25T07:00:00Z');
    const told = () => texts(fallback).filter((text) => text.includes('Told by neither'));
    await waitUntil('the fallback tells it', () => told().length > 0);
    await rest();

    expect(held).toMatchObject({
      viaWebhookId: fallback.id,
      reason: expect.stringContaining('Given to the fallback “Dropping”'),
    });
    expect(await deliveriesOf(fallback, 'dropped')).toHaveLength(1);
    expect(told()).toEqual([expect.stringContaining('Meant for “Nights”')]);
  });

  test('when a message of several meets a broken destination, and the fallback is quiet, then that is told all of it as one when it is quiet no more', async () => {
    const fallback = await connectChannel(world, key, 'Asleep', { timeZone: 'Europe/Berlin', quietHours: NIGHTS });
    const channel = await listening({ fallbackWebhookId: fallback.id });
    await addUrgentRule(channel);
    const { pool } = testDatabase.database;
    setClock('2026-11-24T21:00:00Z');
    await holdSpace(channel);
    await winUnsent(channel, 'Guest one', 'Guest two', 'Urgent guest');
    await breakDown(channel);
    await foldWaiting(channel);
    await pool.query(
      `UPDATE deliveries SET state = 'held', held_because = 'broken', state_reason = 'HTTP 404.' WHERE chat_webhook_id = $1 AND state = 'queued'`,
      [channel.id],
    );
    const told = () => texts(fallback).filter((text) => text.includes('Meant for “Nights”'));
    await waitUntil('all but the urgent one wait for a time', async () => {
      const items = await deliveriesOf(channel, 'held');
      return items.length === 3 && items.every((one: { heldUntil: string }) => one.heldUntil === '2026-11-25T07:00:00.000Z');
    });
    await rest();
    const early = told();
    const [held] = await deliveriesOf(channel, 'held');
    setClock('2026-11-25T07:00:00Z');
    await waitUntil('the fallback is told the rest', () => told().length > 1);
    await rest();

    expect(early).toEqual([expect.stringContaining('Urgent guest')]);
    expect(held.reason).toMatch(/^Given to the fallback “Asleep”: Quiet hours of this space, 20:00 to 08:00/);
    expect(told().slice(1)).toEqual([expect.stringMatching(/3 changes in quiet hours[\s\S]*Guest/)]);
    expect(texts(channel)).toEqual([]);
  });

  test('when a destination breaks before its digest, then the fallback hears of everything in it once', async () => {
    const fallback = await connectChannel(world, key, 'Told too', { timeZone: 'Europe/Berlin' });
    const digest = { every: 'day', at: '09:00' };
    const channel = await listening({ fallbackWebhookId: fallback.id });
    const pipelineIds = [(lastId += 1)];
    const about = (title: string) => ({ pipelineIds, conditions: { all: [{ field: 'title', op: 'contains', value: title }] } });
    await addRule(world, key, 'deal.won', channel, {
      digest,
      targetWebhookIds: [channel.id, fallback.id],
      filters: about('Shared'),
    });
    await addRule(world, key, 'deal.won', channel, { digest, filters: about('Own') });
    setClock('2026-11-25T09:00:00Z');
    await breakDown(channel);
    for (const title of ['Shared one', 'Own one', 'Shared two', 'Own two']) {
      const id = (lastId += 1);
      const data = { id, title, status: 'won', value: 1, currency: 'EUR', pipeline_id: pipelineIds[0] };
      await postAs(world, rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } }));
    }
    await rest();
    const early = [texts(channel), texts(fallback).filter((text) => text.includes('digest'))].flat();

    setClock('2026-11-26T08:00:00Z');
    const digests = () => texts(fallback).filter((text) => text.includes('digest'));
    await waitUntil('the fallback is told both digests', () => digests().length === 2);
    await rest();
    const [held] = await deliveriesOf(channel, 'held');

    expect(early).toEqual([]);
    const [own, redirected] = digests().sort(
      (one, other) => Number(one.includes('Meant for')) - Number(other.includes('Meant for')),
    );
    expect(own).toMatch(/Daily digest: 2 changes[\s\S]*Shared/);
    expect(own).not.toContain('Own');
    expect(redirected).toMatch(/Daily digest: 2 changes[\s\S]*Own/);
    expect(redirected).not.toContain('Shared');
    expect(held.reason).toContain('Its rule tells the fallback “Told too” too.');
  });

  test('when a destination breaks while a record waits in its quiet hours, then the fallback hears of the record in its order', async () => {
    const fallback = await connectChannel(world, key, 'Open all night', { timeZone: 'Europe/Berlin' });
    const channel = await listening({ quietHours: NIGHTS, fallbackWebhookId: fallback.id });
    const change = await winsAndLosses(channel);
    const [first, second] = [(lastId += 1), (lastId += 1)];
    setClock('2026-11-24T21:00:00Z');
    await change(first, 'open', 'won');
    await rest();
    await breakDown(channel);
    await change(first, 'won', 'lost');
    await change(second, 'open', 'lost');
    const told = () => texts(fallback).filter((text) => text.includes('Deal number'));
    await waitUntil('the fallback is told of another', () => told().length === 1);
    await world.dealbell.sweep();
    const early = told();

    setClock('2026-11-25T07:00:00Z');
    await waitUntil('the fallback is told of all', () => told().length === 3);
    await rest();

    expect(early).toEqual([expect.stringContaining(`Deal number ${second}`)]);
    expect(
      told()
        .slice(1)
        .map((text) => /Deal \w+/.exec(text)?.[0]),
    ).toEqual(['Deal won', 'Deal lost']);
  });

  test('when a destination works again in quiet hours that drop, then what it held before is kept until their end', async () => {
    const channel = await listening({ fold: 'off' });
    setClock('2026-11-24T21:00:00Z');
    await breakDown(channel);
    await win(channel, 'Held one', 'Held two');

    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: { ...NIGHTS, mode: 'drop' } });
    await testDatabase.database.pool.query(`UPDATE chat_webhooks SET health = 'healthy' WHERE id = $1`, [channel.id]);
    await waitUntil('both wait for a time, or are dropped', async () => {
      const items = [...(await deliveriesOf(channel, 'held')), ...(await deliveriesOf(channel, 'dropped'))];
      return (
        items.filter((one: { state: string; heldUntil: string | null }) => one.state === 'dropped' || one.heldUntil !== null)
          .length === 2
      );
    });
    await win(channel, 'Comes at night');
    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 2);
    await rest();

    expect(texts(channel).map((text) => text.split('\n')[1])).toEqual(['Held one', 'Held two']);
    expect(await deliveriesOf(channel, 'dropped')).toHaveLength(1);
  });

  /** What is queued came so long before it did. */
  const agePast = ({ id }: Channel, ms: number) =>
    testDatabase.database.pool.query(
      `UPDATE events SET received_at = received_at - $2 * interval '1 millisecond'
        WHERE id IN (SELECT event_id FROM deliveries WHERE chat_webhook_id = $1 AND state = 'queued')`,
      [id, ms],
    );
  /** Nothing that comes meanwhile is routed; gives what ends that. */
  const holdRouting = async (): Promise<() => Promise<void>> => {
    const client = await testDatabase.database.pool.connect();
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock(${ROUTE_LOCK}, id) FROM tenants`);
    return async () => {
      await client.query('COMMIT');
      client.release();
    };
  };

  test('when nobody is there to tell what came before quiet hours that drop, then it is told at their end, and what came in them is dropped', async () => {
    const channel = await listening({ quietHours: { ...NIGHTS, mode: 'drop' } });
    const goOn = await holdRouting();
    setClock('2026-11-24T18:59:56Z');
    await post(channel, 'Before one', 'Before two');
    await waitUntil('the night has begun', () => Date.now() + aheadMs > Date.parse('2026-11-24T19:00:00Z'));
    await post(channel, 'In the night');

    await goOn();
    await isRouted();
    await rest();
    const [held, dropped] = [await deliveriesOf(channel, 'held'), await deliveriesOf(channel, 'dropped')];
    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 1);
    await rest();

    expect([held.length, dropped.length]).toEqual([2, 1]);
    expect(texts(channel)).toEqual([expect.stringMatching(/2 changes in quiet hours[\s\S]*Before/)]);
  });

  test('when quiet hours that drop are chosen while messages wait in line, then those are told at their end, and what comes from then on is dropped', async () => {
    const channel = await listening({ fold: 'off' });
    setClock('2026-11-24T21:00:00Z');
    await holdSpace(channel);
    await winUnsent(channel, 'In line one', 'In line two');

    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: { ...NIGHTS, mode: 'drop' } });
    await winUnsent(channel, 'Comes at night');
    await freeSpace(channel);
    await rest();
    const [held, dropped] = [await deliveriesOf(channel, 'held'), await deliveriesOf(channel, 'dropped')];
    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 2);
    await rest();

    expect([held.length, dropped.length]).toEqual([2, 1]);
    expect(texts(channel).map((text) => text.split('\n')[1])).toEqual(['In line one', 'In line two']);
  });

  test('when quiet hours that hold become such that drop, then what waits is told at their end, and what comes from then on is dropped', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Promised one', 'Promised two');

    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: { ...NIGHTS, to: '09:00', mode: 'drop' } });
    await waitUntil('the new end is known', async () =>
      (await deliveriesOf(channel, 'held')).every((one: { heldUntil: string }) => one.heldUntil === '2026-11-25T08:00:00.000Z'),
    );
    await win(channel, 'Unwanted');
    const waiting = await deliveriesOf(channel, 'held');
    setClock('2026-11-25T08:00:00Z');
    await arrives(channel, 1);
    await rest();

    expect(waiting).toHaveLength(2);
    expect(await deliveriesOf(channel, 'dropped')).toMatchObject([
      { reason: expect.stringContaining('what comes then is dropped') },
    ]);
    expect(texts(channel)).toEqual([expect.stringMatching(/2 changes in quiet hours[\s\S]*Promised/)]);
  });

  test.each([
    ['tells several', 1],
    ['tells one', null],
  ])(
    'when a message that %s got no clear answer before it became quiet, then it waits too, and is tried again as it was',
    async (_what, foldThreshold) => {
      const channel = await listening({ foldThreshold });
      const requests = () => world.chat.requests.filter(({ spaceId }) => spaceId === channel.spaceId);
      setClock('2026-11-24T21:00:00Z');
      await holdSpace(channel);
      await winUnsent(channel, ...(foldThreshold === null ? ['Doubtful'] : ['Doubtful', 'Doubtful too']));
      world.chat.setOutage(channel.spaceId, 500);
      await freeSpace(channel);
      await waitUntil('it was tried', () => requests().length > 0);

      await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: NIGHTS });
      await waitUntil('it is held', async () => (await deliveriesOf(channel, 'held')).length === 1);
      world.chat.setOutage(channel.spaceId, null);
      const [held] = await deliveriesOf(channel, 'held');
      const tried = requests().length;
      await win(channel, 'Comes at night');
      const early = texts(channel);
      setClock('2026-11-25T07:00:00Z');
      await arrives(channel, 2);
      await rest();

      expect(held).toMatchObject({ heldUntil: '2026-11-25T07:00:00.000Z', reason: expect.stringContaining('Quiet hours') });
      expect(early).toEqual([]);
      const attempts = requests().slice(0, tried + 1);
      expect(new Set(attempts.map(({ rawBody, requestId }) => `${String(requestId)} ${rawBody}`)).size).toBe(1);
      expect(texts(channel).map((text) => /Doubtful|Comes at night/.exec(text)?.[0])).toEqual(['Doubtful', 'Comes at night']);
    },
  );

  test('when quiet ends, then what was tried before goes before what came later, also where that is told as one', async () => {
    const channel = await listening({});
    const change = await winsAndLosses(channel);
    const [tried, other] = [(lastId += 1), (lastId += 1)];
    setClock('2026-11-24T21:00:00Z');
    world.chat.setOutage(channel.spaceId, 500);
    await change(tried, 'open', 'won');
    await waitUntil('it was tried', () => world.chat.requests.some(({ spaceId }) => spaceId === channel.spaceId));
    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: NIGHTS });
    await waitUntil('it is held', async () => (await deliveriesOf(channel, 'held')).length === 1);
    world.chat.setOutage(channel.spaceId, null);
    await change(other, 'open', 'won');
    await change(tried, 'won', 'lost');
    await rest();

    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 2);
    await rest();

    expect(texts(channel)).toEqual([
      expect.stringMatching(new RegExp(`Deal won\\nDeal number ${tried}`)),
      expect.stringMatching(/2 changes in quiet hours/),
    ]);
  });

  test('when the zone moves the night away from a message that was tried and waits, then it goes at once, as it was', async () => {
    const channel = await listening({});
    const requests = () => world.chat.requests.filter(({ spaceId }) => spaceId === channel.spaceId);
    setClock('2026-11-24T21:00:00Z');
    world.chat.setOutage(channel.spaceId, 500);
    await winUnsent(channel, 'Moved away');
    await waitUntil('it was tried', () => requests().length > 0);
    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: NIGHTS });
    await waitUntil('it is held', async () => (await deliveriesOf(channel, 'held')).length === 1);
    world.chat.setOutage(channel.spaceId, null);

    await put(world, key, `/chat-webhooks/${channel.id}`, { timeZone: 'America/New_York' });
    await arrives(channel, 1);
    await rest();

    expect(new Set(requests().map(({ rawBody, requestId }) => `${String(requestId)} ${rawBody}`)).size).toBe(1);
    expect(texts(channel)).toHaveLength(1);
  });

  test('when a message is sent again in quiet hours that drop, then it goes at once, also when it takes several attempts', async () => {
    const channel = await listening({ quietHours: { ...NIGHTS, mode: 'drop' } });
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Wanted after all');
    const [dropped] = await deliveriesOf(channel, 'dropped');
    world.chat.failNext({ spaceId: channel.spaceId, status: 500 });

    await world.api('POST', `/deliveries/${dropped.id}/replay`, key);
    await arrives(channel, 1);
    await rest();

    expect(texts(channel)).toEqual([expect.stringContaining('Wanted after all')]);
    expect(await deliveriesOf(channel, 'sent')).toMatchObject([{ replay: 1, attempts: 2 }]);
  });

  test('when a burst of urgent messages comes in quiet hours that drop, then it is told at once, as one', async () => {
    const channel = await listening({ quietHours: { ...NIGHTS, mode: 'drop' }, foldThreshold: 1 });
    await addUrgentRule(channel);
    setClock('2026-11-24T21:00:00Z');
    await holdSpace(channel);
    await winUnsent(channel, 'Urgent one', 'Ordinary', 'Urgent two', 'Urgent three');

    await freeSpace(channel);
    await arrives(channel, 1);
    await rest();

    expect(texts(channel)).toEqual([expect.stringMatching(/3 deals won[\s\S]*Urgent/)]);
    expect(texts(channel)[0]).not.toContain('Ordinary');
    expect(await deliveriesOf(channel, 'dropped')).toHaveLength(4);
  });

  test('when Chat refuses the card of an urgent burst in quiet hours, then its text goes, once', async () => {
    const channel = await listening({ quietHours: NIGHTS, foldThreshold: 1 });
    await addUrgentRule(channel);
    setClock('2026-11-24T21:00:00Z');
    await holdSpace(channel);
    await winUnsent(channel, 'Urgent one', 'Urgent two', 'Urgent three');
    world.chat.failNext({ spaceId: channel.spaceId, status: 400 });

    await freeSpace(channel);
    await arrives(channel, 1);
    await rest();

    expect(texts(channel)).toEqual([expect.stringMatching(/3 deals won[\s\S]*Urgent/)]);
    const bodies = world.chat.requests.filter(({ spaceId }) => spaceId === channel.spaceId);
    expect(bodies).toHaveLength(2);
    expect(bodies[1]?.rawBody).toContain('MARKUP_SYNTAX_CHAT');
  });

  test('when Chat refuses a card just before it becomes quiet, then its text waits, and goes by itself before what came later', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    setClock('2026-11-24T18:59:00Z');
    world.chat.failNext({ spaceId: channel.spaceId, status: 400 });
    const stop = world.chat.onRequest(({ spaceId }) => {
      if (spaceId === channel.spaceId) setClock('2026-11-24T21:00:00Z');
    });
    await win(channel, 'Refused');
    stop();
    const held = await deliveriesOf(channel, 'held');
    await win(channel, 'Later one', 'Later two');
    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 2);
    await rest();

    expect(held).toHaveLength(1);
    expect(texts(channel)).toEqual([
      expect.stringContaining('Refused'),
      expect.stringMatching(/2 changes in quiet hours[\s\S]*Later/),
    ]);
    expect(world.chat.messages(channel.spaceId)[1]?.rawBody).toContain('cardsV2');
  });

  test.each([
    ['holds for quiet hours', {}],
    ['gathers for a digest', { digest: { every: 'day', at: '09:00' } }],
  ])('when a rule that %s becomes urgent, then what it held goes at once, and what others hold waits', async (_what, fields) => {
    const channel = await listening({ quietHours: NIGHTS }, fields);
    const { items } = (await world.api('GET', '/rules?limit=100', key)).body;
    const rule = items.find((one: { targetWebhookIds: number[] }) => one.targetWebhookIds.includes(channel.id));
    const conditions = { all: [{ field: 'title', op: 'contains', value: 'Waits' }] };
    const filters = { ...rule.filters, conditions };
    const other = await addRule(world, key, 'deal.won', channel, { filters });
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Became urgent', 'Became urgent too', 'Waits');
    expect(await deliveriesOf(channel, 'held')).toHaveLength(4);

    await put(world, key, `/rules/${rule.id}`, { urgent: true, digest: null });
    await waitUntil('it is let go', async () => (await deliveriesOf(channel, 'held')).length === 1);
    await rest();

    expect((await deliveriesOf(channel, 'held')).map((one: { ruleId: number }) => one.ruleId)).toEqual([other]);
    expect(texts(channel).join()).toMatch(/Became urgent( too)?\b[\s\S]*Became urgent/);
  });

  test('when it becomes quiet before a message of several was prepared, then each of them waits, and an urgent one goes', async () => {
    const channel = await listening({});
    await addUrgentRule(channel);
    setClock('2026-11-24T21:00:00Z');
    await holdSpace(channel);
    await winUnsent(channel, 'Folded one', 'Folded two', 'Urgent');
    await foldWaiting(channel);

    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: NIGHTS });
    await freeSpace(channel);
    await arrives(channel, 1);
    await rest();
    const early = texts(channel);
    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 2);
    await rest();

    expect(early).toEqual([expect.stringContaining('Urgent')]);
    expect(texts(channel)[1]).toMatch(/3 changes in quiet hours/);
    for (const title of ['Folded one', 'Folded two']) expect(texts(channel)[1]).toContain(title);
  });

  test('when what was held has been let go as one and drops become the rule before that went, then each of it waits for the new end', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    setClock('2026-11-24T21:00:00Z');
    await win(channel, 'Let go one', 'Let go two', 'Let go three');
    await holdSpace(channel);
    setClock('2026-11-25T07:00:00Z');
    await isReleased(channel);

    await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: { ...NIGHTS, to: '12:00', mode: 'drop' } });
    await freeSpace(channel);
    await rest();
    const held = await deliveriesOf(channel, 'held');
    setClock('2026-11-25T11:00:00Z');
    await arrives(channel, 1);
    await rest();

    expect(held).toHaveLength(3);
    expect(texts(channel)).toEqual([expect.stringMatching(/3 changes in quiet hours/)]);
  });

  test('when a broken destination is quiet, then it is not tried before the end of that, unless by an urgent message', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    await addUrgentRule(channel);
    const isTriedNow = () =>
      testDatabase.database.pool.query('UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1', [channel.id]);
    setClock('2026-11-24T12:00:00Z');
    await breakDown(channel);
    await win(channel, 'Held one', 'Held two');

    setClock('2026-11-24T21:00:00Z');
    await isTriedNow();
    for (let round = 0; round < 3; round += 1) await world.dealbell.sweep();
    await rest();
    const quiet = [texts(channel), (await deliveriesOf(channel, 'held')).map((one: { heldUntil: string }) => one.heldUntil)];
    await win(channel, 'Urgent');
    await arrives(channel, 1);
    await waitUntil('all others wait for the end of quiet', async () => {
      const items = await deliveriesOf(channel, 'held');
      return items.length === 3 && items.every((one: { heldUntil: string | null }) => one.heldUntil !== null);
    });
    const urgent = texts(channel);
    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 2);
    await rest();

    expect(quiet).toEqual([[], [null, null]]);
    expect(urgent).toEqual([expect.stringContaining('Urgent')]);
    expect(texts(channel)).toHaveLength(2);
    expect(texts(channel)[1]).toMatch(/3 changes in quiet hours[\s\S]*Held/);
  });

  test('when it becomes quiet while the trial of a broken destination is under way, then that waits for the end of quiet, and is made then', async () => {
    const channel = await listening({ quietHours: NIGHTS });
    const { pool } = testDatabase.database;
    setClock('2026-11-24T12:00:00Z');
    await breakDown(channel);
    await win(channel, 'Trial');
    await holdSpace(channel);
    await pool.query('UPDATE chat_webhooks SET next_probe_at = now() WHERE id = $1', [channel.id]);
    await waitUntil('the trial is due', async () => (await deliveriesOf(channel, 'queued')).length === 1);

    setClock('2026-11-24T21:00:00Z');
    await freeSpace(channel);
    await rest();
    const [held] = await deliveriesOf(channel, 'held');
    setClock('2026-11-25T07:00:00Z');
    await arrives(channel, 1);

    expect(held).toMatchObject({ heldUntil: '2026-11-25T07:00:00.000Z' });
    await waitUntil('the destination works', async () => {
      const { rows } = await pool.query('SELECT health FROM chat_webhooks WHERE id = $1', [channel.id]);
      return rows[0]?.health === 'healthy';
    });
  });

  test('when a rule is digest only, then its messages come as one at its time, by one of several workers', async () => {
    const other = await world.startAnother({ web: false, worker: true });
    const channel = await listening({}, { digest: { every: 'day', at: '09:00' } });
    setClock('2026-11-25T10:00:00Z');
    await win(channel, 'Digest one', 'Digest two');
    const held = await deliveriesOf(channel, 'held');

    setClock('2026-11-26T08:00:00Z');
    await Promise.all([world.dealbell.sweep(), other.sweep()]);
    await arrives(channel, 1);
    await rest();
    setClock('2026-11-27T08:00:00Z');
    await Promise.all([world.dealbell.sweep(), other.sweep()]);
    await rest();

    expect(held.map((one: { heldUntil: string }) => one.heldUntil)).toEqual(Array(2).fill('2026-11-26T08:00:00.000Z'));
    expect(texts(channel)).toHaveLength(1);
    expect(texts(channel)[0]).toMatch(/Daily digest: 2 changes[\s\S]*2 deals won/);
  });

  test('when messages about records of a digest are still under way at its time, then those records come after them in one more digest', async () => {
    const channel = await listening({ fold: 'off' });
    const filters = { pipelineIds: [await pipelineOf(channel)] };
    const { items } = (await world.api('GET', '/rules?limit=100', key)).body;
    const atOnce = items.find((one: { targetWebhookIds: number[] }) => one.targetWebhookIds.includes(channel.id));
    const conditions = { all: [{ field: 'title', op: 'contains', value: 'Hasty' }] };
    await put(world, key, `/rules/${atOnce.id}`, { filters: { ...filters, conditions } });
    await addRule(world, key, 'deal.won', channel, { digest: { every: 'day', at: '09:00' }, filters });
    setClock('2026-11-25T10:00:00Z');
    await holdSpace(channel);
    await winUnsent(channel, 'Hasty one', 'Hasty two', 'Hasty three', 'Calm one', 'Calm two');
    await putOff(channel, atOnce.id, '10 minutes');
    await freeSpace(channel);
    await waitUntil('all is gathered', async () => (await deliveriesOf(channel, 'held')).length === 5);

    setClock('2026-11-26T08:00:00Z');
    await arrives(channel, 1);
    await putOff(channel, atOnce.id, '0 s');
    await arrives(channel, 5);
    await rest();

    const titles = texts(channel).map((text) => /Daily digest: \d+ changes?|Hasty \w+/.exec(text)?.[0]);
    expect(titles).toEqual(['Daily digest: 2 changes', 'Hasty one', 'Hasty two', 'Hasty three', 'Daily digest: 3 changes']);
  });

  describe('When a digest has gathered messages at 10:00 on Wednesday, and is told daily at 09:00', () => {
    const gathering = async (fields: Record<string, unknown> = {}): Promise<Channel> => {
      const channel = await listening(fields, { digest: { every: 'day', at: '09:00' } });
      setClock('2026-11-25T09:00:00Z');
      await win(channel, 'Gathered one', 'Gathered two');
      return channel;
    };
    const ruleOf = async (channel: Channel): Promise<string> => {
      const { items } = (await world.api('GET', '/rules?limit=100', key)).body;
      return `/rules/${items.find((one: { targetWebhookIds: number[] }) => one.targetWebhookIds.includes(channel.id)).id}`;
    };
    const waitFor = (channel: Channel, until: string, reason: string) =>
      waitUntil(`both wait until ${until}`, async () => {
        const items = await deliveriesOf(channel, 'held');
        return (
          items.length === 2 &&
          items.every((one: { heldUntil: string; reason: string }) => one.heldUntil === until && one.reason.includes(reason))
        );
      });

    test.each([
      ['later that day', { every: 'day', at: '14:00' }, '2026-11-25T13:00:00.000Z', 'daily digest at 14:00', 'Daily'],
      ['on Fridays', { every: 'week', at: '09:00', day: 'fri' }, '2026-11-27T08:00:00.000Z', 'weekly digest', 'Weekly'],
    ])('and is then told %s, then they wait for that', async (_when, digest, until, reason, title) => {
      const channel = await gathering();

      await put(world, key, await ruleOf(channel), { digest });
      await waitFor(channel, until, reason);
      setClock(until);
      await arrives(channel, 1);
      await rest();

      expect(texts(channel)).toEqual([expect.stringContaining(`${title} digest: 2 changes`)]);
    });

    test('and its destination gets another zone and other business days, then they wait for 09:00 there', async () => {
      const channel = await gathering();

      await put(world, key, `/chat-webhooks/${channel.id}`, { timeZone: 'Asia/Tokyo' });
      await waitFor(channel, '2026-11-26T00:00:00.000Z', '09:00 (Asia/Tokyo)');
      await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: { ...NIGHTS, businessDays: ['fri'] } });
      await waitFor(channel, '2026-11-27T00:00:00.000Z', 'daily');
      await put(world, key, `/chat-webhooks/${channel.id}`, { quietHours: null });
      await waitFor(channel, '2026-11-26T00:00:00.000Z', 'daily');
    });

    test('and the company gets another zone, then they wait for 09:00 there', async () => {
      const channel = await gathering({ timeZone: null });

      await put(world, key, '/account', { settings: { timeZone: 'Asia/Tokyo' } });
      await waitFor(channel, '2026-11-26T00:00:00.000Z', '09:00 (Asia/Tokyo)');
      await put(world, key, '/account', { settings: { timeZone: null } });
    });

    test('and a user in another zone connects, then they wait for 09:00 there', async () => {
      const connect = (userId: number) => {
        const code = encodeURIComponent(world.pipedrive.authorizeDirectly(userId, DEMO_COMPANY_ID));
        return fetch(`${world.baseUrl}/oauth/callback?code=${code}`, { redirect: 'manual' });
      };
      const { id: userId } = world.pipedrive.createUser(DEMO_COMPANY_ID, { timezone_name: 'Asia/Tokyo' });
      const channel = await gathering({ timeZone: null });

      await connect(userId);
      await waitFor(channel, '2026-11-26T00:00:00.000Z', '09:00 (Asia/Tokyo)');
      await connect(firstAdmin(world.pipedrive, DEMO_COMPANY_ID));
      await waitFor(channel, '2026-11-26T08:00:00.000Z', '09:00 (Europe/Berlin)');
    });

    test.each([
      ['becomes one that tells at once', { digest: null }],
      ['is switched off', { enabled: false }],
    ])('and its rule %s, then they are told now, as one', async (_what, change) => {
      const channel = await gathering();

      await put(world, key, await ruleOf(channel), change);
      await arrives(channel, 1);
      await rest();

      expect(texts(channel)).toEqual([expect.stringContaining('Daily digest: 2 changes')]);
    });

    test('and nobody is there at 09:00 or before the night, then they are told as one in the morning', async () => {
      const channel = await gathering({ quietHours: NIGHTS });

      setClock('2026-11-26T21:00:00Z');
      await waitUntil('it waits for the morning', async () =>
        (await deliveriesOf(channel, 'held')).some((one: { heldUntil: string }) => one.heldUntil === '2026-11-27T07:00:00.000Z'),
      );
      await rest();
      const early = texts(channel);
      setClock('2026-11-27T07:00:00Z');
      await arrives(channel, 1);
      await rest();

      expect(early).toEqual([]);
      expect(texts(channel)).toEqual([expect.stringContaining('Daily digest: 2 changes')]);
    });

    test('and its rule is switched off in quiet hours, then they are told at the end of those', async () => {
      const channel = await gathering({ quietHours: NIGHTS });
      setClock('2026-11-25T21:00:00Z');

      await put(world, key, await ruleOf(channel), { enabled: false });
      await waitFor(channel, '2026-11-26T07:00:00.000Z', 'Quiet hours');
      const early = texts(channel);
      setClock('2026-11-26T07:00:00Z');
      await arrives(channel, 1);
      await rest();

      expect(early).toEqual([]);
      expect(texts(channel)).toEqual([expect.stringContaining('2 changes in quiet hours')]);
    });

    const pause = (channel: Channel, paused: boolean) => put(world, key, `/chat-webhooks/${channel.id}`, { paused });
    test.each<[string, (channel: Channel) => Promise<unknown>, (channel: Channel) => Promise<unknown>]>([
      ['is paused', (channel) => pause(channel, true), (channel) => pause(channel, false)],
      [
        'is broken',
        breakDown,
        ({ id }) => testDatabase.database.pool.query(`UPDATE chat_webhooks SET health = 'healthy' WHERE id = $1`, [id]),
      ],
    ])('and its destination %s until the night after, then they are told as one in the morning', async (_how, close, open) => {
      const channel = await listening({ quietHours: NIGHTS }, { digest: { every: 'day', at: '09:00' } });
      await close(channel);
      setClock('2026-11-25T09:00:00Z');
      await win(channel, 'Gathered one', 'Gathered two');
      const gathered = await deliveriesOf(channel, 'held');
      setClock('2026-11-26T08:00:00Z');
      await waitUntil('one message is to tell them', async () => (await deliveriesOf(channel, 'folded')).length === 1);
      await rest();

      setClock('2026-11-26T21:00:00Z');
      await open(channel);
      await waitUntil('it waits for the morning', async () => {
        const [lead] = await deliveriesOf(channel, 'held');
        return lead?.heldUntil === '2026-11-27T07:00:00.000Z';
      });
      const early = texts(channel);
      setClock('2026-11-27T07:00:00Z');
      await arrives(channel, 1);
      await rest();

      expect(gathered).toMatchObject(Array(2).fill({ heldUntil: '2026-11-26T08:00:00.000Z' }));
      expect(early).toEqual([]);
      expect(texts(channel)).toEqual([expect.stringContaining('Daily digest: 2 changes')]);
    });

    test('and a rule is removed and a record muted while it waits for a paused destination, then it tells the others', async () => {
      const digest = { every: 'day', at: '09:00' };
      const channel = await listening({}, { digest });
      const pipelineIds = [await pipelineOf(channel)];
      const conditions = { all: [{ field: 'title', op: 'contains', value: 'Twice' }] };
      const again = await addRule(world, key, 'deal.won', channel, { digest, filters: { pipelineIds, conditions } });
      await pause(channel, true);
      setClock('2026-11-25T09:00:00Z');
      await win(channel, 'Muted', 'Twice', 'Kept');
      setClock('2026-11-26T08:00:00Z');
      await waitUntil('one message is to tell them', async () => (await deliveriesOf(channel, 'folded')).length === 3);
      await rest();

      await world.api('DELETE', `/rules/${again}`, key);
      await world.api('POST', '/mutes', key, { entity: 'deal', entityId: String(lastId - 2) });
      const dropped = await deliveriesOf(channel, 'dropped');
      await pause(channel, false);
      await arrives(channel, 1);
      await rest();

      expect(dropped.map(({ reason, toldBy }: { reason: string; toldBy: unknown }) => ({ reason, toldBy }))).toEqual([
        { reason: 'the rule was removed', toldBy: null },
        { reason: 'The record was muted.', toldBy: null },
      ]);
      expect(texts(channel)).toEqual([expect.stringMatching(/Daily digest: 2 changes[\s\S]*Kept[\s\S]*Twice/)]);
      expect(texts(channel)[0]).not.toContain('Muted');
      expect(await deliveriesOf(channel, 'folded')).toMatchObject([{ toldBy: { state: 'sent' } }]);
    });

    test('and Chat answers badly at a time of it that is quiet, then it is told all the same when that is over', async () => {
      const channel = await listening({ quietHours: NIGHTS }, { digest: { every: 'day', at: '22:00' } });
      setClock('2026-11-25T09:00:00Z');
      await win(channel, 'Late one', 'Late two');
      world.chat.failNext({ spaceId: channel.spaceId, status: 500 });

      setClock('2026-11-25T21:00:00Z');
      await arrives(channel, 1);
      await rest();

      expect(texts(channel)).toEqual([expect.stringContaining('Daily digest: 2 changes')]);
      expect(await deliveriesOf(channel, 'sent')).toMatchObject([{ attempts: 2 }]);
    });

    test('and its rule is removed, then they are dropped with the reason', async () => {
      const channel = await gathering();

      await world.api('DELETE', await ruleOf(channel), key);

      expect(await deliveriesOf(channel, 'dropped')).toMatchObject(Array(2).fill({ reason: 'the rule was removed' }));
    });
  });

  test('when what came before the time of a weekly digest is not routed, or its space rests, until after it, then one digest tells all of it', async () => {
    const channel = await listening({}, { digest: { every: 'week', at: '09:00', day: 'fri' } });
    setClock('2026-11-27T07:59:55Z');
    await win(channel, 'Gathered');
    await holdSpace(channel);
    await winUnsent(channel, 'Behind a rest');
    const goOn = await holdRouting();
    await post(channel, 'Not routed');
    await waitUntil('its time has come', () => Date.now() + aheadMs > Date.parse('2026-11-27T08:00:00Z'));
    await post(channel, 'Too late');

    for (let round = 0; round < 3; round += 1) await world.dealbell.sweep();
    await freeSpace(channel);
    await world.dealbell.sweep();
    await goOn();
    await arrives(channel, 1);
    await rest();

    expect(texts(channel)).toEqual([expect.stringMatching(/Weekly digest: 3 changes[\s\S]*3 deals won/)]);
    for (const title of ['Gathered', 'Behind a rest', 'Not routed']) expect(texts(channel)[0]).toContain(title);
    expect((await deliveriesOf(channel, 'held')).map((one: { heldUntil: string }) => one.heldUntil)).toEqual([
      '2026-12-04T08:00:00.000Z',
    ]);
  });

  /** How long ago what is posted at 10:00 has to have come for the digest of 09:00. */
  const BEFORE_NINE_MS = 3_605_000;

  test('when what came before the time of a digest is found long after that has gone, then it goes as a further one, at once', async () => {
    const channel = await listening({}, { digest: { every: 'week', at: '09:00', day: 'fri' } });
    setClock('2026-11-27T07:59:55Z');
    await win(channel, 'Gathered');
    setClock('2026-11-27T09:00:00Z');
    await arrives(channel, 1);
    await rest();
    await holdSpace(channel);
    await winUnsent(channel, 'Late one', 'Late two');
    await agePast(channel, BEFORE_NINE_MS);

    await freeSpace(channel);
    await arrives(channel, 2);
    await rest();

    expect(texts(channel)).toEqual([
      expect.stringMatching(/Weekly digest: 1 change\b[\s\S]*Gathered/),
      expect.stringMatching(/Weekly digest: 2 changes[\s\S]*Late/),
    ]);
  });

  test('when nobody was there at the time of a digest, nor for long after it, and more waits for it in line, then one digest tells all of it', async () => {
    const channel = await listening({}, { digest: { every: 'week', at: '09:00', day: 'fri' } });
    setClock('2026-11-27T07:59:30Z');
    await win(channel, 'Gathered');
    await holdSpace(channel);
    await winUnsent(channel, 'Late one', 'Late two');
    await agePast(channel, BEFORE_NINE_MS);
    setClock('2026-11-27T09:00:00Z');

    for (let round = 0; round < 3; round += 1) await world.dealbell.sweep();
    await freeSpace(channel);
    await arrives(channel, 1);
    await rest();

    expect(texts(channel)).toEqual([expect.stringMatching(/Weekly digest: 3 changes[\s\S]*3 deals won/)]);
  });

  test('when nobody was there at the time of a weekly digest, then it is told afterwards, once, even with one message', async () => {
    const channel = await listening({}, { digest: { every: 'week', at: '09:00', day: 'fri' } });
    setClock('2026-11-25T10:00:00Z');
    await win(channel, 'Weekly');
    const [held] = await deliveriesOf(channel, 'held');
    await world.dealbell.close();

    setClock('2026-12-02T10:00:00Z');
    world.dealbell = await world.startAnother({ web: false, worker: true });
    await world.startAnother({ web: false, worker: true });
    await arrives(channel, 1);
    await rest();

    expect(held.heldUntil).toBe('2026-11-27T08:00:00.000Z');
    expect(texts(channel)).toHaveLength(1);
    expect(texts(channel)[0]).toMatch(/Weekly digest: 1 change\b[\s\S]*Weekly/);
  });
});
