/** What a company's rules can name, read out of `records`: the fields of one kind of record, and what their values may be. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { idField, recordStateSchema, textField, type RecordEntity } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { Choice, KnownFields, ListedField } from './field-catalogue';
import { fieldEntityOf, knownFrom, REFERENCE_ENTITIES, type ReferenceEntity } from './references';

/** Kinds that are few enough to be known whole. */
const SMALL_KINDS = ['user', 'pipeline', 'stage', 'leadLabel', 'activityType'] as const;

const LOAD = `
  SELECT r.entity, r.entity_id, r.deleted_at IS NOT NULL AS is_deleted,
         jsonb_build_object('name', r.state->'name', 'field_name', r.state->'field_name', 'field_type', r.state->'field_type',
                            'options', r.state->'options', 'active_flag', r.state->'active_flag', 'is_deleted', r.state->'is_deleted',
                            'pipeline_id', r.state->'pipeline_id', 'email', r.state->'email') AS state
    FROM records r WHERE r.tenant_id = $1 AND r.entity = ANY ($2::text[]) ORDER BY r.entity, r.entity_id`;
const FIND_CONTACTS = `
  SELECT r.entity, r.entity_id, r.deleted_at IS NOT NULL AS is_deleted, jsonb_build_object('name', r.state->'name') AS state
    FROM records r
   WHERE r.tenant_id = $1 AND r.entity = $2 AND r.deleted_at IS NULL AND lower(trim(r.state->>'name')) = ANY ($3::text[])
   ORDER BY r.entity_id LIMIT 100`;
const LISTED = 'listRead';

const row = z.object({
  entity: z.enum([...REFERENCE_ENTITIES, LISTED]),
  entity_id: z.string(),
  is_deleted: z.boolean(),
  state: recordStateSchema,
});
type Row = z.infer<typeof row>;

/** One statement. What was deleted is left out, but a field that was renamed in the meantime has its new name only. */
export async function loadKnownFields(pool: Pool, tenantId: TenantId, entity: RecordEntity): Promise<KnownFields> {
  const { rows } = await pool.query(LOAD, [tenantId, [...SMALL_KINDS, fieldEntityOf(entity), LISTED]]);
  const records = rows.map((found) => row.parse(found));
  const listed = new Set(records.filter((record) => record.entity === LISTED).map((record) => record.entity_id));
  const pipelines = new Map(
    records.filter((record) => record.entity === 'pipeline').map((found) => [found.entity_id, nameOf(found)]),
  );
  const choices = SMALL_KINDS.flatMap((kind) => {
    const found = records.filter((record) => record.entity === kind).flatMap((record) => choiceFrom(record, pipelines));
    return found.length > 0 || listed.has(kind) ? [[kind, found] as const] : [];
  });
  return {
    entity,
    fields: records.filter((record) => record.entity === fieldEntityOf(entity)).flatMap(fieldFrom),
    choices: new Map<ReferenceEntity, readonly Choice[]>(choices),
    isListed: (kind) => listed.has(kind),
  };
}

/** Persons and organizations of these names, among those that events and messages made known. */
export async function withContacts(
  pool: Pool,
  tenantId: TenantId,
  known: KnownFields,
  wanted: readonly { readonly entity: 'person' | 'organization'; readonly name: string }[],
): Promise<KnownFields> {
  const choices = new Map(known.choices);
  for (const entity of new Set(wanted.map((contact) => contact.entity))) {
    const names = wanted.filter((contact) => contact.entity === entity).map(({ name }) => name.trim().toLowerCase());
    const { rows } = await pool.query(FIND_CONTACTS, [tenantId, entity, names]);
    choices.set(
      entity,
      rows.map((found) => row.parse(found)).flatMap((record) => choiceFrom(record, new Map())),
    );
  }
  return { ...known, choices };
}

function nameOf({ state }: Row): string | null {
  return textField(state, 'name');
}

function choiceFrom(record: Row, pipelines: ReadonlyMap<string, string | null>): readonly Choice[] {
  const { entity, entity_id: id, state } = record;
  if (entity === LISTED) return [];
  const { name, gone } = knownFrom(entity, state, record.is_deleted);
  if (name === null || gone !== null) return [];
  const beside = entity === 'stage' ? pipelines.get(String(idField(state, 'pipeline_id'))) : textField(state, 'email');
  return [{ id, name, beside: beside ?? null }];
}

function fieldFrom(record: Row): readonly ListedField[] {
  const { entity, entity_id: key, state } = record;
  if (entity === LISTED) return [];
  const { name, gone, fieldType, options } = knownFrom(entity, state, record.is_deleted);
  if (gone !== null) return [];
  const choices = options === null ? null : [...options].map(([id, label]): Choice => ({ id, name: label, beside: null }));
  return [{ key, name, fieldType, options: choices === null || choices.length === 0 ? null : choices }];
}
