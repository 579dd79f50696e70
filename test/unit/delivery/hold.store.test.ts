/** What is held for its destination's sake, round by round, over a real ledger. */

import { pino } from 'pino';
import { deliveriesOfEvents } from '../../../src/delivery/delivery-history.store';
import { makeHoldStore } from '../../../src/delivery/hold.store';
import { healthAfter, healthWithoutKey } from '../../../src/delivery/space-health';
import { makeTestStore } from '../../../src/delivery/test-message.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const [CHANNEL, FALLBACK] = [1, 2];
const DIGEST_AT = new Date('2026-11-25T08:00:00Z');

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;
const around = { clock: () => new Date(), log: pino({ level: 'silent' }) };

beforeEach(async () => {
  await ledger.addDestination({ id: FALLBACK, name: 'Stand-in', space_id: 'B' });
  await ledger.addDestination({ id: CHANNEL, fallback_webhook_id: FALLBACK });
});

interface GivenDelivery {
  readonly id: number;
  /** Of the same event and rule as this delivery. */
  readonly twinOf?: number;
  readonly chatWebhookId?: number;
  readonly state?: string;
  readonly foldKind?: string;
  readonly foldedInto?: number;
}

/** Of a deal of its own. */
const addDelivery = ({ id, twinOf = id, chatWebhookId = CHANNEL, state = 'queued', ...fold }: GivenDelivery) =>
  ledger.addDelivery({
    ...{ id, event_id: twinOf, state, fold_kind: fold.foldKind ?? null, folded_into: fold.foldedInto ?? null },
    ...{ chat_webhook_id: chatWebhookId, space_id: chatWebhookId === CHANNEL ? 'A' : 'B' },
  });

const deliveries = async () => {
  const { rows } = await query(
    `SELECT id::float8 AS id, state, via_webhook_id AS via, folded_into::float8 AS "foldedInto", fold_kind AS "foldKind"
       FROM deliveries WHERE chat_webhook_id = ${String(CHANNEL)} ORDER BY id`,
  );
  return rows;
};

/** The destination breaks while a message of several is under way. */
const breakDown = async () => {
  await query(
    `UPDATE chat_webhooks SET health = 'broken', next_probe_at = now() + interval '1 hour' WHERE id = ${String(CHANNEL)}`,
  );
  await query(`UPDATE deliveries SET state = 'held', held_because = 'broken' WHERE state = 'queued'`);
};

test('when a destination breaks at any moment of a round, then what its message tells comes apart before the fallback is given any of it', async () => {
  const apart = { foldedInto: null, foldKind: null };
  let statements = 0;
  const counting = {
    query: (statement: string, values: unknown[] = []) => query(statement, ...values).finally(() => (statements += 1)),
  };
  await makeHoldStore({ pool: counting, ...around }).tidy();
  const inRound = statements;

  for (let before = 0; before <= inRound; before += 1) {
    await query('DELETE FROM deliveries');
    await query(`UPDATE chat_webhooks SET health = 'healthy'`);
    await addDelivery({ id: 1, foldKind: 'backlog' });
    await addDelivery({ id: 2, state: 'folded', foldedInto: 1 });
    await addDelivery({ id: 3, twinOf: 2, chatWebhookId: FALLBACK, state: 'sent' });
    statements = 0;
    const breaking = {
      async query(statement: string, values?: unknown[]) {
        if (statements === before) await breakDown();
        return await counting.query(statement, values);
      },
    };
    const store = makeHoldStore({ pool: breaking, ...around });

    await store.tidy();
    await store.tidy();

    expect(await deliveries()).toEqual([
      { id: 1, state: 'queued', via: FALLBACK, ...apart },
      { id: 2, state: 'held', via: null, ...apart },
    ]);
  }
});

