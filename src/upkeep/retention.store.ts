/** The statements of the retention job. */

import type { Pool } from 'pg';

/** Logs first and events last, so that nothing that is kept points to what is gone. */
const TABLES = ['logs', 'deliveries', 'events', 'sightings', 'watches'] as const;
type ExpiringTable = (typeof TABLES)[number];

const CONDITIONS: Readonly<Record<ExpiringTable, string>> = {
  logs: `created_at < now() - $1 * interval '1 day'`,
  deliveries: `created_at < now() - $1 * interval '1 day' AND state NOT IN ('queued', 'sending', 'held')`,
  events: `received_at < now() - $1 * interval '1 day' AND routed_at IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = events.id)`,
  sightings: `happened_at < now() - $1 * interval '1 day'`,
  // Pipedrive lets people bring back what they deleted for a while, and then it is watched as before.
  watches: `EXISTS (SELECT FROM records r WHERE r.tenant_id = watches.tenant_id AND r.entity = watches.entity
             AND r.entity_id = watches.entity_id AND r.deleted_at < now() - $1 * interval '1 day')`,
};

export interface RetentionStore {
  readonly tables: readonly ExpiringTable[];
  /** Deletes at most `limit` rows older than `days`; gives the number. */
  deleteChunk(table: ExpiringTable, days: number, limit: number): Promise<number>;
}

/** Makes the store. */
export function makeRetentionStore(pool: Pool): RetentionStore {
  return {
    tables: TABLES,
    async deleteChunk(table, days, limit) {
      const { rowCount } = await pool.query(
        `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${CONDITIONS[table]} LIMIT $2))`,
        [days, limit],
      );
      return rowCount ?? 0;
    },
  };
}
