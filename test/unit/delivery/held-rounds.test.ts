/** What comes of a message among so many held ones that a round looks at a part of them only: its turn comes all the same. */

import { pino } from 'pino';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { makeReleaseHeld } from '../../../src/delivery/release-held';
import { makeFailUntold } from '../../../src/delivery/fail-untold.store';
import { makeHoldStore } from '../../../src/delivery/hold.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

/** More than a round looks at. */
const MANY = 5_000;
const [BROKEN, FALLBACK] = [1, 2];
const HOUR_MS = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

const rounds = () => makeHoldStore({ pool: testDatabase.database.pool, clock: () => new Date(), log: pino({ level: 'silent' }) });

/** Message 1, and as many like it as are many, from 11 on. */
async function holdMany(columns: object = {}): Promise<void> {
  await ledger.addDelivery({ id: 1, state: 'held', held_because: 'broken', waiting_since: new Date(), ...columns });
  await addMany(1, 10);
}

const addMany = (of: number, firstId: number) =>
  ledger.addMany(of, 1, MANY, { id: `n + ${firstId}`, event_id: 'n + 10', entity_id: '(n + 10)::text' });

const idsOf = async (condition: string): Promise<readonly number[]> =>
  (await query(`SELECT id::int FROM deliveries WHERE ${condition} ORDER BY id`)).rows.map(({ id }) => id);

describe('the fallback is told it all anyhow', () => {
  const GIVEN = 'via_webhook_id IS NOT NULL';
  const NEWEST = 10 + 2 * MANY + 1;

  beforeEach(async () => {
    await ledger.addDestination({ id: FALLBACK, name: 'Stand-in', space_id: 'B' });
    await ledger.addDestination({ id: BROKEN, health: 'broken', fallback_webhook_id: FALLBACK, next_probe_at: ago(-1) });
    await holdMany();
    await ledger.addDelivery({
      id: 2,
      event_id: 1,
      chat_webhook_id: FALLBACK,
      space_id: 'B',
      state: 'sent',
      finished_at: new Date(),
    });
    await addMany(2, 10 + MANY);
  });

  test('when a message is held that it is not told, then it is given that in the next round', async () => {
    const { tidy } = rounds();
    for (let round = 0; round < 6; round += 1) await tidy();

    await ledger.addDelivery({ id: NEWEST, state: 'held', held_because: 'broken', waiting_since: new Date() });
    await tidy();

    expect(await idsOf(GIVEN)).toEqual([NEWEST]);
  });

  test('when it is not told one of the older any more, then it is given that when its turn comes', async () => {
    const { tidy } = rounds();
    for (let round = 0; round < 6; round += 1) await tidy();

    await query(`DELETE FROM deliveries WHERE id = ${String(10 + MANY + 3_000)}`);
    for (let round = 0; round < 6; round += 1) await tidy();

    expect(await idsOf(GIVEN)).toEqual([10 + 3_000]);
  });

  test('when another fallback is chosen, then that is given all of it at once', async () => {
    const { tidy } = rounds();
    await tidy();
    await ledger.addDestination({ id: 3, name: 'Another', space_id: 'C' });

    await query(`UPDATE chat_webhooks SET fallback_webhook_id = 3 WHERE id = ${String(BROKEN)}`);
    await tidy();

    expect(await idsOf('via_webhook_id = 3')).toHaveLength(MANY + 1);
  });
});

test('when many are held for a digest and one because the destination is broken, then that one is tried', async () => {
  await ledger.addDestination({ id: BROKEN, health: 'broken', next_probe_at: ago(1) });
  await holdMany({ held_because: null, held_for: 'daily', held_until: ago(-1), waiting_since: null });
  await ledger.addDelivery({ id: 10 + MANY + 1, state: 'held', held_because: 'broken', waiting_since: new Date() });

  await rounds().tidy();

  expect(await idsOf(`state = 'queued'`)).toEqual([10 + MANY + 1]);
});

