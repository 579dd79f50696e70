/** What is held for too long is dropped, over a real ledger whose clock jumps. */

import { pino } from 'pino';
import { makeHoldStore } from '../../../src/delivery/hold.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const HOUR_MS = 3_600_000;
const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

beforeEach(async () => {
  await ledger.addDestination({ health: 'broken', next_probe_at: new Date(Date.now() + HOUR_MS) });
  await look();
});

/** A sweep's first round: it looks for what is too old. */
const look = () =>
  makeHoldStore({ pool: testDatabase.database.pool, clock: () => new Date(), log: pino({ level: 'silent' }) }).tidy();
/** As if the database's clock were set ahead. */
const jump = async (by: string) => {
  await query(`UPDATE heartbeats SET beat_at = beat_at - $1::interval`, by);
  await query(`UPDATE deliveries SET waiting_since = waiting_since - $1::interval`, by);
};
const hold = (id: number, hours: number) =>
  ledger.addDelivery({ id, state: 'held', held_because: 'broken', waiting_since: new Date(Date.now() - hours * HOUR_MS) });
const states = async () => (await query('SELECT state FROM deliveries ORDER BY id')).rows.map(({ state }) => state);
const heldMinutes = async () => {
  const { rows } = await query(
    `SELECT round(extract(epoch FROM now() - waiting_since) / 60)::int AS minutes FROM deliveries WHERE state = 'held' ORDER BY id`,
  );
  return rows.map(({ minutes }) => minutes);
};

test('when it has been held for more than a day, then it is dropped with the reason, and what was held for less is kept', async () => {
  await hold(1, 25);
  await hold(2, 23);

  await look();

  expect(await states()).toEqual(['dropped', 'held']);
});

test.each([
  [1, { held_because: 'broken' }, 'Held for more than 1 hour. HTTP 403.'],
  [2, { held_because: 'broken' }, 'Held for more than 2 hours. HTTP 403.'],
  [1, { held_because: null }, 'Dealbell could not read for 1 hour when it was to be told.'],
])('when its destination lets messages wait for so many hours (%i), then the reason says so', async (hours, why, reason) => {
  await query(`UPDATE chat_webhooks SET hold_hours = ${hours}`);
  await hold(1, 3);
  await query(`UPDATE deliveries SET held_because = $1, state_reason = coalesce(state_reason, 'HTTP 403.')`, why.held_because);

  await look();
  await look();

  expect((await query('SELECT state, state_reason AS reason FROM deliveries')).rows).toEqual([{ state: 'dropped', reason }]);
});

test('when the clock jumps ahead by three days and back again, then nothing is dropped, and the age is right after both', async () => {
  await hold(1, 2);

  await jump('3 days');
  await look();
  const [after = 0] = await heldMinutes();
  await jump('-3 days');
  await look();

  expect(await states()).toEqual(['held']);
  // A look that comes late counts as an hour.
  expect([after, ...(await heldMinutes())]).toEqual([180, 180]);
});

test.each(['3 days', '-3 days'])(
  'when the clock jumps by %s while quiet hours hold what was tried before, then for how long that was stays',
  async (by) => {
    await hold(1, 30);
    await query(
      `UPDATE deliveries SET held_because = NULL, held_for = 'quiet', held_until = now() + interval '1 hour', not_before = waiting_since + interval '20 hours'`,
    );

    await query(`UPDATE deliveries SET not_before = not_before - $1::interval`, by);
    await jump(by);
    await look();

    const { rows } = await query(`SELECT extract(epoch FROM not_before - waiting_since)::int / 3600 AS tried FROM deliveries`);
    expect(rows).toEqual([{ tried: 20 }]);
  },
);

test.each(['3 days', '-3 days'])(
  'when something is held between a jump of %s and the next look, then its age is right already',
  async (by) => {
    await hold(1, 2);
    await jump(by);
    await hold(2, 0);

    await look();

    expect((await heldMinutes())[1]).toBe(0);
  },
);

test('when quiet hours hold what was tried before between a jump and the next look, then it is so since then, and how long it was tried stays', async () => {
  await hold(1, 2);
  await jump('3 days');
  await query(
    `UPDATE deliveries SET held_because = NULL, held_for = 'quiet', held_until = now() + interval '1 hour', not_before = now()`,
  );

  await look();

  const { rows } = await query(
    `SELECT not_before <= now() AS "isPast", round(extract(epoch FROM not_before - waiting_since) / 3600)::int AS tried FROM deliveries`,
  );
  // A look that comes late counts as an hour.
  expect(rows).toEqual([{ isPast: true, tried: 3 }]);
});

test('when two sweeps see the jump, then it is laid on once', async () => {
  await hold(1, 2);
  await jump('3 days');

  await Promise.all([look(), look(), look()]);

  expect(await heldMinutes()).toEqual([180]);
});

test('when a day passes after a jump, then it is dropped all the same', async () => {
  await hold(1, 2);
  await jump('3 days');
  await look();
  await query(`UPDATE deliveries SET waiting_since = waiting_since - interval '22 hours'`);

  await look();

  expect(await states()).toEqual(['dropped']);
});
