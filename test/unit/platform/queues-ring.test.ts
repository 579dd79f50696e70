/** Ringing while the queue is away: at once, never an error, and told once. */

import { pino } from 'pino';
import { makeQueues } from '../../../src/platform/queues';
import { freePort } from '../../support/free-port';

async function queuesWithoutRedis() {
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
  const redisUrl = `redis://127.0.0.1:${await freePort()}`;
  return { queues: makeQueues({ redisUrl, databaseUrl: 'postgresql://unused', log }), warnings };
}

test('when Redis is away, then ringing returns at once and throws nothing', async () => {
  const { queues, warnings } = await queuesWithoutRedis();
  const queue = queues.queue('route');
  const startedAtMs = performance.now();

  for (let ring = 0; ring < 500; ring += 1) queue.ring('tenant 7', { tenantId: 7 });
  const tookMs = performance.now() - startedAtMs;
  await queues.close();

  expect(tookMs).toBeLessThan(250);
  // Rings of one key that come while one is under way are one.
  expect(warnings.filter((line) => line.includes('could not be rung')).length).toBeLessThanOrEqual(2);
});

test('when Redis is away, then the check of its health fails within its limit', async () => {
  const { queues } = await queuesWithoutRedis();
  queues.queue('route');
  const startedAtMs = performance.now();

  await expect(queues.ping(300)).rejects.toThrow();

  expect(performance.now() - startedAtMs).toBeLessThan(1000);
  await queues.close();
});
