/** The ledger as the router uses it: a tenant's unrouted events in, decisions and owed messages out, one transaction per batch. */

import type { PoolClient } from 'pg';
import { z } from 'zod';
import { RECORD_ENTITIES, recordStateSchema } from '../core/record';
import { tenantId, type TenantId } from '../core/tenant';
import { EVENT_TYPES } from '../core/transition';
import { isUnfinished } from '../core/unfinished.store';
import type { Database } from '../platform/database';
import type { BatchPlan, Retold } from './plan-batch';
import type { LoadRules, MessageName, PlannedBy, RawEvent, RoutingStore, RoutingTransaction } from './route-events';
import { recordKey, type NewDelivery, type PendingDelivery } from './routing-ledger';
import { loadRates } from './exchange-rate.store';
import { loadHeldBack } from './held-back.store';
import { packDecisions } from './packed-decisions';
import { loadStageOrder } from './stage-order.store';
import { loadShadows, saveShadows, type WantedRecord } from './shadow.store';
import { loadWatches, moveWatches } from './watch.store';
import { stateUndoSchema, undone, undoTo } from './state-undo';

/** First key of the advisory lock that keeps routing of one tenant to one transaction at a time over the whole fleet. */
export const ROUTE_LOCK = 0x64_62_01;

const LOCK_TENANT = `
  SELECT rules_version, base_currency, coalesce(settings ->> 'timeZone', time_zone) AS time_zone, pg_try_advisory_xact_lock(${ROUTE_LOCK}, id) AS locked FROM tenants WHERE id = $1`;
const HOLD_SETTINGS = `SELECT FROM tenants WHERE id = $1 FOR SHARE SKIP LOCKED`;
/**
 * Tenant and id are said as the index of these events says them, `events_unrouted`, which is of expressions: the planner has nothing else
 * for it, and a backlog is read in that order and not sorted as a whole.
 */
const UNROUTED = `
  SELECT e.id::float8 AS id, e.received_at, e.payload FROM events e
   WHERE e.tenant_id + 0 = $1 AND e.routed_at IS NULL ORDER BY e.id + 0 LIMIT $2`;
/**
 * One look-up per record: tenant, state and id are said as the index by record says them, `deliveries_unfinished`, which is of expressions,
 * so that the planner has nothing else for it. What is made ready is told as it is, and so is what tells other messages too.
 */
const PENDING = `
  SELECT d.id::float8 AS id, d.event_id::float8 AS event_id, d.rule_id, d.chat_webhook_id, d.space_id, d.entity, d.entity_id, d.transition,
         d.record, d.record_before, d.actor_user_id::float8 AS actor_user_id, d.occurred_at, d.not_before,
         e.received_at
    FROM unnest($2::text[], $3::text[]) AS wanted(entity, entity_id)
   CROSS JOIN LATERAL (
         SELECT * FROM deliveries w
          WHERE w.tenant_id + 0 = $1 AND w.entity = wanted.entity AND w.entity_id = wanted.entity_id
            AND ${isUnfinished('w')} AND coalesce(w.state, '') = 'queued' AND w.attempts = 0 AND w.replay = 0
            AND w.rendered_body IS NULL AND w.fold_kind IS NULL
          ORDER BY w.id + 0 FOR UPDATE SKIP LOCKED) d
    JOIN events e ON e.id = d.event_id
   ORDER BY d.id`;
const UNTOLD = `
  SELECT d.event_id::float8 AS "eventId", d.rule_id AS "ruleId", d.chat_webhook_id AS "chatWebhookId"
    FROM unnest($2::bigint[], $3::int[], $4::int[]) AS told(event_id, rule_id, chat_webhook_id)
    JOIN deliveries d ON d.event_id = told.event_id AND d.rule_id = told.rule_id AND d.chat_webhook_id = told.chat_webhook_id
   WHERE d.tenant_id = $1 AND d.replay = 0 AND d.state IN ('dropped', 'failed')`;
/**
 * None, unless settings are those of the version ($3) that was planned by and nobody is changing them; that is kept so until the end of the
 * transaction. It never waits: whoever changes settings may wait for messages that this transaction has locked.
 */
const FINISH_EVENTS = `
  UPDATE events e SET routed_at = now(), transitions = r.transitions, decisions = r.decisions, ignored_reason = r.ignored_reason
    FROM jsonb_to_recordset($1::jsonb) AS r(id bigint, transitions text[], decisions jsonb, ignored_reason text)
   WHERE e.id = r.id AND EXISTS (SELECT FROM tenants WHERE id = $2 AND rules_version = $3 FOR SHARE SKIP LOCKED)`;
