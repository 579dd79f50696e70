/** What the nightly retention reads: chunks of what is too old, and not the tables that grow, whatever their statistics say. */

import { pino } from 'pino';
import { makeDeleteExpired } from '../../../src/upkeep/retention';
import { makeRetentionStore } from '../../../src/upkeep/retention.store';
import { seedHistory } from '../../bench/seed-history';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { readingMore, usePlans } from '../../support/use-plans';

const HISTORY = 20_000;
const CHUNK = 500;
const FEW = 20;
const TABLES = ['logs', 'deliveries', 'events', 'records'] as const;

const testDatabase = useTestDatabase();
const openPlanned = usePlans(testDatabase);

test('when half of all is too old, or was, or was of an erased company, then no statement reads more than its chunk', async () => {
  const { database, connectionString } = testDatabase;
  const { pool } = database;
  const [, erased] = [await addTenant(database), await addTenant(database)];
  for (const table of TABLES) await pool.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  await seedHistory(connectionString, HISTORY);
  await pool.query(`UPDATE logs SET created_at = created_at - interval '90 days' WHERE id > $1`, [HISTORY / 2]);
  await pool.query(`UPDATE deliveries SET created_at = created_at - interval '90 days' WHERE id > $1`, [HISTORY / 2]);
  await pool.query(`UPDATE events SET received_at = received_at - interval '90 days' WHERE id > $1`, [HISTORY / 2]);
  await pool.query('ANALYZE logs, deliveries, events, records');
  const planned = await openPlanned();
  if (planned === null) return;
  const store = makeRetentionStore(planned.database.pool);
  const deleteExpired = makeDeleteExpired({ store, log: pino({ level: 'silent' }), retentionDays: 90, chunkSize: CHUNK });
  const readMore = (few: number) => {
    const plans = planned.take();
    return TABLES.flatMap((table) => readingMore(plans, table, few));
  };

  const [first, readFirst] = [await deleteExpired(), readMore(CHUNK)];
  const [second, readSecond] = [await deleteExpired(), readMore(FEW)];
  await pool.query('DELETE FROM tenants WHERE id = $1', [erased]);
  const [third, readThird] = [await deleteExpired(), readMore(CHUNK)];

  const old = HISTORY / 2;
  expect(first).toMatchObject({ logs: old, deliveries: old, events: old, leftBehind: 0 });
  expect(second).toMatchObject({ logs: 0, deliveries: 0, events: 0, leftBehind: 0 });
  expect(third).toMatchObject({ leftBehind: (3 * old) / 2 + HISTORY / 2 });
  expect([readFirst, readSecond, readThird].map((statements) => [...new Set(statements)])).toEqual([[], [], []]);
});
