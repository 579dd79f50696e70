/** A past for a ledger: routed events, sent deliveries, attempts and records in any number, made by the database itself. */

import { Client } from 'pg';

/** Ids of the past's deals, away from those that the benchmark's events name. */
const FIRST_DEAL = 50_000_000;

/** What every deal of the past looked like; as large as the database would store a small deal. */
const STATE = `jsonb_build_object('id', ${FIRST_DEAL} + n, 'title', 'Deal ' || n, 'status', 'won', 'stage_id', 1 + n % 7, 'pipeline_id', 1,
  'owner_id', 1 + n % 20, 'value', n, 'currency', 'EUR')`;
const TENANT = `(SELECT min(id) FROM tenants) + n % (SELECT count(*)::int FROM tenants)`;
/** A past of 80 days, evenly filled. */
const MOMENT = `now() - interval '80 days' + n * (interval '79 days' / $1::int)`;

const STATEMENTS = [
  `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload, routed_at, transitions, decisions)
   SELECT ${TENANT}, 'deal', ${FIRST_DEAL} + n, 'change', 'past-' || n, ${MOMENT}, ${MOMENT}, '{}', ${MOMENT}, '{deal.won}', '[]'
     FROM generate_series(1, $1::int) AS n`,
  `INSERT INTO records (tenant_id, entity, entity_id, state, occurred_at, refreshed_at)
   SELECT ${TENANT}, 'deal', ${FIRST_DEAL} + n, ${STATE}, ${MOMENT}, ${MOMENT} FROM generate_series(1, $1::int) AS n`,
  `INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                           template_mode, state, not_before, attempts, request_id, rendered_body, created_at, finished_at)
   SELECT ${TENANT}, n, 1 + n % 200, 1 + n % 200, 'past', 'deal', ${FIRST_DEAL} + n, '{"type": "deal.won", "changes": []}', ${STATE}, ${MOMENT},
          'detailed', 'sent', ${MOMENT}, 1, gen_random_uuid(), '{"text": "Deal won."}', ${MOMENT}, ${MOMENT}
     FROM generate_series(1, $1::int) AS n`,
  `INSERT INTO logs (tenant_id, delivery_id, event_id, rule_id, chat_webhook_id, status, http_status, duration_ms, created_at)
   SELECT ${TENANT}, n, n, 1 + n % 200, 1 + n % 200, 'success', 200, 20, ${MOMENT} FROM generate_series(1, $1::int) AS n`,
];
const TABLES = ['events', 'records', 'deliveries', 'logs'];

/** Gives a ledger that has no events yet a past of `rows` rows in each table that grows, with the statistics that autovacuum would have taken. */
export async function seedHistory(databaseUrl: string, rows: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // Only for speed: the tenants are there.
    await client.query('SET session_replication_role = replica; SET synchronous_commit = off');
    for (const statement of STATEMENTS) await client.query(statement, [rows]);
    for (const table of TABLES) await client.query(`VACUUM (ANALYZE) ${table}`);
  } finally {
    await client.end();
  }
}
