/** What is held for too long is dropped, over a real ledger whose clock jumps. */

import { makeHoldStore } from '../../../src/delivery/hold.store';
import type { TenantId } from '../../../src/core/tenant';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
const query = (sql: string, ...values: unknown[]) => testDatabase.database.pool.query(sql, values);
let tenant: TenantId;

beforeEach(async () => {
  await testDatabase.clear();
  tenant = await addTenant(testDatabase.database);
  await query(
    `INSERT INTO chat_webhooks (id, tenant_id, name, space_id, sealed_credentials, credentials_digest, health, next_probe_at, updated_at)
     VALUES (1, $1, 'Wins', 'A', 'sealed', 'one', 'broken', now() + interval '1 hour', now())`,
    tenant,
  );
  await look();
});

/** A sweep's first round: it looks for what is too old. */
const look = () => makeHoldStore({ pool: testDatabase.database.pool, clock: () => new Date() }).tidy();
/** As if the database's clock were set ahead. */
const jump = async (by: string) => {
  await query(`UPDATE heartbeats SET beat_at = beat_at - $1::interval`, by);
  await query(`UPDATE deliveries SET waiting_since = waiting_since - $1::interval`, by);
};
const hold = async (id: number, hours: number) => {
  await query(
    `INSERT INTO deliveries (id, tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, not_before, request_id, state, held_because, waiting_since)
     VALUES ($1, $2, $1, 1, 1, 'A', 'deal', $1::bigint::text, '{"type": "deal.won"}', '{}', now(), 'compact', now(), gen_random_uuid(),
             'held', 'broken', now() - $3 * interval '1 hour')`,
    ...[id, tenant, hours],
  );
};
const states = async () => (await query('SELECT state FROM deliveries ORDER BY id')).rows.map(({ state }) => state);
const heldMinutes = async () => {
  const { rows } = await query(
    `SELECT round(extract(epoch FROM now() - waiting_since) / 60)::int AS minutes FROM deliveries WHERE state = 'held' ORDER BY id`,
  );
  return rows.map(({ minutes }) => minutes);
};

test('when it has been held for more than a day, then it is dropped with the reason, and what was held for less is kept', async () => {
  await hold(1, 25);
  await hold(2, 23);

  await look();

  expect(await states()).toEqual(['dropped', 'held']);
});

test('when the clock jumps ahead by three days and back again, then nothing is dropped, and the age is right after both', async () => {
  await hold(1, 2);

  await jump('3 days');
  await look();
  const [after = 0] = await heldMinutes();
  await jump('-3 days');
  await look();

  expect(await states()).toEqual(['held']);
  // A look that comes late counts as an hour.
  expect([after, ...(await heldMinutes())]).toEqual([180, 180]);
});

test.each(['3 days', '-3 days'])(
  'when something is held between a jump of %s and the next look, then its age is right already',
  async (by) => {
    await hold(1, 2);
    await jump(by);
    await hold(2, 0);

    await look();

    expect((await heldMinutes())[1]).toBe(0);
  },
);

test('when two sweeps see the jump, then it is laid on once', async () => {
  await hold(1, 2);
  await jump('3 days');

  await Promise.all([look(), look(), look()]);

  expect(await heldMinutes()).toEqual([180]);
});

test('when a day passes after a jump, then it is dropped all the same', async () => {
  await hold(1, 2);
  await jump('3 days');
  await look();
  await query(`UPDATE deliveries SET waiting_since = waiting_since - interval '22 hours'`);

  await look();

  expect(await states()).toEqual(['dropped']);
});
