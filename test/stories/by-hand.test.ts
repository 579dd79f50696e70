/** What people do about one record by hand: announce it, mute it, tell of it again. */

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
});
