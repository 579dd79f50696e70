/** What is dropped when a rule, a watch or a record goes, also of what one message was to tell of many, over a real ledger. */

import { pino } from 'pino';
import type { ClaimedDelivery } from '../../../src/delivery/delivery-ledger';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { dropWaiting, type Going } from '../../../src/delivery/drop-waiting.store';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { makeHoldStore } from '../../../src/delivery/hold.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';
import { readingMore, usePlans } from '../../support/use-plans';

const REASON = 'It went.';
const RULE = { ruleId: 2 };
const RECORD = { entity: 'deal', entityId: '2' };

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;
const openPlanned = usePlans(testDatabase);

beforeEach(async () => {
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
  await ledger.addDestination();
});

const drop = (of: Going) => testDatabase.database.prisma.$transaction((client) => dropWaiting(client, ledger.tenant, of, REASON));

/** Of a broken destination, so that nothing of it was posted. */
const HELD = { state: 'held', held_because: 'broken', state_reason: 'Chat says no.', waiting_since: new Date(0) };

/** Deliveries 1 to 4, of as many deals, told by the message of the first. Those of `bad` are of rule 2, the others of rule 1. */
async function givenFold(kind: string, bad: readonly number[], lead: object = HELD): Promise<void> {
  for (const id of [1, 2, 3, 4]) {
    const fold = id === 1 ? { fold_kind: kind, ...lead } : { state: 'folded', folded_into: 1, finished_at: new Date(0) };
    await ledger.addDelivery({ id, rule_id: bad.includes(id) ? 2 : 1, not_before: new Date(id), ...fold });
  }
}

const deliveries = async () => {
  const { rows } = await query(
    `SELECT id::int, state, folded_into::int AS into, fold_kind AS kind, state_reason AS reason, finished_at IS NOT NULL AS "isOver"
       FROM deliveries ORDER BY id`,
  );
  return rows;
};
const DROPPED = { state: 'dropped', into: null, kind: null, reason: REASON, isOver: true };
const LEADS = { state: 'held', into: null, reason: HELD.state_reason, isOver: false };
const told = (into: number) => ({ state: 'folded', into, kind: null, reason: null, isOver: true });

describe.each(['backlog', 'quiet', 'daily', 'weekly'])('when a rule goes of which a %s message has something to tell', (kind) => {
  const kindAlone = kind === 'daily' || kind === 'weekly' ? kind : null;

  test('then it tells the others', async () => {
    await givenFold(kind, [2, 3]);

    const count = await drop(RULE);

    expect(count).toBe(2);
    expect(await deliveries()).toEqual([
      { id: 1, ...LEADS, kind },
      { id: 2, ...DROPPED },
      { id: 3, ...DROPPED },
      { id: 4, ...told(1) },
    ]);
  });

  test('and itself is of that rule, then another one of them tells the rest, as it was to be told', async () => {
    await givenFold(kind, [1, 3], {
      ...HELD,
      attempts: 2,
      is_plain: true,
      via_webhook_id: 7,
      space_id: 'B',
      released_at: new Date(5),
    });

    const count = await drop(RULE);

    expect(count).toBe(2);
    expect(await deliveries()).toEqual([
      { id: 1, ...DROPPED },
      { id: 2, ...LEADS, kind },
      { id: 3, ...DROPPED },
      { id: 4, ...told(2) },
    ]);
    const { rows } = await query(
      `SELECT held_because, waiting_since, not_before, attempts, is_plain, via_webhook_id, space_id, released_at FROM deliveries WHERE id = 2`,
    );
    expect(rows).toEqual([
      {
        ...{ held_because: 'broken', waiting_since: new Date(0), not_before: new Date(1), attempts: 2 },
        ...{ is_plain: true, via_webhook_id: 7, space_id: 'B', released_at: new Date(5) },
      },
    ]);
  });

  test('and one is left, then that is alone, in a digest only if it was to be in one', async () => {
    await givenFold(kind, [1, 2, 4]);

    await drop(RULE);

    expect(await deliveries()).toEqual([
      { id: 1, ...DROPPED },
      { id: 2, ...DROPPED },
      { id: 3, ...LEADS, kind: kindAlone },
      { id: 4, ...DROPPED },
    ]);
  });

  test('and nothing is left, then all of it is dropped', async () => {
    await givenFold(kind, [1, 2, 3, 4]);

    const count = await drop(RULE);

    expect(count).toBe(4);
    expect(await deliveries()).toEqual([1, 2, 3, 4].map((id) => ({ id, ...DROPPED })));
  });
});

