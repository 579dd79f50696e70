/** Messages that are set aside or wait anew while a setting is changed, over a real ledger: none waits for a time that is no more. */

import type { TenantId } from '../../../src/core/tenant';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import type { ClaimedDelivery } from '../../../src/delivery/delivery-ledger';
import { makeHeldStore } from '../../../src/delivery/held.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { waitUntil } from '../../support/wait-until';

const NOW = new Date('2026-11-25T08:00:00Z');
const WAIT = { kind: 'hold', heldFor: 'daily', until: new Date('2026-11-26T08:00:00Z'), reason: 'Gathered.' } as const;
const QUIET = { ...WAIT, heldFor: 'quiet' } as const;

const testDatabase = useTestDatabase();
const query = (sql: string, ...values: unknown[]) => testDatabase.database.pool.query(sql, values);
let tenant: TenantId;

beforeEach(async () => {
  await testDatabase.clear();
  tenant = await addTenant(testDatabase.database);
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('A', now(), true)`);
  await query(
    `INSERT INTO chat_webhooks (id, tenant_id, name, space_id, sealed_credentials, credentials_digest, updated_at)
     VALUES (1, $1, 'Wins', 'A', 'sealed', '', now())`,
    tenant,
  );
  await query(
    `INSERT INTO rules (id, tenant_id, name, event_type, digest) VALUES (7, $1, 'Wins', 'deal.won', '{"every": "day", "at": "08:00"}')`,
    tenant,
  );
});

/** One message of the rule. */
async function given(fields: { readonly heldFor?: string; readonly heldUntil?: Date } = {}): Promise<void> {
  await query(
    `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, not_before, request_id, state, held_for, held_until)
     VALUES ($1, 1, 7, 1, 'A', 'deal', '1', '{"type": "deal.won", "changes": []}', '{}', now(), 'compact', now(), gen_random_uuid(), $2, $3, $4)`,
    ...[tenant, fields.heldFor === undefined ? 'queued' : 'held', fields.heldFor ?? null, fields.heldUntil ?? null],
  );
}

async function claimed(): Promise<ClaimedDelivery> {
  const [delivery] = (await makeDeliveryStore(testDatabase.database).claimDue(1)).claimed;
  if (delivery === undefined) throw new Error('nothing was claimed');
  return delivery;
}

/** As every change of settings begins. */
const RAISE = 'UPDATE tenants SET rules_version = rules_version + 1';
const waits = async () => (await query('SELECT state, held_until AS until FROM deliveries')).rows;

test('when nothing is changed meanwhile, then the message is set aside', async () => {
  await given();

  await makeHeldStore(testDatabase.database).setAside(await claimed(), WAIT);

  expect(await waits()).toEqual([{ state: 'held', until: WAIT.until }]);
});

test('when its digest was switched off since it was claimed, then the message is due and its space is free', async () => {
  await given();
  const head = await claimed();
  await query(RAISE);

  await makeHeldStore(testDatabase.database).setAside(head, WAIT);

  expect(await waits()).toEqual([{ state: 'queued', until: null }]);
  expect((await query('SELECT lease_until AS lease FROM google_spaces')).rows).toEqual([{ lease: null }]);
});

test('when its digest is just being switched off, then that is waited for, and the message is due', async () => {
  await given();
  const head = await claimed();
  const change = await testDatabase.database.pool.connect();
  await change.query('BEGIN');
  await change.query(RAISE);

  const setAside = makeHeldStore(testDatabase.database).setAside(head, WAIT);
  await waitUntil('it waits for the change', async () => {
    const { rows } = await query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
    return rows.length > 0;
  });
  await change.query('COMMIT');
  change.release();
  await setAside;

  expect(await waits()).toEqual([{ state: 'queued', until: null }]);
});

test('when a digest is moved twice, then what was gathered does not wait for the time between', async () => {
  await given({ heldFor: 'daily', heldUntil: new Date(0) });
  const held = makeHeldStore(testDatabase.database);
  const gathered = await held.regathered();
  await query(RAISE);

  for (const each of gathered) await held.gatherAnew(each, WAIT);
  const between = await waits();
  for (const each of await held.regathered()) await held.gatherAnew(each, WAIT);

  expect(gathered).toHaveLength(1);
  expect(between).toEqual([{ state: 'held', until: new Date(0) }]);
  expect(await waits()).toEqual([{ state: 'held', until: WAIT.until }]);
});

test('when quiet hours are moved twice, then what waits for them does not wait for the end between', async () => {
  await given({ heldFor: 'quiet', heldUntil: NOW });
  const held = makeHeldStore(testDatabase.database);
  const due = await held.dueHolds(NOW);
  await query(RAISE);

  for (const hold of due) await held.postpone(hold, QUIET, NOW);
  const between = await waits();
  for (const hold of await held.dueHolds(NOW)) await held.postpone(hold, QUIET, NOW);

  expect(due).toHaveLength(1);
  expect(between).toEqual([{ state: 'held', until: NOW }]);
  expect(await waits()).toEqual([{ state: 'held', until: QUIET.until }]);
});
