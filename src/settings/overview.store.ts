/** What the overview counts: messages sent of late and messages that wait. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';
import { isUnfinished } from '../core/unfinished.store';
import type { Database } from '../platform/database';

/** Messages that Google Chat took in a quarter of an hour: days begin on a quarter in every time zone. */
export interface SentQuarter {
  readonly at: Date;
  readonly count: number;
}

/** Of a tenant since a moment, in quarters that have any. */
export type CountSent = (tenantId: TenantId, since: Date) => Promise<readonly SentQuarter[]>;

/** Numbers of attempts grow with time, so the first of the period bounds the tenant's own range. */
const FIRST_ID = `SELECT id FROM logs WHERE created_at >= $1 ORDER BY created_at LIMIT 1`;
const SENT = `
  SELECT date_bin('15 minutes', created_at, 'epoch') AS at, count(*)::int AS count
    FROM logs
   WHERE tenant_id = $1 AND id >= $2 AND created_at >= $3 AND status = 'success' AND delivery_id IS NOT NULL
   GROUP BY 1 ORDER BY 1`;
const quarterRow = z.object({ at: z.date(), count: z.int() });

const QUARTER_MS = 15 * 60_000;
/** No attempt is written later than that after its own moment. */
const SETTLED_MS = 4 * QUARTER_MS;
const MAX_KEPT = 1_000;

interface Kept {
  readonly upTo: Date;
  readonly quarters: readonly SentQuarter[];
}

/** Makes the count. What is long past is counted once and kept: a week of a busy company is a hundred thousand rows. */
export function makeCountSent(pool: Pool, clock: () => Date): CountSent {
  const kept = new Map<TenantId, Kept>();
  return async (tenantId, asked) => {
    const since = quarterOf(asked.getTime());
    const past = kept.get(tenantId);
    const fresh = await sentSince(pool, tenantId, past === undefined || past.upTo < since ? since : past.upTo);
    const quarters = [...(past?.quarters ?? []).filter(({ at }) => at >= since), ...fresh];
    const upTo = quarterOf(clock().getTime() - SETTLED_MS);
    if (kept.size >= MAX_KEPT) kept.clear();
    if (upTo > since) kept.set(tenantId, { upTo, quarters: quarters.filter(({ at }) => at < upTo) });
    return quarters;
  };
}

function quarterOf(ms: number): Date {
  return new Date(Math.floor(ms / QUARTER_MS) * QUARTER_MS);
}

async function sentSince(pool: Pool, tenantId: TenantId, since: Date): Promise<SentQuarter[]> {
  const first = await pool.query<{ id: string }>(FIRST_ID, [since]);
  const firstId = first.rows[0]?.id;
  if (firstId === undefined) return [];
  const { rows } = await pool.query(SENT, [tenantId, firstId, since]);
  return rows.map((row) => quarterRow.parse(row));
}

/** Newest attempts looked at, so that the pages cost the same where very much is sent. */
export const LOOKED_AT = 3_000;
/**
 * Of new or mended destinations of the last day those of which Google Chat has taken nothing by their URL; not those of which that cannot be
 * told by the newest attempts. Range and order are said as one index says them, and all destinations are compared with what that
 * gave: joined to the attempts themselves, the planner reads the whole table for them.
 */
const UNUSED = `
  WITH young AS MATERIALIZED (
    SELECT id, health_since - interval '1 second' AS since FROM chat_webhooks
     WHERE tenant_id = $1 AND health = 'healthy' AND health_since > now() - interval '1 day'
  ), newest AS MATERIALIZED (
    SELECT chat_webhook_id, status, created_at FROM logs
     WHERE (tenant_id, id) >= ($1::int, coalesce((SELECT id FROM logs WHERE created_at >= (SELECT min(since) FROM young)
                                                   ORDER BY created_at LIMIT 1), ${Number.MAX_SAFE_INTEGER}))
       AND (tenant_id, id) < ($1::int + 1, 0::bigint)
     ORDER BY tenant_id DESC, id DESC LIMIT ${LOOKED_AT}
  ), used AS MATERIALIZED (
    SELECT chat_webhook_id AS id, max(created_at) AS at FROM newest WHERE status = 'success' GROUP BY 1
  )
  SELECT y.id FROM young y
   WHERE NOT EXISTS (SELECT FROM used u WHERE u.id = y.id AND u.at >= y.since)
     AND ((SELECT count(*) FROM newest) < ${LOOKED_AT} OR y.since >= (SELECT min(created_at) FROM newest))`;
const idRow = z.object({ id: z.int() });

/** Destinations whose present URL was not used yet. */
export async function unusedDestinations({ keyed }: Pick<Database, 'keyed'>, tenantId: TenantId): Promise<ReadonlySet<number>> {
  const { rows } = await keyed.query({ name: 'unused-destinations', text: UNUSED, values: [tenantId] });
  return new Set(rows.map((row) => idRow.parse(row).id));
}

/** The tenant too as the index of unfinished messages says it. */
const WAITING = `
  SELECT chat_webhook_id AS "destinationId", state, count(*)::int AS count
    FROM deliveries d
   WHERE tenant_id + 0 = $1 AND ${isUnfinished('d')}
   GROUP BY 1, 2`;
const waitingRow = z.object({ destinationId: z.int(), state: z.enum(['queued', 'sending', 'held']), count: z.int() });
export type WaitingMessages = z.infer<typeof waitingRow>;

/** Messages that are not out yet, by destination and state. */
export async function waitingMessages(pool: Pool, tenantId: TenantId): Promise<WaitingMessages[]> {
  const { rows } = await pool.query(WAITING, [tenantId]);
  return rows.map((row) => waitingRow.parse(row));
}
