/** Finds the events that a person looks for, newest first: only so many are looked through at a time, so that the page comes at once. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';

/** What became of an event, as people ask for it; the states of the messages that it owed. */
export const ACTIVITY_STATUSES = ['sent', 'waiting', 'held', 'folded', 'failed', 'dropped', 'silent'] as const;
export type ActivityStatus = (typeof ACTIVITY_STATUSES)[number];

/** Deals and leads of which events are wanted: by their id, or by a part of their title. */
export type WantedDeals = { readonly id: string } | { readonly title: string };

export interface ActivityQuery {
  /** Null: of any record. */
  readonly deals: WantedDeals | null;
  /** Events that this rule decided on; with a status, what became of its own message. */
  readonly ruleId: number | null;
  readonly status: ActivityStatus | null;
  /** Only events with a smaller id; null: from the newest on. */
  readonly beforeId: number | null;
  readonly limit: number;
}

export interface FoundEvents {
  readonly ids: readonly number[];
  /** Where older ones begin; null when there are none. */
  readonly nextBefore: number | null;
  /** The bound of what is looked through at a time was reached before the page was full. */
  readonly isCutShort: boolean;
}

/** Events that are looked through for one page. */
export const LOOKED_THROUGH = 2000;

const STATES: Readonly<Record<Exclude<ActivityStatus, 'silent'>, string>> = {
  sent: `('sent')`,
  waiting: `('queued', 'sending')`,
  held: `('held')`,
  folded: `('folded')`,
  failed: `('failed')`,
  dropped: `('dropped')`,
};

const COLUMNS = 'e.id, e.entity, e.entity_id, e.decisions, e.routed_at';
const OF_TENANT = `
  SELECT ${COLUMNS} FROM events e
   WHERE e.tenant_id = $1 AND e.id < $2 ORDER BY e.id DESC LIMIT ${LOOKED_THROUGH}`;
const OF_ID = `
  SELECT ${COLUMNS} FROM events e
   WHERE e.tenant_id = $1 AND e.entity IN ('deal', 'lead') AND e.entity_id = $5 AND e.id < $2
   ORDER BY e.id DESC LIMIT ${LOOKED_THROUGH}`;
/** What is rare among many sent messages is found by the deliveries, of which it has an index of its own. */
const owing = (states: string): string => `
  SELECT ${COLUMNS}
    FROM (SELECT DISTINCT event_id FROM deliveries
           WHERE tenant_id = $1 AND event_id < $2 AND state IN ${states} AND ($3::int IS NULL OR rule_id = $3)
           ORDER BY event_id DESC LIMIT ${LOOKED_THROUGH}) AS owed
    JOIN events e ON e.id = owed.event_id AND e.tenant_id = $1`;
/** A value, not EXISTS: record by record through the key, and never a look at all records. */
const IS_NAMED = `
  c.entity IN ('deal', 'lead') AND (SELECT r.state ->> 'title' ILIKE $5 FROM records r
   WHERE r.tenant_id = $1 AND r.entity = c.entity AND r.entity_id = c.entity_id)`;

const foundRow = z.object({ ids: z.array(z.coerce.number()), reached: z.coerce.number().nullable(), looked: z.coerce.number() });

/** One page of events. OFFSET 0: the newest are judged first, and no more of them than the page needs. */
export async function findEvents(pool: Pool, tenantId: TenantId, query: ActivityQuery): Promise<FoundEvents> {
  const { rows } = await pool.query(
    `WITH candidates AS MATERIALIZED (${candidatesOf(query)})
     SELECT ARRAY(SELECT c.id FROM (SELECT * FROM candidates ORDER BY id DESC OFFSET 0) c WHERE ${keptBy(query)} LIMIT $4)::text[] AS ids,
            (SELECT min(id) FROM candidates) AS reached, (SELECT count(*) FROM candidates) AS looked, $5::text IS NULL AS is_any`,
    [tenantId, query.beforeId ?? Number.MAX_SAFE_INTEGER, query.ruleId, query.limit + 1, wordOf(query.deals)],
  );
  const { limit } = query;
  const { ids, reached, looked } = foundRow.parse(rows[0]);
  const isCutShort = ids.length <= limit && looked === LOOKED_THROUGH;
  const shown = ids.slice(0, limit);
  return { ids: shown, isCutShort, nextBefore: isCutShort ? reached : ids.length > limit ? (shown.at(-1) ?? null) : null };
}

function wordOf(deals: WantedDeals | null): string | null {
  if (deals === null) return null;
  return 'id' in deals ? deals.id : `%${deals.title.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

function candidatesOf({ deals, status }: ActivityQuery): string {
  if (deals !== null && 'id' in deals) return OF_ID;
  return status === null || status === 'sent' || status === 'silent' ? OF_TENANT : owing(STATES[status]);
}

function keptBy({ deals, status }: ActivityQuery): string {
  const named = deals !== null && 'title' in deals ? `${IS_NAMED} AND ` : '';
  const decided = `($3::int IS NULL OR c.decisions @> jsonb_build_array(jsonb_build_object('ruleId', $3::int))
                    OR c.decisions @> jsonb_build_array(jsonb_build_object('ruleIds', jsonb_build_array($3::int))))`;
  if (status === null) return `${named}${decided}`;
  const owed = 'd.tenant_id = $1 AND d.event_id = c.id AND ($3::int IS NULL OR d.rule_id = $3)';
  if (status === 'silent')
    return `${named}c.routed_at IS NOT NULL AND ${decided} AND NOT EXISTS (SELECT FROM deliveries d WHERE ${owed})`;
  return `${named}EXISTS (SELECT FROM deliveries d WHERE ${owed} AND d.state IN ${STATES[status]})`;
}
