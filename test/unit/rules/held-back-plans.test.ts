/** What the look for messages of watches that were not told reads, where the company has many messages. */

import { openDatabase } from '../../../src/platform/database';
import { loadHeldBack } from '../../../src/rules/held-back.store';
import { logPlans, type PlanLog } from '../../support/executed-plans';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const HISTORY = 20_000;
const FEW = 20;
const WATCH_ID = 7;
/** Another test may be reading the server's log. */
const LOG_PATIENCE_MS = 90_000;

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
let plans: PlanLog | null = null;

// After those of the database, which end what is logged.
afterAll(async () => {
  await plans?.close();
});

test(
  'when a company has had many messages, then it is asked for those of the record alone',
  async () => {
    await ledger.addDestination();
    await ledger.addDelivery({ id: 1, state: 'sent', finished_at: new Date() });
    await ledger.query(
      `INSERT INTO deliveries SELECT (d).* FROM (
         SELECT jsonb_populate_record(d, jsonb_build_object('id', n, 'event_id', n, 'entity_id', n::text)) AS d
           FROM deliveries d, generate_series(2, $1::int) n) many`,
      HISTORY,
    );
    await ledger.query('ANALYZE deliveries');
    await ledger.query(
      `INSERT INTO events (id, tenant_id, entity, entity_id, action, meta_id, occurred_at, payload)
       VALUES ($1, $2, 'deal', $3, 'change', 'm', now(), '{}')`,
      HISTORY + 1,
      ledger.tenant,
      String(HISTORY + 1),
    );
    await ledger.addDelivery({ id: HISTORY + 1, rule_id: -WATCH_ID, state: 'held', held_for: 'quiet' });
    plans = await logPlans(testDatabase.connectionString);
    if (plans === null) return;
    const { connectionString } = testDatabase;
    const database = openDatabase({ connectionString, log: { warn: () => undefined }, poolSize: 1 });
    const told = [{ watchId: WATCH_ID, entity: 'deal', entityId: String(HISTORY + 1) }];

    const found = await database.repeatableTransaction((client) => loadHeldBack(client, ledger.tenant, told));
    await database.close();

    const read = plans.take().flatMap(({ nodes }) => nodes.filter(({ relation }) => relation === 'deliveries'));
    expect(found.map(({ id }) => id)).toEqual([HISTORY + 1]);
    expect(read.filter(({ rowsRead }) => rowsRead > FEW)).toEqual([]);
  },
  LOG_PATIENCE_MS,
);
