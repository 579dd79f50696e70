/** The router alone: routes everything that lies in the ledger, without bells and without delivery, and says when it is done. */

import { z } from 'zod';
import type { TenantId } from '../../src/core/tenant';
import { openDatabase } from '../../src/platform/database';
import { makeLogger } from '../../src/platform/logger';
import { makeRouteEvents, type TenantRules } from '../../src/rules/route-events';
import { makeRoutingStore } from '../../src/rules/routing.store';
import { loadRules } from '../../src/rules/rule.store';
import { serveParent, settingsOf, tell } from './child-process';

/** As many tenants side by side as the worker has. */
const ROUTE_CONCURRENCY = 3;

async function main(): Promise<void> {
  const { databaseUrl } = settingsOf(z.object({ databaseUrl: z.string() }));
  const log = makeLogger('info');
  const database = openDatabase({ connectionString: databaseUrl, log, poolSize: ROUTE_CONCURRENCY });
  const rulesOf = await rulesInUse(databaseUrl);
  const store = makeRoutingStore(database, (client, tenant) => {
    const rules = rulesOf.get(tenant);
    return rules === undefined ? loadRules(client, tenant) : Promise.resolve(rules);
  });
  const bell = { ringRoute: () => undefined, ringDeliver: () => undefined };
  const routeEvents = makeRouteEvents({
    store,
    bell,
    log,
    settleMs: 0,
    nowMs: () => Date.now(),
    refreshRates: () => Promise.resolve(false),
    refreshStages: () => Promise.resolve(false),
  });
  serveParent(0, () => database.close());
  for (let tenants = await store.tenantsWithWork(); tenants.length > 0; tenants = await store.tenantsWithWork()) {
    const waiting = [...tenants];
    const work = async (): Promise<void> => {
      for (let tenant = waiting.shift(); tenant !== undefined; tenant = waiting.shift()) await routeEvents(tenant);
    };
    await Promise.all(Array.from({ length: ROUTE_CONCURRENCY }, work));
  }
  tell({ kind: 'done', count: 0 });
}

/** As in a process that has run for a while: read once, and kept until a rule changes. */
async function rulesInUse(databaseUrl: string): Promise<ReadonlyMap<TenantId, TenantRules>> {
  const database = openDatabase({ connectionString: databaseUrl, log: makeLogger('info'), poolSize: 1 });
  try {
    const tenants = await makeRoutingStore(database, loadRules).tenantsWithWork();
    return await database.transaction(async (client) => {
      const rules = new Map<TenantId, TenantRules>();
      for (const tenant of tenants) rules.set(tenant, await loadRules(client, tenant));
      return rules;
    });
  } finally {
    await database.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
