/** How long a tenant's turn is one worker's: while it works, and hardly longer. */

import { pino } from 'pino';
import { makeReconcileDue } from '../../../src/reconciliation/reconcile-due';
import { makeReconciliationStore } from '../../../src/reconciliation/reconciliation.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
const query = (sql: string) => testDatabase.database.pool.query(sql);

test('when a run is under way, then it has its turn for a minute from every sign of life on, so that a killed worker delays nobody', async () => {
  const id = await addTenant(testDatabase.database);
  const store = makeReconciliationStore(testDatabase.database.pool);
  await store.enrol();
  await store.want(id, 'an outage');
  const leases: number[] = [];
  const readLease = async () => {
    const { rows } = await query('SELECT extract(epoch FROM lease_until - now())::float8 AS seconds FROM reconciliations');
    leases.push(Number(rows[0]?.seconds));
  };

  const { compared } = await makeReconcileDue({
    store,
    reconcileTenant: async (due, stillHere) => {
      await readLease();
      await query(`UPDATE reconciliations SET lease_until = now() + interval '1 second'`);
      await stillHere();
      await readLease();
      const nextRunAt = new Date(Date.now() + 3_600_000);
      return { comparedUntil: due.comparedUntil, trouble: null, nextRunAt, stillWantedBecause: null };
    },
    clock: () => new Date(),
    log: pino({ level: 'silent' }),
  }).run();
  await store.renew(id, 60_000);

  expect(compared).toBe(1);
  expect(leases).toHaveLength(2);
  for (const lease of leases) {
    expect(lease).toBeGreaterThan(2);
    expect(lease).toBeLessThanOrEqual(60);
  }
  expect((await query('SELECT lease_until FROM reconciliations')).rows).toEqual([{ lease_until: null }]);
});