test.each([
  ['its first message', [1]],
  ['others', [2, 3]],
])(
  'when a digest of a broken destination tells of %s what the fallback is told too, then the fallback is given the rest as one',
  async (_which, twins) => {
    const isTwin = (id: number) => twins.includes(id);
    const ids = [1, 2, 3, 4];
    for (const id of ids) await addDelivery({ id, ...(id === 1 ? { foldKind: 'daily' } : { state: 'folded', foldedInto: 1 }) });
    for (const id of twins) await addDelivery({ id: 10 + id, twinOf: id, chatWebhookId: FALLBACK, state: 'sent' });
    await query('UPDATE deliveries SET released_at = $1 WHERE id = 1', DIGEST_AT);
    await breakDown();

    await makeHoldStore({ pool: testDatabase.database.pool, ...around }).tidy();

    expect(await deliveries()).toEqual(
      ids.map((id) => {
        const [leadId] = ids.filter((other) => isTwin(other) === isTwin(id));
        if (id !== leadId) return { id, state: 'folded', via: null, foldedInto: leadId, foldKind: null };
        const where = isTwin(id) ? { state: 'held', via: null } : { state: 'queued', via: FALLBACK };
        return { id, ...where, foldedInto: null, foldKind: 'daily' };
      }),
    );
    const { rows } = await query(`SELECT released_at AS at FROM deliveries WHERE fold_kind = 'daily'`);
    expect(rows).toEqual([{ at: DIGEST_AT }, { at: DIGEST_AT }]);
  },
);

test('when two workers part a digest at once, then what the first of them let go to the fallback stays told', async () => {
  const { pool } = testDatabase.database;
  const first = await pool.connect();
  const [one, other] = [makeHoldStore({ pool: first, ...around }), makeHoldStore({ pool, ...around })];
  // Only in the first round do they look for more, and wait for each other there.
  await one.tidy();
  await other.tidy();
  for (const id of [1, 2, 3])
    await addDelivery({ id, ...(id === 1 ? { foldKind: 'daily' } : { state: 'folded', foldedInto: 1 }) });
  await addDelivery({ id: 11, twinOf: 1, chatWebhookId: FALLBACK, state: 'sent' });
  await breakDown();
  await first.query('BEGIN');
  await one.tidy();
  await first.query(`UPDATE deliveries SET state = 'sent' WHERE state = 'queued'`);

  const second = other.tidy();
  await ledger.untilLocked();
  await first.query('COMMIT');
  first.release();
  await second;

  expect(await deliveries()).toEqual([
    { id: 1, state: 'held', via: null, foldedInto: null, foldKind: 'daily' },
    { id: 2, state: 'sent', via: FALLBACK, foldedInto: null, foldKind: 'daily' },
    { id: 3, state: 'folded', via: null, foldedInto: 2, foldKind: null },
  ]);
});

test('when the fallback is told all of a digest too, then that waits as it is', async () => {
  await addDelivery({ id: 1, foldKind: 'weekly' });
  await addDelivery({ id: 2, state: 'folded', foldedInto: 1 });
  for (const twinOf of [1, 2]) await addDelivery({ id: 10 + twinOf, twinOf, chatWebhookId: FALLBACK, state: 'sent' });
  await breakDown();

  await makeHoldStore({ pool: testDatabase.database.pool, ...around }).tidy();

  expect(await deliveries()).toEqual([
    { id: 1, state: 'held', via: null, foldedInto: null, foldKind: 'weekly' },
    { id: 2, state: 'folded', via: null, foldedInto: 1, foldKind: null },
  ]);
});

test.each([
  ['was dropped', { state: 'dropped' }, [], true],
  ['was given up, and Chat never took it', { state: 'failed' }, [], true],
  ['was given up, and may have been posted', { state: 'failed', uncertain: 1 }, [], false],
  [
    'was to be told by one that was given up, and may have been posted',
    { state: 'failed', folded_into: 12 },
    [{ event_id: 2, state: 'failed', fold_kind: 'backlog', uncertain: 1, finished_at: new Date(0) }],
    false,
  ],
  ['waits', { state: 'queued' }, [], false],
  ['was dropped and sent again', { state: 'dropped' }, [{ state: 'sent', replay: 1 }], false],
])(
  'when a destination breaks and the message that its rule owes the fallback too %s, then it is given to that only where nothing tells it there',
  async (_what, own, replays, isGiven) => {
    await addDelivery({ id: 1 });
    await breakDown();
    for (const [at, columns] of [own, ...replays].entries())
      await ledger.addDelivery({ id: 11 + at, event_id: 1, chat_webhook_id: FALLBACK, space_id: 'B', ...columns });

    await makeHoldStore({ pool: testDatabase.database.pool, ...around }).tidy();

    const at = isGiven ? { state: 'queued', via: FALLBACK } : { state: 'held', via: null };
    expect(await deliveries()).toMatchObject([{ id: 1, ...at }]);
    const words = isGiven ? null : expect.stringContaining('Its rule tells the fallback “Stand-in” too.');
    const found = await deliveriesOfEvents(testDatabase.database.pool, ledger.tenant, [1]);
    expect(found.at(-1)).toMatchObject({ id: 1, reason: words });
  },
);

