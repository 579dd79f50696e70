/** Names in the ledger: read out of the shadow rows that events and the API have left in `records`. */

import type { RecordState } from '../core/record';
import { tenantId as asTenantId, type TenantId } from '../core/tenant';
import type { Database } from '../platform/database';
import { microBatch } from '../platform/micro-batch';
import { namedFrom, type Named, type NamedEntity } from './names';

export interface WantedName {
  readonly tenantId: TenantId;
  readonly entity: NamedEntity;
  readonly id: string;
}

export interface StoredName extends WantedName {
  readonly named: Named;
  /** Read from the API, so that no event keeps it fresh. */
  readonly isFromApi: boolean;
  readonly refreshedAt: Date;
}

export interface NameStore {
  /** Those of the wanted that have a name, in any order. */
  findNames(wanted: readonly WantedName[]): Promise<readonly StoredName[]>;
  /** Keeps what the API said; a row that an event wrote keeps its state and is only given the name that it lacks. */
  saveFetched(tenantId: TenantId, entity: NamedEntity, id: string, state: RecordState): Promise<void>;
}

interface NameRow {
  readonly tenant_id: number;
  readonly entity: NamedEntity;
  readonly entity_id: string;
  readonly state: RecordState;
  readonly is_from_api: boolean;
  readonly refreshed_at: Date;
}

/** A smaller state costs less as it is than taken apart. */
const SMALL_BYTES = 600;
/** Only what names are made of leaves the database: a deal's state may be 25 kB. */
const FIND_NAMES = `
  SELECT r.tenant_id, r.entity, r.entity_id, r.occurred_at IS NULL AS is_from_api, r.refreshed_at,
         CASE WHEN pg_column_size(r.state) < ${String(SMALL_BYTES)} THEN r.state
              ELSE jsonb_build_object('title', r.state->'title', 'name', r.state->'name', 'subject', r.state->'subject',
                            'field_name', r.state->'field_name', 'field_type', r.state->'field_type', 'options', r.state->'options',
                            'pipeline_id', r.state->'pipeline_id', 'order_nr', r.state->'order_nr') END AS state
    FROM unnest($1::int[], $2::text[], $3::text[]) AS wanted (tenant_id, entity, entity_id)
    JOIN records r USING (tenant_id, entity, entity_id)`;

const SAVE_FETCHED = `
  INSERT INTO records AS known (tenant_id, entity, entity_id, state, refreshed_at)
  SELECT $1::int, $2::text, $3::text, $4::jsonb, now() WHERE EXISTS (SELECT FROM tenants WHERE id = $1::int)
  ON CONFLICT (tenant_id, entity, entity_id) DO UPDATE
     SET state = CASE WHEN known.occurred_at IS NULL THEN excluded.state
                      ELSE known.state || jsonb_strip_nulls(jsonb_build_object(
                        'title', excluded.state->'title', 'name', excluded.state->'name', 'subject', excluded.state->'subject'))
                 END,
         refreshed_at = now()
   WHERE known.occurred_at IS NULL
      OR coalesce(nullif(known.state->>'title', ''), nullif(known.state->>'name', ''), nullif(known.state->>'subject', '')) IS NULL`;

const SHARED = { maxItems: 50, inFlight: 2, isItemFault: () => false };

/** Requests of several tenants that come at the same time share a statement. */
export function makeNameStore(database: Pick<Database, 'pool'>): NameStore {
  const findShared = microBatch(async (requests: readonly (readonly WantedName[])[]) => {
    const found = await findAll(database, distinct(requests.flat()));
    return requests.map((wanted) => distinct(wanted).flatMap((name) => found.get(keyOf(name)) ?? []));
  }, SHARED);
  return {
    findNames: async (wanted) => (wanted.length === 0 ? [] : findShared(wanted)),
    saveFetched: async (tenantId, entity, id, state) => {
      await database.pool.query(SAVE_FETCHED, [tenantId, entity, id, storableJson(state)]);
    },
  };
}

async function findAll(
  database: Pick<Database, 'pool'>,
  wanted: readonly WantedName[],
): Promise<ReadonlyMap<string, StoredName>> {
  const columns = [wanted.map((name) => name.tenantId), wanted.map((name) => name.entity), wanted.map((name) => name.id)];
  const { rows } = await database.pool.query<NameRow>({ name: 'find-names', text: FIND_NAMES, values: columns });
  return new Map(rows.flatMap(storedName).map((name) => [keyOf(name), name]));
}

function distinct(wanted: readonly WantedName[]): readonly WantedName[] {
  return [...new Map(wanted.map((name) => [keyOf(name), name])).values()];
}

function keyOf({ tenantId, entity, id }: WantedName): string {
  return `${tenantId} ${entity} ${id}`;
}

/** jsonb refuses NUL and lone surrogates, which Pipedrive's texts may hold. */
function storableJson(state: RecordState): string {
  return JSON.stringify(state, (_key, value: unknown) => (typeof value === 'string' ? value.replace(/[\0\p{Cs}]/gu, '') : value));
}

function storedName(row: NameRow): readonly StoredName[] {
  const named = namedFrom(row.state);
  if (named === null) return [];
  const { entity, entity_id: id, is_from_api: isFromApi, refreshed_at: refreshedAt } = row;
  return [{ tenantId: asTenantId(row.tenant_id), entity, id, named, isFromApi, refreshedAt }];
}
