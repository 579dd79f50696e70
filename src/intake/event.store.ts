/** The events table as intake writes it: many rows in one statement, each known by its identity. */

import type { Pool, QueryConfig } from 'pg';
import { makeWithJoined, type WithJoined } from '../platform/joined-bytes';
import { shareStatement } from '../platform/share-statement';
import type { InsertEvent, NewEvent } from './accept-event';

/** One after the other: of two edits of a record the later must never be seen, and routed, before the earlier. */
const IN_FLIGHT = 1;
/** An INSERT of a few events costs as much as one of many: a burst over a few connections would take the machine from all others. */
const SPACING = { spacingMs: 6, enough: 8 };
/** Pipedrive waits 10 s for an answer: a database that hangs is given up before. */
const INSERT_TIMEOUT_MS = 6_000;

type Insertion = Awaited<ReturnType<InsertEvent>>;

/**
 * All bodies travel as one binary parameter and are cut apart by the database: a text array of them would be escaped twice. What is of
 * a tenant that was erased meanwhile is left out: the table has no foreign key, which would lock the tenant's row for every event.
 */
const INSERT = `
  INSERT INTO events (tenant_id, entity, entity_id, action, occurred_at, meta_id, ignored_reason, payload, routed_at)
  SELECT t.id, entity, entity_id, action, occurred_at, meta_id, ignored_reason, substring($10::bytea FROM start FOR length),
         CASE WHEN ignored_reason IS NULL THEN NULL ELSE now() END
    FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::int[], $9::int[])
      WITH ORDINALITY AS input(tenant_id, entity, entity_id, action, occurred_at, meta_id, ignored_reason, start, length, ord)
    JOIN tenants t ON t.id = input.tenant_id
   ORDER BY ord
  ON CONFLICT DO NOTHING
  RETURNING id::float8 AS id`;

/** By what the inserted ones among events are known again: the identity that the index `events_identity` keeps apart. */
const INSERTED = `SELECT tenant_id, entity, entity_id, action, occurred_at, meta_id FROM events WHERE id = ANY($1::bigint[])`;
const TENANTS = `SELECT id FROM tenants WHERE id = ANY($1::int[])`;

interface InsertedRow {
  readonly tenant_id: number;
  readonly entity: string;
  readonly entity_id: string;
  readonly action: string;
  readonly occurred_at: Date;
  readonly meta_id: string;
}

/** Makes the insertion of one event; concurrent calls share a statement. Rejects when the database cannot be reached. */
export function makeEventStore(pool: Pool): { insert: InsertEvent } {
  const withJoined = makeWithJoined();
  const insertBatched = shareStatement((events: readonly NewEvent[]) => insertAll(pool, withJoined, events), {
    inFlight: IN_FLIGHT,
    ...SPACING,
  });
  return { insert: insertBatched };
}

async function insertAll(pool: Pool, withJoined: WithJoined, events: readonly NewEvent[]): Promise<readonly Insertion[]> {
  const bodies = events.map((item) => item.payload);
  let end = 1;
  const values = [
    events.map((item) => item.tenantId),
    events.map((item) => item.event.entity),
    events.map((item) => item.event.entityId),
    events.map((item) => item.event.action),
    events.map((item) => item.event.occurredAt),
    events.map((item) => item.event.metaId),
    events.map((item) => item.ignoredReason),
    bodies.map(({ length }) => (end += length) - length),
    bodies.map(({ length }) => length),
  ];
  const { rows } = await withJoined(bodies, (joined) =>
    pool.query<{ id: number }>(limited({ name: 'insert-events', text: INSERT, values: [...values, joined] })),
  );
  if (rows.length === events.length) return events.map(() => 'accepted');
  return tellApart(pool, events, rows);
}

/** The few batches in which Pipedrive sent something again, or to a tenant that is gone, pay for a second look. */
async function tellApart(
  pool: Pool,
  events: readonly NewEvent[],
  inserted: readonly { readonly id: number }[],
): Promise<readonly Insertion[]> {
  const values = [inserted.map(({ id }) => id)];
  const { rows } = await pool.query<InsertedRow>(limited({ name: 'inserted-events', text: INSERTED, values }));
  const tenantIds = [[...new Set(events.map(({ tenantId }) => tenantId))]];
  const { rows: tenants } = await pool.query<{ id: number }>(
    limited({ name: 'known-tenants', text: TENANTS, values: tenantIds }),
  );
  const known = new Set(tenants.map(({ id }) => id));
  const fresh = new Set(rows.map(identityKey));
  return events.map(({ tenantId, event: { entity, entityId, action, occurredAt, metaId } }) => {
    const row = { tenant_id: tenantId, entity, entity_id: entityId, action, occurred_at: occurredAt, meta_id: metaId };
    // A twin within one batch meets the row of its first half: only that one is new.
    if (fresh.delete(identityKey(row))) return 'accepted';
    return known.has(tenantId) ? 'duplicate' : 'orphan';
  });
}

function identityKey({ tenant_id, entity, entity_id, action, occurred_at, meta_id }: InsertedRow): string {
  return JSON.stringify([tenant_id, entity, entity_id, action, occurred_at.getTime(), meta_id]);
}

/** With a time limit of its own, which node-postgres knows and its published types do not. */
function limited(query: QueryConfig): QueryConfig & { readonly query_timeout: number } {
  return { ...query, query_timeout: INSERT_TIMEOUT_MS };
}
