/** One space's or tenant's trouble is nobody else's: what hangs or is flooded keeps no message of another waiting. */

import { OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, type Channel } from '../support/channel';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

/** More spaces hang than the worker has places. */
const PLACES = 2;
const HANGING_SPACES = 4;
const FLOOD = 15;
const UNFOLDED: Record<string, unknown> = { fold: 'off' };

describeOnBackends('Fairness', (backend) => {
  afterAll(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let lastId = 80_000;

  beforeAll(async () => {
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, redisUrl: backend.redisUrl() },
      config: { workerConcurrency: PLACES, settleMs: 0 },
    });
  });

  const win = async (pipelineId: number, companyId?: number): Promise<void> => {
    const id = (lastId += 1);
    const data = { id, title: `Deal ${id}`, status: 'won', value: 1, currency: 'EUR', pipeline_id: pipelineId };
    const webhook = rawWebhook('deal', 'change', id, { data, previous: { status: 'open' } });
    expect(await postAs(world, webhook, companyId)).toMatchObject({ status: 200 });
  };
  /** A channel that hears of its own pipeline only. */
  const listening = async (token: string, pipelineId: number): Promise<Channel> => {
    const channel = await connectChannel(world, token, `Pipeline ${pipelineId}`, UNFOLDED);
    await addRule(world, token, 'deal.won', channel, { filters: { pipelineIds: [pipelineId] } });
    return channel;
  };
  const attemptsAt = (channel: Channel): number =>
    world.chat.requests.filter(({ spaceId }) => spaceId === channel.spaceId).length;

  test('when a tenant’s spaces hang and one is flooded, then another tenant’s messages arrive meanwhile', async () => {
    const [busyToken, calmToken] = [await world.install(), await world.install(undefined, OTHER_COMPANY_ID)];
    const hanging = await Promise.all(Array.from({ length: HANGING_SPACES }, (_, index) => listening(busyToken, 101 + index)));
    const flooded = await listening(busyToken, 200);
    const calm = await Promise.all([301, 302].map((pipelineId) => listening(calmToken, pipelineId)));
    for (const { spaceId } of hanging) world.chat.failNext({ spaceId, hang: true, times: 100 });

    for (let index = 0; index < HANGING_SPACES; index += 1) await win(101 + index);
    for (let index = 0; index < FLOOD; index += 1) await win(200);
    await waitUntil('all that hang do', () => hanging.every((channel) => attemptsAt(channel) === 1));
    await Promise.all([301, 302].map((pipelineId) => win(pipelineId, OTHER_COMPANY_ID)));
    await Promise.all(calm.map((channel) => world.chat.waitForMessages(channel.spaceId, 1, 9_000)));

    // The first attempts still hang, and the flood is not over.
    expect(hanging.map(attemptsAt)).toEqual(hanging.map(() => 1));
    expect(world.chat.messages(flooded.spaceId).length).toBeLessThan(FLOOD);
  });
});
