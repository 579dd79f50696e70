/** What pages by the state of messages read: of the newest of their own company, and neither all of it nor what others have since. */

import { deliveriesOfEvents, pageOfAttempts, pageOfDeliveries } from '../../../src/delivery/delivery-history.store';
import { ACTIVITY_STATUSES, findEvents } from '../../../src/settings/activity.store';
import { DELIVERY_STATES } from '../../../src/core/delivery';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans, type PlannedDatabase } from '../../support/use-plans';

const OWN = 30_000;
const OTHERS = 30_000;
const SHOWN = 20;
const ANYTHING = { deals: null, ruleId: null, status: null, beforeId: null, known: [], limit: SHOWN } as const;
const TABLES = ['events', 'deliveries', 'logs'] as const;
/** Of their own company, by the rule or state that is asked for; what is not finished is read as a whole. */
const FEW = 5_000;

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const openPlanned = usePlans(testDatabase);
const { query } = ledger;

/** Every so many of them became something else than sent; a hundredth of those is on its way. */
async function addTold(tenantId: number, count: number, { nth }: { readonly nth: number }): Promise<void> {
  await query(
    `WITH told AS (
       INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, decisions)
       SELECT $1, 'deal', n::text, 'change', n::text, now(), '{}', now(), '[]' FROM generate_series(1, $2::int) n RETURNING id, entity_id::int AS n
     ), owed AS (
       INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                               template_mode, not_before, request_id, state, finished_at)
       SELECT $1, id, $1 * 10 + n % 3, 1, 'A', 'deal', n::text, '{}', '{}', now(), 'compact', now(), gen_random_uuid(), became.state,
              CASE WHEN became.state IN ('queued', 'held') THEN NULL ELSE now() END
         FROM told CROSS JOIN LATERAL (
              SELECT CASE WHEN n % $3::int <> 0 THEN 'sent' WHEN n / $3::int % 100 = 0 THEN 'queued'
                          ELSE (ARRAY['failed', 'dropped', 'held', 'folded'])[1 + n / $3::int % 4] END AS state) became
       RETURNING id, event_id, rule_id, state
     ) INSERT INTO logs (tenant_id, delivery_id, event_id, rule_id, chat_webhook_id, status, duration_ms)
       SELECT $1, id, event_id, rule_id, 1, CASE state WHEN 'failed' THEN 'failure' ELSE 'success' END, 1 FROM owed`,
    ...[tenantId, count, nth],
  );
}

async function givenLedger(statistics: string, nth: number): Promise<PlannedDatabase | null> {
  for (const table of TABLES) await query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  await addTold(ledger.tenant, OWN, { nth });
  if (statistics === 'of its own time') await query('ANALYZE events, deliveries, logs');
  await addTold(await addTenant(testDatabase.database), OTHERS, { nth: 10 });
  if (statistics === 'as of now') await query('ANALYZE events, deliveries, logs');
  return await openPlanned();
}

/** By what was asked for. */
type Readings = Record<string, readonly string[]>;
const tooMuch = (readings: Readings) => Object.entries(readings).filter(([, statements]) => statements.length > 0);

describe.each([
  ['of its own time', 50],
  ['as of now', 50],
  ['as of now', 2],
])('when most newer rows are of another company (statistics: %s; one of %d was not sent)', (statistics, nth) => {
  test('then the activity by what became of it is found among the newest of its own', async () => {
    const planned = await givenLedger(statistics, nth);
    if (planned === null) return;
    const { database, take } = planned;
    const readings: Readings = {};
    const found: Record<string, number> = {};

    for (const status of ACTIVITY_STATUSES)
      for (const ruleId of [null, ledger.tenant * 10]) {
        const { ids } = await findEvents(database.pool, ledger.tenant, { ...ANYTHING, status, ruleId });
        const plans = take();
        const name = `${status}, ${ruleId === null ? 'any' : 'one'} rule`;
        readings[name] = TABLES.flatMap((table) => readingMore(plans, table, FEW));
        if (ruleId === null) found[status] = ids.length;
      }

    expect(tooMuch(readings)).toEqual([]);
    const few = Math.min(SHOWN, OWN / nth / 100);
    expect(found).toEqual({ sent: SHOWN, waiting: few, held: SHOWN, folded: SHOWN, failed: SHOWN, dropped: SHOWN, silent: 0 });
  });

  test('then pages of messages and attempts read the newest of their own', async () => {
    const planned = await givenLedger(statistics, nth);
    if (planned === null) return;
    const { database, take } = planned;
    const page = { beforeId: null, limit: SHOWN };
    const filters = [{}, { ruleId: ledger.tenant * 10 }];
    const readings: Readings = {};
    const found: number[] = [];

    for (const state of [undefined, ...DELIVERY_STATES])
      for (const filter of filters) {
        found.push((await pageOfDeliveries(database.pool, ledger.tenant, { state, ...filter }, page)).length);
        const plans = take();
        readings[`messages ${state ?? ''} ${JSON.stringify(filter)}`] = readingMore(plans, 'deliveries', FEW);
      }
    for (const status of [undefined, 'success', 'failure'])
      for (const filter of filters) {
        found.push((await pageOfAttempts(database.pool, ledger.tenant, { status, ...filter }, page)).length);
        const plans = take();
        readings[`attempts ${status ?? ''} ${JSON.stringify(filter)}`] = readingMore(plans, 'logs', FEW);
      }

    expect(tooMuch(readings)).toEqual([]);
    expect(found.filter((count) => count > 0).length).toBeGreaterThan(16);
  });
});

test('when there are no statistics yet, then what became of a few events is found by those events', async () => {
  const planned = await givenLedger('none yet', 50);
  if (planned === null) return;
  const { database, take } = planned;
  const { rows } = await query(
    'SELECT id::float8 AS id FROM events WHERE tenant_id = $1 ORDER BY id DESC LIMIT 20',
    ledger.tenant,
  );
  take();

  const found = await deliveriesOfEvents(
    database.pool,
    ledger.tenant,
    rows.map(({ id }) => id),
  );

  expect(found).toHaveLength(20);
  expect(readingMore(take(), 'deliveries', 20)).toEqual([]);
});