/** The record is most often just what the batch made of its shadow: that is taken from there and not sent, parsed and compressed again. */
const OWE = `
  INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, record_before,
                          actor_user_id, occurred_at, template_mode, template, not_before, request_id)
  SELECT $1, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition,
         coalesce(record, (SELECT s.state FROM records s WHERE s.tenant_id = $1 AND s.entity = r.entity AND s.entity_id = r.entity_id)),
         record_before, actor_user_id, occurred_at, template_mode, template, not_before, gen_random_uuid()
    FROM jsonb_to_recordset($2::jsonb) AS r(event_id bigint, rule_id int, chat_webhook_id int, space_id text, entity text, entity_id text,
         transition jsonb, record jsonb, record_before jsonb, actor_user_id bigint, occurred_at timestamptz, template_mode text,
         template text, not_before timestamptz)
  ON CONFLICT DO NOTHING`;
/** `coalesce` hides the state from the partial indexes: the ids are what to look for. */
const RETELL = `
  UPDATE deliveries d SET transition = r.transition, record = r.record, record_before = r.record_before
    FROM jsonb_to_recordset($1::jsonb) AS r(id bigint, transition jsonb, record jsonb, record_before jsonb)
   WHERE d.id = r.id AND coalesce(d.state, '') = 'queued'`;
const DROP = `
  UPDATE deliveries d SET state = 'dropped', state_reason = r.reason, finished_at = now()
    FROM jsonb_to_recordset($1::jsonb) AS r(id bigint, reason text) WHERE d.id = r.id AND coalesce(d.state, '') IN ('queued', 'held')`;
/** What is dropped, unless another destination of the rule still hears of it, and what its decision says then. */
const GONE = `
  SELECT d.tenant_id, d.entity, d.entity_id, d.event_id, d.rule_id,
         r.decision || jsonb_build_object('ruleId', d.rule_id, 'matched', false) AS decision
    FROM jsonb_to_recordset($1::jsonb) AS r(id bigint, decision jsonb)
    JOIN deliveries d ON d.id = r.id AND d.state = 'dropped'
   WHERE NOT EXISTS (SELECT 1 FROM deliveries other WHERE other.event_id = d.event_id AND other.rule_id = d.rule_id
                        AND other.state <> 'dropped')`;
/** The events that had owed what is dropped now say so. */
const TAKE_BACK = `
  UPDATE events e SET decisions = (
      SELECT jsonb_agg(coalesce((SELECT g.decision FROM unnest(gone.rule_ids, gone.decisions) AS g(rule_id, decision)
                                  WHERE g.rule_id = (x ->> 'ruleId')::int AND x ->> 'code' = 'matched' LIMIT 1), x))
        FROM jsonb_array_elements(e.decisions) x)
    FROM (SELECT event_id, array_agg(rule_id) AS rule_ids, array_agg(decision) AS decisions FROM (${GONE}) g GROUP BY event_id) gone
   WHERE e.id = gone.event_id AND jsonb_typeof(e.decisions) = 'array'`;
/** So do the later events of the record that it told together with its own. */
const TAKE_BACK_FOLDED = `
  UPDATE events e SET decisions = (
      SELECT jsonb_agg(coalesce((SELECT g.decision
                                   FROM unnest(gone.event_ids, gone.rule_ids, gone.decisions) AS g(event_id, rule_id, decision)
                                  WHERE g.event_id = (x ->> 'toldByEventId')::bigint AND g.rule_id = (x ->> 'ruleId')::int
                                    AND x ->> 'code' = 'settled' LIMIT 1), x))
        FROM jsonb_array_elements(e.decisions) x)
    FROM (SELECT tenant_id, entity, entity_id, array_agg(event_id) AS event_ids, array_agg(rule_id) AS rule_ids,
                 array_agg(decision) AS decisions
            FROM (${GONE}) g GROUP BY tenant_id, entity, entity_id) gone
   WHERE e.tenant_id = gone.tenant_id AND e.entity = gone.entity AND e.entity_id = gone.entity_id
     AND e.id > (SELECT min(first) FROM unnest(gone.event_ids) AS first) AND jsonb_typeof(e.decisions) = 'array'
     AND jsonb_path_exists(e.decisions, '$[*].toldByEventId')`;
