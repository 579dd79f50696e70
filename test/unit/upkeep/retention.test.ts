import { pino } from 'pino';
import { makeDeleteExpired } from '../../../src/upkeep/retention';
import { makeRetentionStore } from '../../../src/upkeep/retention.store';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';

describe('makeDeleteExpired', () => {
  const testDatabase = useTestDatabase();

  test('when rows are older than what is kept, then they go in chunks, and what is younger or still to be routed stays', async () => {
    const { pool } = testDatabase.database;
    const tenant = await addTenant(testDatabase.database);
    await pool.query(
      `INSERT INTO sightings (tenant_id, type, entity, entity_id, happened_at)
       SELECT $1, 'deal.won', 'deal', n::text, now() - n * interval '1 day' FROM generate_series(1, 100) n`,
      [tenant],
    );
    await pool.query(
      `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload, routed_at)
       SELECT $1, 'deal', n::text, 'change', 'x', now(), now() - n * interval '1 day', '', CASE WHEN n = 100 THEN NULL ELSE now() END
         FROM generate_series(1, 100) n`,
      [tenant],
    );
    await pool.query(
      `WITH place AS (INSERT INTO chat_webhooks (tenant_id, name, space_id, sealed_credentials, credentials_digest, updated_at)
                      VALUES ($1, 'Wins', 'A', 'sealed', '', now()) RETURNING id),
            deals AS (INSERT INTO records (tenant_id, entity, entity_id, state, deleted_at)
                      SELECT $1, 'deal', n::text, '{}', CASE WHEN n > 1 THEN now() - n * interval '1 day' END
                        FROM generate_series(1, 100) n RETURNING entity_id)
       INSERT INTO watches (tenant_id, entity, entity_id, chat_webhook_id, author)
       SELECT $1, 'deal', entity_id, place.id, 'Ana' FROM deals, place`,
      [tenant],
    );
    const log = pino({ level: 'silent' });
    const deleteExpired = makeDeleteExpired({ store: makeRetentionStore(pool), log, retentionDays: 90, chunkSize: 4 });

    const deleted = await deleteExpired();

    const { rows } = await pool.query<{ sightings: number; events: number; watches: number }>(
      `SELECT (SELECT count(*) FROM sightings)::int AS sightings, (SELECT count(*) FROM events)::int AS events,
              (SELECT count(*) FROM watches)::int AS watches`,
    );
    expect(deleted).toMatchObject({ sightings: 11, events: 10, watches: 11 });
    expect(rows).toEqual([{ sightings: 89, events: 90, watches: 89 }]);
  });

  test('when a tenant was erased while something of it was written, then that goes too, and the rows of others stay', async () => {
    const { pool } = testDatabase.database;
    const [before, erased, after] = [
      await addTenant(testDatabase.database),
      await addTenant(testDatabase.database),
      await addTenant(testDatabase.database),
    ];
    const tenants = [before, erased, after];
    await pool.query(
      `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload)
       SELECT unnest($1::int[]), 'deal', '1', 'change', 'left', now(), ''`,
      [tenants],
    );
    await pool.query(
      `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                               template_mode, not_before, request_id)
       SELECT tenant_id, id, 1, 1, 'A', 'deal', '1', '{}', '{}', now(), 'compact', now(), gen_random_uuid()
         FROM events WHERE meta_id = 'left'`,
    );
    await pool.query(`INSERT INTO logs (tenant_id, status, duration_ms) SELECT unnest($1::int[]), 'success', 1`, [tenants]);
    await pool.query('DELETE FROM tenants WHERE id = $1', [erased]);
    const log = pino({ level: 'silent' });

    const deleted = await makeDeleteExpired({ store: makeRetentionStore(pool), log, retentionDays: 90 })();

    const left = async (table: string) =>
      (await pool.query(`SELECT tenant_id FROM ${table} WHERE tenant_id = ANY($1) ORDER BY 1`, [tenants])).rows.map(
        (row) => row.tenant_id,
      );
    expect(deleted).toMatchObject({ leftBehind: 3 });
    expect(await left('events')).toEqual([before, after]);
    expect(await left('deliveries')).toEqual([before, after]);
    expect(await left('logs')).toEqual([before, after]);
  });

  test('when a tenant has many rows, then none of them is read to find what erased ones have left behind', async () => {
    const { database } = testDatabase;
    const tenant = await addTenant(database);
    await database.pool.query(
      `INSERT INTO logs (tenant_id, status, duration_ms) SELECT $1, 'success', 1 FROM generate_series(1, 20000)`,
      [tenant],
    );
    await database.pool.query('ANALYZE logs');

    const read = await database.transaction(async (client) => {
      await makeRetentionStore(client).deleteLeftBehind(4);
      const { rows } = await client.query<{ read: number }>(
        `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read FROM pg_stat_xact_user_tables WHERE relname = 'logs'`,
      );
      return rows[0]?.read;
    });

    expect(read).toBeLessThan(100);
  });
});
