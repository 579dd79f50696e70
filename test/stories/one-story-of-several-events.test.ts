/** Several events that are one story: merges, lead conversions, and edits inside the settle window. */

import { randomUUID } from 'node:crypto';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';

const SETTLE_MS = 1_200;
const TYPES = [
  'deal.created',
  'deal.won',
  'deal.stage_changed',
  'deal.merged',
  'deal.deleted',
  'lead.converted',
  'lead.archived',
] as const;

describeOnBackends('One story of several events', (backend) => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  const channels = new Map<string, Channel>();
  let world: World;
  let token: string;
  let lastId = 50_000;

  beforeAll(async () => {
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, redisUrl: backend.redisUrl(), settleMs: SETTLE_MS },
      config: { spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
      chat: { enforceQuota: false },
    });
    token = await world.install();
    for (const type of TYPES) {
      const channel = await connectChannel(world, token, type);
      await addRule(world, token, type, channel);
      channels.set(type, channel);
    }
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  const cards = (type: string, title: string) =>
    world.chat
      .messages(channels.get(type)?.spaceId)
      .map(visibleText)
      .filter((text) => text.includes(title));
  const told = (title: string): Record<string, number> =>
    Object.fromEntries(TYPES.map((type) => [type, cards(type, title).length] as const).filter(([, count]) => count > 0));
  const stages = () => [...world.pipedrive.company(DEMO_COMPANY_ID).stages.live.values()];
  const post = async (...bodies: readonly object[]): Promise<void> => {
    for (const body of bodies) expect(await postAs(world, body)).toMatchObject({ status: 200 });
  };
  const dealState = (id: number, title: string, fields: object = {}) => ({
    ...{ id, title, status: 'open', value: 10, currency: 'EUR', owner_id: 12415001, pipeline_id: 1, stage_id: stages()[0]?.id },
    ...fields,
  });

  test.each(['the deleted half first', 'the surviving half first'])(
    'when deals are merged, %s, then it is told once and as no deletion',
    async (order) => {
      const [gone, kept] = [(lastId += 1), (lastId += 1)];
      const title = `Merged, ${order}`;
      const shared = { correlation_id: randomUUID(), timestamp: new Date().toISOString() };
      const deleted = rawWebhook('deal', 'delete', gone, {
        previous: dealState(gone, 'Swallowed'),
        merged_to_id: String(kept),
        ...shared,
      });
      const changed = rawWebhook('deal', 'change', kept, {
        ...{
          data: dealState(kept, title),
          previous: { update_time: '2026-11-01T10:00:00Z' },
          merged_from_id: String(gone),
          ...shared,
        },
      });
      await post(
        rawWebhook('deal', 'change', kept, {
          data: dealState(kept, title),
          previous: { probability: 1 },
          timestamp: '2026-11-01T10:00:00Z',
        }),
      );

      await post(...(order.startsWith('the deleted') ? [deleted, changed] : [changed, deleted]));
      await rest();

      expect(told(title)).toEqual({ 'deal.merged': 1 });
      expect(cards('deal.deleted', 'Swallowed')).toEqual([]);
    },
  );

  describe('lead conversions', () => {
    const leadState = (id: string, title: string) => ({ id, title, owner_id: 12415001, is_archived: false });
    const halves = (title: string, named: object = {}) => {
      const [deal, lead] = [(lastId += 1), randomUUID()];
      const shared = { correlation_id: randomUUID() };
      return {
        lead,
        created: rawWebhook('deal', 'create', deal, { data: dealState(deal, title, named), ...shared }),
        deleted: rawWebhook('lead', 'delete', lead, { previous: leadState(lead, title), ...shared }),
        archived: rawWebhook('lead', 'change', lead, {
          ...{ data: { ...leadState(lead, title), is_archived: true }, previous: { is_archived: false }, ...shared },
        }),
      };
    };

    test('when lead and deal share a correlation, in either order, then the conversion is told once instead of all else', async () => {
      const [one, two, three, four] = ['Lead 1', 'Lead 2', 'Lead 3', 'Lead 4'].map((title) => halves(title));
      await post(one?.deleted ?? {}, one?.created ?? {});
      await post(two?.created ?? {}, two?.deleted ?? {});
      await post(three?.archived ?? {}, three?.created ?? {});
      await post(four?.created ?? {}, four?.archived ?? {});
      await rest();

      for (const title of ['Lead 1', 'Lead 2', 'Lead 3', 'Lead 4'])
        expect([title, told(title)]).toEqual([title, { 'lead.converted': 1 }]);
    });

    test('when the deal names its lead, then no correlation is needed', async () => {
      const lead = randomUUID();
      const before = halves('Named before', { origin_id: lead });
      const gone = rawWebhook('lead', 'delete', lead, { previous: leadState(lead, 'Named before') });
      await post(before.created, gone);
      await rest();

      expect(told('Named before')).toEqual({ 'lead.converted': 1 });
    });

    test('when a lead is archived for itself, then that is told', async () => {
      await post(halves('Archived alone').archived);
      await rest();

      expect(told('Archived alone')).toEqual({ 'lead.archived': 1 });
    });
  });

  describe('the settle window', () => {
    const newDeal = async (title: string): Promise<number> => {
      const id = (lastId += 1);
      await post(
        rawWebhook('deal', 'change', id, {
          data: dealState(id, title),
          previous: { probability: 1 },
          timestamp: '2026-11-01T10:00:00Z',
        }),
      );
      await testDatabase.database.pool.query(`UPDATE records SET windows = NULL WHERE entity = 'deal' AND entity_id = $1`, [
        String(id),
      ]);
      return id;
    };
    const change = (id: number, title: string, data: object, previous: object) =>
      post(rawWebhook('deal', 'change', id, { data: dealState(id, title, data), previous }));

    test('when changes follow each other, then the net change is told: nothing, one step, or with the later edit', async () => {
      const [a, b, c] = stages();
      const stage = (one: typeof a) => ({ stage_id: one?.id });
      const [there, on, edited] = [await newDeal('Back again'), await newDeal('On and on'), await newDeal('First name')];
      await rest();

      await change(there, 'Back again', stage(b), stage(a));
      await change(on, 'On and on', stage(b), stage(a));
      await change(edited, 'First name', { status: 'won' }, { status: 'open' });
      await change(there, 'Back again', stage(a), stage(b));
      await change(on, 'On and on', stage(c), stage(b));
      await change(edited, 'Second name', { status: 'won', value: 777 }, { title: 'First name', value: 10 });
      await rest();

      expect(told('Back again')).toEqual({});
      expect(told('On and on')).toEqual({ 'deal.stage_changed': 1 });
      const [step] = cards('deal.stage_changed', 'On and on');
      expect([step?.includes(a?.name ?? '-'), step?.includes(c?.name ?? '-'), step?.includes(b?.name ?? '-')]).toEqual([
        true,
        true,
        false,
      ]);
      expect([told('First name'), told('Second name')]).toEqual([{}, { 'deal.won': 1 }]);
      expect(cards('deal.won', 'Second name')[0]).toContain('777');
    });

    test('when a deal is created and won within the window, then both are told, each with the newest state', async () => {
      const id = (lastId += 1);
      await post(rawWebhook('deal', 'create', id, { data: dealState(id, 'Quick start') }));
      await change(id, 'Quick start', { status: 'won' }, { status: 'open' });
      await rest();

      expect(told('Quick start')).toEqual({ 'deal.created': 1, 'deal.won': 1 });
    });

    test('when a win that was told is taken back later, then its thread hears a correction, and channels without threads nothing', async () => {
      const threaded = await connectChannel(world, token, 'Threads', { threads: 'perRecord' });
      await addRule(world, token, 'deal.won', threaded);
      const id = await newDeal('Too early');
      await rest();
      await change(id, 'Too early', { status: 'won' }, { status: 'open' });
      await rest();
      expect(world.chat.messages(threaded.spaceId)).toHaveLength(1);

      await change(id, 'Too early', { status: 'open' }, { status: 'won' });
      await rest();

      const messages = world.chat.messages(threaded.spaceId);
      expect(messages.map(visibleText)).toEqual([
        expect.stringContaining('Deal won'),
        expect.stringContaining('Correction: deal reopened'),
      ]);
      expect(new Set(messages.map(({ threadName }) => threadName)).size).toBe(1);
      expect(told('Too early')).toEqual({ 'deal.won': 1 });
      const { items } = (await world.api('GET', `/events?entity=deal&entityId=${id}`, token)).body;
      const matched = items[0].decisions.filter((one: { matched: boolean }) => one.matched);
      expect(matched).toMatchObject([{ reason: expect.stringContaining('Told as a correction') }]);
    });

    test('when events were folded, then their decisions name the event that told them', async () => {
      const [a, b, c] = stages();
      const id = await newDeal('Folded');
      await rest();
      await change(id, 'Folded', { stage_id: b?.id }, { stage_id: a?.id });
      await change(id, 'Folded', { stage_id: c?.id }, { stage_id: b?.id });
      await rest();

      const { items } = (await world.api('GET', `/events?entity=deal&entityId=${id}`, token)).body;
      const matched = items[0].decisions.find((one: { matched: boolean }) => one.matched);
      expect(matched.reason).toContain(String(items[1].id));
    });
  });
});
