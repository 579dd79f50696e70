/** What came in, newest first, as people look at it: per event the transitions and the compact decisions. */

import type { Pool } from 'pg';
import type { Decision } from '../core/decision';
import type { Rule } from '../core/rule';
import type { TenantId } from '../core/tenant';
import { makeNameOf, namesNeededBy } from './decision-names';
import type { NamesOf } from './list-decisions';
import { unpackDecisions, type PackedDecision } from './packed-decisions';
import { loadReferences } from './reference.store';

export interface HistoryEvent {
  readonly id: number;
  readonly entity: string;
  readonly entityId: string;
  readonly action: string;
  readonly transitions: readonly string[];
  readonly occurredAt: Date;
  readonly receivedAt: Date;
  readonly routedAt: Date | null;
  readonly ignoredReason: string | null;
  readonly decisions: readonly Decision[];
  /** The record's title as last known; null when nothing is. */
  readonly recordTitle: string | null;
}

export interface EventQuery {
  readonly entity?: string | undefined;
  readonly entityId?: string | undefined;
  /** These alone. */
  readonly ids?: readonly number[] | undefined;
  /** Only events with a smaller id; null: from the newest on. */
  readonly beforeId: number | null;
  readonly limit: number;
}

interface Row extends Omit<HistoryEvent, 'id' | 'decisions'> {
  readonly id: string | number;
  readonly decisions: readonly PackedDecision[] | null;
}

/** One page of a tenant's events by id, newest first. One record's events are found through the index of their identity. */
export async function pageOfEvents(pool: Pool, tenantId: TenantId, query: EventQuery): Promise<HistoryEvent[]> {
  const { rows } = await pool.query<Row>(
    `SELECT e.id, e.entity, e.entity_id AS "entityId", e.action, e.transitions, e.occurred_at AS "occurredAt",
            e.received_at AS "receivedAt", e.routed_at AS "routedAt", e.ignored_reason AS "ignoredReason", e.decisions,
            left(coalesce(r.state->>'title', r.state->>'name', r.state->>'subject'), 200) AS "recordTitle"
       FROM events e
       LEFT JOIN records r ON r.tenant_id = e.tenant_id AND r.entity = e.entity AND r.entity_id = e.entity_id
      WHERE e.tenant_id = $1
        AND ($2::text IS NULL OR e.entity = $2) AND ($3::text IS NULL OR e.entity_id = $3)
        AND e.id < $4 AND ($6::bigint[] IS NULL OR e.id = ANY($6))
      ORDER BY e.id DESC LIMIT $5`,
    [
      ...[tenantId, query.entity ?? null, query.entityId ?? null],
      ...[query.beforeId ?? Number.MAX_SAFE_INTEGER, query.limit, query.ids ?? null],
    ],
  );
  return rows.map((row) => ({ ...row, id: Number(row.id), decisions: unpackDecisions(row.decisions ?? []) }));
}

/** The names that the words of these decisions need, in one statement, or none when they name nothing. */
export async function loadDecisionNames(
  pool: Pool,
  tenantId: TenantId,
  decisions: readonly Decision[],
  rules: ReadonlyMap<number, Rule>,
): Promise<NamesOf> {
  const known = await loadReferences(pool, tenantId, namesNeededBy(decisions, rules));
  return (of) => makeNameOf(known, of);
}
