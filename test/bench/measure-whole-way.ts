/** The whole way at full load from an empty ledger: every event matches and is told; throughput, order, and the memory of the process. */

import { setTimeout as pause } from 'node:timers/promises';
import { makeDealEvents } from './deal-events';
import { driveLoad } from './drive-load';
import { figure, type Figure } from './figures';
import { watchArrivals } from './watch-arrivals';
import { requestsOf, untilDrained, type Backend, type RunningApp, type Stage } from './stage';

const CONCURRENCY = 50;
/** Each deal is won again and again; its messages must come in the order of its events. */
const DEALS = 10_000;
const DRAIN_LIMIT_MS = 300_000;
const SETTLE_DOWN_MS = 3_000;

/** Embedded with its queue in PostgreSQL gets the full load; Redis a fifth of it. */
export async function measureWholeWay(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const events = isQuick ? 10_000 : 100_000;
  const figures: Figure[] = [];
  for (const backend of stage.backends) {
    figures.push(...(await measureOne(stage, backend, backend === 'postgres' || isQuick ? events : events / 5)));
  }
  return figures;
}

async function measureOne(stage: Stage, backend: Backend, events: number): Promise<readonly Figure[]> {
  const part = `whole way, ${backend}`;
  const app = await stage.startApp(backend, { web: true, worker: true });
  const arrivals = watchArrivals(stage.chat);
  try {
    await pause(SETTLE_DOWN_MS);
    const idle = await app.usage();
    const spentBefore = await cpuSpent(stage, app);
    const startedAtMs = performance.now();
    const nextRequest = requestsOf(makeDealEvents('2 kB', DEALS), DEALS);
    const load = await driveLoad({ port: app.port, concurrency: CONCURRENCY, requests: events, nextRequest });
    await untilDrained(stage, app, DRAIN_LIMIT_MS);
    const elapsedMs = performance.now() - startedAtMs;
    const loaded = await app.usage();
    const spentAfter = await cpuSpent(stage, app);
    await pause(SETTLE_DOWN_MS);
    const after = await app.usage();
    return [
      figure(
        part,
        `${events.toLocaleString('en')} events from empty: messages`,
        '/s',
        arrivals.perSecondInTenths(startedAtMs, elapsedMs),
        'at least 2,000',
      ),
      figure(part, 'from the first webhook to the last message', '/s', [(arrivals.count() / elapsedMs) * 1000]),
      figure(part, 'accepted meanwhile', '/s', [(load.answered / load.elapsedMs) * 1000]),
      figure(part, 'messages lost or doubled', '', [events - arrivals.count()], 'none'),
      figure(part, 'messages out of order', '', [arrivals.outOfOrder()], 'none'),
      ...spentAfter.map(({ name, ms }, index) =>
        figure(part, `CPU per event: ${name}`, 'ms', [(ms - (spentBefore[index]?.ms ?? 0)) / events]),
      ),
      figure(part, 'RSS idle', 'MB', [idle.rssMb], 'under 250 MB'),
      figure(part, 'RSS at the end of the load', 'MB', [loaded.rssMb], 'under 250 MB'),
      figure(part, 'RSS after it', 'MB', [after.rssMb], 'under 250 MB'),
      figure(part, 'heap used after it', 'MB', [after.heapMb]),
    ];
  } finally {
    arrivals.stop();
    await app.stop();
  }
}

/** CPU time so far of everything that takes part: unlike throughput it can be compared between runs beside other load. */
async function cpuSpent(stage: Stage, app: RunningApp): Promise<readonly { readonly name: string; readonly ms: number }[]> {
  const { user, system } = process.cpuUsage();
  const postgresMs = await stage.ledger.serverCpuMs();
  return [
    { name: 'Dealbell', ms: (await app.usage()).cpuMs },
    ...(postgresMs === null ? [] : [{ name: 'PostgreSQL', ms: postgresMs }]),
    { name: 'load and stand-in Chat', ms: (user + system) / 1000 },
  ];
}
