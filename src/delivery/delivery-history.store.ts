/** Deliveries and attempts as people look at them, newest first. */

import type { Pool } from 'pg';
import { FINISHED_STATES, UNFINISHED_STATES } from '../core/delivery';
import type { TenantId } from '../core/tenant';
import { heldReason, type HeldMessage } from './held-reason';

/** An attempt to send, or a test. */
export interface HistoryAttempt {
  readonly id: number;
  readonly ruleId: number | null;
  readonly chatWebhookId: number | null;
  readonly deliveryId: number | null;
  readonly eventId: number | null;
  readonly status: string;
  readonly httpStatus: number | null;
  readonly errorMessage: string | null;
  readonly durationMs: number;
  /** The message as it was posted; null when it was never rendered. */
  readonly body: string | null;
  readonly createdAt: Date;
}

export interface HistoryDelivery {
  readonly id: number;
  readonly eventId: number;
  readonly ruleId: number;
  readonly chatWebhookId: number;
  /** The fallback that it went or goes to instead. */
  readonly viaWebhookId: number | null;
  readonly entity: string;
  readonly entityId: string;
  readonly eventType: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly replay: number;
  readonly attempts: number;
  readonly requestId: string;
  readonly messageName: string | null;
  readonly foldedInto: number | null;
  /** The delivery whose message tells this one too. */
  readonly toldBy: { readonly deliveryId: number; readonly state: string; readonly messageName: string | null } | null;
  /** Its message tells others too: backlog, quiet, daily or weekly. */
  readonly foldKind: string | null;
  /** Until when it is held, when it waits for a time; null also while that is found out anew. */
  readonly heldUntil: Date | null;
  readonly occurredAt: Date;
  readonly notBefore: Date;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** Undefined conditions are none. `to` is inclusive. */
export interface DeliveryFilter {
  readonly state?: string | undefined;
  readonly ruleId?: number | undefined;
  readonly chatWebhookId?: number | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

export interface AttemptFilter {
  readonly status?: string | undefined;
  readonly ruleId?: number | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

export interface Page {
  /** Only rows with a smaller id; null: from the newest on. */
  readonly beforeId: number | null;
  readonly limit: number;
}

/** One page of attempts by id, newest first. */
export async function pageOfAttempts(
  pool: Pool,
  tenantId: TenantId,
  filter: AttemptFilter,
  page: Page,
): Promise<HistoryAttempt[]> {
  const { rows } = await pool.query<Raw<HistoryAttempt>>(
    `SELECT l.id, l.rule_id AS "ruleId", l.chat_webhook_id AS "chatWebhookId", l.delivery_id AS "deliveryId", l.event_id AS "eventId",
            l.status, l.http_status AS "httpStatus", l.error_message AS "errorMessage", l.duration_ms AS "durationMs",
            coalesce(l.test_body, d.rendered_body) AS body, l.created_at AS "createdAt"
       FROM logs l LEFT JOIN deliveries d ON d.id = l.delivery_id
      WHERE l.tenant_id = $1 AND l.id < $2
        AND ($3::text IS NULL OR l.status = $3) AND ($4::int IS NULL OR l.rule_id = $4)
        AND ($5::timestamptz IS NULL OR l.created_at >= $5) AND ($6::timestamptz IS NULL OR l.created_at <= $6)
      ORDER BY l.id DESC LIMIT $7`,
    [
      tenantId,
      page.beforeId ?? Number.MAX_SAFE_INTEGER,
      filter.status ?? null,
      filter.ruleId ?? null,
      filter.from ?? null,
      filter.to ?? null,
      page.limit,
    ],
  );
  return rows.map((row) => ({
    ...row,
    id: Number(row.id),
    deliveryId: idOrNull(row.deliveryId),
    eventId: idOrNull(row.eventId),
  }));
}

/** One page of deliveries by id, newest first. */
export async function pageOfDeliveries(
  pool: Pool,
  tenantId: TenantId,
  filter: DeliveryFilter,
  page: Page,
): Promise<HistoryDelivery[]> {
  // Of one rule in two parts: what is finished has an index by rule, what is not is little.
  const isOfRule = filter.ruleId !== undefined && filter.state === undefined;
  const parts = isOfRule ? [pagePart('state = ANY ($9)'), pagePart('state = ANY ($10)')] : [pagePart('true')];
  const sql = `SELECT * FROM (${parts.map((part) => `(${part})`).join(' UNION ALL ')}) AS parts ORDER BY id DESC LIMIT $8`;
  const values = [tenantId, page.beforeId ?? Number.MAX_SAFE_INTEGER, ...conditions(filter), page.limit];
  const { rows } = await pool.query<DeliveryRow>(sql, isOfRule ? [...values, FINISHED_STATES, UNFINISHED_STATES] : values);
  return rows.map(toDelivery);
}

const pagePart = (states: string): string =>
  `${SELECT_DELIVERIES} WHERE tenant_id = $1 AND id < $2 AND ${states}
     AND ($3::text IS NULL OR state = $3) AND ($4::int IS NULL OR rule_id = $4) AND ($5::int IS NULL OR chat_webhook_id = $5)
     AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at <= $7)
   ORDER BY id DESC LIMIT $8`;

/** The newest deliveries that tell of these events. */
export async function deliveriesOfEvents(
  pool: Pool,
  tenantId: TenantId,
  eventIds: readonly number[],
): Promise<HistoryDelivery[]> {
  const { rows } = await pool.query<DeliveryRow>(
    `${SELECT_DELIVERIES} WHERE tenant_id = $1 AND event_id = ANY($2::bigint[]) ORDER BY id DESC LIMIT 200`,
    [tenantId, eventIds],
  );
  return rows.map(toDelivery);
}

const SELECT_DELIVERIES = `SELECT id, event_id AS "eventId", rule_id AS "ruleId", chat_webhook_id AS "chatWebhookId", via_webhook_id AS "viaWebhookId", entity,
  entity_id AS "entityId", transition->>'type' AS "eventType", state, state_reason AS reason, replay, attempts,
  held_because AS "heldBecause", uncertain > 0 AS "isUncertain",
  CASE WHEN state = 'held' THEN (
    SELECT jsonb_build_object('name', f.name, 'isBroken', f.health = 'broken', 'isPaused', f.paused, 'isToldAnyhow', EXISTS (
             SELECT 1 FROM deliveries o WHERE o.event_id = deliveries.event_id AND o.rule_id = deliveries.rule_id AND o.chat_webhook_id = f.id
                                          AND o.replay = deliveries.replay))
      FROM chat_webhooks own JOIN chat_webhooks f ON f.id = coalesce(deliveries.via_webhook_id, own.fallback_webhook_id)
     WHERE own.id = deliveries.chat_webhook_id) END AS fallback,
  request_id AS "requestId", chat_message_name AS "messageName", folded_into AS "foldedInto",
  (SELECT jsonb_build_object('deliveryId', lead.id, 'state', lead.state, 'messageName', lead.chat_message_name)
     FROM deliveries lead WHERE lead.id = deliveries.folded_into) AS "toldBy",
  fold_kind AS "foldKind", nullif(held_until, 'epoch') AS "heldUntil", occurred_at AS "occurredAt",
  not_before AS "notBefore", created_at AS "createdAt", finished_at AS "finishedAt" FROM deliveries`;

function conditions(filter: DeliveryFilter): unknown[] {
  return [filter.state ?? null, filter.ruleId ?? null, filter.chatWebhookId ?? null, filter.from ?? null, filter.to ?? null];
}

type BigIds = 'id' | 'eventId' | 'deliveryId' | 'foldedInto';
/** A row as pg gives it: its bigints may be text. */
type Raw<Row> = { readonly [Column in keyof Row]: Column extends BigIds ? Row[Column] | string : Row[Column] };

type DeliveryRow = Raw<HistoryDelivery> & Pick<HeldMessage, 'heldBecause' | 'isUncertain' | 'fallback'>;

/** Depending on the pool's type parsers a bigint comes as a number or as text. */
function toDelivery({ heldBecause, isUncertain, fallback, ...row }: DeliveryRow): HistoryDelivery {
  const held = { reason: row.reason, isRedirected: row.viaWebhookId !== null, heldBecause, isUncertain, fallback };
  const reason = row.state === 'held' ? heldReason(held) : row.reason;
  return { ...row, reason, id: Number(row.id), eventId: Number(row.eventId), foldedInto: idOrNull(row.foldedInto) };
}

function idOrNull(value: number | string | null): number | null {
  return value === null ? null : Number(value);
}
