/** A company with a past that its people look at: spaces, rules, deals, events with decisions, deliveries in every state, attempts, an audit trail. */

import { Client } from 'pg';
import { FIRST_OWNER_ID } from './deal-events';

export const RULES = 50;
/** Each has the decisions of so many rules, of which the first matched. */
const DECISIONS = 6;
const DEALS = 50_000;
const FIRST_DEAL = 1_000_000;

const COMPANY = '(SELECT min(id) FROM tenants)';
const FIRST_RULE = `(SELECT min(id) FROM rules WHERE tenant_id = ${COMPANY})`;
const FIRST_SPACE = `(SELECT min(id) FROM chat_webhooks WHERE tenant_id = ${COMPANY})`;
/** A past of 60 days, evenly filled. */
const MOMENT = `now() - interval '60 days' + n * (interval '60 days' / $1::int)`;
const DEAL = `(${FIRST_DEAL} + n % ${DEALS})`;
const STATE = `jsonb_build_object('id', ${DEAL}, 'title', (ARRAY['Linen contract','Mill refit','Print room','Roof repair','Office chairs'])[1 + n % 5]
    || ' ' || ${DEAL}, 'status', 'won', 'stage_id', 1 + n % 7, 'pipeline_id', 1, 'owner_id', ${FIRST_OWNER_ID} + n % 20, 'value', n, 'currency', 'EUR',
    'person_id', 1 + n % 50, 'org_id', 1 + n % 50, 'label_ids', '[1, 2]'::jsonb, 'update_time', ${MOMENT}, 'won_time', ${MOMENT})`;
const PAYLOAD = `convert_to(jsonb_build_object('data', ${STATE}, 'previous', '{"status": "open"}'::jsonb, 'meta', jsonb_build_object('action', 'change',
    'entity', 'deal', 'entity_id', ${DEAL}::text, 'company_id', '12345', 'user_id', '${FIRST_OWNER_ID}', 'id', 'past-' || n, 'version', '2.0',
    'timestamp', ${MOMENT}, 'attempt', 1))::text, 'UTF8')`;
const DECIDED = `(SELECT jsonb_agg(jsonb_build_object('ruleId', ${FIRST_RULE} + (n + k) % 20, 'matched', k = 0,
    'code', CASE k WHEN 0 THEN 'matched' ELSE 'owner' END, 'actual', ${FIRST_OWNER_ID} + n % 20)) FROM generate_series(0, ${DECISIONS - 1}) AS k)`;
const CUT_OFF = `CASE WHEN n % 97 = 0 THEN 'failed' WHEN n % 89 = 0 THEN 'dropped' WHEN n % 83 = 0 THEN 'folded' WHEN n % 499 = 0 THEN 'held' ELSE 'sent' END`;

const STATEMENTS = [
  `UPDATE pipedrive_connections SET state = 'active'`,
  `INSERT INTO subscriptions (tenant_id, plan, status, is_trial, starts_at) SELECT ${COMPANY}, 'Enterprise', 'active', false, '2020-01-01' WHERE $1::int > 0`,
  `WITH made AS (
     INSERT INTO rules (tenant_id, name, event_type, filters, template_mode, position, enabled_at)
     SELECT ${COMPANY}, 'Rule ' || n, (ARRAY['deal.won', 'deal.lost', 'deal.stage_changed'])[1 + n % 3],
            jsonb_build_object('ownerIds', jsonb_build_array(${FIRST_OWNER_ID} + n % 20), 'stageIds', jsonb_build_array(1 + n % 50), 'pipelineIds', '[1]'::jsonb,
              'minValue', 1000 * n, 'currency', 'EUR',
              'conditions', '{"all": [{"field": "status", "op": "is", "value": "won"}, {"field": "person_id", "op": "in", "value": [{"id": 7, "name": "Person 7"}]}]}'::jsonb),
            'compact', 20 + n, '2020-01-01'
       FROM generate_series(1, ${RULES} - 20) AS n WHERE $1::int > 0 RETURNING id
   ) INSERT INTO rule_targets (rule_id, chat_webhook_id, tenant_id) SELECT id, ${FIRST_SPACE} + id % 20, ${COMPANY} FROM made`,
  `INSERT INTO records (tenant_id, entity, entity_id, state, occurred_at, refreshed_at)
   SELECT ${COMPANY}, 'deal', ${DEAL}::text, ${STATE}, ${MOMENT}, ${MOMENT} FROM generate_series(1, least($1::int, ${DEALS})) AS n`,
  `WITH told AS (
     INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload, routed_at, transitions, decisions)
     SELECT ${COMPANY}, 'deal', ${DEAL}::text, 'change', 'past-' || n, ${MOMENT}, ${MOMENT}, ${PAYLOAD}, ${MOMENT}, '{deal.won}', ${DECIDED}
       FROM generate_series(1, $1::int) AS n
     RETURNING id, tenant_id, entity, entity_id, occurred_at, substr(meta_id, 6)::int AS n
   ), owed AS (
     INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at, template_mode,
                             state, not_before, attempts, request_id, rendered_body, created_at, finished_at)
     SELECT tenant_id, id, ${FIRST_RULE} + n % 20, ${FIRST_SPACE} + n % 20, 'past', entity, entity_id, '{"type": "deal.won", "changes": []}', ${STATE},
            occurred_at, 'detailed', ${CUT_OFF}, occurred_at, 1, gen_random_uuid(), '{"text": "Deal won."}', occurred_at, occurred_at
       FROM told
     RETURNING id, tenant_id, event_id, rule_id, chat_webhook_id, state, created_at
   ) INSERT INTO logs (tenant_id, delivery_id, event_id, rule_id, chat_webhook_id, status, http_status, duration_ms, created_at)
   SELECT tenant_id, id, event_id, rule_id, chat_webhook_id, CASE state WHEN 'failed' THEN 'failure' ELSE 'success' END, 200, 20, created_at FROM owed`,
  `INSERT INTO audit_entries (tenant_id, actor, action, subject, created_at)
   SELECT ${COMPANY}, 'user ${FIRST_OWNER_ID}', 'rule.updated', 'rule ' || (${FIRST_RULE} + n % 20), ${MOMENT} FROM generate_series(1, least($1::int, 2000)) AS n`,
];
const TABLES = ['events', 'records', 'deliveries', 'logs', 'rules', 'audit_entries', 'chat_webhooks'];

/** Gives the first company of the benchmark's ledger 50 rules on its 20 spaces and a past of `events` events, each with its delivery and attempt. */
export async function seedBusyCompany(databaseUrl: string, events: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // Only for speed: the tenants, rules and spaces are there.
    await client.query('SET session_replication_role = replica; SET synchronous_commit = off');
    for (const statement of STATEMENTS) await client.query(statement, statement.includes('$1') ? [events] : []);
    for (const table of TABLES) await client.query(`VACUUM (ANALYZE) ${table}`);
  } finally {
    await client.end();
  }
}
