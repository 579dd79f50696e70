/** The events table as intake writes it: many rows in one statement, each known by its identity. */

import type { Pool, QueryConfig } from 'pg';
import { isConnectionTrouble, isForeignKeyViolation } from '../platform/database-errors';
import { microBatch } from '../platform/micro-batch';
import type { InsertEvent, NewEvent } from './accept-event';

const MAX_BATCH = 100;
/** One after the other: of two edits of a record the later must never be seen, and routed, before the earlier. */
const IN_FLIGHT = 1;
/** Pipedrive waits 10 s for an answer: a database that hangs is given up before. */
const INSERT_TIMEOUT_MS = 6_000;

type Insertion = 'accepted' | 'duplicate' | 'orphan';

/**
 * The identity is `(tenant, entity, entity_id, action, occurred_at, meta_id)`. All bodies travel as one binary parameter and are cut
 * apart by the database: a text array of them would be escaped twice.
 */
const INSERT = `
  WITH input AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::int[], $9::int[])
      WITH ORDINALITY AS t(tenant_id, entity, entity_id, action, occurred_at, meta_id, ignored_reason, start, length, ord)
  ), inserted AS (
    INSERT INTO events (tenant_id, entity, entity_id, action, occurred_at, meta_id, ignored_reason, payload, routed_at)
    SELECT tenant_id, entity, entity_id, action, occurred_at, meta_id, ignored_reason, substring($10::bytea FROM start FOR length),
           CASE WHEN ignored_reason IS NULL THEN NULL ELSE now() END
      FROM input ORDER BY ord
    ON CONFLICT DO NOTHING
    RETURNING id, tenant_id, entity, entity_id, action, occurred_at, meta_id
  )
  SELECT inserted.id FROM input LEFT JOIN inserted USING (tenant_id, entity, entity_id, action, occurred_at, meta_id) ORDER BY input.ord`;

/** Makes the insertion of one event; concurrent calls share a statement. Rejects when the database cannot be reached. */
export function makeEventStore(pool: Pool): { insert: InsertEvent } {
  const insertBatched = microBatch((events: readonly NewEvent[]) => insertAll(pool, events), {
    maxItems: MAX_BATCH,
    inFlight: IN_FLIGHT,
    isItemFault: (error) => !isConnectionTrouble(error),
  });
  return {
    async insert(event) {
      try {
        return await insertBatched(event);
      } catch (error) {
        if (isForeignKeyViolation(error)) return 'orphan';
        throw error;
      }
    },
  };
}

async function insertAll(pool: Pool, events: readonly NewEvent[]): Promise<readonly Insertion[]> {
  const lengths = events.map((item) => item.payload.length);
  const starts = lengths.map((_, index) => 1 + lengths.slice(0, index).reduce((sum, length) => sum + length, 0));
  const values = [
    events.map((item) => item.tenantId),
    events.map((item) => item.event.entity),
    events.map((item) => item.event.entityId),
    events.map((item) => item.event.action),
    events.map((item) => item.event.occurredAt),
    events.map((item) => item.event.metaId),
    events.map((item) => item.ignoredReason),
    starts,
    lengths,
    Buffer.concat(events.map((item) => item.payload)),
  ];
  const { rows } = await pool.query<{ id: number | null }>(insertion(values));
  const seen = new Set<number>();
  return rows.map(({ id }) => {
    // A twin within one batch meets the row of its first half: only that one is new.
    if (id === null || seen.has(id)) return 'duplicate';
    seen.add(id);
    return 'accepted';
  });
}

/** With a time limit of its own, which node-postgres knows and its published types do not. */
function insertion(values: unknown[]): QueryConfig & { readonly query_timeout: number } {
  return { name: 'insert-events', text: INSERT, values, query_timeout: INSERT_TIMEOUT_MS };
}