/** A loose index scan of the same: one look-up per tenant that has something to route, however many events there are. */
const TENANTS_WITH_WORK = `
  WITH RECURSIVE waiting AS (
    (SELECT tenant_id FROM events WHERE routed_at IS NULL ORDER BY tenant_id + 0 LIMIT 1)
    UNION ALL
    SELECT (SELECT e.tenant_id FROM events e WHERE e.routed_at IS NULL AND e.tenant_id + 0 > w.tenant_id ORDER BY e.tenant_id + 0 LIMIT 1)
      FROM waiting w WHERE w.tenant_id IS NOT NULL
  ) SELECT tenant_id FROM waiting WHERE tenant_id IS NOT NULL`;

const transition = z.object({
  type: z.enum(EVENT_TYPES),
  changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
  again: z.boolean().optional(),
  relatedId: z.string().optional(),
  corrects: z.number().optional(),
  cause: z
    .object({
      changeSource: z.string().nullable(),
      isBulkEdit: z.boolean(),
      correlationId: z.string().exactOptional(),
      isLate: z.boolean().exactOptional(),
    })
    .optional(),
});

/** A transition as it lies in the ledger. */
export const pendingRow = z
  .object({
    id: z.number(),
    event_id: z.number(),
    rule_id: z.number(),
    chat_webhook_id: z.number(),
    space_id: z.string(),
    entity: z.enum(RECORD_ENTITIES),
    entity_id: z.string(),
    transition,
    record: recordStateSchema,
    record_before: stateUndoSchema.nullable(),
    actor_user_id: z.number().nullable(),
    occurred_at: z.date(),
    not_before: z.date(),
    received_at: z.date(),
  })
  .transform((row): PendingDelivery => ({
    id: row.id,
    created: null,
    eventId: row.event_id,
    receivedAt: row.received_at,
    ruleId: row.rule_id,
    chatWebhookId: row.chat_webhook_id,
    spaceId: row.space_id,
    change: {
      entity: row.entity,
      entityId: row.entity_id,
      transition: withoutUndefined(row.transition),
      state: row.record,
      actorUserId: row.actor_user_id,
      occurredAt: row.occurred_at,
    },
    recordBefore: undone(row.record, row.record_before),
    notBefore: row.not_before,
  }));

