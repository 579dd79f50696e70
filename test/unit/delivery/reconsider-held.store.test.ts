/** Which of what waits for a time is looked at anew after a change of settings. */

import { reconsiderHeld } from '../../../src/delivery/reconsider-held.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';

const NOW = new Date('2026-11-25T08:00:00Z');

const testDatabase = useTestDatabase();

test('when the time of a digest changes just as it has come, then what is due already stays due', async () => {
  const { pool, prisma } = testDatabase.database;
  const tenant = await addTenant(testDatabase.database);
  await pool.query(
    `INSERT INTO chat_webhooks (id, tenant_id, name, space_id, sealed_credentials, credentials_digest, updated_at)
     VALUES (1, $1, 'Wins', 'A', 'sealed', '', now())`,
    [tenant],
  );
  await pool.query(
    `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, not_before, request_id, state, held_for, held_until)
     SELECT $1, given.id, 7, 1, 'A', 'deal', '1', '{"type": "deal.won"}', '{}', now(), 'compact', now(), gen_random_uuid(), 'held', 'daily', given.until
       FROM (VALUES (1, $2::timestamptz), (2, $2::timestamptz + interval '1 day')) AS given(id, until)`,
    [tenant, NOW],
  );

  await prisma.$transaction((client) => reconsiderHeld(client, tenant, { ruleId: 7 }, NOW));

  const { rows } = await pool.query('SELECT held_until FROM deliveries ORDER BY event_id');
  expect(rows).toEqual([{ held_until: NOW }, { held_until: new Date(0) }]);
});