test('when a digest tells one alone and its rule goes, then it is dropped', async () => {
  await ledger.addDelivery({ id: 1, rule_id: 2, fold_kind: 'daily', ...HELD });

  await drop(RULE);

  expect(await deliveries()).toEqual([{ id: 1, ...DROPPED }]);
});

test('when a record goes, then all that waits of it is dropped, whoever tells it, also what was asked for again', async () => {
  await givenFold('backlog', []);
  await query(`UPDATE deliveries SET entity_id = '2', replay = 1 WHERE id = 4`);
  await ledger.addDelivery({ id: 5, entity_id: '2', rule_id: 0 });
  await ledger.addDelivery({ id: 6, entity_id: '2', rule_id: -3, ...HELD });
  await ledger.addDelivery({ id: 7, entity: 'person', entity_id: '2' });

  const count = await drop(RECORD);

  expect(count).toBe(4);
  expect(await deliveries()).toEqual([
    { id: 1, ...LEADS, kind: 'backlog' },
    { id: 2, ...DROPPED },
    { id: 3, ...told(1) },
    { id: 4, ...DROPPED },
    { id: 5, ...DROPPED },
    { id: 6, ...DROPPED },
    { id: 7, ...LEADS, state: 'queued', reason: null, kind: null },
  ]);
});

test('when a watch ends, then what it was to tell among others is dropped', async () => {
  await givenFold('backlog', []);
  await query(`UPDATE deliveries SET rule_id = -2 WHERE id IN (1, 3)`);

  await drop({ ruleId: -2 });

  expect((await deliveries()).map(({ state, into }) => [state, into])).toEqual([
    ['dropped', null],
    ['held', null],
    ['dropped', null],
    ['folded', 2],
  ]);
});

test.each<[string, object]>([
  ['waits for the end of quiet hours', { state: 'held', held_for: 'quiet', held_until: new Date(9) }],
  ['is due', { state: 'queued' }],
])('when a message of several that %s changes, then it still does', async (_what, lead) => {
  await givenFold('daily', [1], lead);

  await drop(RULE);

  const { rows } = await query('SELECT * FROM deliveries WHERE id = 2');
  expect(rows).toEqual([expect.objectContaining(lead)]);
});

test.each([
  ['tells itself', [2], 1],
  ['told itself', [1], 2],
])('when Chat was busy and a message that %s is to tell others, then that is a new one', async (_what, bad, leadId) => {
  await givenFold('backlog', bad, { state: 'queued', attempts: 1, rendered_body: '{"text": "All of it"}' });
  const before = (await query('SELECT request_id FROM deliveries WHERE id = 1')).rows[0].request_id;

  await drop(RULE);

  const { rows } = await query('SELECT request_id, rendered_body, attempts FROM deliveries WHERE id = $1', leadId);
  expect(rows).toEqual([{ request_id: expect.any(String), rendered_body: null, attempts: 1 }]);
  expect(rows[0].request_id).not.toBe(before);
});

test.each([
  ['is being posted', { state: 'sending', uncertain: 1, attempts: 1, rendered_body: '{}' }],
  ['may have been posted', { ...HELD, uncertain: 1, attempts: 1, rendered_body: '{}' }],
  ['was posted', { state: 'sent', attempts: 1, rendered_body: '{}' }],
])('when a message of several %s, then it is left as it is', async (_what, lead) => {
  await givenFold('quiet', [1, 2], lead);
  const before = (await query('SELECT * FROM deliveries ORDER BY id')).rows;

  const counts = [await drop(RULE), await drop(RECORD)];

  expect(counts).toEqual([0, 0]);
  expect((await query('SELECT * FROM deliveries ORDER BY id')).rows).toEqual(before);
});

