/** Within a space nothing of a record overtakes what came before, over a real ledger: not what another message is to tell either. */

import { pino } from 'pino';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { makeReleaseHeld } from '../../../src/delivery/release-held';
import { makeScreenDue } from '../../../src/delivery/screen-due';
import { makeSetAsideStore } from '../../../src/delivery/set-aside.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

/** The message of deal 1 tells deal 2 too, and stands aside. */
beforeEach(async () => {
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
  await ledger.addDestination();
  await ledger.addDelivery({ id: 1, fold_kind: 'quiet', not_before: new Date(Date.now() + 60_000) });
  await ledger.addDelivery({ id: 2, state: 'folded', folded_into: 1 });
});

test('when a message of several was given to a fallback or moved with its destination, then later ones of its records still wait for it', async () => {
  await query(`UPDATE deliveries SET space_id = 'former' WHERE id = 2`);
  await ledger.addDelivery({ id: 3, entity_id: '2' });

  const { claimed } = await makeDeliveryStore(testDatabase.database).claimDue(1);

  expect(claimed).toEqual([]);
});

/** What may be folded of the backlog whose head is due. */
async function foldable(): Promise<readonly number[]> {
  const { database } = testDatabase;
  const [head] = (await makeDeliveryStore(database).claimDue(1)).claimed;
  if (head === undefined) throw new Error('nothing was claimed');
  const mayBeFolded: number[] = [];

  await makeFoldStore(database).fold(head, false, (_head, due) => {
    mayBeFolded.push(...due.map(({ id }) => id));
    return [];
  });
  return mayBeFolded;
}

test('when one of a backlog is later than what another message is to tell, then it is not folded', async () => {
  for (const id of [3, 4, 5]) await ledger.addDelivery({ id, entity_id: id === 4 ? '2' : String(id) });

  expect(await foldable()).toEqual([3, 5]);
});

test.each([
  ['a digest that is told no more', { held_for: 'daily', held_until: new Date(0) }],
  ['quiet hours that are gone', { held_for: 'quiet', held_until: new Date(Date.now() + 3_600_000) }],
])('when one of a backlog is later than what waits for %s, then it is not folded', async (_what, held) => {
  await ledger.addDelivery({ id: 3, entity_id: '9', state: 'held', ...held });
  for (const id of [4, 5, 6]) await ledger.addDelivery({ id, entity_id: id === 5 ? '9' : String(id) });

  expect(await foldable()).toEqual([4, 6]);
});

test('when one that was held is later than what another message is to tell, then it is let go by itself', async () => {
  const held = { state: 'held', held_for: 'quiet', held_until: new Date(0) };
  for (const id of [3, 4, 5]) await ledger.addDelivery({ id, entity_id: id === 4 ? '2' : String(id), ...held });
  const store = makeHeldStore(testDatabase.database);
  const mayBeFolded: number[] = [];

  for (const hold of (await store.dueHolds(new Date(), [])).due)
    await store.release(hold, new Date(), (candidates) => {
      mayBeFolded.push(...candidates.map(({ id }) => id));
      return [];
    });

  expect(await foldable()).toEqual([3, 5]);
  expect((await query(`SELECT FROM deliveries WHERE state = 'queued'`)).rows).toHaveLength(4);
});

test('when one that a digest gathered is later than what another message is to tell, then it waits for that', async () => {
  const held = { state: 'held', held_for: 'daily', held_until: new Date(0) };
  await ledger.addDelivery({ id: 4, entity_id: '2', ...held });
  const store = makeHeldStore(testDatabase.database);
  for (const hold of (await store.dueHolds(new Date(), [])).due) await store.release(hold, new Date(), () => []);

  const { claimed } = await makeDeliveryStore(testDatabase.database).claimDue(1);

  expect(claimed).toEqual([]);
});

describe('when a message that was tried stands aside', () => {
  const tried = { id: 10, attempts: 3, not_before: new Date(Date.now() + 60_000) };
  const claimedIds = async () => (await makeDeliveryStore(testDatabase.database).claimDue(1)).claimed.map(({ id }) => id);

  test('then one that tells of its record too waits for it, and others go', async () => {
    await ledger.addDelivery(tried);
    await ledger.addDelivery({ id: 11, fold_kind: 'quiet' });
    await ledger.addDelivery({ id: 12, entity_id: '10', state: 'folded', folded_into: 11 });
    await ledger.addDelivery({ id: 13 });

    expect(await claimedIds()).toEqual([13]);
  });

  test.each([
    ['among others', { id: 11 }, [9, 12], 11],
    ['first of all', { id: 9, entity_id: '10' }, [12], 9],
  ])(
    'then one that tells of its record from before, %s, goes: the tried one waits for that',
    async (_where, lead, ids, leadId) => {
      await ledger.addDelivery(tried);
      await ledger.addDelivery({ ...lead, fold_kind: 'daily' });
      for (const id of ids) await ledger.addDelivery({ id, entity_id: '10', state: 'folded', folded_into: leadId });

      expect(await claimedIds()).toEqual([leadId]);
    },
  );

  test('then two that tell of two records crosswise wait for it no longer than ten minutes: all four would wait for each other for ever', async () => {
    const overdue = { attempts: 3, not_before: new Date(Date.now() - 601_000) };
    await ledger.addDelivery({ ...overdue, id: 13, entity_id: 'one' });
    await ledger.addDelivery({ ...overdue, id: 23, entity_id: 'two' });
    await ledger.addDelivery({ id: 30, fold_kind: 'quiet' });
    await ledger.addDelivery({ id: 31, fold_kind: 'quiet' });
    const told = (id: number, entityId: string, leadId: number) =>
      ledger.addDelivery({ id, entity_id: entityId, state: 'folded', folded_into: leadId });
    await told(15, 'one', 30);
    await told(21, 'two', 30);
    await told(11, 'one', 31);
    await told(25, 'two', 31);

    expect([[30], [31]]).toContainEqual(await claimedIds());
  });
});

test.each([
  ['quiet hours that are gone', { held_for: 'quiet', held_until: new Date(Date.now() + 3_600_000) }],
  ['a digest that is told no more', { held_for: 'daily', held_until: new Date(0) }],
])('when one waits for %s, and nothing is folded, then a later one of its record goes after it', async (_what, held) => {
  const { database } = testDatabase;
  await query(`UPDATE chat_webhooks SET fold = 'off'`);
  await ledger.addDelivery({ id: 3, entity_id: '9', state: 'held', ...held });
  await ledger.addDelivery({ id: 4, entity_id: '9' });
  const folds = makeFoldStore(database);
  const clock = () => new Date();
  const log = pino({ level: 'silent' });
  const screenDue = makeScreenDue({
    folds: { ...folds, backlogOf: async (head) => (await folds.backlogs([head])).get(head.delivery.id) ?? null },
    aside: makeSetAsideStore(database.pool),
    releaseHeld: makeReleaseHeld({ store: makeHeldStore(database), bell: { ringDeliver: () => undefined }, clock, log }),
    ...{ spaceIntervalMs: 1_000, clock },
  });
  const claimOne = async () => (await makeDeliveryStore(database).claimDue(1)).claimed;
  const [later] = await claimOne();
  if (later === undefined) throw new Error('nothing was claimed');

  const goesNow = await screenDue(later);
  await query(`UPDATE google_spaces SET next_slot_at = 'epoch', due_at = 'epoch', is_waiting = true`);
  const next = await claimOne();

  expect([later.id, goesNow, next.map(({ id }) => id)]).toEqual([4, null, [3]]);
});
