/** What is known of users, pipelines, stages and fields, read out of `records` for many rules or decisions at once. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { recordStateSchema } from '../core/record';
import type { TenantId } from '../core/tenant';
import { knownFrom, REFERENCE_ENTITIES, type KnownReferences, type Reference, type ReferenceEntity } from './references';

/** Only what references are made of leaves the database: a person's state may be large. */
const LOAD = `
  SELECT r.entity, r.entity_id, r.deleted_at IS NOT NULL AS is_deleted,
         jsonb_build_object('name', r.state->'name', 'title', r.state->'title', 'field_name', r.state->'field_name', 'field_type', r.state->'field_type',
                            'options', r.state->'options', 'former_options', r.state->'former_options', 'active_flag', r.state->'active_flag', 'is_deleted', r.state->'is_deleted') AS state
    FROM unnest($2::text[], $3::text[]) AS wanted (entity, entity_id)
    JOIN records r ON r.tenant_id = $1 AND r.entity = wanted.entity AND r.entity_id = wanted.entity_id`;

/** Left by whoever reads a whole list of Pipedrive's into `records`: entity_id is the kind that was read. */
const LISTED = 'listRead';

const row = z.object({
  entity: z.string(),
  entity_id: z.string(),
  is_deleted: z.boolean(),
  state: recordStateSchema,
});
const entitySchema = z.enum(REFERENCE_ENTITIES);

/** One statement for all of `wanted`, none for an empty list. */
export async function loadReferences(pool: Pool, tenantId: TenantId, wanted: readonly Reference[]): Promise<KnownReferences> {
  if (wanted.length === 0) return NOTHING_KNOWN;
  const listed = [...new Set(wanted.map(({ entity }) => entity))];
  const entities = [...wanted.map(({ entity }) => entity), ...listed.map(() => LISTED)];
  const { rows } = await pool.query(LOAD, [tenantId, entities, [...wanted.map(({ id }) => id), ...listed]]);
  return knownReferences(rows.map((found) => row.parse(found)));
}

const NOTHING_KNOWN: KnownReferences = { find: () => null, isListed: () => false };

function knownReferences(rows: readonly z.infer<typeof row>[]): KnownReferences {
  const listed = new Set(rows.filter(({ entity }) => entity === LISTED).map((found) => found.entity_id));
  const known = new Map(
    rows.flatMap((found) => {
      const entity = entitySchema.safeParse(found.entity);
      if (!entity.success) return [];
      return [[keyOf(entity.data, found.entity_id), knownFrom(entity.data, found.state, found.is_deleted)] as const];
    }),
  );
  return { find: (entity, id) => known.get(keyOf(entity, id)) ?? null, isListed: (entity) => listed.has(entity) };
}

function keyOf(entity: ReferenceEntity, id: string | number): string {
  return `${entity} ${id}`;
}