const IN_A_MINUTE = new Date(Date.now() + 60_000);
const trial = async () =>
  (await query('SELECT probe_delivery_id::int AS id FROM chat_webhooks WHERE id = $1', CHANNEL)).rows[0].id;
/** The destination is broken, holds these, and was to be tried by the first; that stands aside, because it cannot be prepared. */
async function givenTrial(ids: readonly number[]): Promise<void> {
  for (const id of ids) await addDelivery({ id, state: 'held' });
  await query(`UPDATE deliveries SET held_because = 'broken' WHERE state = 'held'`);
  await query(
    `UPDATE chat_webhooks SET health = 'broken', next_probe_at = now(), fallback_webhook_id = NULL WHERE id = $1`,
    CHANNEL,
  );
  await makeHoldStore({ pool: testDatabase.database.pool, ...around }).tidy();
  await query('UPDATE deliveries SET not_before = $1 WHERE state = $2', IN_A_MINUTE, 'queued');
}

test('when the trial of a broken destination stands aside, then another message is tried, and no later one of its record', async () => {
  await givenTrial([1, 2, 3]);
  await query(`UPDATE deliveries SET entity_id = '1' WHERE id = 2`);
  const first = await trial();

  await makeHoldStore({ pool: testDatabase.database.pool, ...around }).tidy();

  expect([first, await trial()]).toEqual([1, 3]);
  expect((await deliveries()).map(({ state }) => state)).toEqual(['queued', 'held', 'queued']);
});

test('when the trial tells others too and stands aside, then no later message about any of their records is tried', async () => {
  await givenTrial([1, 3, 4]);
  await addDelivery({ id: 2, state: 'folded', foldedInto: 1 });
  await query(`UPDATE deliveries SET fold_kind = 'daily' WHERE id = 1`);
  await query(`UPDATE deliveries SET entity_id = '2' WHERE id = 3`);

  await makeHoldStore({ pool: testDatabase.database.pool, ...around }).tidy();

  expect(await trial()).toBe(4);
});

const SETTINGS = { refusalConfirmMs: 0, firstProbeMs: 0 };
const NEARLY_BROKEN = { state: 'doubtful', reason: null, refusals: 2, sinceLastRefusalMs: 0, probes: 0 } as const;
const REFUSED = { kind: 'refused', httpStatus: 404, reason: 'HTTP 404' } as const;

test.each([
  ['its key could not be opened', healthWithoutKey(NEARLY_BROKEN, SETTINGS), ['queued', 'held']],
  ['Chat refused it', healthAfter(NEARLY_BROKEN, REFUSED, 0, SETTINGS), ['held', 'held']],
])(
  'when a destination is broken because %s, then a process that starts tries it at once only where that is for its key, whatever words it has for that, and no later round does',
  async (_why, health, states) => {
    await query('DELETE FROM chat_webhooks WHERE id = $1', FALLBACK);
    await addDelivery({ id: 1 });
    await breakDown();
    const sealedCredentials = (await query('SELECT sealed_credentials AS sealed FROM chat_webhooks')).rows[0].sealed;
    const saved = { chatWebhookId: CHANNEL, sealedCredentials, health: NEARLY_BROKEN };
    if (health !== null) await makeTestStore(testDatabase.database).recordHealth(saved, health);
    await query(`UPDATE chat_webhooks SET health_reason = 'In other words', next_probe_at = now() + interval '1 hour'`);
    const store = makeHoldStore({ pool: testDatabase.database.pool, ...around });
    const stateAfterRound = async () => {
      await store.tidy();
      return (await deliveries())[0]?.state;
    };

    const first = await stateAfterRound();
    await breakDown();
    const second = await stateAfterRound();

    expect([first, second]).toEqual(states);
  },
);
