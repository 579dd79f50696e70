/** What a claim, a freeze and a record read: they keep the plan of their first run, when the ledger was young. */

import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { openDatabase } from '../../../src/platform/database';
import { settleAttempt } from '../../../src/delivery/settle-attempt';
import { logPlans, type PlanLog } from '../../support/executed-plans';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

/** So many fill more than a page of the index by record, and less than one of that by tenant. */
const YOUNG = 260;
const GROWN = 20_000;
const FEW = 20;
const SETTINGS = { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 };
/** Another test may be reading the server's log. */
const LOG_PATIENCE_MS = 90_000;

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;
let plans: PlanLog | null = null;

// After those of the database, which end what is logged.
afterAll(async () => {
  await plans?.close();
});

test(
  'when the ledger has grown since a statement was planned, then it reads no more than before',
  async () => {
    await ledger.addDestination({ id: 1 });
    await query('ALTER TABLE deliveries SET (autovacuum_enabled = false)');
    const addMany = (from: number, to: number) =>
      query(
        `INSERT INTO deliveries SELECT (d).* FROM (
           SELECT jsonb_populate_record(d, jsonb_build_object('id', n, 'event_id', n, 'entity_id', n::text)) AS d
             FROM deliveries d, generate_series($1::int, $2::int) n WHERE d.id = $1 - 1) many`,
        from,
        to,
      );
    await ledger.addDelivery({ id: 1 });
    await addMany(2, YOUNG);
    await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
    plans = await logPlans(testDatabase.connectionString);
    if (plans === null) return;
    const database = openDatabase({
      connectionString: testDatabase.connectionString,
      log: { warn: () => undefined },
      poolSize: 1,
    });
    const store = makeDeliveryStore(database);
    const sendOne = async (): Promise<number | undefined> => {
      const [delivery] = (await store.claimDue(1)).claimed;
      if (delivery === undefined) return undefined;
      await store.freeze([{ delivery, body: '{}' }]);
      const outcome = { kind: 'sent', httpStatus: 200, messageName: 'm', threadName: null } as const;
      await store.record([settleAttempt(delivery, outcome, { durationMs: 1, isThreaded: false, jitter: 0 }, SETTINGS)]);
      return delivery.id;
    };
    const first = await sendOne();
    await query(`UPDATE deliveries SET state = 'sent' WHERE state = 'queued'`);
    await addMany(YOUNG + 1, GROWN);
    await ledger.addDelivery({ id: GROWN + 1 });
    await query(`UPDATE google_spaces SET is_waiting = true, due_at = now()`);
    plans.take();

    const last = await sendOne();
    const read = plans
      .take()
      .flatMap(({ statement, nodes }) =>
        nodes.filter(({ relation, rowsRead }) => relation === 'deliveries' && rowsRead > FEW).map(() => statement),
      );
    await database.close();

    expect([first, last]).toEqual([1, GROWN + 1]);
    expect(read).toEqual([]);
  },
  LOG_PATIENCE_MS,
);
