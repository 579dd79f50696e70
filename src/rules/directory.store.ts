/** Everything of a tenant that rules can name, with its names: for the export and import of rules. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { idField, textField } from '../core/record';
import type { TenantId } from '../core/tenant';
import { knownFrom } from './references';
import type { NamedThing } from './resolve-references';

const LOAD = `
  SELECT r.entity, r.entity_id, r.deleted_at IS NOT NULL AS is_deleted,
         jsonb_build_object('name', r.state->'name', 'field_name', r.state->'field_name', 'field_type', r.state->'field_type',
                            'options', r.state->'options', 'active_flag', r.state->'active_flag', 'is_deleted', r.state->'is_deleted',
                            'pipeline_id', r.state->'pipeline_id', 'email', r.state->'email') AS state
    FROM records r
   WHERE r.tenant_id = $1
     AND (r.entity IN ('user', 'pipeline', 'stage', 'dealField') OR r.entity IN ('person', 'organization') AND r.entity_id = ANY ($2::text[]))
   ORDER BY r.entity, r.entity_id`;
const DESTINATIONS = `SELECT id::text, name, space_id AS "spaceId" FROM chat_webhooks WHERE tenant_id = $1 ORDER BY id`;

const row = z.object({
  entity: z.enum(['user', 'pipeline', 'stage', 'dealField', 'person', 'organization']),
  entity_id: z.string(),
  is_deleted: z.boolean(),
  state: z.record(z.string(), z.unknown()),
});
type Row = z.infer<typeof row>;

/** What is there now; what was deleted is left out. Persons and organizations are too many: only those of `contactIds`. */
export async function loadDirectory(pool: Pool, tenantId: TenantId, contactIds: readonly string[]): Promise<NamedThing[]> {
  const { rows } = await pool.query(LOAD, [tenantId, contactIds]);
  const records = rows.map((found) => row.parse(found));
  const destinations = await pool.query<{ id: string; name: string; spaceId: string }>(DESTINATIONS, [tenantId]);
  const pipelines = new Map(
    records.filter(({ entity }) => entity === 'pipeline').map((found) => [found.entity_id, nameOf(found)]),
  );
  return [
    ...records.flatMap((record) => thingsOf(record, pipelines)),
    ...destinations.rows.map((destination) => ({ kind: 'destination' as const, ...destination })),
  ];
}

function nameOf({ entity, state, is_deleted: isDeleted }: Row): string | null {
  return knownFrom(entity, state, isDeleted).name;
}

function thingsOf(record: Row, pipelines: ReadonlyMap<string, string | null>): readonly NamedThing[] {
  const { entity, entity_id: id, state } = record;
  const { name, gone, fieldType, options } = knownFrom(entity, state, record.is_deleted);
  if (gone !== null) return [];
  if (entity === 'stage')
    return [{ kind: entity, id, name, pipelineName: pipelines.get(String(idField(state, 'pipeline_id'))) ?? null }];
  if (entity === 'user') return [{ kind: entity, id, name, email: textField(state, 'email') }];
  if (entity !== 'dealField') return [{ kind: entity, id, name }];
  const ofField = [...(options ?? [])].map(([optionId, label]) => ({
    ...{ kind: 'option' as const, id: optionId, name: label, field: id, fieldName: name },
  }));
  return [{ kind: 'field', id, name, fieldType }, ...ofField];
}
