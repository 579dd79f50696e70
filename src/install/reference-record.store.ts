/** Users, pipelines, stages, fields, labels and activity types as whole lists read from Pipedrive's API, in the table `records`. */

import { idField, textField, type RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { Database } from '../platform/database';

export interface ReferenceRecordStore {
  /**
   * Keeps a whole list as the API gave it at `readAt`, and that it was read (a row of entity `listRead`). What a webhook told later
   * stays; an older event's time stays too, so that a late event is still recognised as old. Pipelines, stages and fields that the
   * list lacks are marked as deleted: no webhook tells of fields. An empty list is not believed; nothing is kept of an erased tenant.
   */
  saveAll(tenantId: TenantId, entity: string, states: readonly RecordState[], readAt: Date): Promise<void>;
  /** Which lists were ever kept. */
  listsRead(tenantId: TenantId): Promise<readonly string[]>;
}

/** Names of all options that a field ever had, by id, so that people are told the name of one that is gone. */
const FORMER_OPTIONS = `
    SELECT CASE WHEN count(o) = 0 THEN '{}' ELSE jsonb_build_object('former_options',
             coalesce(records.state->'former_options', '{}') || jsonb_object_agg(o->>'id', o->>'label')) END
      FROM jsonb_array_elements(CASE jsonb_typeof(records.state->'options') WHEN 'array' THEN records.state->'options' ELSE '[]' END) AS o
     WHERE o->>'id' IS NOT NULL`;
const SAVE_ALL = `
  INSERT INTO records (tenant_id, entity, entity_id, state, refreshed_at)
  SELECT $1, read.entity, read.id, read.state, $5
  FROM unnest($2::text[], $3::text[], $4::jsonb[]) AS read (entity, id, state)
  WHERE EXISTS (SELECT FROM tenants WHERE id = $1)
  ON CONFLICT (tenant_id, entity, entity_id) DO UPDATE SET state = excluded.state || (${FORMER_OPTIONS}), refreshed_at = excluded.refreshed_at, deleted_at = NULL
  WHERE records.occurred_at IS NULL OR records.occurred_at < excluded.refreshed_at`;
const MARK_MISSING = `
  UPDATE records SET deleted_at = $4
   WHERE tenant_id = $1 AND entity = $2 AND entity_id <> ALL ($3::text[]) AND deleted_at IS NULL
     AND coalesce(occurred_at, refreshed_at) < $4`;

const LISTS_READ = `SELECT entity_id FROM records WHERE tenant_id = $1 AND entity = 'listRead'`;

const LISTED_WHOLE: ReadonlySet<string> = new Set([
  ...['pipeline', 'stage', 'dealField', 'personField', 'organizationField', 'activityField', 'leadLabel', 'activityType'],
]);

export function makeReferenceRecordStore({ pool }: Database): ReferenceRecordStore {
  return {
    async listsRead(tenantId) {
      const { rows } = await pool.query<{ entity_id: string }>(LISTS_READ, [tenantId]);
      return rows.map((row) => row.entity_id);
    },

    async saveAll(tenantId, entity, states, readAt) {
      const stateById = new Map(states.map((state) => [String(idField(state, 'id') ?? textField(state, 'id') ?? ''), state]));
      stateById.delete('');
      if (stateById.size === 0) return;
      const ids = [...stateById.keys()];
      const documents = [...stateById.values()].map((state) => JSON.stringify(state));
      const entities = [...ids.map(() => entity), 'listRead'];
      await pool.query(SAVE_ALL, [tenantId, entities, [...ids, entity], [...documents, '{}'], readAt]);
      if (LISTED_WHOLE.has(entity)) await pool.query(MARK_MISSING, [tenantId, entity, ids, readAt]);
    },
  };
}
