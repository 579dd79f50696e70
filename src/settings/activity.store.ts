/** Finds the events that a person looks for, newest first: only so many are looked through at a time, so that the page comes at once. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';

/** What became of an event, as people ask for it; the states of the messages that it owed. */
export const ACTIVITY_STATUSES = ['sent', 'waiting', 'held', 'folded', 'failed', 'dropped', 'silent'] as const;
export type ActivityStatus = (typeof ACTIVITY_STATUSES)[number];

export interface FoundRecord {
  readonly entity: string;
  readonly entityId: string;
}

export interface ActivityQuery {
  /** Null: of any record. */
  readonly records: readonly FoundRecord[] | null;
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

const OF_TENANT = `
  SELECT e.id, e.decisions, e.routed_at FROM events e
   WHERE e.tenant_id = $1 AND e.id < $2 ORDER BY e.id DESC LIMIT ${LOOKED_THROUGH}`;
const OF_RECORDS = `
  SELECT e.id, e.decisions, e.routed_at FROM unnest($5::text[], $6::text[]) AS wanted (entity, entity_id)
    JOIN events e ON e.tenant_id = $1 AND e.entity = wanted.entity AND e.entity_id = wanted.entity_id
   WHERE e.id < $2 ORDER BY e.id DESC LIMIT ${LOOKED_THROUGH}`;
/** What is rare among many sent messages is found by the deliveries, of which it has an index of its own. */
const owing = (states: string): string => `
  SELECT e.id, e.decisions, e.routed_at
    FROM (SELECT DISTINCT event_id FROM deliveries
           WHERE tenant_id = $1 AND event_id < $2 AND state IN ${states} AND ($3::int IS NULL OR rule_id = $3)
           ORDER BY event_id DESC LIMIT ${LOOKED_THROUGH}) AS owed
    JOIN events e ON e.id = owed.event_id AND e.tenant_id = $1`;

const foundRow = z.object({ ids: z.array(z.coerce.number()), reached: z.coerce.number().nullable(), looked: z.coerce.number() });

/** One page of events. */
export async function findEvents(pool: Pool, tenantId: TenantId, query: ActivityQuery): Promise<FoundEvents> {
  const { records, status, ruleId, limit } = query;
  const { rows } = await pool.query(
    `WITH candidates AS MATERIALIZED (${candidatesOf(query)})
     SELECT ARRAY(SELECT c.id FROM candidates c WHERE ${keptBy(status)} ORDER BY c.id DESC LIMIT $4)::text[] AS ids,
            (SELECT min(id) FROM candidates) AS reached, (SELECT count(*) FROM candidates) AS looked,
            $5::text[] IS NULL AND $6::text[] IS NULL AS is_any`,
    [
      ...[tenantId, query.beforeId ?? Number.MAX_SAFE_INTEGER, ruleId, limit + 1],
      records?.map(({ entity }) => entity) ?? null,
      records?.map(({ entityId }) => entityId) ?? null,
    ],
  );
  const { ids, reached, looked } = foundRow.parse(rows[0]);
  const isCutShort = ids.length <= limit && looked === LOOKED_THROUGH;
  const shown = ids.slice(0, limit);
  return { ids: shown, isCutShort, nextBefore: isCutShort ? reached : ids.length > limit ? (shown.at(-1) ?? null) : null };
}

function candidatesOf({ records, status }: ActivityQuery): string {
  if (records !== null) return OF_RECORDS;
  return status === null || status === 'sent' || status === 'silent' ? OF_TENANT : owing(STATES[status]);
}

function keptBy(status: ActivityStatus | null): string {
  const decided = `($3::int IS NULL OR c.decisions @> jsonb_build_array(jsonb_build_object('ruleId', $3::int)))`;
  if (status === null) return decided;
  const owed = 'd.tenant_id = $1 AND d.event_id = c.id AND ($3::int IS NULL OR d.rule_id = $3)';
  if (status === 'silent')
    return `c.routed_at IS NOT NULL AND ${decided} AND NOT EXISTS (SELECT FROM deliveries d WHERE ${owed})`;
  return `EXISTS (SELECT FROM deliveries d WHERE ${owed} AND d.state IN ${STATES[status]})`;
}

/** Records whose title is looked through at most, and found at most. */
const MOST_FOUND = 100;

const recordRow = z.object({ entity: z.string(), entityId: z.string() });

/** Deals and leads by their id or a part of their title, as the ledger knows them. */
export async function findDeals(pool: Pool, tenantId: TenantId, text: string): Promise<readonly FoundRecord[]> {
  const { rows } = await pool.query(
    `SELECT entity, entity_id AS "entityId" FROM records
      WHERE tenant_id = $1 AND entity IN ('deal', 'lead') AND (entity_id = $2 OR state->>'title' ILIKE $3)
      ORDER BY entity_id = $2 DESC, refreshed_at DESC LIMIT ${MOST_FOUND}`,
    [tenantId, text, `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`],
  );
  return rows.map((row) => recordRow.parse(row));
}
