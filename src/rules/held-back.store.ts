/** Messages of watches that were owed and not told: what the router asks the ledger before it counts a change as told by a watch. */

import type { PoolClient } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';
import { EVENT_TYPES } from '../core/transition';
import { isUnfinished } from '../core/unfinished.store';
import type { HeldBack, WatchedTelling } from './routing-ledger';

/** A watch has few messages of one record; those of the last hours are among the newest. */
const NEWEST = 50;

/**
 * By the record what waits for the end of quiet hours, said as the index `deliveries_unfinished` says it, which is of expressions. By the
 * watch what never left, in the order of `deliveries_finished`: by statistics of few rules the planner reads the whole table else. What is
 * just being released is told, and what was dropped before it was due was taken back or is told by another.
 */
const HELD_BACK = `
  SELECT d.id::float8 AS id, d.rule_id AS "ruleId", d.transition, e.received_at AS "receivedAt", d.state = 'held' AS "isHeld",
         d.rendered_body IS NULL AND d.fold_kind IS NULL AND d.attempts = 0 AS "isAlone"
    FROM unnest($2::text[], $3::text[], $4::int[]) AS told(entity, entity_id, rule_id)
   CROSS JOIN LATERAL (
         SELECT * FROM (
          SELECT * FROM deliveries h
           WHERE h.tenant_id + 0 = $1 AND h.entity = told.entity AND h.entity_id = told.entity_id AND h.rule_id = told.rule_id AND h.replay = 0
             AND ${isUnfinished('h')} AND coalesce(h.state, '') = 'held' AND h.held_for = 'quiet'
           ORDER BY h.id + 0 DESC LIMIT ${NEWEST} FOR UPDATE SKIP LOCKED) held
         UNION ALL
         SELECT * FROM (
          SELECT * FROM deliveries f
           WHERE f.state IN ('dropped', 'failed', 'folded', 'sent')
             AND (f.rule_id, f.id) > (told.rule_id, 0::bigint) AND (f.rule_id, f.id) < (told.rule_id + 1, 0::bigint)
           ORDER BY f.rule_id DESC, f.id DESC LIMIT ${NEWEST}) g
          WHERE g.tenant_id = $1 AND g.entity = told.entity AND g.entity_id = told.entity_id AND g.replay = 0
            AND coalesce(g.state, '') IN ('dropped', 'failed') AND g.finished_at >= g.not_before) d
    JOIN events e ON e.id = d.event_id
   ORDER BY d.id`;

const heldBackRow = z.object({
  id: z.number(),
  ruleId: z.number(),
  transition: z.object({
    type: z.enum(EVENT_TYPES),
    changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
  }),
  receivedAt: z.date(),
  isHeld: z.boolean(),
  isAlone: z.boolean(),
});

/** What these watches owed of these records and did not tell, or not yet; messages that a newer version wrote are left out. */
export async function loadHeldBack(
  client: PoolClient,
  tenantId: TenantId,
  told: readonly WatchedTelling[],
): Promise<readonly HeldBack[]> {
  const { rows } = await client.query(HELD_BACK, [
    tenantId,
    told.map(({ entity }) => entity),
    told.map(({ entityId }) => entityId),
    told.map(({ watchId }) => -watchId),
  ]);
  return rows.flatMap((row) => {
    const read = heldBackRow.safeParse(row);
    return read.success ? [read.data] : [];
  });
}
