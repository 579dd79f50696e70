/** What a newer version wrote and this one cannot read, among what is held, over a real ledger: it harms nothing but itself, and says so. */

import { pino } from 'pino';
import { makeFailUntold } from '../../../src/delivery/fail-untold.store';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { makeHoldStore } from '../../../src/delivery/hold.store';
import { makeReleaseHeld } from '../../../src/delivery/release-held';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const NOW_MS = Date.parse('2026-11-25T12:00:00Z');
const DUE = new Date('2026-11-25T08:00:00Z');
const ODD = '{"moon": "full"}';
const AN_HOUR_AGO = new Date(Date.now() - 3_600_000);

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;

/** Its rounds are those of one process, whose clock is turned by hand. */
function aProcess() {
  let nowMs = NOW_MS;
  const logged: { readonly msg: string; readonly tenantId: number; readonly chatWebhookId: number }[] = [];
  const log = pino({}, { write: (line: string) => logged.push(JSON.parse(line)) });
  const clock = () => new Date(nowMs);
  const store = makeHeldStore(testDatabase.database);
  const holds = makeHoldStore({ pool: testDatabase.database.pool, clock, log });
  return {
    logged: () =>
      logged.filter(({ msg }) => !msg.includes('let go')).map(({ tenantId, chatWebhookId }) => ({ tenantId, chatWebhookId })),
    releaseHeld: makeReleaseHeld({ store, bell: { ringDeliver: () => undefined }, clock, log }),
    tidy: () => holds.tidy(),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

const addDestination = (id: number, columns: object = {}) => ledger.addDestination({ id, name: String(id), ...columns });
const hold = (id: number, columns: object = {}) =>
  ledger.addDelivery({
    id,
    chat_webhook_id: id,
    state: 'held',
    held_for: 'quiet',
    held_until: DUE,
    state_reason: 'Quiet.',
    ...columns,
  });
const deliveries = async (columns = 'state'): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  (await query(`SELECT id::int, ${columns} FROM deliveries ORDER BY id`)).rows;

test.each([
  ['a destination', `UPDATE chat_webhooks SET quiet_hours = '${ODD}' WHERE id = 1`],
  ['how a destination folds', `UPDATE chat_webhooks SET fold = 'origami' WHERE id = 1`],
  ['why a message is held', `UPDATE deliveries SET held_for = 'eclipse' WHERE id = 1`],
])('when it cannot read %s, then what others hold is let go in time, and that waits with the reason', async (_what, write) => {
  await addDestination(1);
  await addDestination(2);
  await hold(1);
  await hold(2);
  await query(write);
  const { releaseHeld, logged } = aProcess();

  await releaseHeld();
  await releaseHeld();

  expect(await deliveries('state, state_reason AS reason')).toEqual([
    { id: 1, state: 'held', reason: expect.stringContaining('cannot read') },
    { id: 2, state: 'queued', reason: null },
  ]);
  expect(logged()).toEqual([{ tenantId: ledger.tenant, chatWebhookId: 1 }]);
});

test.each([
  ['why it is held', { held_for: 'eclipse' }, 'SELECT 1'],
  ['the hours of its space', {}, `UPDATE chat_webhooks SET quiet_hours = '${ODD}'`],
  [
    'when its rule gathers',
    { held_for: 'daily', held_until: new Date(0) },
    `UPDATE rules SET digest = '{"every": "eclipse", "at": "08:00"}'`,
  ],
  ['until when it is held', { held_until: null }, 'SELECT 1'],
  ['anything of why it is held', { held_for: null, held_until: null }, 'SELECT 1'],
])(
  'when nobody can read %s for longer than its space lets messages wait, then it is dropped with the reason, and what it was to tell too',
  async (_what, columns, write) => {
    await addDestination(1, { hold_hours: 2 });
    await query(
      `INSERT INTO rules (id, tenant_id, name, event_type, digest) VALUES (1, $1, 'One', 'deal.won', '{"every": "day", "at": "08:00"}')`,
      ledger.tenant,
    );
    await hold(1, { fold_kind: 'daily', ...columns });
    await ledger.addDelivery({ id: 2, state: 'folded', folded_into: 1, chat_webhook_id: 1 });
    await query(write);
    const { releaseHeld } = aProcess();
    const failUntold = makeFailUntold(testDatabase.database.pool);
    const rounds = async () => {
      // A first round looks for what is too old.
      await aProcess().tidy();
      await releaseHeld();
      await failUntold();
      return (await deliveries()).map(({ state }) => state);
    };
    const found = [await rounds()];

    for (const hours of [1, 2]) {
      await query(`UPDATE deliveries SET waiting_since = waiting_since - interval '1 hour'`);
      found.push(await rounds());
      expect([hours, found.at(-1)]).toEqual([hours, hours === 1 ? ['held', 'folded'] : ['dropped', 'dropped']]);
    }

    expect(found[0]).toEqual(['held', 'folded']);
    expect(await deliveries('state_reason AS reason')).toEqual([
      { id: 1, reason: 'Dealbell could not read for 2 hours when it was to be told.' },
      { id: 2, reason: expect.stringContaining('could not read for 2 hours') },
    ]);
  },
);

test('when it can be read again, then it is let go within a minute', async () => {
  await addDestination(1, { quiet_hours: ODD });
  await hold(1);
  const { releaseHeld, pass } = aProcess();
  await releaseHeld();
  await query('UPDATE chat_webhooks SET quiet_hours = NULL');

  pass(60_000);
  await releaseHeld();

  expect(await deliveries()).toEqual([{ id: 1, state: 'queued' }]);
});

test('when more cannot be read than is looked for at once, then the others have their turn', async () => {
  const many = 501;
  await query(
    `INSERT INTO chat_webhooks (id, tenant_id, name, space_id, sealed_credentials, credentials_digest, quiet_hours, updated_at)
     SELECT n, $1, n::text, 'A', 'sealed', n::text::bytea, $2, now() FROM generate_series(1, ${many}) n`,
    ...[ledger.tenant, ODD],
  );
  await addDestination(1_000);
  await hold(1);
  await ledger.addMany(1, 2, many, { chat_webhook_id: 'n', entity_id: 'd.entity_id' });
  await hold(1_000);
  const { releaseHeld } = aProcess();

  await releaseHeld();
  await releaseHeld();

  expect((await deliveries()).filter(({ state }) => state === 'queued')).toEqual([{ id: 1_000, state: 'queued' }]);
});

test('when it cannot read when a rule gathers, then what others gathered has its new time, and that waits with the reason', async () => {
  await addDestination(1);
  await query(
    `INSERT INTO rules (id, tenant_id, name, event_type, digest)
     VALUES (1, $1, 'One', 'deal.won', '{"every": "eclipse", "at": "08:00"}'), (2, $1, 'Two', 'deal.won', '{"every": "day", "at": "08:00"}')`,
    ledger.tenant,
  );
  const gathered = { chat_webhook_id: 1, held_for: 'daily', held_until: new Date(0) };
  await hold(1, { ...gathered, rule_id: 1 });
  await hold(2, { ...gathered, rule_id: 2 });
  const { releaseHeld, logged } = aProcess();

  await releaseHeld();
  await releaseHeld();

  expect(await deliveries('held_until AS until, state_reason AS reason')).toEqual([
    { id: 1, until: new Date(0), reason: expect.stringContaining('cannot read') },
    { id: 2, until: expect.any(Date), reason: expect.stringContaining('Gathered') },
  ]);
  expect((await deliveries('held_until > now() - interval \'1 year\' AS "isNew"'))[1]).toEqual({ id: 2, isNew: true });
  expect(logged()).toEqual([{ tenantId: ledger.tenant, chatWebhookId: 1 }]);
});

test('when it cannot read one message of a digest, then the digest tells the others; that and what came later of its record go by themselves', async () => {
  await addDestination(1);
  await query(
    `INSERT INTO rules (id, tenant_id, name, event_type, digest) VALUES (1, $1, 'One', 'deal.won', '{"every": "day", "at": "08:00"}')`,
    ledger.tenant,
  );
  for (const id of [1, 2, 3, 4]) await hold(id, { chat_webhook_id: 1, held_for: 'daily' });
  await query(`UPDATE deliveries SET transition = '{"type": "deal.sung_of", "cause": {"isBulkEdit": "perhaps"}}' WHERE id = 2`);
  await query(`UPDATE deliveries SET entity_id = '2' WHERE id = 3`);

  await aProcess().releaseHeld();

  expect(await deliveries('state, fold_kind AS "foldKind", folded_into::int AS "foldedInto"')).toEqual([
    { id: 1, state: 'queued', foldKind: 'daily', foldedInto: null },
    { id: 2, state: 'queued', foldKind: 'daily', foldedInto: null },
    { id: 3, state: 'queued', foldKind: 'daily', foldedInto: null },
    { id: 4, state: 'folded', foldKind: null, foldedInto: 1 },
  ]);
});

test('when an earlier message about a record is under way in its space, then what was held of that record is told after it, and not among others', async () => {
  await addDestination(1);
  await ledger.addDelivery({ id: 1, not_before: new Date(Date.now() + 60_000) });
  for (const id of [2, 3, 4]) await hold(id, { chat_webhook_id: 1 });
  await query(`UPDATE deliveries SET entity_id = '1' WHERE id = 3`);

  await aProcess().releaseHeld();

  expect(await deliveries('state, fold_kind AS "foldKind"')).toEqual([
    { id: 1, state: 'queued', foldKind: null },
    { id: 2, state: 'queued', foldKind: 'quiet' },
    { id: 3, state: 'queued', foldKind: null },
    { id: 4, state: 'folded', foldKind: null },
  ]);
});

test('when it cannot read a broken destination, then another one is tried all the same', async () => {
  for (const id of [1, 2]) {
    await addDestination(id, { health: 'broken', next_probe_at: AN_HOUR_AGO });
    await hold(id, { held_for: null, held_until: null, held_because: 'broken', waiting_since: new Date() });
  }
  await query(`UPDATE chat_webhooks SET quiet_hours = '${ODD}' WHERE id = 1`);
  const { tidy, logged } = aProcess();

  await tidy();
  await tidy();

  expect(await deliveries()).toEqual([
    { id: 1, state: 'held' },
    { id: 2, state: 'queued' },
  ]);
  expect(logged()).toEqual([{ tenantId: ledger.tenant, chatWebhookId: 1 }]);
});
