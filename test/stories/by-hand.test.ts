/** What people do about one record by hand: announce it, watch it, mute it, tell of it again. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';

describe('By hand', () => {
  // Before the database goes: such hooks run in the order in which they stand.
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;
  let space: Channel;
  let ruleId: number;

  beforeAll(async () => {
    world = await startWorld({
      databaseUrl: testDatabase.connectionString,
      config: { spaceIntervalMs: 0 },
      chat: { enforceQuota: false },
    });
    token = await world.install();
    space = await connectChannel(world, token, 'Wins');
    ruleId = await addRule(world, token, 'deal.won', space);
    await addRule(world, token, 'note.created', space);
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  const texts = (): string[] => world.chat.messages(space.spaceId).map(visibleText);
  const newDeal = async (title: string): Promise<number> => {
    const { id } = world.pipedrive.createDeal(DEMO_COMPANY_ID, { title, value: 4200, currency: 'EUR' });
    await world.pipedrive.idle();
    return id;
  };

  test('when a deal is announced, then its card says who announces it and what they add, with no live markup', async () => {
    const id = await newDeal('Announced <users/all>');

    const answer = await world.api('POST', '/announcements', token, {
      records: [{ entity: 'deal', entityId: String(id) }],
      chatWebhookId: space.id,
      note: 'Signed today <https://evil.example|here>',
    });
    await rest();

    expect(answer).toMatchObject({ status: 202, body: { queued: 1 } });
    const [card] = texts().filter((text) => text.includes('announced by'));
    expect(card).toContain('Signed today');
    expect(card).toMatch(/4,?200/);
    expect(JSON.stringify(world.chat.messages(space.spaceId))).not.toMatch(/<users\/all>|<https:\/\/evil/);
  });

  test('when a deal is muted, then neither its win nor a note on it is told, and the decision says why, until it is told of again', async () => {
    const id = await newDeal('Muted deal');
    const { body: mute } = await world.api('POST', '/mutes', token, { entity: 'deal', entityId: String(id) });

    world.pipedrive.updateDeal(id, { status: 'won' });
    world.pipedrive.createNote(DEMO_COMPANY_ID, { content: 'About the muted deal', deal_id: id });
    await rest();

    expect(texts().filter((text) => /Muted deal|About the muted/.test(text))).toEqual([]);
    const { body } = await world.api('GET', `/events?entity=deal&entityId=${id}`, token);
    expect(body.items[0].decisions).toContainEqual(
      expect.objectContaining({ ruleId, matched: false, reason: 'Not told: this record is muted.' }),
    );
    await world.api('DELETE', `/mutes/${mute.id}`, token);
    world.pipedrive.updateDeal(id, { status: 'open' });
    world.pipedrive.updateDeal(id, { status: 'won' });
    await rest();
    expect(texts().filter((text) => text.includes('Muted deal'))).toHaveLength(1);
  });

  test('when a deal is watched in a space, then every change is told there that no rule tells there, until nobody watches it', async () => {
    const id = await newDeal('Watched deal');
    const other = await newDeal('Unwatched deal');
    const told = () => texts().filter((text) => text.includes('Watched deal'));
    const { body: watch } = await world.api('POST', '/watches', token, {
      ...{ entity: 'deal', entityId: String(id), chatWebhookId: space.id },
    });

    for (const deal of [id, other]) world.pipedrive.updateDeal(deal, { value: 9000, expected_close_date: '2027-03-01' });
    await rest();
    expect(told()).toEqual([expect.stringMatching(/Deal updated[\s\S]*4,?200[\s\S]*9,?000/)]);
    world.pipedrive.updateDeal(id, { status: 'won' });
    world.pipedrive.createNote(DEMO_COMPANY_ID, { content: 'About the watched deal', deal_id: id });
    await rest();

    expect(told().filter((text) => text.includes('Deal won'))).toHaveLength(1);
    expect(texts().filter((text) => text.includes('About the watched deal'))).toHaveLength(1);
    expect(texts().filter((text) => text.includes('Unwatched deal'))).toEqual([]);
    const { body: events } = await world.api('GET', `/events?entity=deal&entityId=${id}`, token);
    const [won, edited] = events.items;
    expect(won.decisions).toContainEqual({
      ...{ ruleId: null, watchId: watch.id, ruleName: expect.stringMatching(/^Watched by .+ in Wins$/), matched: false },
      reason: expect.stringMatching(/^Not told again: rule “deal.won for .*” tells it in the same space.$/),
    });
    expect(edited.decisions).toContainEqual(
      expect.objectContaining({ watchId: watch.id, matched: true, reason: 'Told because this record is watched.' }),
    );
    const before = told().length;
    await world.api('DELETE', `/watches/${watch.id}`, token);
    world.pipedrive.updateDeal(id, { value: 10_000 });
    await rest();
    expect(told()).toHaveLength(before);
  });

  test('when a watched deal is merged into another one, then that one is watched, and the merge is told once', async () => {
    const [gone, kept] = [await newDeal('Swallowed deal'), await newDeal('Surviving deal')];
    await world.api('POST', '/watches', token, { entity: 'deal', entityId: String(gone), chatWebhookId: space.id });

    world.pipedrive.mergeDeals(gone, kept);
    await rest();
    world.pipedrive.updateDeal(kept, { value: 7777 });
    await rest();

    expect(texts().filter((text) => text.includes('Deals merged'))).toHaveLength(1);
    expect(texts().filter((text) => text.includes('Surviving deal') && /7,?777/.test(text))).toHaveLength(1);
    const { body } = await world.api('GET', `/watches?entity=deal&entityId=${kept}`, token);
    expect(body.items).toHaveLength(1);
  });

  test('when a watched deal is muted, then it is silent until the mute is taken away, and still watched then', async () => {
    const id = await newDeal('Quiet deal');
    const record = { entity: 'deal', entityId: String(id) };
    await world.api('POST', '/watches', token, { ...record, chatWebhookId: space.id });
    const { body: mute } = await world.api('POST', '/mutes', token, record);

    world.pipedrive.updateDeal(id, { value: 1111 });
    await rest();
    await world.api('DELETE', `/mutes/${mute.id}`, token);
    world.pipedrive.updateDeal(id, { value: 2222 });
    await rest();

    expect(texts().filter((text) => text.includes('Quiet deal'))).toEqual([expect.stringMatching(/2,?222/)]);
  });
});
