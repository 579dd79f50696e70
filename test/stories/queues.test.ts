/** The bell on both backends: no lost wake-up, never two at once per key, and a sweep that needs no bell at all. */

import { pino } from 'pino';
import { makeQueues, type Queues } from '../../src/platform/queues';
import { OTHER_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { startBreakableProxy } from '../support/breakable-proxy';
import { addRule, connectChannel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { createDatabase, dropDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld } from '../support/world';
import { Pool } from 'pg';

describeOnBackends('The bell', (backend) => {
  const opened: Queues[] = [];
  let databaseUrl: string;
  let names = 0;

  beforeAll(async () => {
    databaseUrl = await createDatabase();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queues) => queues.close()));
  });
  afterAll(() => dropDatabase(databaseUrl));

  /** Queues that can be reached: a ring before that is lost by design. */
  const open = async (): Promise<Queues> => {
    const queues = makeQueues({ databaseUrl, redisUrl: backend.redisUrl(), log: pino({ level: 'silent' }) });
    opened.push(queues);
    queues.queue('any');
    const isReached = (): Promise<boolean> =>
      queues.ping(5_000).then(
        () => true,
        () => false,
      );
    await waitUntil('the queue can be reached', isReached);
    return queues;
  };
  const freshName = (): string => `test-${(names += 1)}`;

  /** A handler that counts its runs and ends when it is told to. */
  function aHandler() {
    const runs: { payload: unknown; end: () => void }[] = [];
    let active = 0;
    let mostActive = 0;
    return {
      runs,
      mostActive: () => mostActive,
      endAll: () => runs.forEach((run) => run.end()),
      handle: async (payload: unknown): Promise<void> => {
        active += 1;
        mostActive = Math.max(mostActive, active);
        await new Promise<void>((resolve) => runs.push({ payload, end: resolve }));
        active -= 1;
      },
    };
  }

  test('when it rings often before a worker is there and while the job is active, then work is done again after, never two at once', async () => {
    const queues = await open();
    const queue = queues.queue(freshName());
    const handler = aHandler();

    for (let ring = 0; ring < 5; ring += 1) queue.ring('tenant:7', { ring });
    queue.hear(handler.handle, 4);
    await waitUntil('the first run', () => handler.runs.length === 1);
    for (let ring = 5; ring < 10; ring += 1) queue.ring('tenant:7', { ring });
    handler.runs[0]?.end();
    await waitUntil('the second run', () => handler.runs.length === 2);
    handler.runs[1]?.end();
    const after = aHandler();
    const other = queues.queue(freshName());
    other.hear(after.handle, 1);
    other.ring('after', {});
    await waitUntil('a job rung later', () => after.runs.length === 1);
    after.endAll();
    handler.endAll();

    expect(handler.mostActive()).toBe(1);
    expect(handler.runs.length).toBeGreaterThanOrEqual(2);
    expect(handler.runs.length).toBeLessThanOrEqual(3);
  });

  test('when it rings for a worker that waits, then the worker hears it at once', async () => {
    const queue = (await open()).queue(freshName());
    const handler = aHandler();
    queue.hear(handler.handle, 1);
    await waitUntil('the worker to listen', async () => {
      queue.ring('warm-up', {});
      return handler.runs.some(({ payload }) => payload !== undefined);
    });
    handler.endAll();
    const before = handler.runs.length;

    const startedAtMs = performance.now();
    const ending = setInterval(handler.endAll, 5);
    queue.ring('now', { now: true });
    await waitUntil('the ring', () =>
      handler.runs.slice(before).some(({ payload }) => JSON.stringify(payload) === '{"now":true}'),
    );
    const tookMs = performance.now() - startedAtMs;
    clearInterval(ending);
    handler.endAll();

    // Who looked for it by itself would take five seconds at least.
    expect(tookMs).toBeLessThan(3_000);
  });

  test('when it could not be reached at the start, then it is rung and heard once it can', async () => {
    const url = new URL(backend.redisUrl() ?? databaseUrl);
    const away = await startBreakableProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(away.port);
    away.set('refuse');
    const redisUrl = backend.redisUrl() === null ? null : url.href;
    const queues = makeQueues({
      databaseUrl: redisUrl === null ? url.href : databaseUrl,
      redisUrl,
      log: pino({ level: 'silent' }),
    });
    const queue = queues.queue(freshName());
    const handler = aHandler();
    queue.hear(handler.handle, 1);
    await expect(queues.ping(5_000)).rejects.toThrow();

    away.set('through');
    await waitUntil('it is heard', () => {
      queue.ring('key', {});
      return handler.runs.length > 0;
    });

    handler.endAll();
    await queues.close();
    await away.close();
  });

  test('when keys differ, then they run side by side', async () => {
    const queue = (await open()).queue(freshName());
    const handler = aHandler();
    queue.hear(handler.handle, 4);

    for (const key of ['a', 'b', 'c']) queue.ring(key, { key });
    await waitUntil('three runs at once', () => handler.mostActive() === 3);
    handler.endAll();

    expect(handler.runs).toHaveLength(3);
  });

  test('when a handler fails, then its key can be rung again', async () => {
    const queue = (await open()).queue(freshName());
    let runs = 0;
    queue.hear(async () => {
      runs += 1;
      if (runs === 1) throw new Error('the first run fails');
    }, 1);

    queue.ring('key', {});
    await waitUntil('the failed run', () => runs === 1);
    await waitUntil('another run', () => {
      queue.ring('key', {});
      return runs >= 2;
    });

    expect(runs).toBeGreaterThanOrEqual(2);
  });

  test('when it is closed, then the job under way is finished first', async () => {
    const queues = await open();
    const queue = queues.queue(freshName());
    const handler = aHandler();
    let isFinished = false;
    queue.hear(async (payload) => {
      await handler.handle(payload);
      isFinished = true;
    }, 1);
    queue.ring('key', {});
    await waitUntil('the run', () => handler.runs.length === 1);

    const closing = queues.close();
    handler.endAll();
    await closing;

    expect(isFinished).toBe(true);
  });

  test('when what rings by the clock was lost, then the queue says so, and scheduled anew it rings', async () => {
    const queues = await open();
    const name = freshName();
    const queue = queues.queue(name);
    const heard: unknown[] = [];
    await queue.schedule('every-second', '* * * * * *');
    const before = [await queue.isScheduled('every-second'), await queue.isScheduled('never')];

    await queues
      .boardQueues()
      .find((each) => each.name === name)
      ?.removeJobScheduler('every-second');
    const after = await queue.isScheduled('every-second');
    await queue.schedule('every-second', '* * * * * *');
    queue.hear((payload) => Promise.resolve(void heard.push(payload)), 1);
    await waitUntil('it comes', () => heard.length > 0);

    expect([before, after]).toEqual([[true, false], false]);
  });

  test('when every bell is silent, then the sweep alone routes and delivers everything, once and in order', async () => {
    const ownUrl = await createDatabase();
    const pool = new Pool({ connectionString: ownUrl, max: 2 });
    pool.on('error', () => undefined);
    const world = await startWorld({
      ...{ databaseUrl: ownUrl, redisUrl: backend.redisUrl(), isSilent: true, sweepIntervalMs: 100 },
      config: { spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
      chat: { enforceQuota: false },
    });
    try {
      const [ours, theirs] = [await world.install(), await world.install(undefined, OTHER_COMPANY_ID)];
      const channels = [];
      for (const [index, token] of [ours, ours, theirs, theirs].entries()) {
        const channel = await connectChannel(world, token, `Space ${index}`);
        await addRule(world, token, 'deal.stage_changed', channel);
        channels.push(channel);
      }

      for (let step = 1; step <= 10; step += 1) {
        const posts = Array.from({ length: 10 }, (_, deal) => deal + 1).flatMap((id) => {
          const body = () =>
            rawWebhook('deal', 'change', id, {
              data: { id, title: `Deal ${id}.`, stage_id: step, value: step, currency: 'EUR' },
              previous: { stage_id: step - 1 },
            });
          return [postAs(world, body()), postAs(world, body(), OTHER_COMPANY_ID)];
        });
        await Promise.all(posts);
      }
      await ledgerAtRest(world, pool, 25_000);

      for (const { spaceId } of channels) {
        const bodies = world.chat.messages(spaceId).map((message) => message.rawBody);
        expect(bodies).toHaveLength(100);
        for (let id = 1; id <= 10; id += 1) {
          const values = bodies.filter((body) => body.includes(`Deal ${id}.`)).map((body) => Number(/[€](\d+)/.exec(body)?.[1]));
          expect(values).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        }
      }
    } finally {
      await world.close();
      await pool.end();
      await dropDatabase(ownUrl);
    }
  });
});
