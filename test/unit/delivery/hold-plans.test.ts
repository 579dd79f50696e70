/** What a round costs when much is held: what cannot be let go, taken apart or given away is not read again in each of them. */

import { pino } from 'pino';
import { z } from 'zod';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { makeHoldStore } from '../../../src/delivery/hold.store';
import { makeReleaseHeld } from '../../../src/delivery/release-held';
import { aClaimedDelivery } from '../../support/builders';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans } from '../../support/use-plans';

const MUCH = 20_000;
const FEW = 100;
/** Of what is held, in each round. */
const A_PART = 500;
const [BROKEN, FALLBACK, CALM] = [1, 2, 3];

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;
const openPlanned = usePlans(testDatabase);

interface PlanNode {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number | undefined;
  readonly 'Relation Name'?: string | undefined;
  readonly Plans?: readonly PlanNode[] | undefined;
}
const planNode: z.ZodType<PlanNode> = z.lazy(() =>
  z.object({
    'Actual Rows': z.number(),
    'Actual Loops': z.number(),
    'Rows Removed by Filter': z.number().optional(),
    'Relation Name': z.string().optional(),
    Plans: z.array(planNode).optional(),
  }),
);
const explained = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: planNode })]) })]);

/** Messages that the plan read, those that it threw away counted. */
function messagesRead(node: PlanNode): number {
  const perLoop = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
  const own = node['Relation Name'] === 'deliveries' ? perLoop * node['Actual Loops'] : 0;
  return (node.Plans ?? []).reduce((sum, plan) => sum + messagesRead(plan), own);
}

/** Half of it by a broken destination, half for a digest of one that works. */
async function holdMuch(): Promise<void> {
  await ledger.addDelivery({ id: 1, state: 'held', held_because: 'broken', waiting_since: new Date() });
  await ledger.addDelivery({
    id: 2,
    chat_webhook_id: CALM,
    state: 'held',
    held_for: 'daily',
    held_until: new Date(Date.now() + 3_600_000),
  });
  for (const one of [1, 2]) {
    const id = `2 * n + ${one}`;
    await ledger.addMany(one, 1, MUCH / 2, { id, event_id: id, entity_id: `(${id})::text` });
  }
  await query(`UPDATE deliveries SET fold_kind = 'daily' WHERE id = 1`);
}

/** Messages that each statement of a round reads. */
async function readInRound(): Promise<readonly number[]> {
  const read: number[] = [];
  let isExplained = false;
  const { pool } = testDatabase.database;
  const counting = {
    async query(statement: string, values: unknown[] = []) {
      const result = await pool.query(isExplained ? `EXPLAIN (ANALYZE, FORMAT JSON) ${statement}` : statement, values);
      if (!isExplained) return result;
      read.push(messagesRead(explained.parse(result.rows)[0]['QUERY PLAN'][0].Plan));
      return { rows: [] };
    },
  };
  const store = makeHoldStore({ pool: counting, clock: () => new Date(), log: pino({ level: 'silent' }) });
  // The first round looks for what is too old, too.
  await store.tidy();
  isExplained = true;

  await store.tidy();
  return read;
}

test.each([
  ['was taken when nothing was held', false],
  ['is of now', true],
])('when much is held and its statistics %s, then a round reads a bounded number of messages', async (_what, isOfNow) => {
  await ledger.addDestination({ id: FALLBACK, name: 'Stand-in', space_id: 'B' });
  await ledger.addDestination({ id: CALM, name: 'Calm', space_id: 'C' });
  const broken = { health: 'broken', next_probe_at: new Date(Date.now() + 3_600_000) };
  await ledger.addDestination({ id: BROKEN, ...broken });
  await query('ANALYZE deliveries');
  await holdMuch();
  if (isOfNow) await query('ANALYZE deliveries');

  const read = await readInRound();

  expect(read.length).toBeGreaterThan(4);
  expect(Math.max(...read)).toBeLessThan(A_PART + FEW);
});

const FOLDED = { state: `'folded'`, folded_into: '1 + n % 500' };
test.each([
  ['and not what was sent before', {}, true],
  ['and not what was folded before', FOLDED, true],
  ['and not what was folded since there were statistics', FOLDED, false],
])('when what was held is let go as one and sent, then that reads what it tells, %s', async (_what, before, isKnown) => {
  await ledger.addDestination({ id: BROKEN });
  await query('ALTER TABLE deliveries SET (autovacuum_enabled = false)');
  await ledger.addDelivery({ id: 1, state: 'sent', finished_at: new Date() });
  if (!isKnown) await query('ANALYZE deliveries');
  await ledger.addMany(1, 2, MUCH, before);
  if (isKnown) await query('ANALYZE deliveries');
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
  for (const id of [1, 2, 3])
    await ledger.addDelivery({ id: MUCH + id, state: 'held', held_for: 'daily', held_until: new Date(0) });
  const planned = await openPlanned();
  if (planned === null) return;
  const { database } = planned;
  const bell = { ringDeliver: () => undefined };
  const log = pino({ level: 'silent' });

  await makeReleaseHeld({ store: makeHeldStore(database), bell, clock: () => new Date(), log })();
  const { claimed } = await makeDeliveryStore(database).claimDue(1);
  await makeFoldStore(database).leaveOut(claimed[0] ?? aClaimedDelivery(), [MUCH + 3]);

  expect(claimed.map(({ id, foldKind }) => [id, foldKind])).toEqual([[MUCH + 1, 'daily']]);
  expect(readingMore(planned.take(), 'deliveries', FEW)).toEqual([]);
});
