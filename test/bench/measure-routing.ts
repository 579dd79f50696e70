/** Events per second through the router alone, with 20 rules per tenant that all have to be evaluated, from an empty ledger and over history. */

import { startMeasured } from './child-process';
import { makeDealEvents } from './deal-events';
import { driveLoad } from './drive-load';
import { figure, type Figure } from './figures';
import { requestsOf, type Stage } from './stage';

const CONCURRENCY = 50;
const DEALS = 20_000;

/** The rounds follow each other on one ledger, which grows. */
export async function measureRouting(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const events = isQuick ? 5_000 : 20_000;
  const rounds = isQuick ? 2 : 4;
  const databaseUrl = await stage.ledger.copy();
  const perSecond: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await fill(stage, databaseUrl, events, round * events);
    const startedAtMs = performance.now();
    const router = await startMeasured('measured-router.js', { databaseUrl });
    const readyAtMs = performance.now();
    await router.done();
    perSecond.push((events / (performance.now() - readyAtMs)) * 1000);
    if (readyAtMs - startedAtMs > 30_000) throw new Error('the router took too long to start');
    await router.stop();
  }
  await stage.ledger.drop(databaseUrl);
  const first = perSecond[0] ?? Number.NaN;
  const last = perSecond.at(-1) ?? Number.NaN;
  return [
    figure('routing', '20 rules per tenant: events', '/s', perSecond, 'at least 3,000'),
    figure('routing', `last ${events} of ${events * rounds} events, of the first`, 'times', [last / first]),
  ];
}

/** Takes events in through a web process that routes nothing. */
export async function fill(stage: Stage, databaseUrl: string, events: number, start: number, deals = DEALS): Promise<void> {
  const app = await stage.startApp('postgres', { web: true, worker: false, databaseUrl });
  const nextRequest = requestsOf(makeDealEvents('2 kB', deals), deals, start);
  try {
    await driveLoad({ port: app.port, concurrency: CONCURRENCY, requests: events, nextRequest });
  } finally {
    await app.stop();
  }
}
