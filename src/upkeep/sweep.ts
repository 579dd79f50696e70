/** Rings for what is overdue: alone, without any bell, it routes and delivers everything. One per worker process. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TenantId } from '../core/tenant';

export interface SweepDependencies {
  readonly tenantsWithWork: () => Promise<readonly TenantId[]>;
  readonly routeEvents: (tenantId: TenantId) => Promise<void>;
  readonly deliverDue: () => Promise<void>;
  /** Held messages that may go again, spaces that are not known yet. */
  readonly tidy: () => Promise<void>;
  /** Messages that waited for a time which has come. */
  readonly releaseHeld: () => Promise<void>;
  readonly log: Logger;
  readonly intervalMs: number;
}

export interface Sweep {
  /** Sweeps at once, then every `intervalMs` until closed. */
  start(): void;
  /** One round; never rejects. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the sweep. It works directly and not by a bell: a lost, stuck or absent queue must not stop it. */
export function makeSweep(dependencies: SweepDependencies): Sweep {
  const { log, intervalMs } = dependencies;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let isClosed = false;

  async function round(): Promise<void> {
    await step('tidy', dependencies.tidy);
    await step('release held', dependencies.releaseHeld);
    let isRouting = true;
    const routing = step('route', routeAll).finally(() => (isRouting = false));
    // Meanwhile: a tenant with very much to route holds up no message.
    while (isRouting) {
      await step('deliver', dependencies.deliverDue);
      await Promise.race([routing, delay(intervalMs, undefined, { ref: false })]);
    }
    await step('deliver', dependencies.deliverDue);
  }

  async function routeAll(): Promise<void> {
    const tenants = await dependencies.tenantsWithWork();
    await Promise.all(tenants.map((tenantId) => step('route', () => dependencies.routeEvents(tenantId))));
  }

  /** One step's trouble must not keep the others from their work. */
  async function step(name: string, work: () => Promise<void>): Promise<void> {
    if (isClosed) return;
    try {
      await work();
    } catch (error) {
      log.warn({ err: error, step: name }, 'sweep step failed; the next round tries again');
    }
  }

  function run(): Promise<void> {
    running ??= round().finally(() => {
      running = null;
    });
    return running;
  }

  function next(): void {
    if (isClosed) return;
    timer = setTimeout(() => void run().then(next), intervalMs);
  }

  return {
    run,
    start: () => void run().then(next),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
