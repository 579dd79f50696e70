/** What the overview counts: messages sent of late and messages that wait. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';

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

/** Of a new or mended destination of the last day: whether Google Chat has taken anything by its URL. */
const UNUSED = `
  SELECT w.id
    FROM chat_webhooks w
   WHERE w.tenant_id = $1 AND w.health = 'healthy' AND w.health_since > now() - interval '1 day'
     AND NOT EXISTS (
       SELECT FROM logs l
        WHERE l.tenant_id = w.tenant_id AND l.chat_webhook_id = w.id AND l.status = 'success'
          AND l.id >= (SELECT id FROM logs WHERE created_at >= w.health_since - interval '1 second' ORDER BY created_at LIMIT 1))`;
const idRow = z.object({ id: z.int() });

/** Destinations whose present URL was not used yet. */
export async function unusedDestinations(pool: Pool, tenantId: TenantId): Promise<ReadonlySet<number>> {
  const { rows } = await pool.query(UNUSED, [tenantId]);
  return new Set(rows.map((row) => idRow.parse(row).id));
}

/** As the index `deliveries_unfinished` says it. */
const WAITING = `
  SELECT chat_webhook_id AS "destinationId", state, count(*)::int AS count
    FROM deliveries
   WHERE tenant_id + 0 = $1 AND coalesce(state, '') IN ('queued', 'sending', 'held')
   GROUP BY 1, 2`;
const waitingRow = z.object({ destinationId: z.int(), state: z.enum(['queued', 'sending', 'held']), count: z.int() });
export type WaitingMessages = z.infer<typeof waitingRow>;

/** Messages that are not out yet, by destination and state. */
export async function waitingMessages(pool: Pool, tenantId: TenantId): Promise<WaitingMessages[]> {
  const { rows } = await pool.query(WAITING, [tenantId]);
  return rows.map((row) => waitingRow.parse(row));
}
