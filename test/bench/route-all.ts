/** One run of the router alone over everything that lies in a ledger, and what it took. */

import { startMeasured } from './child-process';
import type { Stage } from './stage';

export interface RoutingRun {
  readonly elapsedMs: number;
  /** CPU time of the router and its connections; elapsed time where the system does not tell. */
  readonly cpuMs: number;
}

/** Routes it all in a process of its own. */
export async function routeAll(stage: Stage, databaseUrl: string): Promise<RoutingRun> {
  const router = await startMeasured('measured-router.js', { databaseUrl });
  const startedAtMs = performance.now();
  await router.done();
  const elapsedMs = performance.now() - startedAtMs;
  const postgresMs = await stage.ledger.cpuMs(databaseUrl);
  const { cpuMs } = await router.usage();
  await router.stop();
  return { elapsedMs, cpuMs: postgresMs === null ? elapsedMs : cpuMs + postgresMs };
}