function withoutUndefined(parsed: z.infer<typeof transition>): PendingDelivery['change']['transition'] {
  const { again, relatedId, corrects, cause, ...rest } = parsed;
  return {
    ...rest,
    ...(again === undefined ? {} : { again }),
    ...(relatedId === undefined ? {} : { relatedId }),
    ...(corrects === undefined ? {} : { corrects }),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Makes the router's store. */
export function makeRoutingStore(database: Database, loadRules: LoadRules<PoolClient>): RoutingStore {
  return {
    // Routing that is lost is done again: no message leaves before its own freezing is durable, and with that all that was committed before.
    inTransaction: (work) => database.repeatableTransaction((client) => work(transactionOn(client, loadRules))),
    async tenantsWithWork() {
      const { rows } = await database.pool.query<{ tenant_id: number }>(TENANTS_WITH_WORK);
      return rows.map((row) => tenantId(row.tenant_id));
    },
  };
}

function transactionOn(client: PoolClient, loadRules: LoadRules<PoolClient>): RoutingTransaction {
  return {
    async lockTenant(tenant) {
      const { rows } = await client.query<{ rules_version: number; base_currency: string; time_zone: string; locked: boolean }>({
        name: 'route-lock',
        text: LOCK_TENANT,
        values: [tenant],
      });
      const row = rows[0];
      if (row === undefined) return { kind: 'gone' };
      return row.locked
        ? { kind: 'locked', rulesVersion: row.rules_version, baseCurrency: row.base_currency, timeZone: row.time_zone }
        : { kind: 'busy' };
    },
    async holdSettings(tenant) {
      const { rowCount } = await client.query(HOLD_SETTINGS, [tenant]);
      return rowCount === 1;
    },
    async unroutedEvents(tenant, limit) {
      const { rows } = await client.query<{ id: number; received_at: Date; payload: Buffer }>({
        name: 'route-unrouted',
        text: UNROUTED,
        values: [tenant, limit],
      });
      return rows.map((row): RawEvent => ({ id: row.id, receivedAt: row.received_at, payload: row.payload }));
    },
    loadRules: (tenant) => loadRules(client, tenant),
    loadRates: (tenant, baseCurrency) => loadRates(client, tenant, baseCurrency),
    loadStageOrder: (tenant) => loadStageOrder(client, tenant),
    loadShadows: (tenant, wanted, correlationIds) => loadShadows(client, tenant, wanted, correlationIds),
    loadPending: (tenant, wanted) => loadPending(client, tenant, wanted),
    loadUntold: (tenant, told) => loadUntold(client, tenant, told),
    loadWatches: (tenant, wanted) => loadWatches(client, tenant, wanted),
    loadHeldBack: (tenant, told) => loadHeldBack(client, tenant, told),
    write: (by, plan, ignored) => writePlan(client, by, plan, ignored),
  };
}

async function loadUntold(client: PoolClient, tenant: TenantId, told: readonly MessageName[]): Promise<readonly MessageName[]> {
  const { rows } = await client.query<MessageName>(UNTOLD, [
    tenant,
    told.map(({ eventId }) => eventId),
    told.map(({ ruleId }) => ruleId),
    told.map(({ chatWebhookId }) => chatWebhookId),
  ]);
  return rows;
}

async function loadPending(
  client: PoolClient,
  tenant: TenantId,
  wanted: readonly WantedRecord[],
): Promise<readonly PendingDelivery[]> {
  const entities = wanted.map((record) => record.entity);
  const ids = wanted.map((record) => record.entityId);
  const { rows } = await client.query({ name: 'route-pending', text: PENDING, values: [tenant, entities, ids] });
  return rows.flatMap((row) => {
    const pending = pendingRow.safeParse(row);
    // What a newer version wrote is told as it is, if ever: the sender says so when it is due. No event waits for that.
    return pending.success ? [pending.data] : [];
  });
}

async function writePlan(
  client: PoolClient,
  { tenantId: tenant, rulesVersion }: PlannedBy,
  plan: BatchPlan,
  ignored: readonly { readonly id: number; readonly reason: string }[],
): Promise<boolean> {
  await saveShadows(client, tenant, plan.shadows);
  const finished = [
    ...plan.routed.map((event) => ({
      id: event.id,
      transitions: event.transitions,
      decisions: packDecisions(event.decisions),
      ignored_reason: null,
    })),
    ...ignored.map((event) => ({ id: event.id, transitions: [], decisions: [], ignored_reason: event.reason })),
  ];
  const values = [JSON.stringify(finished), tenant, rulesVersion];
  const { rowCount } = await client.query({ name: 'route-finish', text: FINISH_EVENTS, values });
  if (rowCount === 0) return false;
  if (plan.created.length > 0)
    await client.query({ name: 'route-owe', text: OWE, values: [tenant, JSON.stringify(owedRows(plan))] });
  if (plan.retold.length > 0) {
    await client.query({ name: 'route-retell', text: RETELL, values: [JSON.stringify(plan.retold.map(retoldRow))] });
  }
  if (plan.dropped.length > 0) {
    await client.query(DROP, [JSON.stringify(plan.dropped)]);
    await client.query(TAKE_BACK, [JSON.stringify(plan.dropped)]);
    await client.query(TAKE_BACK_FOLDED, [JSON.stringify(plan.dropped)]);
  }
  if (plan.moved.length > 0) await moveWatches(client, tenant, plan.moved);
  return true;
}

function retoldRow({ id, change, recordBefore }: Retold): object {
  return { id, transition: change.transition, record: change.state, record_before: undoTo(recordBefore, change.state) };
}

function owedRows({ created, shadows }: BatchPlan): readonly object[] {
  const written = new Map(shadows.map(({ entity, entityId, state }) => [recordKey(entity, entityId), state]));
  return created.map((delivery) => {
    const { entity, entityId, state } = delivery.change;
    return { ...deliveryRow(delivery), record: written.get(recordKey(entity, entityId)) === state ? null : state };
  });
}

function deliveryRow(delivery: NewDelivery): object {
  const { change, rule, destination } = delivery;
  return {
    event_id: delivery.eventId,
    rule_id: rule.id,
    chat_webhook_id: destination.id,
    space_id: destination.spaceId,
    entity: change.entity,
    entity_id: change.entityId,
    transition: change.transition,
    record_before: undoTo(delivery.recordBefore, change.state),
    actor_user_id: change.actorUserId,
    occurred_at: change.occurredAt,
    template_mode: rule.templateMode,
    template: rule.template,
    not_before: delivery.notBefore,
  };
}
