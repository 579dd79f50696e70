/** What a claim, a freeze and a record read: they keep the plan of their first run, when the ledger was young. */

import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { settleAttempt } from '../../../src/delivery/settle-attempt';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans } from '../../support/use-plans';

/** So many fill more than a page of the index by record, and less than one of that by tenant. */
const YOUNG = 260;
const GROWN = 20_000;
const FEW = 20;
const SETTINGS = { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 };

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;
const openPlanned = usePlans(testDatabase);

test.each([
  ['and all of it was sent', YOUNG, 'sent'],
  ['and all of it was folded', YOUNG, 'folded'],
  ['and all of it waits in another space', YOUNG, 'queued'],
  ['of which there was hardly anything, and all of it waits in another space', 2, 'queued'],
])(
  'when the ledger has grown since a statement was planned, %s, then it reads no more than before',
  async (_name, young, state) => {
    await ledger.addDestination({ id: 1 });
    await query('ALTER TABLE deliveries SET (autovacuum_enabled = false)');
    const addMany = (from: number, to: number) => ledger.addMany(from - 1, from, to);
    await ledger.addDelivery({ id: 1 });
    await addMany(2, young);
    await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
    const planned = await openPlanned();
    if (planned === null) return;
    const store = makeDeliveryStore(planned.database);
    const sendOne = async (): Promise<number | undefined> => {
      const [delivery] = (await store.claimDue(1)).claimed;
      if (delivery === undefined) return undefined;
      await store.freeze([{ delivery, body: '{}' }]);
      const outcome = { kind: 'sent', httpStatus: 200, messageName: 'm', threadName: null } as const;
      await store.record([settleAttempt(delivery, outcome, { durationMs: 1, isThreaded: false, jitter: 0 }, SETTINGS)]);
      return delivery.id;
    };
    const first = await sendOne();
    await query(
      `UPDATE deliveries SET state = $1, space_id = 'B', folded_into = CASE WHEN $1 = 'folded' THEN 1 END WHERE state = 'queued'`,
      state,
    );
    await addMany(young + 1, GROWN);
    await ledger.addDelivery({ id: GROWN + 1 });
    await query(`UPDATE google_spaces SET is_waiting = true, due_at = 'epoch'`);
    planned.take();

    const last = await sendOne();

    expect([first, last]).toEqual([1, GROWN + 1]);
    expect(readingMore(planned.take(), 'deliveries', FEW)).toEqual([]);
  },
);
