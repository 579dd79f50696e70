/** The records table as routing sees it: shadows read and written for a whole batch in one statement each. */

import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { recordStateSchema, type RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import { EVENT_TYPES } from '../core/transition';
import { recordKey, type Shadow, type ShadowMap } from './routing-ledger';

const isoDate = z.iso.datetime().transform((text) => new Date(text));
const windows = z.array(
  z.object({
    settleMs: z.number(),
    matter: z.string().nullable(),
    since: isoDate.nullable(),
    openedAt: isoDate,
    was: recordStateSchema.nullable(),
  }),
);
const told = z.array(
  z.object({
    eventId: z.number(),
    ruleId: z.number(),
    chatWebhookId: z.number(),
    type: z.enum(EVENT_TYPES),
    changes: z.array(z.object({ field: z.string(), from: z.unknown(), to: z.unknown() })),
    isCorrection: z.boolean(),
    at: isoDate,
  }),
);
const shadowRow = z
  .object({
    entity: z.string(),
    entity_id: z.string(),
    state: recordStateSchema,
    occurred_at: z.date().nullable(),
    deleted_at: z.date().nullable(),
    merged_into: z.string().nullable(),
    conversion_key: z.string().nullable(),
    converted_from: z.string().nullable(),
    windows: windows.nullable(),
    told: told.nullable(),
    reconciled_at: z.date().nullable(),
  })
  .transform((row): Shadow => ({
    entity: row.entity,
    entityId: row.entity_id,
    state: row.state,
    occurredAt: row.occurred_at,
    deletedAt: row.deleted_at,
    mergedInto: row.merged_into,
    conversionKey: row.conversion_key,
    convertedFrom: row.converted_from,
    windows: row.windows ?? [],
    told: row.told ?? [],
    reconciledAt: row.reconciled_at,
  }));

const COLUMNS =
  'entity, entity_id, state, occurred_at, deleted_at, merged_into, conversion_key, converted_from, windows, told, reconciled_at';

/** Two index look-ups told apart by UNION: an OR of both would scan the tenant's whole table. */
const LOAD = `
  SELECT ${COLUMNS.replaceAll(/(\w+)/g, 'r.$1')} FROM unnest($2::text[], $3::text[]) AS wanted(entity, entity_id)
    JOIN records r ON r.tenant_id = $1 AND r.entity = wanted.entity AND r.entity_id = wanted.entity_id
  UNION ALL
  SELECT ${COLUMNS} FROM records
   WHERE tenant_id = $1 AND conversion_key = ANY ($4::text[]) AND conversion_key IS NOT NULL AND cardinality($4::text[]) > 0`;

export interface WantedRecord {
  readonly entity: string;
  readonly entityId: string;
}

/** Shadows of the wanted records, and of records that may be the other half of a conversion with one of these correlation ids. */
export async function loadShadows(
  client: PoolClient,
  tenantId: TenantId,
  wanted: readonly WantedRecord[],
  correlationIds: readonly string[],
): Promise<ShadowMap> {
  const entities = wanted.map((record) => record.entity);
  const ids = wanted.map((record) => record.entityId);
  const { rows } = await client.query({ name: 'load-shadows', text: LOAD, values: [tenantId, entities, ids, correlationIds] });
  const shadows = rows.map((row) => shadowRow.parse(row));
  return new Map(shadows.map((shadow) => [recordKey(shadow.entity, shadow.entityId), shadow]));
}

const SAVE = `
  INSERT INTO records (tenant_id, ${COLUMNS}, refreshed_at)
  SELECT $1, ${COLUMNS}, now()
    FROM jsonb_to_recordset($2::jsonb) AS r(entity text, entity_id text, state jsonb, occurred_at timestamptz, deleted_at timestamptz,
         merged_into text, conversion_key text, converted_from text, windows jsonb, told jsonb,
         reconciled_at timestamptz)
  ON CONFLICT (tenant_id, entity, entity_id) DO UPDATE SET state = excluded.state, occurred_at = excluded.occurred_at,
    deleted_at = excluded.deleted_at, merged_into = excluded.merged_into, conversion_key = excluded.conversion_key,
    converted_from = excluded.converted_from, windows = excluded.windows, told = excluded.told, reconciled_at = excluded.reconciled_at, refreshed_at = now()`;

/** Writes the shadows of a batch. */
export async function saveShadows(client: PoolClient, tenantId: TenantId, shadows: readonly Shadow[]): Promise<void> {
  if (shadows.length === 0) return;
  const rows = shadows.map((shadow) => ({
    entity: shadow.entity,
    entity_id: shadow.entityId,
    state: shadow.state,
    occurred_at: shadow.occurredAt,
    deleted_at: shadow.deletedAt,
    merged_into: shadow.mergedInto,
    conversion_key: shadow.conversionKey,
    converted_from: shadow.convertedFrom,
    windows: shadow.windows.length === 0 ? null : shadow.windows,
    told: shadow.told.length === 0 ? null : shadow.told,
    reconciled_at: shadow.reconciledAt,
  }));
  await client.query({ name: 'save-shadows', text: SAVE, values: [tenantId, JSON.stringify(rows)] });
}

/** What is known of one record; null when nothing is. */
export async function findRecordState(
  pool: Pool,
  tenantId: TenantId,
  { entity, entityId }: WantedRecord,
): Promise<RecordState | null> {
  const { rows } = await pool.query<{ state: unknown }>(
    'SELECT state FROM records WHERE tenant_id = $1 AND entity = $2 AND entity_id = $3 AND occurred_at IS NOT NULL',
    [tenantId, entity, entityId],
  );
  const parsed = recordStateSchema.safeParse(rows[0]?.state);
  return parsed.success ? parsed.data : null;
}