test('when something goes that a message of several does not tell, then it is left as it is, and so is that of another company', async () => {
  await givenFold('backlog', [2]);
  await query('UPDATE deliveries SET tenant_id = $1', await addTenant(testDatabase.database));
  await ledger.addDelivery({ id: 5, fold_kind: 'backlog' });
  await ledger.addDelivery({ id: 6, state: 'folded', folded_into: 5 });
  const before = (await query('SELECT * FROM deliveries ORDER BY id')).rows;

  const counts = [await drop(RULE), await drop(RECORD)];

  expect(counts).toEqual([0, 0]);
  expect((await query('SELECT * FROM deliveries ORDER BY id')).rows).toEqual(before);
});

const MUCH = 20_000;
const FEW = 100;
const FOLDED = { state: `'folded'`, folded_into: '1 + n % 500' };

describe.each([
  ['a rule', RULE],
  ['a record', RECORD],
])('when %s goes of which much was told before', (_what, of) => {
  test.each([
    ['and', 'sent', {}, true],
    ['and', 'folded', FOLDED, true],
    ['since statistics were taken, and', 'folded', FOLDED, false],
  ])('%s it was %s, then that is not read', async (_since, _how, before, isKnown) => {
    await query('ALTER TABLE deliveries SET (autovacuum_enabled = false)');
    await ledger.addDelivery({ id: 1, rule_id: 2, state: 'sent', finished_at: new Date() });
    if (!isKnown) await query('ANALYZE deliveries');
    await ledger.addMany(1, 2, MUCH, before);
    if (isKnown) await query('ANALYZE deliveries');
    for (const id of [MUCH + 1, MUCH + 2, MUCH + 3]) {
      const fold = id === MUCH + 1 ? { fold_kind: 'backlog', ...HELD } : { state: 'folded', folded_into: MUCH + 1 };
      await ledger.addDelivery({
        id,
        entity_id: '2',
        rule_id: 2,
        ...(id === MUCH + 2 && { entity_id: '9', rule_id: 1 }),
        ...fold,
      });
    }
    await ledger.addDelivery({ id: MUCH + 4, entity_id: '2', rule_id: 2 });
    const planned = await openPlanned();
    if (planned === null) return;

    const count = await planned.database.prisma.$transaction((client) => dropWaiting(client, ledger.tenant, of, REASON));

    expect(count).toBe(3);
    expect(readingMore(planned.take(), 'deliveries', FEW)).toEqual([]);
  });
});

