/** What became of what Pipedrive lists, and what waits for a destination, where one message tells of several changes. */

import { troubledDestinations } from '../../../src/delivery/troubled-destination.store';
import type { TenantId } from '../../../src/core/tenant';
import { loadReport } from '../../../src/reconciliation/report.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
const query = (sql: string, ...values: unknown[]) => testDatabase.database.pool.query(sql, values);
let tenant: TenantId;

beforeEach(async () => {
  await testDatabase.clear();
  tenant = await addTenant(testDatabase.database);
  await query(
    `INSERT INTO chat_webhooks (id, tenant_id, name, space_id, sealed_credentials, credentials_digest, health, updated_at)
     VALUES (1, $1, 'Wins', 'A', 'sealed', '', 'broken', now())`,
    tenant,
  );
});

/** A seen win of its own deal, and the message owed of it. */
async function win(id: number, state: string, foldedInto: number | null = null): Promise<void> {
  await query(
    `INSERT INTO sightings (tenant_id, type, entity, entity_id, happened_at) VALUES ($1, 'deal.won', 'deal', $2, now())`,
    ...[tenant, String(id)],
  );
  await query(
    `INSERT INTO events (id, tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, transitions, decisions)
     VALUES ($1, $2, 'deal', $3, 'change', $3, now(), '{}', now(), '{deal.won}', '[]')`,
    ...[id, tenant, String(id)],
  );
  await query(
    `INSERT INTO deliveries (id, tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, not_before, request_id, state, held_because, folded_into, fold_kind)
     VALUES ($1::bigint, $2, $1::bigint, 1, 1, 'A', 'deal', $3, '{"type": "deal.won"}', '{}', now(), 'compact', now(), gen_random_uuid(), $4::text,
             CASE WHEN $4::text = 'held' THEN 'broken' END, $5::bigint, CASE WHEN $5::bigint IS NULL THEN 'backlog' END)`,
    ...[id, tenant, String(id), state, foldedInto],
  );
}

async function outcomes(): Promise<Readonly<Record<string, number>>> {
  const { counts } = await loadReport(
    testDatabase.database.pool,
    tenant,
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

test('when a message of three wins and one of one wait for a broken destination, then four are held, and what was told is not', async () => {
  await win(1, 'held');
  await win(2, 'folded', 1);
  await win(3, 'folded', 1);
  await win(4, 'held');
  await win(5, 'sent');
  await win(6, 'folded', 5);

  expect(await troubledDestinations(testDatabase.database.pool, tenant)).toMatchObject([{ chatWebhookId: 1, held: 4 }]);
});
