/** Watches in the database follow their records, in whatever order these become others and whoever comes to watch meanwhile. */

import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import type { BatchPlan } from '../../../src/rules/plan-batch';
import { addWatch, findWatch, holdWatches, moveWatches } from '../../../src/rules/watch.store';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const DESTINATION = 1;

beforeEach(() => ledger.addDestination({ id: DESTINATION }));

const aDeal = (entityId: string) => ({ entity: 'deal', entityId, chatWebhookId: DESTINATION });
const watch = async (entityId: string): Promise<number> =>
  (
    await addWatch(testDatabase.database.prisma, ledger.tenant, {
      ...aDeal(entityId),
      author: `Watcher of ${entityId}`,
      createdAt: new Date(),
    })
  ).id;
const to = (entityId: string) => ({ to: { entity: 'deal', entityId } });
const move = (...moved: BatchPlan['moved']) =>
  testDatabase.database.repeatableTransaction((client) => moveWatches(client, ledger.tenant, moved));
async function watched(): Promise<Record<string, string>> {
  const { rows } = await ledger.query('SELECT entity_id AS deal, author FROM watches WHERE tenant_id = $1', ledger.tenant);
  return Object.fromEntries(rows.map(({ deal, author }) => [deal, author]));
}

test.each([
  ['in the order in which they came', [0, 1]],
  ['the other way round', [1, 0]],
])('when one watch goes where another is leaving, %s, then both arrive', async (_, order) => {
  const [first, second] = [await watch('1'), await watch('2')];
  const moves = [
    { id: first, ...to('2') },
    { id: second, ...to('3') },
  ];

  await move(...order.flatMap((index) => moves[index] ?? []));

  expect(await watched()).toEqual({ 2: 'Watcher of 1', 3: 'Watcher of 2' });
});

test('when two watches change their places, then both arrive', async () => {
  const [first, second] = [await watch('1'), await watch('2')];

  await move({ id: first, ...to('2') }, { id: second, ...to('1') });

  expect(await watched()).toEqual({ 1: 'Watcher of 2', 2: 'Watcher of 1' });
});

test('when one has nowhere to go, then it ends, and another may take its place', async () => {
  const [first, second] = [await watch('1'), await watch('2')];

  await move({ id: first, to: null }, { id: second, ...to('1') });

  expect(await watched()).toEqual({ 1: 'Watcher of 2' });
});

test('when somebody is just coming to watch the record that it goes to, then one of the two is left', async () => {
  const { prisma } = testDatabase.database;
  const id = await watch('1');
  let moving: Promise<void> | undefined;

  await prisma.$transaction(async (client) => {
    await holdWatches(client, ledger.tenant);
    await addWatch(client, ledger.tenant, { ...aDeal('2'), author: 'Ana', createdAt: new Date() });
    moving = move({ id, ...to('2') });
    await ledger.untilLocked();
  });
  await moving;

  expect(await watched()).toEqual({ 2: 'Ana' });
});

test('when somebody comes to watch a record while a watch goes to it, then that one is found', async () => {
  const { prisma, repeatableTransaction } = testDatabase.database;
  const id = await watch('1');

  const found = await repeatableTransaction(async (client) => {
    await moveWatches(client, ledger.tenant, [{ id, ...to('2') }]);
    const coming = prisma.$transaction(async (other) => {
      await holdWatches(other, ledger.tenant);
      return await findWatch(other, ledger.tenant, aDeal('2'));
    });
    await ledger.untilLocked();
    return { coming };
  });

  expect(await found.coming).toMatchObject({ id });
});
