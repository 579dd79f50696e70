/** One, two and four worker processes on one Redis and one ledger: the rate, and whether order and uniqueness hold. */

import { startMeasured } from './child-process';
import { figure, type Figure } from './figures';
import { fill } from './measure-routing';
import { watchArrivals } from './watch-arrivals';
import type { RunningApp, Stage } from './stage';

const WORKERS = [1, 2, 4] as const;
const PATIENCE_MS = 120_000;

/** Left out without Redis. */
export async function measureScaleOut(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  if (!stage.backends.includes('redis')) return [];
  const deliveries = isQuick ? 3_000 : 10_000;
  const routed = await stage.ledger.copy();
  // Few deals, so that each has several messages whose order can be seen.
  await fill(stage, routed, deliveries, 0, deliveries / 5);
  const router = await startMeasured('measured-router.js', { databaseUrl: routed });
  await router.done();
  await router.stop();
  const figures: Figure[] = [];
  for (const workers of WORKERS) figures.push(...(await measureOne(stage, routed, deliveries, workers)));
  await stage.ledger.drop(routed);
  return figures;
}

async function measureOne(stage: Stage, routed: string, deliveries: number, workers: number): Promise<readonly Figure[]> {
  const part = `scale-out, ${workers} worker${workers === 1 ? '' : 's'}`;
  const databaseUrl = await stage.ledger.copy(routed);
  const redisUrl = stage.redisUrl('redis');
  const arrivals = watchArrivals(stage.chat);
  const apps: RunningApp[] = [];
  try {
    const options = { web: false, worker: true, databaseUrl, redisUrl, isAlone: false };
    apps.push(...(await Promise.all(Array.from({ length: workers }, () => stage.startApp('redis', options)))));
    const endsAtMs = performance.now() + PATIENCE_MS;
    while (arrivals.count() < deliveries && performance.now() < endsAtMs) await new Promise((resolve) => setTimeout(resolve, 20));
    const perSecond = arrivals.perSecond();
    return [
      figure(part, `${deliveries} deliveries`, '/s', [perSecond]),
      figure(part, 'messages lost or doubled', '', [deliveries - arrivals.count()], 'none'),
      figure(part, 'messages out of order', '', [arrivals.outOfOrder()], 'none'),
    ];
  } finally {
    for (const app of apps) await app.stop();
    arrivals.stop();
    await stage.ledger.drop(databaseUrl);
  }
}
