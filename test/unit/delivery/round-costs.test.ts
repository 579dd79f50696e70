/** What the rounds of a sweep read, by the plans that were really run, while 100,000 messages are held or were given up: a bounded part of them. */

import { pino } from 'pino';
import { makeFailUntold } from '../../../src/delivery/fail-untold.store';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { makeReleaseHeld } from '../../../src/delivery/release-held';
import { makeHoldStore } from '../../../src/delivery/hold.store';
import type { Database } from '../../../src/platform/database';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { rowsRead, usePlans } from '../../support/use-plans';

const MUCH = 100_000;
/** A part of what is held, and of what a fallback was told of it, each looked at twice. */
const A_PART = 5_000;
const PATIENCE_MS = 180_000;
const [BROKEN, FALLBACK] = [1, 2];
const AN_HOUR_MS = 3_600_000;
const inAnHour = () => new Date(Date.now() + AN_HOUR_MS);
const log = pino({ level: 'silent' });

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;
const openPlanned = usePlans(testDatabase);

/** Of the message of this id, from `firstId` on. */
const addMany = (of: number, firstId: number, changes: Readonly<Record<string, string>> = {}, count = MUCH) =>
  ledger.addMany(of, 1, count, { id: `n + ${firstId}`, request_id: 'gen_random_uuid()', ...changes });

const held = (columns: object = {}) =>
  ledger.addDelivery({ id: 1, event_id: 0, state: 'held', held_because: 'broken', waiting_since: new Date(), ...columns });

/** Messages that each statement read while so many rounds went; null where plans cannot be read. */
async function readIn(rounds: number, roundOf: (database: Database) => () => Promise<void>): Promise<readonly number[] | null> {
  const planned = await openPlanned();
  if (planned === null) return null;
  const round = roundOf(planned.database);
  for (let done = 0; done < rounds; done += 1) await round();
  return rowsRead(planned.take(), 'deliveries');
}

const tidyOf = ({ pool }: Database) => {
  const store = makeHoldStore({ pool, clock: () => new Date(), log });
  return () => store.tidy();
};

test(
  'when a fallback is told 100,000 held messages anyhow, then a round looks at a part of them',
  async () => {
    await ledger.addDestination({ id: FALLBACK, name: 'Stand-in', space_id: 'B' });
    await ledger.addDestination({ id: BROKEN, health: 'broken', fallback_webhook_id: FALLBACK, next_probe_at: inAnHour() });
    await held();
    await ledger.addDelivery({
      id: 2,
      event_id: 0,
      chat_webhook_id: FALLBACK,
      space_id: 'B',
      state: 'sent',
      finished_at: new Date(),
    });
    await addMany(1, 10);
    await addMany(2, 10 + MUCH);
    await query('ANALYZE deliveries');

    const read = await readIn(20, tidyOf);

    if (read === null) return;
    expect(read.length).toBeGreaterThan(20 * 7);
    expect(Math.max(...read)).toBeLessThan(A_PART);
  },
  PATIENCE_MS,
);

test(
  'when a broken destination holds 100,000 messages for a digest and its trial is due, then a round looks at a part of them',
  async () => {
    await ledger.addDestination({ id: BROKEN, health: 'broken', next_probe_at: new Date(Date.now() - AN_HOUR_MS) });
    await held({ held_because: null, held_for: 'daily', held_until: inAnHour(), waiting_since: null });
    await addMany(1, 10);
    await query('ANALYZE deliveries');

    const read = await readIn(3, tidyOf);

    if (read === null) return;
    expect(Math.max(...read)).toBeLessThan(A_PART);
  },
  PATIENCE_MS,
);

test(
  'when 100,000 messages are held by a broken destination, then a round that looks for what is too old looks at a part of them',
  async () => {
    await ledger.addDestination({ id: BROKEN, health: 'broken', next_probe_at: inAnHour() });
    await held();
    await addMany(1, 10);
    await query('ANALYZE deliveries');

    const read = await readIn(3, tidyOf);

    if (read === null) return;
    expect(Math.max(...read)).toBeLessThan(A_PART);
  },
  PATIENCE_MS,
);

test(
  'when 100,000 messages are due that cannot be read, then a round that looks for what is due looks at a part of them',
  async () => {
    await ledger.addDestination({ id: BROKEN, quiet_hours: '{"moon": "full"}' });
    await held({ held_because: null, held_for: 'quiet', held_until: new Date(Date.now() - AN_HOUR_MS), waiting_since: null });
    await addMany(1, 10);
    await query('ANALYZE deliveries');

    const read = await readIn(4, (database) =>
      makeReleaseHeld({ store: makeHeldStore(database), bell: { ringDeliver: () => undefined }, clock: () => new Date(), log }),
    );

    if (read === null) return;
    // Once it is written down with each of them.
    expect(read.filter((count) => count > A_PART)).toHaveLength(1);
  },
  PATIENCE_MS,
);

test(
  'when messages that were to tell 100,000 others were given up long ago, then a round looks at some of them once, and then at none',
  async () => {
    const leads = 1_000;
    await ledger.addDestination({ id: BROKEN });
    await ledger.addDelivery({ id: 1, event_id: 0, state: 'failed', fold_kind: 'backlog', finished_at: new Date() });
    await addMany(1, 10, { finished_at: `now() - n * interval '1 minute'` }, leads);
    await ledger.addDelivery({ id: 2_000, event_id: 0, rule_id: 2, state: 'failed', folded_into: 10, finished_at: new Date() });
    await addMany(2_000, 2_000, { folded_into: `11 + n % ${leads}` });
    await ledger.addDelivery({ id: 2, event_id: 0, rule_id: 3, state: 'folded', folded_into: 2, finished_at: new Date() });
    await addMany(2, 2_000 + MUCH);
    await query('ANALYZE deliveries');

    const read = await readIn(leads / 20 + 5, ({ pool }) => makeFailUntold(pool));

    if (read === null) return;
    expect(Math.max(...read)).toBeLessThan(A_PART);
    expect(Math.max(...read.slice(-3))).toBeLessThan(100);
  },
  PATIENCE_MS,
);
