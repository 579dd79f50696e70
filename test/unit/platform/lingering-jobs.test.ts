/** A job goes on for the rings of its own process, and leaves to the queue what it can no longer hear. */

import { makeLingeringJobs } from '../../../src/platform/lingering-jobs';

const nobodyLeft = (): void => {
  throw new Error('nothing was to be left');
};

test('when a running job is told, then it works once more and the queue need not be rung', async () => {
  const jobs = makeLingeringJobs(4);
  let works = 0;

  await jobs.run(
    'tenant:7',
    async () => {
      works += 1;
      if (works === 1) expect(jobs.tell('tenant:7', { tenantId: 7 })).toBe(true);
    },
    nobodyLeft,
  );

  expect(works).toBe(2);
});

test('when a job lingers and is told, then it works at once', async () => {
  const jobs = makeLingeringJobs(4);
  let works = 0;
  jobs.tell('tenant:7', {});

  const run = jobs.run('tenant:7', async () => void (works += 1), nobodyLeft);
  await new Promise((resolve) => setImmediate(resolve));
  const isTold = jobs.tell('tenant:7', {});
  await run;

  expect(isTold).toBe(true);
  expect(works).toBe(2);
});

test('when no job runs for the key, then telling says so', () => {
  const jobs = makeLingeringJobs(4);

  expect(jobs.tell('tenant:7', {})).toBe(false);
});

test('when the work fails after a ring, then the ring is left to the queue and the failure is thrown', async () => {
  const jobs = makeLingeringJobs(4);
  const left: unknown[] = [];

  const run = jobs.run(
    'tenant:7',
    async () => {
      jobs.tell('tenant:7', { tenantId: 7 });
      throw new Error('the database went away');
    },
    (payload) => left.push(payload),
  );

  await expect(run).rejects.toThrow('the database went away');
  expect(left).toEqual([{ tenantId: 7 }]);
});

test('when closed, then nothing lingers and a ring of the last work is left to the queue', async () => {
  const jobs = makeLingeringJobs(4);
  const left: unknown[] = [];
  let works = 0;

  await jobs.run(
    'tenant:7',
    async () => {
      works += 1;
      jobs.tell('tenant:7', { tenantId: 7 });
      jobs.close();
    },
    (payload) => left.push(payload),
  );

  expect(works).toBe(1);
  expect(left).toEqual([{ tenantId: 7 }]);
});

test('when no other process rings, then a job waits long for the next ring of its own', async () => {
  jest.useFakeTimers();
  try {
    const runs = { shared: 0, alone: 0 };
    const shared = makeLingeringJobs(4);
    const alone = makeLingeringJobs(4, true);
    for (const jobs of [shared, alone]) jobs.tell('tenant:7', {});

    const ended = shared.run('tenant:7', async () => void (runs.shared += 1), nobodyLeft);
    const still = alone.run('tenant:7', async () => void (runs.alone += 1), nobodyLeft);
    await jest.advanceTimersByTimeAsync(500);
    await ended;

    expect([shared.tell('tenant:7', {}), alone.tell('tenant:7', {})]).toEqual([false, true]);
    alone.close();
    await still;
    expect(runs).toEqual({ shared: 1, alone: 2 });
  } finally {
    jest.useRealTimers();
  }
});
