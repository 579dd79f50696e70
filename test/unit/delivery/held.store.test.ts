/** Messages that are set aside or wait anew while a setting is changed, over a real ledger: none waits for a time that is no more. */

import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import type { ClaimedDelivery } from '../../../src/delivery/delivery-ledger';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { makeSetAsideStore } from '../../../src/delivery/set-aside.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const NOW = new Date('2026-11-25T08:00:00Z');
const WAIT = { kind: 'hold', heldFor: 'daily', until: new Date('2026-11-26T08:00:00Z'), reason: 'Gathered.' } as const;
const QUIET = { ...WAIT, heldFor: 'quiet' } as const;

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

beforeEach(async () => {
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
  await ledger.addDestination();
  await query(
    `INSERT INTO rules (id, tenant_id, name, event_type, digest) VALUES (7, $1, 'Wins', 'deal.won', '{"every": "day", "at": "08:00"}')`,
    ledger.tenant,
  );
});

/** One message of the rule. */
const given = (fields: { readonly held_for?: string; readonly held_until?: Date } = {}) =>
  ledger.addDelivery({ rule_id: 7, state: fields.held_for === undefined ? 'queued' : 'held', ...fields });

async function claimed(): Promise<ClaimedDelivery> {
  const [delivery] = (await makeDeliveryStore(testDatabase.database).claimDue(1)).claimed;
  if (delivery === undefined) throw new Error('nothing was claimed');
  return delivery;
}

/** As every change of settings begins. */
const RAISE = 'UPDATE tenants SET rules_version = rules_version + 1';
const waits = async () => (await query('SELECT state, held_until AS until FROM deliveries')).rows;

test('when nothing is changed meanwhile, then the message is set aside', async () => {
  await given();

  await makeSetAsideStore(testDatabase.database.pool).setAside(await claimed(), WAIT, NOW);

  expect(await waits()).toEqual([{ state: 'held', until: WAIT.until }]);
});

test('when its digest was switched off since it was claimed, then the message is due and its space is free', async () => {
  await given();
  const head = await claimed();
  await query(RAISE);

  await makeSetAsideStore(testDatabase.database.pool).setAside(head, WAIT, NOW);

  expect(await waits()).toEqual([{ state: 'queued', until: null }]);
  expect((await query('SELECT lease_until AS lease FROM google_spaces')).rows).toEqual([{ lease: null }]);
});

test('when its rule was switched off before it was due, then it is gathered no more: it is folded and waits as others do', async () => {
  const { database } = testDatabase;
  await ledger.addDelivery({ id: 1, rule_id: 7 });
  await ledger.addDelivery({ id: 2, rule_id: 7 });
  await query('UPDATE rules SET enabled = false');
  const head = await claimed();
  const mayBeFolded: number[] = [];

  await makeFoldStore(database).fold(head, false, (_head, due) => {
    mayBeFolded.push(...due.map(({ id }) => id));
    return [];
  });
  await makeSetAsideStore(database.pool).setAside(head, QUIET, NOW);

  expect(head.digest).toBeNull();
  expect(mayBeFolded).toEqual([1, 2]);
  expect(await waits()).toEqual([
    { state: 'held', until: QUIET.until },
    { state: 'held', until: QUIET.until },
  ]);
});

test('when its digest is just being switched off, then the message is due, and nothing waits for that', async () => {
  await given();
  const head = await claimed();
  const change = await testDatabase.database.pool.connect();
  await change.query('BEGIN');
  await change.query(RAISE);

  await makeSetAsideStore(testDatabase.database.pool).setAside(head, WAIT, NOW);
  await change.query('COMMIT');
  change.release();

  expect(await waits()).toEqual([{ state: 'queued', until: null }]);
});

test('when a digest is moved twice, then what was gathered does not wait for the time between', async () => {
  await given({ held_for: 'daily', held_until: new Date(0) });
  const held = makeHeldStore(testDatabase.database);
  const gathered = (await held.regathered([])).due;
  await query(RAISE);

  for (const each of gathered) await held.gatherAnew(each, WAIT);
  const between = await waits();
  for (const each of (await held.regathered([])).due) await held.gatherAnew(each, WAIT);

  expect(gathered).toHaveLength(1);
  expect(between).toEqual([{ state: 'held', until: new Date(0) }]);
  expect(await waits()).toEqual([{ state: 'held', until: WAIT.until }]);
});

