/** The bell alone: with a sweep that never comes, an event still becomes a message at once, on both queue backends. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel } from '../support/channel';
import { describeOnBackends } from '../support/queue-backends';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';

/** Longer than any test: a message that waited for the sweep would never come. */
const NEVER_MS = 3_600_000;

describeOnBackends('bells without a sweep', (backend) => {
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;

  beforeAll(async () => {
    const databaseUrl = testDatabase.connectionString;
    world = await startWorld({ databaseUrl, redisUrl: backend.redisUrl(), sweepIntervalMs: NEVER_MS });
    token = await world.install();
  });
  afterAll(() => world.close());

  test('when deals are won one after another, then each is told although nothing sweeps', async () => {
    const channel = await connectChannel(world, token, 'Wins');
    await addRule(world, token, 'deal.won', channel);
    const deals = [...world.pipedrive.company(DEMO_COMPANY_ID).deals.live.values()]
      .filter((deal) => deal.status === 'open')
      .slice(0, 3);

    for (const [index, deal] of deals.entries()) {
      world.pipedrive.updateDeal(deal.id, { status: 'won' }, { companyId: DEMO_COMPANY_ID });
      await world.chat.waitForMessages(channel.spaceId, index + 1, 15_000);
    }

    expect(world.chat.messages(channel.spaceId)).toHaveLength(3);
  });
});
