/** The main job end to end: each kind of event becomes the right card in the right space; filters keep the others out. */

import type { PostedMessage } from '../fakes/google-chat/chat-ledger';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';
import { newDeal, pipeline, stage, TELLINGS } from './tellings';

describeOnBackends('From a deal to a card', (backend) => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  const spaces = new Map<string, { compact: Channel; detailed: Channel }>();
  let world: World;
  let token: string;

  beforeAll(async () => {
    const { connectionString: databaseUrl } = testDatabase;
    world = await startWorld({
      ...{ databaseUrl, redisUrl: backend.redisUrl(), config: { spaceIntervalMs: 0, apiRateLimit: 1_000_000 } },
      chat: { enforceQuota: false },
    });
    token = await world.install();
    for (const { type, filters } of TELLINGS) {
      const compact = await connectChannel(world, token, `${type} compact`);
      const detailed = await connectChannel(world, token, `${type} detailed`);
      await addRule(world, token, type, compact, { filters: filters ?? {} });
      await addRule(world, token, type, detailed, { filters: filters ?? {}, templateMode: 'detailed' });
      spaces.set(type, { compact, detailed });
    }
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  const about = (channel: Channel | undefined, title: string): readonly PostedMessage[] =>
    world.chat.messages(channel?.spaceId).filter((message) => visibleText(message).includes(title));
  const titlesIn = (channel: Channel): readonly string[] =>
    world.chat.messages(channel.spaceId).map((message) => /Filtered [\w ]+/.exec(visibleText(message))?.[0] ?? '');

  test('when every kind of event has its rules, then none of the contract’s list is missing here', () => {
    expect(new Set(TELLINGS.map(({ type }) => type)).size).toBe(21);
  });

  test.each(TELLINGS)(
    'when $type happens, then both its cards arrive once, with names and a link',
    async ({ type, deed, words, details }) => {
      const title = `Story of ${type.replace(/[._]/g, ' ')}`;

      const path = await deed(world, title);
      await rest();

      const { compact, detailed } = spaces.get(type) ?? {};
      const cards = [about(compact, title), about(detailed, title)];
      expect(cards.map((found) => found.length)).toEqual([1, 1]);
      for (const [card] of cards) {
        expect(card?.rawBody).toContain(`https://brightwater.pipedrive.com${path}`);
        for (const word of words) expect(card === undefined ? '' : visibleText(card)).toContain(word);
        expect(card?.fallbackText).toMatch(/\S/);
      }
      for (const word of details ?? []) expect(visibleText(cards[1]?.[0] ?? { rawBody: '""' })).toContain(word);
    },
  );

  test('when a deal is won, then its card arrives within a second or two of the change', async () => {
    const space = spaces.get('deal.won')?.compact.spaceId ?? '';
    const timesMs: number[] = [];

    // The machine may be busy with other tests: what is slow by itself is slow each time.
    for (const title of ['A quick win', 'Another quick win', 'One more quick win']) {
      const id = await newDeal(world, title);
      const before = world.chat.messages(space).length;
      const startedAtMs = performance.now();
      world.pipedrive.updateDeal(id, { status: 'won' });
      const messages = await world.chat.waitForMessages(space, before + 1, 15_000);
      timesMs.push(performance.now() - startedAtMs);
      expect(messages.at(-1)?.fallbackText).toContain(title);
    }

    expect(Math.min(...timesMs)).toBeLessThan(2_000);
  });

  test('when a deal comes into being as won, then both its creation and its win are told', async () => {
    await newDeal(world, 'Born a winner', { status: 'won' });
    await rest();

    const told = ['deal.created', 'deal.won', 'deal.lost'].map(
      (type) => about(spaces.get(type)?.compact, 'Born a winner').length,
    );
    expect(told).toEqual([1, 1, 0]);
  });

  test('when a deal moves to another pipeline, then it is not told as a change of stage too', async () => {
    const id = await newDeal(world, 'Moved far');
    world.pipedrive.updateDeal(id, { pipeline_id: pipeline(world, 'Renewals') });
    await rest();

    const told = ['deal.pipeline_changed', 'deal.stage_changed'].map(
      (type) => about(spaces.get(type)?.compact, 'Moved far').length,
    );
    expect(told).toEqual([1, 0]);
  });

  test('when one rule has several destinations and another rule shares one, then each tells its own message', async () => {
    const [north, south] = [await connectChannel(world, token, 'North'), await connectChannel(world, token, 'South')];
    const fields = { targetWebhookIds: [north.id, south.id], filters: { ownerIds: [12415003] } };
    await addRule(world, token, 'deal.won', north, fields);
    await addRule(world, token, 'deal.won', south, { filters: { ownerIds: [12415003] }, templateMode: 'detailed' });

    await newDeal(world, 'Shared win', { status: 'won', owner_id: 12415003 });
    await rest();

    expect([about(north, 'Shared win').length, about(south, 'Shared win').length]).toEqual([1, 2]);
  });

  test('when stages are filtered, then the stage moved to and the stage left decide', async () => {
    const [to, from, both] = [
      await connectChannel(world, token, 'To'),
      await connectChannel(world, token, 'From'),
      await connectChannel(world, token, 'Both'),
    ];
    const [demo, proposal, qualified] = ['Demo scheduled', 'Proposal made', 'Qualified'].map((name) => stage(world, name));
    await addRule(world, token, 'deal.stage_changed', to, { filters: { stageIds: [proposal] } });
    await addRule(world, token, 'deal.stage_changed', from, { filters: { fromStageIds: [demo] } });
    await addRule(world, token, 'deal.stage_changed', both, {
      filters: { fromStageIds: [qualified, demo], stageIds: [proposal] },
    });

    for (const [title, start, end] of [
      ['Filtered one', qualified, proposal],
      ['Filtered two', demo, qualified],
      ['Filtered three', demo, proposal],
    ] as const) {
      const id = await newDeal(world, title, { stage_id: start });
      world.pipedrive.updateDeal(id, { stage_id: end ?? 0 });
      await world.pipedrive.idle();
    }
    await rest();

    expect(titlesIn(to)).toEqual(['Filtered one', 'Filtered three']);
    expect(titlesIn(from)).toEqual(['Filtered two', 'Filtered three']);
    expect(titlesIn(both)).toEqual(['Filtered one', 'Filtered three']);
  });

  test('when pipelines, owners or a least value are filtered, then only what fits is told and the reason of the others is on record', async () => {
    const [lane, owner, large] = [
      await connectChannel(world, token, 'Lane'),
      await connectChannel(world, token, 'Owner'),
      await connectChannel(world, token, 'Large'),
    ];
    await addRule(world, token, 'deal.created', lane, { filters: { pipelineIds: [pipeline(world, 'Renewals')] } });
    await addRule(world, token, 'deal.created', owner, { filters: { ownerIds: [12415002, 12415004] } });
    const ruleId = await addRule(world, token, 'deal.created', large, { filters: { minValue: 10_000, currency: 'EUR' } });

    await newDeal(world, 'Filtered small', { value: 9_999.99 });
    await newDeal(world, 'Filtered exact', { value: 10_000, owner_id: 12415004 });
    await newDeal(world, 'Filtered lane', { value: 1, stage_id: stage(world, 'Up for renewal') });
    const foreign = await newDeal(world, 'Filtered foreign', { value: 999_999, currency: 'CHF' });
    await rest();

    expect(titlesIn(lane)).toEqual(['Filtered lane']);
    expect(titlesIn(owner)).toEqual(['Filtered exact']);
    expect(titlesIn(large)).toEqual(['Filtered exact']);
    const { items } = (await world.api('GET', `/events?entity=deal&entityId=${foreign}`, token)).body;
    const decision = items[0].decisions.find((one: { ruleId: number }) => one.ruleId === ruleId);
    expect(decision).toMatchObject({ matched: false, reason: expect.stringMatching(/CHF.*EUR.*no exchange rate/) });
  });
});
