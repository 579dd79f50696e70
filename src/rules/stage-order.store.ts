/** The order of a tenant's stages, out of the table `records`: which moves go forward, and which skip a stage. */

import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { recordStateSchema } from '../core/record';
import type { TenantId } from '../core/tenant';
import { stagePlace, type StageOrder } from './kinds-of-transition';

const LOAD = `
  SELECT entity_id::float8 AS id, jsonb_build_object('order_nr', state->'order_nr', 'pipeline_id', state->'pipeline_id') AS state
    FROM records WHERE tenant_id = $1 AND entity = 'stage' AND deleted_at IS NULL AND entity_id ~ '^[0-9]{1,15}$'`;

const row = z.object({ id: z.number(), state: recordStateSchema });

/** Every stage whose place is known, in one statement; also inside the router's transaction. */
export async function loadStageOrder(client: Pool | PoolClient, tenantId: TenantId): Promise<StageOrder> {
  const { rows } = await client.query(LOAD, [tenantId]);
  const stages = rows.map((found) => row.parse(found)).map(({ id, state }) => [id, stagePlace(state)] as const);
  return new Map(stages.flatMap(([id, place]) => (place === null ? [] : [[id, place] as const])));
}
