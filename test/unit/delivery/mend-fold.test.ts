/** Messages of several of which some cannot be told, over a real ledger: the others are told, nothing is lost, and each record stays in order. */

import { pino } from 'pino';
import { NO_RATES } from '../../../src/core/exchange-rates';
import { makeDeliverDue } from '../../../src/delivery/deliver-due';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { makeMendFold } from '../../../src/delivery/mend-fold';
import { makeRenderBodies } from '../../../src/delivery/render-bodies';
import { aClaimedDelivery } from '../../support/builders';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { waitUntil } from '../../support/wait-until';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

beforeEach(async () => {
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
  await ledger.addDestination();
});

/** Its messages reach Chat at once. What it cannot render is a record of this title, among so many. */
function aSender({ cannotRender = '', cannotRenderAmong = 1 } = {}) {
  const { database } = testDatabase;
  const log = pino({ level: 'silent' });
  const store = makeDeliveryStore(database);
  const folds = makeFoldStore(database);
  const posted: string[] = [];
  const renderBodies = makeRenderBodies({
    gatherFacts: () => Promise.resolve(new Map()),
    loadFolds: async (ids) => {
      const changes = await folds.loadFolds(ids);
      const told = [...changes.values()].flat();
      if (told.length >= cannotRenderAmong && told.some(({ state }) => state['title'] === cannotRender))
        throw new Error('cannot be rendered');
      return changes;
    },
    loadRates: () => Promise.resolve(NO_RATES),
  });
  const deliverDue = makeDeliverDue({
    store,
    record: (attempt) => store.record([attempt]),
    screenDue: (delivery) => Promise.resolve(delivery),
    databaseTrouble: () => null,
    renderBodies,
    mendFold: makeMendFold({ folds, log }),
    postBody: (_delivery, body) => {
      posted.push(body);
      return Promise.resolve({ kind: 'sent', httpStatus: 200, messageName: `m${posted.length}`, threadName: null });
    },
    log,
    concurrency: 5,
    makeTurnstile: () => (work) => work(),
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 20_000, firstProbeMs: 300_000 },
    nowMs: () => performance.now(),
    jitter: () => 0,
  });
  return {
    posted,
    /** Until so many messages have been posted and recorded. */
    async send(count: number) {
      await deliverDue.wake();
      await waitUntil('they are sent', async () => {
        await deliverDue.wake();
        return (await query(`SELECT FROM deliveries WHERE state = 'sent'`)).rows.length === count;
      });
      await deliverDue.close();
    },
  };
}

/** Deals 1, 2, 2 and 4, told by the message of the first. */
async function givenFold(kind: string): Promise<void> {
  for (const id of [1, 2, 3, 4]) {
    const fold = id === 1 ? { fold_kind: kind } : { state: 'folded', folded_into: 1 };
    await ledger.addDelivery({ id, record: JSON.stringify({ title: `Deal ${id}` }), ...fold });
  }
  await query(`UPDATE deliveries SET entity_id = '2' WHERE id = 3`);
}

const deliveries = async () => {
  const { rows } = await query(
    `SELECT id::int, state, folded_into::int AS into, fold_kind AS kind, not_before > now() AS "isAside", state_reason AS reason FROM deliveries ORDER BY id`,
  );
  return rows;
};
const ALONE = { into: null, kind: null, isAside: false, reason: null };
const ASIDE = { ...ALONE, state: 'queued', isAside: true, reason: expect.any(String) };

const unread = (id: number) =>
  query(`UPDATE deliveries SET transition = '{"type": "deal.sung_of", "changes": []}' WHERE id = ${id}`);

test.each([
  ['has a record that is none', () => query(`UPDATE deliveries SET record = '"odd"' WHERE id = 2`)],
  ['means what this version does not know', () => unread(2)],
])(
  'when one of those that a message tells %s, then it tells the others; that one and what came later of its record wait',
  async (_what, write) => {
    await givenFold('quiet');
    await write();
    const { send, posted } = aSender();

    await send(1);

    expect(await deliveries()).toEqual([
      { id: 1, ...ALONE, state: 'sent', kind: 'quiet' },
      { id: 2, ...ASIDE },
      { id: 3, ...ALONE, state: 'queued' },
      { id: 4, ...ALONE, state: 'folded', into: 1 },
    ]);
    expect(posted[0]).toContain('Deal 4');
    expect(posted[0]).not.toContain('Deal 3');
  },
);

test('when the message of a digest is itself the one that cannot be read, then another one tells the rest', async () => {
  await givenFold('daily');
  await query(`UPDATE deliveries SET released_at = '2026-11-25T08:00:00Z' WHERE id = 1`);
  await unread(1);
  const { send, posted } = aSender();

  await send(1);

  expect(await deliveries()).toEqual([
    { id: 1, ...ASIDE, kind: 'daily' },
    { id: 2, ...ALONE, state: 'sent', kind: 'daily' },
    { id: 3, ...ALONE, state: 'folded', into: 2 },
    { id: 4, ...ALONE, state: 'folded', into: 2 },
  ]);
  expect(posted[0]).toContain('Deal 4');
  const { rows } = await query(`SELECT released_at AS at FROM deliveries WHERE id = 2`);
  expect(rows).toEqual([{ at: new Date('2026-11-25T08:00:00Z') }]);
});

