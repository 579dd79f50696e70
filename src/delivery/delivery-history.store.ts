/** Deliveries and attempts as people look at them, newest first. */

import type { Pool } from 'pg';
import { FINISHED_STATES } from '../core/delivery';
import type { TenantId } from '../core/tenant';
import { isUnfinished } from '../core/unfinished.store';
import { isToldAnyhow } from './come-apart.store';
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

/**
 * Where one index has the newest rows of somebody: range and order are said as that index says them, so that the planner has nothing else for
 * them. By the ids of all it would read what others have since.
 */
const newestOf = (row: string, whose: readonly string[], given: readonly string[]) => {
  const columns = [...whose, 'id'].map((column) => `${row}.${column}`);
  return {
    range: `(${columns.join(', ')}) < (${[...given, '$2::bigint'].join(', ')}) AND (${columns.join(', ')}) > (${[...given, '0::bigint'].join(', ')})`,
    order: columns.map((column) => `${column} DESC`).join(', '),
  };
};

/** One page of attempts by id, newest first. */
export async function pageOfAttempts(
  pool: Pool,
  tenantId: TenantId,
  filter: AttemptFilter,
  page: Page,
): Promise<HistoryAttempt[]> {
  // Failures are rare, and have an index by company.
  const isByRule = filter.ruleId !== undefined && filter.status !== 'failure';
  const { range, order } = isByRule ? newestOf('l', ['rule_id'], ['$4::int']) : newestOf('l', ['tenant_id'], ['$1::int']);
  const { rows } = await pool.query<Raw<HistoryAttempt>>(
    `SELECT l.id, l.rule_id AS "ruleId", l.chat_webhook_id AS "chatWebhookId", l.delivery_id AS "deliveryId", l.event_id AS "eventId",
            l.status, l.http_status AS "httpStatus", l.error_message AS "errorMessage", l.duration_ms AS "durationMs",
            coalesce(l.test_body, d.rendered_body) AS body, l.created_at AS "createdAt"
       FROM logs l LEFT JOIN deliveries d ON d.id = l.delivery_id
      WHERE ${range} AND l.tenant_id + 0 = $1
        AND ($3::text IS NULL OR l.status = $3) AND ($4::int IS NULL OR l.rule_id + 0 = $4)
        AND ($5::timestamptz IS NULL OR l.created_at >= $5) AND ($6::timestamptz IS NULL OR l.created_at <= $6)
      ORDER BY ${order} LIMIT $7`,
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
  const parts = partsOf(filter).map(({ range, order }) => `(${pagePart(range, order)})`);
  const { rows } = await pool.query<DeliveryRow>(
    `SELECT * FROM (${parts.join(' UNION ALL ')}) AS parts ORDER BY id DESC LIMIT $8`,
    [tenantId, page.beforeId ?? Number.MAX_SAFE_INTEGER, ...conditions(filter), page.limit],
  );
  return rows.map(toDelivery);
}

interface Part {
  readonly range: string;
  readonly order: string;
}

const OF_TENANT: Part = newestOf('d', ['tenant_id'], ['$1::int']);
/** What people look for among many that were sent, by the index `deliveries_not_sent`. */
const NOT_SENT = ['dropped', 'failed', 'folded', 'held'];
const OF_STATE: Part = withStates(NOT_SENT, newestOf('d', ['tenant_id', 'state'], ['$1::int', '$3::text']));
/** By the index `deliveries_finished`. */
const FINISHED_OF_RULE: Part = withStates(FINISHED_STATES, newestOf('d', ['rule_id'], ['$4::int']));
/** What is not finished is little, and has an index by record: that is read as a whole. */
const UNFINISHED: Part = {
  range: `${isUnfinished('d')} AND d.id + 0 < $2::bigint`,
  order: 'd.id + 0 DESC',
};

/** Of one rule in two parts: what is finished has an index by rule, what is not is little. */
function partsOf({ state, ruleId }: DeliveryFilter): readonly Part[] {
  if (state === undefined) return ruleId === undefined ? [OF_TENANT] : [FINISHED_OF_RULE, UNFINISHED];
  if (NOT_SENT.includes(state)) return [OF_STATE];
  if (state === 'sent') return [ruleId === undefined ? OF_TENANT : FINISHED_OF_RULE];
  return [UNFINISHED];
}

function withStates(states: readonly string[], { range, order }: Part): Part {
  return { range: `d.state IN (${states.map((state) => `'${state}'`).join(', ')}) AND ${range}`, order };
}

/** When a delivery, `d`, became what it is: what was given up after a day has failed then, and not when it came. */
export const BECAME_AT = 'coalesce(d.finished_at, d.created_at)';

const pagePart = (range: string, order: string): string =>
  `${SELECT_DELIVERIES} WHERE ${range} AND d.tenant_id + 0 = $1
     AND ($3::text IS NULL OR coalesce(d.state, '') = $3) AND ($4::int IS NULL OR d.rule_id + 0 = $4) AND ($5::int IS NULL OR d.chat_webhook_id + 0 = $5)
     AND ($6::timestamptz IS NULL OR ${BECAME_AT} >= $6) AND ($7::timestamptz IS NULL OR ${BECAME_AT} <= $7)
   ORDER BY ${order} LIMIT $8`;

/** The newest deliveries that tell of these events: by those, whatever else the planner thinks of. */
export async function deliveriesOfEvents(
  pool: Pool,
  tenantId: TenantId,
  eventIds: readonly number[],
): Promise<HistoryDelivery[]> {
  const { rows } = await pool.query<DeliveryRow>(
    `${SELECT_DELIVERIES} WHERE d.tenant_id + 0 = $1 AND d.event_id = ANY($2::bigint[]) ORDER BY d.id + 0 DESC LIMIT 200`,
    [tenantId, eventIds],
  );
  return rows.map(toDelivery);
}

const SELECT_DELIVERIES = `SELECT d.id, d.event_id AS "eventId", d.rule_id AS "ruleId", d.chat_webhook_id AS "chatWebhookId",
  d.via_webhook_id AS "viaWebhookId", d.entity, d.entity_id AS "entityId", d.transition->>'type' AS "eventType", d.state, d.state_reason AS reason,
  d.replay, d.attempts, d.held_because AS "heldBecause", d.uncertain > 0 AS "isUncertain",
  CASE WHEN d.state = 'held' THEN (
    SELECT jsonb_build_object('name', f.name, 'isBroken', f.health = 'broken', 'isPaused', f.paused, 'isToldAnyhow', ${isToldAnyhow('d')})
      FROM chat_webhooks own JOIN chat_webhooks f ON f.id = coalesce(d.via_webhook_id, own.fallback_webhook_id)
     WHERE own.id = d.chat_webhook_id) END AS fallback,
  d.request_id AS "requestId", d.chat_message_name AS "messageName", d.folded_into AS "foldedInto",
  (SELECT jsonb_build_object('deliveryId', lead.id, 'state', lead.state, 'messageName', lead.chat_message_name)
     FROM deliveries lead WHERE lead.id = d.folded_into) AS "toldBy",
  d.fold_kind AS "foldKind", nullif(d.held_until, 'epoch') AS "heldUntil", d.occurred_at AS "occurredAt",
  d.not_before AS "notBefore", d.created_at AS "createdAt", d.finished_at AS "finishedAt" FROM deliveries d`;

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
