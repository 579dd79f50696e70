/** A digest whose time has come while earlier messages about its records are under way, over a real ledger: it is told in few messages, each after those. */

import { pino } from 'pino';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { makeReleaseHeld } from '../../../src/delivery/release-held';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

/** Tells at once, and gathers for its digest. */
const [AT_ONCE, DAILY] = [1, 7];
const ITS_TIME = new Date('2026-11-25T08:00:00Z');
const AWAY = new Date(Date.now() + 3_600_000);

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

const underWay = (id: number, columns: object = {}) => ledger.addDelivery({ id, rule_id: AT_ONCE, ...columns });
const gathered = (id: number, deal: number, columns: object = {}) =>
  ledger.addDelivery({
    ...{ id, entity_id: String(deal), rule_id: DAILY, state: 'held', held_for: 'daily', held_until: ITS_TIME },
    ...columns,
  });

let rings = 0;
const letGo = () => {
  const bell = { ringDeliver: () => (rings += 1) };
  const log = pino({ level: 'silent' });
  return makeReleaseHeld({ store: makeHeldStore(testDatabase.database), bell, clock: () => new Date(), log })();
};
const go = (...ids: readonly number[]) =>
  query(`UPDATE deliveries SET state = 'sent', finished_at = now() WHERE id = ANY ($1)`, ids);
/** As much time as it takes until what can go is not kept by what cannot. */
const passTime = () => query(`UPDATE deliveries SET waiting_since = waiting_since - interval '6 minutes'`);

/** What each digest that was let go tells, and what is still held. */
async function told(): Promise<{ readonly digests: readonly (readonly number[])[]; readonly held: readonly number[] }> {
  const { rows } = await query(
    `SELECT id::int, state, fold_kind AS kind, folded_into::int AS "toldBy" FROM deliveries WHERE rule_id = $1 ORDER BY id`,
    DAILY,
  );
  const leads = rows.filter(({ kind }) => kind === 'daily');
  return {
    digests: leads.map((lead) => [lead.id, ...rows.filter(({ toldBy }) => toldBy === lead.id).map(({ id }) => id)]),
    held: rows.filter(({ state }) => state === 'held').map(({ id }) => id),
  };
}

beforeEach(async () => {
  rings = 0;
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
  await ledger.addDestination({ fold: 'off' });
  await query(
    `INSERT INTO rules (id, tenant_id, name, event_type, digest) VALUES ($2, $1, 'Wins', 'deal.won', '{"every": "day", "at": "08:00"}')`,
    ...[ledger.tenant, DAILY],
  );
});

describe('when three of its records are told at once just before', () => {
  beforeEach(async () => {
    for (const deal of [1, 2, 3]) await underWay(deal);
    for (const deal of [1, 2, 3, 4, 5]) await gathered(10 + deal, deal);
    await gathered(16, 2);
    await letGo();
  });

  test('then the others go in its message at its time', async () => {
    expect(await told()).toEqual({ digests: [[14, 15]], held: [11, 12, 13, 16] });
  });

  test('then those wait together until the last of them may go, and are told as one', async () => {
    await go(1, 2);
    await letGo();
    const before = await told();
    await go(3);
    await letGo();

    expect(before.held).toEqual([11, 12, 13, 16]);
    expect(await told()).toEqual({
      digests: [
        [11, 12, 13, 16],
        [14, 15],
      ],
      held: [],
    });
    expect(rings).toBe(2);
  });

  test('then one whose message is tried for hours keeps its own change from being told, and none of the others', async () => {
    await go(1, 3);
    await query(`UPDATE deliveries SET attempts = 9, not_before = $1 WHERE id = 2`, AWAY);
    await passTime();
    await letGo();
    const meanwhile = await told();
    await passTime();
    await letGo();
    await go(2);
    await letGo();

    expect(meanwhile).toEqual({
      digests: [
        [11, 13],
        [14, 15],
      ],
      held: [12, 16],
    });
    expect((await told()).digests).toEqual([
      [11, 13],
      [12, 16],
      [14, 15],
    ]);
  });

  test('then they say why they wait, and it is told for its own time', async () => {
    const { rows } = await query(`SELECT DISTINCT state_reason AS why FROM deliveries WHERE state = 'held'`);
    await go(1, 2, 3);
    await letGo();

    expect(rows).toEqual([{ why: 'Told in a digest when the earlier messages about the same records have gone.' }]);
    const { rows: released } = await query(`SELECT DISTINCT released_at AS at FROM deliveries WHERE fold_kind = 'daily'`);
    expect(released).toEqual([{ at: ITS_TIME }]);
  });

  test('then what another rule has gathered is told in its own time', async () => {
    await query(
      `INSERT INTO rules (id, tenant_id, name, event_type, digest) SELECT 8, tenant_id, 'Losses', event_type, digest FROM rules WHERE id = $1`,
      DAILY,
    );
    await gathered(20, 9, { rule_id: 8 });
    await letGo();

    expect((await query('SELECT state, fold_kind AS kind FROM deliveries WHERE id = 20')).rows).toEqual([
      { state: 'queued', kind: 'daily' },
    ]);
    expect((await told()).held).toEqual([11, 12, 13, 16]);
  });

  test('then they go as other messages do when its rule is switched off meanwhile', async () => {
    await query('UPDATE rules SET enabled = false');
    await go(1);
    await letGo();

    expect(await told()).toEqual({ digests: [[11], [14, 15]], held: [] });
  });

  test('then they go before what comes of their records when its rule is switched off, and not before when it is not', async () => {
    await go(1, 2, 3);
    await underWay(30, { entity_id: '1' });
    const claimed = async () => {
      const { claimed: claims } = await makeDeliveryStore(testDatabase.database).claimDue(1);
      await query(`UPDATE google_spaces SET lease_until = NULL, next_slot_at = 'epoch', due_at = 'epoch', is_waiting = true`);
      return claims.map(({ id, isHeldBefore }) => ({ id, isHeldBefore }));
    };
    await query(`UPDATE deliveries SET not_before = 'epoch' WHERE id = 30`);
    const before = await claimed();
    await query('UPDATE rules SET enabled = false');

    expect([before, await claimed()]).toEqual([[{ id: 30, isHeldBefore: false }], [{ id: 30, isHeldBefore: true }]]);
  });
});

test('when a message of several is to tell what came before of its records, then it waits for that, however many they are', async () => {
  await underWay(1, { fold_kind: 'backlog', attempts: 1, not_before: AWAY });
  for (const deal of [2, 3, 4]) await underWay(deal, { state: 'folded', folded_into: 1 });
  for (const deal of [2, 3, 4]) await gathered(10 + deal, deal);
  await letGo();
  const before = await told();
  await go(1);
  await letGo();

  expect(before).toEqual({ digests: [], held: [12, 13, 14] });
  expect(await told()).toEqual({ digests: [[12, 13, 14]], held: [] });
});

test('when it is told no more while its records are told at once, then each of those goes after that as other messages do', async () => {
  await query('UPDATE rules SET digest = NULL');
  for (const deal of [1, 2]) await underWay(deal);
  for (const deal of [1, 2, 3, 4]) await gathered(10 + deal, deal, { held_until: new Date(0) });

  await letGo();

  expect(await told()).toEqual({ digests: [[13, 14]], held: [] });
});
