/** Which spaces say that no message has gone to their URL yet, and what it costs to know that where much is sent. */

import { LOOKED_AT, unusedDestinations } from '../../../src/settings/overview.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans } from '../../support/use-plans';

const HISTORY = 20_000;
const [FIRST, SECOND] = [1, 2];

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const openPlanned = usePlans(testDatabase);
const { query } = ledger;

const unused = async () => [...(await unusedDestinations(testDatabase.database, ledger.tenant))].sort();

async function addDestinations(minutesAgo: number, count = 2): Promise<void> {
  for (let id = 1; id <= count; id += 1) await ledger.addDestination({ id, name: `Space ${id}`, space_id: `S${id}` });
  await query(`UPDATE chat_webhooks SET health_since = now() - $1::int * interval '1 minute'`, minutesAgo);
}

async function addAttempts(
  chatWebhookId: number,
  minutesAgo: number,
  { status = 'success', count = 1, tenant = ledger.tenant }: { status?: string; count?: number; tenant?: number } = {},
): Promise<void> {
  await query(
    `INSERT INTO logs (tenant_id, chat_webhook_id, status, duration_ms, created_at)
     SELECT $1, $2, $3, 1, now() - $4::int * interval '1 minute' FROM generate_series(1, $5::int)`,
    ...[tenant, chatWebhookId, status, minutesAgo, count],
  );
}

test('when Google Chat has taken something by the URL, then it is used; not by what it refused, or took before', async () => {
  await addDestinations(30, 4);
  await addAttempts(FIRST, 40);
  await addAttempts(SECOND, 40);
  await addAttempts(SECOND, 20);
  await addAttempts(3, 10, { status: 'failure' });
  await addAttempts(4, 10, { tenant: await addTenant(testDatabase.database) });

  expect(await unused()).toEqual([FIRST, 3, 4]);
});

test('when nothing was sent since, then none is used; when they are older than a day, then that is no news', async () => {
  await addDestinations(30);
  const young = await unused();
  await query(`UPDATE chat_webhooks SET health_since = now() - interval '25 hours' WHERE id = $1`, FIRST);

  expect([young, await unused()]).toEqual([[FIRST, SECOND], [SECOND]]);
});

test('when more was sent since than is looked at, then only what is newer than that is said to be unused', async () => {
  await addDestinations(30, 3);
  await query(`UPDATE chat_webhooks SET health_since = now() - interval '5 minutes' WHERE id = $1`, SECOND);
  await addAttempts(FIRST, 20);
  await addAttempts(99, 10, { count: LOOKED_AT });

  expect(await unused()).toEqual([SECOND]);
});

test.each([
  ['were taken when nothing was sent', 0],
  ['are of now', HISTORY],
  ['are of others', HISTORY],
])('when much was sent before, and the statistics %s, then that is not read', async (when, countBefore) => {
  await query('ALTER TABLE logs SET (autovacuum_enabled = false)');
  await addDestinations(30, 20);
  const others = when === 'are of others' ? await addTenant(testDatabase.database) : ledger.tenant;
  await addAttempts(FIRST, 120, { count: countBefore, tenant: others });
  await query('ANALYZE chat_webhooks, logs');
  await addAttempts(SECOND, 60, { count: HISTORY + LOOKED_AT - countBefore / 2 });
  await addAttempts(FIRST, 10, { count: 5 });
  const planned = await openPlanned();
  if (planned === null) return;

  const found = await unusedDestinations(planned.database, ledger.tenant);

  expect(found.size).toBe(19);
  expect(readingMore(planned.take(), 'logs', LOOKED_AT)).toEqual([]);
});