test('when quiet hours are moved twice, then what waits for them does not wait for the end between', async () => {
  await given({ held_for: 'quiet', held_until: NOW });
  const held = makeHeldStore(testDatabase.database);
  const { due } = await held.dueHolds(NOW, []);
  await query(RAISE);

  for (const hold of due) await held.postpone(hold, QUIET, NOW);
  const between = await waits();
  for (const hold of (await held.dueHolds(NOW, [])).due) await held.postpone(hold, QUIET, NOW);

  expect(due).toHaveLength(1);
  expect(between).toEqual([{ state: 'held', until: NOW }]);
  expect(await waits()).toEqual([{ state: 'held', until: QUIET.until }]);
});

test('when one of those that are due cannot be read, then the others are folded without it, and without what came later of its record', async () => {
  for (const id of [1, 2, 3, 4]) await ledger.addDelivery({ id });
  await query(`UPDATE deliveries SET entity_id = '2' WHERE id = 3`);
  await query(`UPDATE deliveries SET transition = '{"type": "deal.sung_of", "cause": {"isBulkEdit": "perhaps"}}' WHERE id = 2`);
  const mayBeFolded: number[] = [];

  await makeFoldStore(testDatabase.database).fold(await claimed(), false, (_head, due) => {
    mayBeFolded.push(...due.map(({ id }) => id));
    return [];
  });

  expect(mayBeFolded).toEqual([1, 4]);
});

const pass = (hours: number) =>
  query(
    `UPDATE deliveries SET waiting_since = waiting_since - $1 * interval '1 hour', not_before = not_before - $1 * interval '1 hour',
                           held_until = held_until - $1 * interval '1 hour'`,
    hours,
  );
const triedHours = async () => Math.round((await claimed()).waitingMs / 3_600_000);

test('when a message that Chat does not answer is held by quiet hours again and again, then the hours in which it was tried add up', async () => {
  const { database } = testDatabase;
  const held = makeHeldStore(database);
  await ledger.addDelivery({ rendered_body: '{}', attempts: 20, waiting_since: new Date(), not_before: new Date(0) });
  const found: number[] = [];

  for (let night = 1; night <= 3; night += 1) {
    await pass(10);
    await makeSetAsideStore(database.pool).setAside(await claimed(), { ...QUIET, until: new Date() }, new Date());
    await pass(14);
    for (const hold of (await held.dueHolds(new Date(), [])).due) await held.release(hold, new Date(), () => []);
    await query(`UPDATE google_spaces SET due_at = 'epoch', is_waiting = true`);
    found.push(await triedHours());
    await query('UPDATE google_spaces SET lease_until = NULL');
  }

  expect(found).toEqual([10, 20, 30]);
});

test('when a message was never tried before quiet hours held it, then its time begins with its first attempt', async () => {
  const { database } = testDatabase;
  const held = makeHeldStore(database);
  await ledger.addDelivery({ not_before: new Date(0) });

  await makeSetAsideStore(database.pool).setAside(await claimed(), { ...QUIET, until: new Date() }, new Date());
  await pass(14);
  for (const hold of (await held.dueHolds(new Date(), [])).due) await held.release(hold, new Date(), () => []);

  expect((await query('SELECT state, waiting_since AS since FROM deliveries')).rows).toEqual([{ state: 'queued', since: null }]);
});

test('when the clock goes back while quiet hours hold what was tried before, then it may go at their end, tried for no longer than since its first attempt', async () => {
  const { database } = testDatabase;
  const held = makeHeldStore(database);
  await ledger.addDelivery({ rendered_body: '{}', attempts: 20, waiting_since: new Date(), not_before: new Date(0) });
  await pass(2);
  await makeSetAsideStore(database.pool).setAside(await claimed(), { ...QUIET, until: new Date() }, new Date());
  await query(`UPDATE deliveries SET not_before = not_before + interval '50 minutes'`);

  for (const hold of (await held.dueHolds(new Date(), [])).due) await held.release(hold, new Date(), () => []);
  await query(`UPDATE google_spaces SET due_at = 'epoch', is_waiting = true`);

  expect(await triedHours()).toBe(2);
});
