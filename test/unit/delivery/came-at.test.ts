/** What is dropped in quiet hours, and for which time a digest gathers, by when messages came and not by when they were routed, over a real ledger. */

import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { makeScreenDue } from '../../../src/delivery/screen-due';
import { makeSetAsideStore } from '../../../src/delivery/set-aside.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

/** The night began, and the time of the digest was, half a minute ago. */
const NOW = new Date('2026-11-25T20:00:30Z');
const LONG_AGO = new Date(NOW.getTime() - 7 * 86_400_000);

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

beforeEach(async () => {
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', 'epoch', true)`);
});

const drops = (columns: object = {}) =>
  ledger.addDestination({ quiet_hours: '{"from": "20:00", "to": "08:00", "mode": "drop"}', updated_at: LONG_AGO, ...columns });

/** Accepted so many seconds ago and routed just now, in the order of the ids. */
async function came(id: number, secondsAgo: number, columns: object = {}): Promise<void> {
  await query(
    `INSERT INTO events (id, tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload)
     VALUES ($1::bigint, $2, 'deal', $1::text, 'change', '', now(), now() - $3 * interval '1 second', '')`,
    ...[id, ledger.tenant, secondsAgo],
  );
  await ledger.addDelivery({ id, rule_id: 7, not_before: new Date(id), ...columns });
}

/** Looks at one message after the other, until none is left. */
async function lookAtAll(): Promise<number> {
  const { database } = testDatabase;
  const folds = makeFoldStore(database);
  const backlogOf = () => Promise.resolve(null);
  const screenDue = makeScreenDue({
    ...{ folds: { ...folds, backlogOf }, aside: makeSetAsideStore(database.pool), clock: () => NOW },
    ...{ releaseHeld: () => Promise.resolve(), spaceIntervalMs: 1_000 },
  });
  let looks = 0;
  for (;;) {
    const [delivery] = (await makeDeliveryStore(database).claimDue(1)).claimed;
    if (delivery === undefined) return looks;
    looks += 1;
    if ((await screenDue(delivery)) !== null) throw new Error('it was to wait or to be dropped');
  }
}

const byState = async (state: string): Promise<readonly number[]> =>
  (await query('SELECT id::int FROM deliveries WHERE state = $1 ORDER BY id', state)).rows.map(({ id }) => id);

test('when what came before quiet hours that drop is routed together with what came in them, then that alone is dropped, all of it at one look', async () => {
  await drops();
  await came(1, 20);
  await came(2, 40);
  await came(3, 10);
  await came(4, 20);

  const looks = await lookAtAll();

  expect([await byState('held'), await byState('dropped'), looks]).toEqual([[2], [1, 3, 4], 2]);
});

test('when the reconciliation found in quiet hours that drop what happened before them, then it is told at their end', async () => {
  await drops();
  const late = {
    transition: '{"type": "deal.won", "changes": [], "cause": {"changeSource": null, "isBulkEdit": false, "isLate": true}}',
  };
  await came(1, 20, { ...late, occurred_at: new Date(Date.now() - 3_600_000) });
  await came(2, 20, { ...late, occurred_at: new Date(Date.now() - 25_000) });

  await lookAtAll();

  expect([await byState('held'), await byState('dropped')]).toEqual([[1], [2]]);
});

test.each([
  ['between two messages', -15, [1], [2]],
  ['before them', -30, [], [1, 2]],
  ['at a time that has not come, because the clock was wrong', 3_600, [], [1, 2]],
])(
  'when quiet hours that drop were chosen %s (%p s), then what came before that is kept',
  async (_when, seconds, held, dropped) => {
    await drops({ updated_at: new Date(Date.now() + seconds * 1_000) });
    await came(1, 20);
    await came(2, 5);

    await lookAtAll();

    expect([await byState('held'), await byState('dropped')]).toEqual([held, dropped]);
  },
);

test('when messages of a digest rule came before its time and after it, then each is gathered for the first time after it came, those of one time at one look', async () => {
  await ledger.addDestination({ time_zone: 'UTC' });
  await query(
    `INSERT INTO rules (id, tenant_id, name, event_type, digest) VALUES (7, $1, 'Wins', 'deal.won', '{"every": "day", "at": "20:00"}')`,
    ledger.tenant,
  );
  await came(1, 60);
  await came(2, 10);
  await came(3, 50);
  await came(4, 29);
  await came(5, 86_460);

  const looks = await lookAtAll();

  const { rows } = await query('SELECT id::int, held_until AS until FROM deliveries ORDER BY id');
  const [yesterday, today, tomorrow] = [24, 25, 26].map((day) => new Date(`2026-11-${day}T20:00:00Z`));
  expect(rows.map(({ id, until }) => [id, until])).toEqual([
    [1, today],
    [2, tomorrow],
    [3, today],
    [4, tomorrow],
    [5, yesterday],
  ]);
  expect(looks).toBe(3);
});
