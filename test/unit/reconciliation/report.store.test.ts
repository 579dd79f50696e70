/** What became of what Pipedrive lists, and what waits for a destination, where one message tells of several changes. */

import { troubledDestinations } from '../../../src/delivery/troubled-destination.store';
import { makeExpireHeld } from '../../../src/delivery/expire-held.store';
import { makeFailUntold } from '../../../src/delivery/fail-untold.store';
import { loadReport } from '../../../src/reconciliation/report.store';
import { figuresOf, sentenceOf, type Outcome } from '../../../src/reconciliation/summarize-report';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

beforeEach(() => ledger.addDestination({ health: 'broken' }));

/** A seen win of its own deal, and the message owed of it. */
async function win(id: number, state: string, foldedInto: number | null = null): Promise<void> {
  await query(
    `INSERT INTO sightings (tenant_id, type, entity, entity_id, happened_at) VALUES ($1, 'deal.won', 'deal', $2, now())`,
    ...[ledger.tenant, String(id)],
  );
  await query(
    `INSERT INTO events (id, tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, transitions, decisions)
     VALUES ($1, $2, 'deal', $3, 'change', $3, now(), '{}', now(), '{deal.won}', '[]')`,
    ...[id, ledger.tenant, String(id)],
  );
  await ledger.addDelivery({
    ...{ id, state, held_because: state === 'held' ? 'broken' : null },
    ...{ folded_into: foldedInto, fold_kind: foldedInto === null ? 'backlog' : null },
  });
}

async function outcomes(): Promise<Readonly<Record<string, number>>> {
  const { counts } = await loadReport(
    testDatabase.database.pool,
    ledger.tenant,
    new Date(Date.now() - 3_600_000),
    new Date(Date.now() + 3_600_000),
  );
  return Object.fromEntries(counts.map(({ outcome, count }) => [outcome, count]));
}

test.each([
  ['sent', { told: 3 }],
  ['held', { waiting: 3 }],
  ['queued', { waiting: 3 }],
  ['failed', { failed: 3 }],
])('when three wins are in one message and that is %s, then all three are', async (state, expected) => {
  await win(1, state);
  await win(2, 'folded', 1);
  await win(3, 'folded', 1);

  expect(await outcomes()).toEqual(expected);
});

test('when the message that told a win was deleted long after, then the win was told', async () => {
  await win(2, 'folded', 1);

  expect(await outcomes()).toEqual({ told: 1 });
});

test.each([
  'Quiet hours of this space, 20:00 to 08:00 (Europe/Berlin): what comes then is dropped.',
  'The record was muted.',
  'the rule was removed',
  'the destination was removed',
  'The message that was to tell it did not go: the destination was removed',
])('when a message was dropped because “%s”, then its win was left out on purpose, and not given up', async (reason) => {
  await win(1, 'dropped');
  await query('UPDATE deliveries SET state_reason = $1', reason);

  expect(await outcomes()).toEqual({ leftOut: 1 });
});

test('when messages were held for too long, one of them for others too, then their wins were given up', async () => {
  const { pool } = testDatabase.database;
  await win(1, 'held');
  await win(2, 'folded', 1);
  await win(3, 'held');
  await query(`UPDATE deliveries SET waiting_since = now() - interval '3 days', state_reason = 'The destination is broken.'`);
  const held = makeExpireHeld(pool);

  await held.look();
  await query(`UPDATE deliveries SET waiting_since = now() - interval '3 days'`);
  await held.expire();

  expect(await outcomes()).toEqual({ failed: 3 });
  await makeFailUntold(pool)();
  expect(await outcomes()).toEqual({ failed: 3 });
});

test('when a win was dropped in one space and told in another, then it was told; where it was given up in another, then given up', async () => {
  await win(1, 'dropped');
  await win(2, 'dropped');
  await ledger.addDelivery({ id: 3, event_id: 1, entity_id: '1', rule_id: 2, state: 'sent' });
  await ledger.addDelivery({ id: 4, event_id: 2, entity_id: '2', rule_id: 2, state: 'failed' });

  expect(await outcomes()).toEqual({ told: 1, failed: 1 });
});

test('when some were told, left out and given up, then the sentence names each as what it is', () => {
  const of = (outcome: Outcome, count: number) => ({ type: 'deal.won', outcome, isLate: false, count }) as const;

  const sentence = sentenceOf(figuresOf([of('told', 5), of('leftOut', 2), of('failed', 1)]));

  expect(sentence).toBe('8 won, 5 told, 2 left out on purpose, 1 given up.');
});

/** The same win once more, as the list had it so many minutes ago; it was seen at once. */
async function seenAgain(id: number, minutes: number): Promise<void> {
  await query(
    `INSERT INTO sightings (tenant_id, type, entity, entity_id, happened_at, seen_at)
     SELECT $1, 'deal.won', 'deal', $2, at, at FROM (SELECT now() - $3 * interval '1 minute' AS at) AS seen`,
    ...[ledger.tenant, String(id), minutes],
  );
}

test('when the time of a told win was corrected, then it counts once', async () => {
  await win(1, 'sent');
  await seenAgain(1, 50);

  expect(await outcomes()).toEqual({ told: 1 });
});

test('when a deal was won again, then the message of the first win does not stand for the second', async () => {
  await win(1, 'sent');
  await query(`UPDATE events SET occurred_at = occurred_at - interval '40 minutes'`);
  await query(`UPDATE sightings SET happened_at = happened_at - interval '40 minutes'`);
  await seenAgain(1, 20);

  expect(await outcomes()).toEqual({ told: 1, missing: 1 });
});

test.each([
  ['a moment ago', '1 second', { comparing: 1 }],
  ['while its webhook may still be on its way', '4 minutes', { comparing: 1 }],
  ['by a run after which another one has come', '7 minutes', { missing: 1 }],
  ['by a clock that was hours ahead', '-2 hours', { missing: 1 }],
])(
  'when the ledger has nothing of a win that was first seen %s, then it is being compared or it is missing',
  async (_when, ago, expected) => {
    await seenAgain(1, 40);
    await query(`UPDATE sightings SET seen_at = now() - $1::interval`, ago);

    expect(await outcomes()).toEqual(expected);
  },
);

test('when a newer version has seen something that this one does not know, then the rest is reported', async () => {
  await win(1, 'sent');
  await win(2, 'sent');
  await query(`UPDATE sightings SET type = 'deal.sung_of' WHERE entity_id = '2'`);

  expect(await outcomes()).toEqual({ told: 1 });
});

test('when a message of three wins and one of one wait for a broken destination, then four are held, and what was told is not', async () => {
  await win(1, 'held');
  await win(2, 'folded', 1);
  await win(3, 'folded', 1);
  await win(4, 'held');
  await win(5, 'sent');
  await win(6, 'folded', 5);

  expect(await troubledDestinations(testDatabase.database.pool, ledger.tenant, [])).toMatchObject([
    { chatWebhookId: 1, held: 4 },
  ]);
});