test('when one that could not be told is due again while a backlog grows, then it counts as tried and is folded no more', async () => {
  await givenFold('quiet');
  await query(`UPDATE deliveries SET record = '"odd"' WHERE id = 2`);
  const { send } = aSender();
  await send(1);
  await query(`UPDATE deliveries SET not_before = now() WHERE id = 2`);
  for (const id of [5, 6]) await ledger.addDelivery({ id });

  await makeFoldStore(testDatabase.database).fold(aClaimedDelivery({ id: 5, spaceId: 'A' }), false, ({ id }, due) => [
    { leadId: id, memberIds: due.map((candidate) => candidate.id).filter((other) => other !== id) },
  ]);

  const { rows } = await query(`SELECT id::int, attempts FROM deliveries WHERE state <> 'folded' AND id <> 1 ORDER BY id`);
  expect(rows.slice(0, 1)).toEqual([{ id: 2, attempts: 1 }]);
  expect((await query(`SELECT id::int FROM deliveries WHERE folded_into = 5`)).rows).toContainEqual({ id: 6 });
});

test.each([
  ['quiet', null],
  ['daily', 'daily'],
])(
  'when those that a %s message tells fail together only, again and again, then they are told in fewer, in order',
  async (kind, kindAlone) => {
    await givenFold(kind);
    await query('UPDATE deliveries SET attempts = 2 WHERE id = 1');
    const { send, posted } = aSender({ cannotRender: 'Deal 4', cannotRenderAmong: 2 });

    await send(3);

    expect(await deliveries()).toEqual([
      { id: 1, ...ALONE, state: 'sent', kind },
      { id: 2, ...ALONE, state: 'folded', into: 1 },
      { id: 3, ...ALONE, state: 'sent', kind: kindAlone },
      { id: 4, ...ALONE, state: 'sent', kind: kindAlone },
    ]);
    const named = posted.map((body) => [...new Set(body.match(/Deal \d/g))].sort().join(' '));
    expect(named).toEqual(['Deal 1 Deal 2', 'Deal 3', 'Deal 4']);
  },
);

test('when a message is halved, then its space is free by the same statement; one that was lost meanwhile stays with whoever has it', async () => {
  await givenFold('quiet');
  const folds = makeFoldStore(testDatabase.database);
  const [lead] = (await makeDeliveryStore(testDatabase.database).claimDue(1)).claimed;
  if (lead === undefined) throw new Error('nothing was claimed');
  const isLeased = async () => (await query('SELECT lease_until IS NOT NULL AS is FROM google_spaces')).rows[0].is;

  await folds.halve({ ...lead, lease: new Date(0).toISOString() }, 0);
  const lost = [(await deliveries()).map(({ into }) => into), await isLeased()];
  await folds.halve(lead, 0);

  expect(lost).toEqual([[null, 1, 1, 1], true]);
  expect([(await deliveries()).map(({ into }) => into), await isLeased()]).toEqual([[null, 1, null, 3], false]);
});

test('when only one can be told, then it goes as any other message', async () => {
  await givenFold('backlog');
  for (const id of [2, 4]) await unread(id);
  const { send } = aSender();

  await send(1);

  expect(await deliveries()).toEqual([
    { id: 1, ...ALONE, state: 'sent' },
    { id: 2, ...ASIDE },
    { id: 3, ...ALONE, state: 'queued' },
    { id: 4, ...ASIDE },
  ]);
});

test('when it can be read again, then it goes, and what waited for it goes after it', async () => {
  await givenFold('quiet');
  await unread(2);
  const first = aSender();
  await first.send(1);
  await query(`UPDATE deliveries SET transition = '{"type": "deal.won", "changes": []}', not_before = now() WHERE id = 2`);
  await query(`UPDATE google_spaces SET due_at = 'epoch', is_waiting = true`);
  const { send, posted } = aSender();

  await send(3);

  expect(posted.map((body) => /Deal \d/.exec(body)?.[0])).toEqual(['Deal 2', 'Deal 3']);
});

test('when the message was frozen before, then it goes as it is', async () => {
  await givenFold('quiet');
  await query(`UPDATE deliveries SET rendered_body = '{"text": "All of it"}' WHERE id = 1`);
  await unread(2);
  const { send, posted } = aSender();

  await send(1);

  expect(posted).toEqual(['{"text": "All of it"}']);
  expect((await deliveries()).map(({ state }) => state)).toEqual(['sent', 'folded', 'folded', 'folded']);
});

test('when a message cannot be prepared although each that it tells could, then it stays together and is tried again', async () => {
  await givenFold('quiet');
  await ledger.addDelivery({ id: 5 });
  const { send } = aSender({ cannotRender: 'Deal 4' });

  await send(1);

  expect((await deliveries()).map(({ id, state, isAside }) => ({ id, state, isAside }))).toEqual([
    { id: 1, state: 'queued', isAside: true },
    ...[2, 3, 4].map((id) => ({ id, state: 'folded', isAside: false })),
    { id: 5, state: 'sent', isAside: false },
  ]);
});
