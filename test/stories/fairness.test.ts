/** One space's or tenant's trouble is nobody else's: what hangs or is flooded keeps no message of another waiting. */

import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, closeSpace, connectChannel, openSpace, visibleText, type Channel } from '../support/channel';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { firstAdmin, startWorld, type World } from '../support/world';

/** More spaces hang than the worker has places. */
const PLACES = 2;
const HANGING_SPACES = 4;
const FLOOD = 15;
const QUEUED = 8;
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

  const win = async (pipelineId: number, companyId?: number, ownerId?: number): Promise<void> => {
    const id = (lastId += 1);
    const owner = ownerId === undefined ? {} : { owner_id: ownerId };
    const data = { id, title: `Deal ${id}`, status: 'won', value: 1, currency: 'EUR', pipeline_id: pipelineId, ...owner };
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

  test('when a tenant’s Pipedrive hangs, then one message waits for its names and the next ones do not, and another tenant’s have theirs', async () => {
    const [hungToken, calmToken] = [await world.install(), await world.install(undefined, OTHER_COMPANY_ID)];
    const hung = await listening(hungToken, 401);
    const calm = await listening(calmToken, 402);
    await testDatabase.database.pool.query(`DELETE FROM records WHERE entity = 'user'`);
    const hangsFor = (companyId: number | undefined): boolean => companyId === DEMO_COMPANY_ID;
    world.pipedrive.failNext({ match: ({ as }) => hangsFor(as?.companyId), delayMs: Infinity, times: 1_000 });
    const owners = [900_001, 900_002, 900_003, 900_004];

    for (const owner of owners) await win(401, DEMO_COMPANY_ID, owner);
    await win(402, OTHER_COMPANY_ID, firstAdmin(world.pipedrive, OTHER_COMPANY_ID));
    const [told] = await world.chat.waitForMessages(calm.spaceId, 1, 9_000);
    await world.chat.waitForMessages(hung.spaceId, owners.length, 20_000);
    world.pipedrive.clearFaults();

    expect(told && visibleText(told)).toContain('Maya Torres');
    const asked = world.pipedrive.requests.filter(({ path }) => owners.some((owner) => path.endsWith(`/users/${owner}`)));
    // One that tries for all may be among them where the machine is slow.
    expect(asked.length).toBeLessThanOrEqual(2);
  });

  test('when another tenant tests an invented webhook of a tenant’s space on and on, then the messages have nearly all of its slots', async () => {
    const [token, otherToken] = [await world.install(), await world.install(undefined, OTHER_COMPANY_ID)];
    const mine = await listening(token, 501);
    const url = mine.url.replace(/token=[^&]*/, 'token=invented');
    const invented = await world.api('POST', '/chat-webhooks', otherToken, { name: 'Invented', url });
    await closeSpace(testDatabase.database.pool, mine);
    for (let index = 0; index < QUEUED; index += 1) await win(501);
    await waitUntil('all are owed', async () => {
      const owed = `SELECT FROM deliveries WHERE space_id = $1 AND state = 'queued' AND not_before <= now()`;
      return (await testDatabase.database.pool.query(owed, [mine.spaceId])).rows.length === QUEUED;
    });
    let isOver = false;
    const testOnAndOn = async () => {
      while (!isOver) await world.api('POST', '/test', otherToken, { chatWebhookId: Number(invented.body.id) });
    };

    await openSpace(testDatabase.database.pool, mine);
    const loops = Array.from({ length: 6 }, testOnAndOn);
    await world.chat.waitForMessages(mine.spaceId, QUEUED, 45_000);
    const others = attemptsAt(mine) - QUEUED;
    isOver = true;
    await Promise.all(loops);

    // One in ten seconds; on a slow machine a few.
    expect(others).toBeLessThanOrEqual(QUEUED / 2);
    expect(world.chat.counts.byStatus[429] ?? 0).toBe(0);
  }, 90_000);
});
