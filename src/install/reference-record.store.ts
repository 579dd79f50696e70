/** The names of users, pipelines and stages (and deal fields), as read from Pipedrive's API, in the table `records`. */

import { idField, textField, type RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { Database } from '../platform/database';

export interface ReferenceRecordStore {
  /**
   * Keeps states that the API gave at `readAt`. What a webhook told later stays; an older event's time stays too, so that a late
   * event is still recognised as old.
   */
  saveAll(tenantId: TenantId, entity: string, states: readonly RecordState[], readAt: Date): Promise<void>;
}

const SAVE_ALL = `
  INSERT INTO records (tenant_id, entity, entity_id, state, refreshed_at)
  SELECT $1, $2, read.id, read.state, $5
  FROM unnest($3::text[], $4::jsonb[]) AS read (id, state)
  ON CONFLICT (tenant_id, entity, entity_id) DO UPDATE SET state = excluded.state, refreshed_at = excluded.refreshed_at, deleted_at = NULL
  WHERE records.occurred_at IS NULL OR records.occurred_at < excluded.refreshed_at`;

export function makeReferenceRecordStore({ pool }: Database): ReferenceRecordStore {
  return {
    async saveAll(tenantId, entity, states, readAt) {
      const stateById = new Map(states.map((state) => [String(idField(state, 'id') ?? textField(state, 'id') ?? ''), state]));
      stateById.delete('');
      if (stateById.size === 0) return;
      const documents = [...stateById.values()].map((state) => JSON.stringify(state));
      await pool.query(SAVE_ALL, [tenantId, entity, [...stateById.keys()], documents, readAt]);
    },
  };
}