test('when one of many is held for too long, then it is dropped when its turn comes', async () => {
  await ledger.addDestination({ id: BROKEN, health: 'broken', next_probe_at: ago(-1) });
  await holdMany();
  await query(`UPDATE deliveries SET waiting_since = $1 WHERE id = ${String(10 + MANY)}`, ago(25));
  const { tidy } = rounds();

  for (let round = 0; round < 11; round += 1) await tidy();

  expect(await idsOf(`state = 'dropped'`)).toEqual([10 + MANY]);
});

test('when many were held for too long, then they are dropped at once', async () => {
  await ledger.addDestination({ id: BROKEN, health: 'broken', next_probe_at: ago(-1) });
  await holdMany({ waiting_since: ago(25) });

  await rounds().tidy();

  expect(await idsOf(`state = 'dropped'`)).toHaveLength(MANY + 1);
});

describe('more is due than a round looks at', () => {
  const letGo = (): (() => Promise<void>) => {
    const log = pino({ level: 'silent' });
    const store = makeHeldStore(testDatabase.database);
    return makeReleaseHeld({ store, bell: { ringDeliver: () => undefined }, clock: () => new Date(), log });
  };
  /** Of a destination that is named as it: one message, and as many like it as are many. */
  async function holdDue(id: number, dueHoursAgo: number, columns: object = {}, count = MANY): Promise<void> {
    await ledger.addDestination({ id, name: String(id), space_id: String(id), ...columns });
    const held = { state: 'held', held_for: 'quiet', held_until: ago(dueHoursAgo) };
    await ledger.addDelivery({ id, chat_webhook_id: id, space_id: String(id), ...held });
    if (count > 1) await addMany(id, id * 10_000);
  }
  const waiting = async (): Promise<readonly number[]> =>
    (await query(`SELECT DISTINCT chat_webhook_id AS id FROM deliveries WHERE state = 'held' ORDER BY 1`)).rows.map(
      ({ id }) => id,
    );

  test('when several destinations hold that much, then all is let go over some rounds, in the order of its time', async () => {
    await holdDue(1, 1);
    await holdDue(2, 3);
    await holdDue(3, 2);
    const releaseHeld = letGo();
    const left: (readonly number[])[] = [];

    for (let round = 0; round < 4; round += 1) {
      await releaseHeld();
      left.push(await waiting());
    }

    expect(left).toEqual([[1, 3], [1], [], []]);
  });

  test('when that cannot be read, then what others hold has its turn, and again', async () => {
    await holdDue(1, 2, { quiet_hours: '{"moon": "full"}' });
    await holdDue(2, 1, {}, 1);
    const releaseHeld = letGo();
    for (let round = 0; round < 3; round += 1) await releaseHeld();
    const first = await waiting();
    await holdDue(3, 1, {}, 1);
    for (let round = 0; round < 2; round += 1) await releaseHeld();

    expect([first, await waiting()]).toEqual([[1], [1]]);
  });
});

test('when messages of several are given up one after the other, then each time what they were to tell ends with them, once', async () => {
  await ledger.addDestination();
  const failUntold = makeFailUntold(testDatabase.database.pool);
  const giveUp = async (id: number, finished_at: Date) => {
    await ledger.addDelivery({ id, state: 'failed', state_reason: 'Why not.', fold_kind: 'backlog', finished_at });
    await ledger.addDelivery({ id: id + 1, state: 'folded', folded_into: id, finished_at });
  };

  // The last one was written in a transaction that began before the second.
  for (const [id, finished_at] of [
    [1, ago(30)],
    [3, ago(0)],
    [5, new Date(Date.now() - 20_000)],
  ] as const) {
    await giveUp(id, finished_at);
    await failUntold();
    await failUntold();
  }

  expect(await idsOf(`state = 'failed' AND fold_kind IS NULL`)).toEqual([2, 4, 6]);
  const { rows } = await query('SELECT state_reason AS reason FROM deliveries WHERE id = 2');
  expect(rows).toEqual([{ reason: 'The message that was to tell it did not go: Why not.' }]);
});