describe('while a worker is at it', () => {
  async function claimed(): Promise<ClaimedDelivery> {
    const [delivery] = (await makeDeliveryStore(testDatabase.database).claimDue(1)).claimed;
    if (delivery === undefined) throw new Error('nothing was claimed');
    return delivery;
  }
  const DUE = { state: 'queued' };

  test.each([
    ['of which it has read all', [3]],
    ['of which it has read all, and which is of the rule itself,', [1]],
  ])('when a rule goes after a message of several was claimed %s, then it is not posted as it was', async (_what, bad) => {
    await givenFold('backlog', bad, DUE);
    const delivery = await claimed();

    await drop(RULE);

    expect(await makeDeliveryStore(testDatabase.database).freeze([{ delivery, body: '{}' }])).toEqual([false]);
  });

  /** Runs `work` while a rule is going, whose change is not committed yet, and lets both come to their end. */
  async function whileGoing(work: () => Promise<unknown>): Promise<void> {
    let isDone = Promise.resolve<unknown>(undefined);
    await testDatabase.database.prisma.$transaction(async (client) => {
      await dropWaiting(client, ledger.tenant, RULE, REASON);
      isDone = work();
      await ledger.untilLocked();
    });
    await isDone;
  }

  test('when a worker leaves some out of a message that a rule is just going of, then it leaves that to the next look', async () => {
    await givenFold('backlog', [2], DUE);
    const delivery = await claimed();

    await whileGoing(() => makeFoldStore(testDatabase.database).leaveOut(delivery, [1]));

    expect((await deliveries()).map(({ state, into }) => [state, into])).toEqual([
      ['queued', null],
      ['dropped', null],
      ['folded', 1],
      ['folded', 1],
    ]);
  });

  test('when a worker puts a message aside that it cannot read, of a rule that is just going, then that is dropped', async () => {
    await ledger.addDelivery({ id: 1, rule_id: 2, transition: '{"type": "deal.sung_of", "changes": []}' });

    await whileGoing(() => makeDeliveryStore(testDatabase.database).claimDue(1));

    expect(await deliveries()).toEqual([{ id: 1, ...DROPPED }]);
  });

  test('when a worker halves a message that a rule is just going of, then it leaves that to the next look', async () => {
    await givenFold('backlog', [3], DUE);
    const delivery = await claimed();

    await whileGoing(() => makeFoldStore(testDatabase.database).halve(delivery, 0));

    expect((await deliveries()).map(({ state, into }) => [state, into])).toEqual([
      ['queued', null],
      ['folded', 1],
      ['dropped', null],
      ['folded', 1],
    ]);
  });

  test('when a worker takes a message apart that a rule is just going of, then what is dropped stays so', async () => {
    await givenFold('backlog', [3], DUE);
    const delivery = await claimed();

    await whileGoing(() => makeFoldStore(testDatabase.database).takeApart(delivery));

    expect((await deliveries()).map(({ state, into }) => [state, into])).toEqual([
      ['queued', null],
      ['queued', null],
      ['dropped', null],
      ['queued', null],
    ]);
  });

  /** Its fallback may be told some of what it holds, and nobody tries it. */
  async function givenFallback(): Promise<void> {
    await ledger.addDestination({ id: 2, name: 'Stand-in', space_id: 'B' });
    await query(
      `UPDATE chat_webhooks SET health = 'broken', fallback_webhook_id = 2, next_probe_at = now() + interval '1 hour' WHERE id = 1`,
    );
  }

  /** Only in its first round does it look for more than what is held. */
  async function holdsOver(pool: Parameters<typeof makeHoldStore>[0]['pool']) {
    const holds = makeHoldStore({ pool, clock: () => new Date(), log: pino({ level: 'silent' }) });
    await holds.tidy();
    return holds;
  }

  test('when a worker parts a digest that a rule is just going of, then nothing of it is lost', async () => {
    await givenFallback();
    const holds = await holdsOver(testDatabase.database.pool);
    await givenFold('daily', [2]);
    for (const id of [2, 3])
      await ledger.addDelivery({ id: 10 + id, event_id: id, chat_webhook_id: 2, space_id: 'B', state: 'sent' });
    await query(`UPDATE deliveries SET rule_id = 2 WHERE id = 12`);

    await whileGoing(() => holds.tidy());
    await holds.tidy();

    expect((await deliveries()).slice(0, 4).map(({ state, into, kind }) => [state, into, kind])).toEqual([
      ['queued', null, 'daily'],
      ['dropped', null, null],
      ['held', null, 'daily'],
      ['folded', 1, null],
    ]);
  });

  test.each([
    ['folds', [1, 2]],
    ['folds into another', [2, 3]],
  ])('when a rule goes while a worker %s what is of it, then that is dropped', async (_what, bad) => {
    for (const id of [1, 2, 3]) await ledger.addDelivery({ id, rule_id: bad.includes(id) ? 2 : 1, not_before: new Date(id) });
    const head = await claimed();
    let isGone = Promise.resolve(0);
    const { pool } = testDatabase.database;
    const folding = makeFoldStore({
      pool,
      transaction: (work) =>
        testDatabase.database.transaction(async (client) => {
          const result = await work(client);
          isGone = drop(RULE);
          await ledger.untilLocked();
          return result;
        }),
    });

    const { version } = await folding.fold(head, false, () => [{ leadId: 1, memberIds: [2, 3] }]);
    await isGone;

    expect((await deliveries()).map(({ state }) => state)).toEqual(
      [1, 2, 3].map((id) => (bad.includes(id) ? 'dropped' : 'queued')),
    );
    const store = makeDeliveryStore(testDatabase.database);
    expect(await store.freeze([{ delivery: { ...head, version }, body: '{}' }])).toEqual([false]);
  });

  test('when a rule goes while a worker takes what is of it apart, then that alone is dropped', async () => {
    await givenFallback();
    const client = await testDatabase.database.pool.connect();
    const holds = await holdsOver(client);
    await givenFold('backlog', [2, 4]);
    await client.query('BEGIN');
    await holds.tidy();

    const going = drop(RULE);
    await ledger.untilLocked();
    await client.query('COMMIT');
    client.release();

    expect(await going).toBe(2);
    expect((await deliveries()).map(({ state, into, kind }) => [state, into, kind])).toEqual([
      ['queued', null, null],
      ['dropped', null, null],
      ['queued', null, null],
      ['dropped', null, null],
    ]);
  });
});
