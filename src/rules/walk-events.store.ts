/** Stored events as a preview walks through them, and what the real rules made of some of them. */

import type { Pool } from 'pg';
import type { TenantId } from '../core/tenant';
import type { RawEvent } from './route-events';
import type { WalkStore } from './walk-events';

interface FirstRow {
  readonly id: number;
  readonly received_at: Date;
}

const NEXT = `
  SELECT id::float8 AS id, received_at, payload FROM events
   WHERE tenant_id = $1 AND id > $2 AND received_at <= $3 AND ignored_reason IS NULL ORDER BY id LIMIT $4`;
const BOUNDS =
  'SELECT coalesce(min(id), 0)::float8 AS low, coalesce(max(id), 0)::float8 AS high FROM events WHERE tenant_id = $1';
const FIRST_FROM = 'SELECT id::float8 AS id, received_at FROM events WHERE tenant_id = $1 AND id >= $2 ORDER BY id LIMIT 1';
const BEFORE_NEWEST = `
  SELECT id::float8 AS id, received_at FROM events
   WHERE tenant_id = $1 AND ignored_reason IS NULL ORDER BY id DESC OFFSET $2 LIMIT 1`;
const OTHER_RULES = `
  SELECT r.id AS "ruleId", r.name AS "ruleName", count(DISTINCT e.id)::int AS events
    FROM events e CROSS JOIN LATERAL jsonb_array_elements(e.decisions) AS decision
    JOIN rules r ON r.tenant_id = e.tenant_id AND r.id = (decision ->> 'ruleId')::int
   WHERE e.tenant_id = $1 AND e.id = ANY ($2::bigint[]) AND decision -> 'matched' = 'true'
   GROUP BY r.id, r.name`;
const EVENTS_AT_ONCE = 2_000;

export interface OtherRule {
  readonly ruleId: number;
  readonly ruleName: string;
  readonly events: number;
}

/** Makes the store of the walk. */
export function makeWalkStore(pool: Pool): WalkStore {
  return {
    lastEventBefore: (tenantId, from) => lastEventBefore(pool, tenantId, from),
    async eventBeforeNewest(tenantId, count) {
      const found = (await pool.query<FirstRow>(BEFORE_NEWEST, [tenantId, count])).rows[0];
      return found === undefined ? null : { id: found.id, receivedAt: found.received_at };
    },
    async nextEvents(tenantId, { id, until }, limit) {
      const { rows } = await pool.query<{ id: number; received_at: Date; payload: Buffer }>(NEXT, [tenantId, id, until, limit]);
      return rows.map((row): RawEvent => ({ id: row.id, receivedAt: row.received_at, payload: row.payload }));
    },
  };
}

/**
 * Ids grow as time does, so the place is found by halving: some twenty look-ups in the index of tenant and id, however long the
 * history is.
 */
async function lastEventBefore(pool: Pool, tenantId: TenantId, from: Date): Promise<number> {
  const { rows } = await pool.query<{ low: number; high: number }>(BOUNDS, [tenantId]);
  let [low, high] = [(rows[0]?.low ?? 0) - 1, rows[0]?.high ?? 0];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const first = (await pool.query<FirstRow>(FIRST_FROM, [tenantId, middle])).rows[0];
    if (first === undefined || first.received_at >= from) high = middle - 1;
    else low = first.id;
  }
  return Math.max(low, 0);
}

/** Rules that matched any of these events, by the stored decisions, and how many of them; the busiest first. */
export async function countMatchesOfOthers(pool: Pool, tenantId: TenantId, eventIds: readonly number[]): Promise<OtherRule[]> {
  const counted = new Map<number, OtherRule>();
  for (let start = 0; start < eventIds.length; start += EVENTS_AT_ONCE) {
    const { rows } = await pool.query<OtherRule>(OTHER_RULES, [tenantId, eventIds.slice(start, start + EVENTS_AT_ONCE)]);
    for (const row of rows) counted.set(row.ruleId, { ...row, events: row.events + (counted.get(row.ruleId)?.events ?? 0) });
  }
  return [...counted.values()].sort((a, b) => b.events - a.events || a.ruleId - b.ruleId);
}
