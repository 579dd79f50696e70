/** What the look for events that are not routed yet reads, when very many were once and the planner knows nothing of a young company. */

import { makeRoutingStore } from '../../../src/rules/routing.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans } from '../../support/use-plans';

const BACKLOG = 20_000;
const HISTORY = 2_000;
const WAITING = 20;

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const openPlanned = usePlans(testDatabase);
const { query } = ledger;

async function addEvents(tenantId: number, count: number, isRouted = false): Promise<void> {
  await query(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at)
     SELECT $1, 'deal', n::text, 'change', gen_random_uuid()::text, now(), '{}', CASE WHEN $3 THEN now() END FROM generate_series(1, $2::int) n`,
    ...[tenantId, count, isRouted],
  );
}

test.each(['none', 'of the time of the backlog', 'as of now'])(
  'when a backlog was routed and a young company has events, then its waiting ones alone are read (statistics: %s)',
  async (statistics) => {
    await query('ALTER TABLE events SET (autovacuum_enabled = false)');
    await addEvents(ledger.tenant, BACKLOG);
    if (statistics === 'of the time of the backlog') await query('ANALYZE events');
    await query('UPDATE events SET routed_at = now()');
    await addEvents(ledger.tenant, WAITING);
    if (statistics === 'as of now') await query('ANALYZE events');
    const young = await addTenant(testDatabase.database);
    await addEvents(young, HISTORY, true);
    await addEvents(young, WAITING);
    const planned = await openPlanned();
    if (planned === null) return;
    const store = makeRoutingStore(planned.database, () => Promise.reject(new Error('no rule is asked for')));

    const tenants = await store.tenantsWithWork();
    const waiting = await Promise.all(
      tenants.map((tenant) => store.inTransaction((transaction) => transaction.unroutedEvents(tenant, 10 * WAITING))),
    );

    expect(tenants).toEqual([ledger.tenant, young]);
    expect(waiting.map(({ length }) => length)).toEqual([WAITING, WAITING]);
    const ids = waiting.flat().map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((one, other) => one - other));
    expect(readingMore(planned.take(), 'events', WAITING)).toEqual([]);
  },
);
