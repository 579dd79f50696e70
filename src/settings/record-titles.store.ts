/** What records are called, as the ledger knows them. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';

const titleRow = z.object({ entity: z.string(), entityId: z.string(), title: z.string() });

/** By "deal 7"; records without a known title are left out. */
export async function recordTitles(
  pool: Pool,
  tenantId: TenantId,
  records: readonly { readonly entity: string; readonly entityId: string }[],
): Promise<ReadonlyMap<string, string>> {
  if (records.length === 0) return new Map();
  const { rows } = await pool.query(
    `SELECT r.entity, r.entity_id AS "entityId", left(coalesce(r.state->>'title', r.state->>'name'), 200) AS title
       FROM (SELECT DISTINCT * FROM unnest($2::text[], $3::text[]) AS w (entity, entity_id)) AS wanted
       JOIN records r ON r.tenant_id = $1 AND r.entity = wanted.entity AND r.entity_id = wanted.entity_id
      WHERE coalesce(r.state->>'title', r.state->>'name', '') <> ''`,
    [tenantId, records.map(({ entity }) => entity), records.map(({ entityId }) => entityId)],
  );
  return new Map(rows.map((row) => titleRow.parse(row)).map(({ entity, entityId, title }) => [`${entity} ${entityId}`, title]));
}
