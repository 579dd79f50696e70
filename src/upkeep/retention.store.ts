/** The statements of the retention job. */

import type { Pool } from 'pg';

/** Logs first and events last, so that nothing that is kept points to what is gone. */
const TABLES = ['logs', 'deliveries', 'events', 'sightings', 'watches'] as const;
type ExpiringTable = (typeof TABLES)[number];

/**
 * What grows with events in the order of an index, and each event's messages looked up by themselves: the planner knows what was old before the
 * last nights, and reads the whole tables for each chunk else.
 */
const EXPIRED: Readonly<Record<ExpiringTable, string>> = {
  logs: `created_at < now() - $1 * interval '1 day' ORDER BY created_at`,
  deliveries: `created_at < now() - $1 * interval '1 day' AND state NOT IN ('queued', 'sending', 'held') ORDER BY created_at`,
  events: `received_at < now() - $1 * interval '1 day' AND routed_at IS NOT NULL
             AND coalesce((SELECT false FROM deliveries d WHERE d.event_id = events.id LIMIT 1), true) ORDER BY received_at`,
  sightings: `happened_at < now() - $1 * interval '1 day'`,
  // Pipedrive lets people bring back what they deleted for a while, and then it is watched as before.
  watches: `EXISTS (SELECT FROM records r WHERE r.tenant_id = watches.tenant_id AND r.entity = watches.entity
             AND r.entity_id = watches.entity_id AND r.deleted_at < now() - $1 * interval '1 day')`,
};

/** As a range, by which the planner can be asked for the order of an index. */
const OF_TENANT = 'tenant_id BETWEEN $1 AND $1 ORDER BY tenant_id';

/** They do not name the tenant as their parent: what was written at the moment in which it was erased is left behind. */
const PARENTLESS = ['logs', 'deliveries', 'events', 'records'] as const;

/** A loose index scan: one look-up for each tenant that has rows. */
const goneTenants = (table: (typeof PARENTLESS)[number]): string => `
  WITH RECURSIVE present AS (
    SELECT min(tenant_id) AS id FROM ${table}
    UNION ALL
    SELECT (SELECT min(r.tenant_id) FROM ${table} r WHERE r.tenant_id > p.id) FROM present p WHERE p.id IS NOT NULL
  )
  SELECT p.id FROM present p WHERE p.id IS NOT NULL AND NOT EXISTS (SELECT FROM tenants t WHERE t.id = p.id)`;

export interface RetentionStore {
  readonly tables: readonly ExpiringTable[];
  /** Deletes at most `limit` rows older than `days`; gives the number. */
  deleteChunk(table: ExpiringTable, days: number, limit: number): Promise<number>;
  /** Deletes what erased tenants have left behind, at most `limit` rows at a time; gives the number of rows. */
  deleteLeftBehind(limit: number): Promise<number>;
}

/** Makes the store. */
export function makeRetentionStore(pool: Pick<Pool, 'query'>): RetentionStore {
  /** Of those that are `which` of `value`, at most `limit`. */
  async function deleteSome(
    table: ExpiringTable | (typeof PARENTLESS)[number],
    which: string,
    value: number,
    limit: number,
  ): Promise<number> {
    const statement = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${which} LIMIT $2))`;
    return (await pool.query(statement, [value, limit])).rowCount ?? 0;
  }

  return {
    tables: TABLES,
    deleteChunk: (table, days, limit) => deleteSome(table, EXPIRED[table], days, limit),
    async deleteLeftBehind(limit) {
      let deleted = 0;
      for (const table of PARENTLESS) {
        // Looked for first: joined to a deletion they are too many by the planner's guess, and it reads the whole table.
        const { rows } = await pool.query<{ id: number }>(goneTenants(table));
        for (const { id } of rows) {
          let count = limit;
          while (count === limit) {
            count = await deleteSome(table, OF_TENANT, id, limit);
            deleted += count;
          }
        }
      }
      return deleted;
    },
  };
}
