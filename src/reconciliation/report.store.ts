/** What Pipedrive's list says has happened in a period, and what became of each in the ledger. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { RECORD_ENTITIES } from '../core/record';
import type { TenantId } from '../core/tenant';
import { EVENT_TYPES } from '../core/transition';
import { isGivenUp } from '../delivery/expire-held.store';
import { GRACE_MS } from './find-missed';
import { RECONCILED_ID } from './reconciled-body';
import { OUTCOMES, type CountRow } from './summarize-report';

export interface MissingRow {
  readonly type: string;
  readonly entity: 'deal' | 'lead' | 'person' | 'organization' | 'activity' | 'note';
  readonly entityId: string;
  readonly title: string | null;
  readonly happenedAt: Date;
}

export interface Report {
  readonly counts: readonly CountRow[];
  /** The first of those that are missing, longest ago first. */
  readonly missing: readonly MissingRow[];
}

const MOST_MISSING = 50;
/** What a run sees is told by its webhook in the grace, or else by the run that follows it: within a minute, and with the time it takes. */
const TOLD_WITHIN_SECONDS = GRACE_MS / 1000 + 120;

/**
 * A sighting belongs to the event of its kind that came next to it, from a minute before on; a win or a loss to no earlier one, which
 * told another. Where several belong to one event, the time of one win was corrected: they count once. A message is looked for under the event
 * itself and under the one that told it in the same settle window; a folded one is as far as the message that tells it, and
 * told where that is deleted. What was first seen a moment ago may not have come yet. What only a
 * newer version has an eye on ($5: what this one knows) is left to its reports.
 */
const JUDGED = `
  WITH seen AS (
    SELECT *, CASE WHEN type IN ('deal.created', 'lead.converted') THEN ARRAY['deal.created', 'lead.converted'] ELSE ARRAY[type] END AS types
      FROM sightings WHERE tenant_id = $1 AND happened_at >= $2 AND happened_at < $3 AND type = ANY ($5::text[])
  ), judged AS (
    SELECT DISTINCT ON (seen.type, seen.entity, seen.entity_id, e.id, CASE WHEN e.id IS NULL THEN seen.happened_at END)
           seen.type, seen.entity, seen.entity_id, seen.happened_at, coalesce(e.is_late, false) AS is_late,
           CASE WHEN e.id IS NULL AND abs(extract(epoch FROM now() - seen.seen_at)) < ${String(TOLD_WITHIN_SECONDS)} THEN 'comparing'
                WHEN e.id IS NULL THEN 'missing' WHEN d.is_sent THEN 'told' WHEN d.is_waiting THEN 'waiting' WHEN d.is_given_up THEN 'failed'
                WHEN d.is_left_out THEN 'leftOut'
                WHEN e.decisions @> '[{"code": "foundTooLate"}]' THEN 'tooOld' ELSE 'silent' END AS outcome
      FROM seen
      LEFT JOIN LATERAL (
        SELECT e.id, e.decisions, starts_with(e.meta_id, $4) AS is_late FROM events e
         WHERE e.tenant_id = $1 AND e.entity = seen.entity AND e.entity_id = seen.entity_id AND e.transitions && seen.types
           AND (seen.type NOT IN ('deal.won', 'deal.lost') OR e.occurred_at >= seen.happened_at - interval '1 minute')
           AND NOT (jsonb_typeof(e.decisions) = 'array' AND e.decisions @> '[{"code": "outdated"}]'
                    AND NOT jsonb_path_exists(e.decisions, '$[*] ? (@.code != "outdated")'))
         ORDER BY e.occurred_at >= seen.happened_at - interval '1 minute' DESC, abs(extract(epoch FROM e.occurred_at - seen.happened_at))
         LIMIT 1) e ON true
      LEFT JOIN LATERAL (
        SELECT bool_or(of.state IN ('sent', 'folded')) AS is_sent, bool_or(of.state IN ('queued', 'sending', 'held')) AS is_waiting,
               bool_or(of.state = 'failed' OR (of.state = 'dropped' AND ${isGivenUp('of.reason')})) AS is_given_up,
               bool_or(of.state = 'dropped') AS is_left_out
          FROM deliveries d
          LEFT JOIN deliveries lead ON lead.id = d.folded_into AND d.state = 'folded'
         CROSS JOIN LATERAL (SELECT coalesce(lead.state, d.state) AS state, CASE WHEN lead.id IS NULL THEN d.state_reason ELSE lead.state_reason END AS reason) of
         WHERE d.event_id IN (SELECT e.id UNION SELECT (x ->> 'toldByEventId')::bigint FROM jsonb_array_elements(e.decisions) x)
           AND d.tenant_id = $1 AND d.transition ->> 'type' = ANY (seen.types)) d ON true
  )`;
const COUNTS = `${JUDGED} SELECT type, outcome, is_late, count(*)::int AS count FROM judged GROUP BY 1, 2, 3`;
const MISSING = `${JUDGED}
  SELECT j.type, j.entity, j.entity_id, j.happened_at, left(coalesce(r.state->>'title', r.state->>'name', r.state->>'subject'), 200) AS title
    FROM judged j LEFT JOIN records r ON r.tenant_id = $1 AND r.entity = j.entity AND r.entity_id = j.entity_id
   WHERE j.outcome = 'missing' ORDER BY j.happened_at LIMIT ${String(MOST_MISSING)}`;

const countRow = z
  .object({ type: z.enum(EVENT_TYPES), outcome: z.enum(OUTCOMES), is_late: z.boolean(), count: z.number() })
  .transform(({ is_late: isLate, ...row }): CountRow => ({ ...row, isLate }));
const missingRow = z
  .object({
    type: z.string(),
    entity: z.enum(RECORD_ENTITIES),
    entity_id: z.string(),
    happened_at: z.date(),
    title: z.string().nullable(),
  })
  .transform(({ entity_id: entityId, happened_at: happenedAt, ...row }): MissingRow => ({ ...row, entityId, happenedAt }));

/** Reads the report of a period. */
export async function loadReport(pool: Pool, tenantId: TenantId, since: Date, until: Date): Promise<Report> {
  const values = [tenantId, since, until, RECONCILED_ID, EVENT_TYPES];
  const counts = z.array(countRow).parse((await pool.query(COUNTS, values)).rows);
  const isAnyMissing = counts.some(({ outcome }) => outcome === 'missing');
  return { counts, missing: isAnyMissing ? z.array(missingRow).parse((await pool.query(MISSING, values)).rows) : [] };
}
