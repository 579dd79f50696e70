/** Everything of a tenant that rules can name, with its names: for the export and import of rules. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { idField, recordStateSchema, textField } from '../core/record';
import type { TenantId } from '../core/tenant';
import { optionFieldKey } from './placed-references';
import { FIELD_ENTITIES, knownFrom } from './references';
import type { NamedThing } from './resolve-references';

/** Three looks by the key, of which none reads the deals; without names nothing is compared by name. */
const LOAD = `
  SELECT r.entity, r.entity_id, r.deleted_at IS NOT NULL AS is_deleted,
         jsonb_build_object('name', r.state->'name', 'field_name', r.state->'field_name', 'field_type', r.state->'field_type',
                            'options', r.state->'options', 'active_flag', r.state->'active_flag', 'is_deleted', r.state->'is_deleted',
                            'pipeline_id', r.state->'pipeline_id', 'email', r.state->'email') AS state
    FROM (SELECT entity, entity_id, deleted_at, state FROM records WHERE tenant_id = $1 AND entity = ANY ($2::text[])
          UNION ALL
          SELECT entity, entity_id, deleted_at, state FROM records
           WHERE tenant_id = $1 AND entity IN ('person', 'organization') AND entity_id = ANY ($3::text[])
          UNION ALL
          SELECT entity, entity_id, deleted_at, state FROM records
           WHERE cardinality($4::text[]) > 0 AND tenant_id = $1 AND entity IN ('person', 'organization') AND entity_id <> ALL ($3::text[])
             AND lower(trim(state->>'name')) = ANY ($4::text[])) r
   ORDER BY r.entity, r.entity_id`;
const DESTINATIONS = `SELECT id::text, name, space_id AS "spaceId" FROM chat_webhooks WHERE tenant_id = $1 ORDER BY id`;

const WHOLE_KINDS = ['user', 'pipeline', 'stage', 'leadLabel', 'activityType', ...FIELD_ENTITIES] as const;

const row = z.object({
  entity: z.enum([...WHOLE_KINDS, 'person', 'organization']),
  entity_id: z.string(),
  is_deleted: z.boolean(),
  state: recordStateSchema,
});
type Row = z.infer<typeof row>;

/** Persons and organizations are too many to be loaded whole. */
export interface WantedContacts {
  readonly ids: readonly string[];
  readonly names: readonly string[];
}

/** What is there now; what was deleted is left out, and of persons and organizations all but the wanted. */
export async function loadDirectory(pool: Pool, tenantId: TenantId, { ids, names }: WantedContacts): Promise<NamedThing[]> {
  const lowered = names.map((name) => name.trim().toLowerCase());
  const { rows } = await pool.query(LOAD, [tenantId, WHOLE_KINDS, ids, lowered]);
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
  const of = OWNERS.find((owner) => entity === `${owner}Field`);
  if (of === undefined) return isPlainKind(entity) ? [{ kind: entity, id, name }] : [];
  const key = optionFieldKey(id, of);
  const ofField = [...(options ?? [])].map(([optionId, label]) => ({
    ...{ kind: 'option' as const, id: optionId, name: label, field: key, fieldName: name },
  }));
  return [{ kind: 'field', id: key, name, fieldType }, ...ofField];
}

const OWNERS = ['deal', 'person', 'organization', 'activity'] as const;
const PLAIN_KINDS = ['pipeline', 'person', 'organization', 'leadLabel', 'activityType'] as const;

function isPlainKind(entity: string): entity is (typeof PLAIN_KINDS)[number] {
  return PLAIN_KINDS.some((kind) => kind === entity);
}
