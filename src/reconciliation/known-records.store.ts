/** What the ledger has of the records of one page, in two statements; and what Pipedrive's list says has happened, kept for the report. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { recordStateSchema, type RecordEntity } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { EventType } from '../core/transition';
import type { FieldTypes } from './custom-fields';
import type { KnownRecord } from './find-missed';

export interface SightingRow {
  readonly type: EventType;
  readonly entity: RecordEntity;
  readonly entityId: string;
  readonly happenedAt: Date;
}

export interface KnownRecordStore {
  /** By id; a record that the ledger has nothing of is missing. */
  load(tenantId: TenantId, entity: RecordEntity, ids: readonly string[]): Promise<ReadonlyMap<string, KnownRecord>>;
  /** The types of deal fields, as last read from Pipedrive. */
  loadFieldTypes(tenantId: TenantId): Promise<FieldTypes>;
  saveSightings(tenantId: TenantId, sightings: readonly SightingRow[]): Promise<void>;
}

const SHADOWS = `
  SELECT r.entity_id, r.state, r.occurred_at, r.deleted_at IS NOT NULL OR r.merged_into IS NOT NULL AS is_gone
    FROM unnest($3::text[]) AS wanted(entity_id)
    JOIN records r ON r.tenant_id = $1 AND r.entity = $2 AND r.entity_id = wanted.entity_id
   WHERE r.occurred_at IS NOT NULL`;
/** An event that was older than what was known told nothing to anybody: what it was about is still missing. */
const EVENTS = `
  SELECT e.entity_id, e.transitions, e.occurred_at, e.routed_at IS NULL AS is_unrouted
    FROM unnest($3::text[]) AS wanted(entity_id)
    JOIN events e ON e.tenant_id = $1 AND e.entity = $2 AND e.entity_id = wanted.entity_id
   WHERE e.routed_at IS NULL
      OR (cardinality(e.transitions) > 0 AND NOT (jsonb_typeof(e.decisions) = 'array' AND e.decisions @> '[{"code": "outdated"}]'
          AND NOT jsonb_path_exists(e.decisions, '$[*] ? (@.code != "outdated")')))`;
const FIELD_TYPES = `
  SELECT entity_id AS key, state ->> 'field_type' AS type FROM records
   WHERE tenant_id = $1 AND entity = 'dealField' AND state ->> 'field_type' IS NOT NULL`;
const SAVE_SIGHTINGS = `
  INSERT INTO sightings (tenant_id, type, entity, entity_id, happened_at)
  SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[])
  ON CONFLICT DO NOTHING`;

const shadowRow = z.object({
  entity_id: z.string(),
  state: recordStateSchema,
  occurred_at: z.date(),
  is_gone: z.boolean(),
});
const eventRow = z.object({
  entity_id: z.string(),
  transitions: z.array(z.string()),
  occurred_at: z.date(),
  is_unrouted: z.boolean(),
});

/** Makes the store. */
export function makeKnownRecordStore(pool: Pool): KnownRecordStore {
  return {
    async load(tenantId, entity, ids) {
      const values = [tenantId, entity, ids];
      // Events first: one that is routed in between is then seen as unrouted, and the record is looked at again.
      const events = z.array(eventRow).parse((await pool.query(EVENTS, values)).rows);
      const shadows = z.array(shadowRow).parse((await pool.query(SHADOWS, values)).rows);
      const eventsOf = new Map<string, z.infer<typeof eventRow>[]>();
      for (const event of events) eventsOf.set(event.entity_id, [...(eventsOf.get(event.entity_id) ?? []), event]);
      const shadowOf = new Map(shadows.map((row) => [row.entity_id, row]));
      return new Map(ids.map((id) => [id, knownRecord(shadowOf.get(id), eventsOf.get(id) ?? [])]));
    },
    async loadFieldTypes(tenantId) {
      const { rows } = await pool.query<{ key: string; type: string }>(FIELD_TYPES, [tenantId]);
      return new Map(rows.map(({ key, type }) => [key, type]));
    },
    async saveSightings(tenantId, sightings) {
      if (sightings.length === 0) return;
      await pool.query(SAVE_SIGHTINGS, [
        tenantId,
        sightings.map(({ type }) => type),
        sightings.map(({ entity }) => entity),
        sightings.map(({ entityId }) => entityId),
        sightings.map(({ happenedAt }) => happenedAt),
      ]);
    },
  };
}

function knownRecord(shadow: z.infer<typeof shadowRow> | undefined, events: readonly z.infer<typeof eventRow>[]): KnownRecord {
  return {
    shadow: shadow === undefined ? null : { state: shadow.state, occurredAt: shadow.occurred_at, isGone: shadow.is_gone },
    events: events
      .filter((event) => !event.is_unrouted)
      .map(({ transitions, occurred_at: occurredAt }) => ({ transitions, occurredAt })),
    isUnsettled: events.some((event) => event.is_unrouted),
  };
}
