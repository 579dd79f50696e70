/** Watches in the database: records of which every meaningful change is told to a destination, also where no rule tells it. */

import type { Pool, PoolClient } from 'pg';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import type { BatchPlan } from './plan-batch';
import { watchIdOf, type Watch, type WatchNames } from './watch-rules';

type Client = PrismaClient | Prisma.TransactionClient;

export interface WatchedRecord {
  readonly entity: string;
  readonly entityId: string;
}

const SHOWN = { id: true, entity: true, entityId: true, chatWebhookId: true, author: true, createdAt: true } as const;

/** Whether the router has to look for watches at all. */
export async function watchesExist(client: PoolClient, tenantId: TenantId): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM watches WHERE tenant_id = $1 LIMIT 1', [tenantId]);
  return rowCount === 1;
}

/** One look-up per record, in the router's own transaction: how many others are watched does not matter. */
const OF_RECORDS = `
  SELECT w.id, w.entity, w.entity_id AS "entityId", w.chat_webhook_id AS "chatWebhookId", w.author, w.created_at AS "createdAt"
    FROM unnest($2::text[], $3::text[]) AS wanted(entity, entity_id)
   CROSS JOIN LATERAL (
         SELECT * FROM watches o WHERE o.tenant_id = $1 AND o.entity = wanted.entity AND o.entity_id = wanted.entity_id OFFSET 0) w
   ORDER BY w.id`;

/** The watches of these records, the oldest first. */
export async function loadWatches(
  client: PoolClient,
  tenantId: TenantId,
  wanted: readonly WatchedRecord[],
): Promise<readonly Watch[]> {
  const { rows } = await client.query<Watch>(OF_RECORDS, [
    tenantId,
    wanted.map(({ entity }) => entity),
    wanted.map(({ entityId }) => entityId),
  ]);
  return rows;
}

/** First key of the advisory lock under which watches of one tenant come to their records. */
const WATCH_LOCK = 0x64_62_04;

const ON_ITS_WAY = `'on its way'`;
const LEAVE = `
  UPDATE watches SET entity = ${ON_ITS_WAY}, entity_id = id::text WHERE tenant_id = $1 AND id = ANY ($2::int[])`;
const ARRIVE = `
  UPDATE watches w SET entity = r.entity, entity_id = r.entity_id
    FROM jsonb_to_recordset($2::jsonb) AS r(id int, entity text, entity_id text)
   WHERE w.tenant_id = $1 AND w.id = r.id
     AND NOT EXISTS (SELECT FROM watches o WHERE o.tenant_id = $1 AND o.entity = r.entity AND o.entity_id = r.entity_id
                        AND o.chat_webhook_id = w.chat_webhook_id)`;
const END = `DELETE FROM watches WHERE tenant_id = $1 AND id = ANY ($2::int[]) AND entity = ${ON_ITS_WAY}`;

/**
 * Watches follow their records; where the other one is watched in the same place already, one of the two goes. One may go where another
 * of them is leaving, so all leave before any arrives; and nobody comes to watch meanwhile.
 */
export async function moveWatches(client: PoolClient, tenantId: TenantId, moved: BatchPlan['moved']): Promise<void> {
  const ids = moved.map(({ id }) => id);
  const moves = moved.flatMap(({ id, to }) => (to === null ? [] : [{ id, entity: to.entity, entity_id: to.entityId }]));
  await client.query('SELECT pg_advisory_xact_lock($1, $2)', [WATCH_LOCK, tenantId]);
  await client.query(LEAVE, [tenantId, ids]);
  if (moves.length > 0) await client.query(ARRIVE, [tenantId, JSON.stringify(moves)]);
  await client.query(END, [tenantId, ids]);
}

/** Until the transaction is over no watch of the tenant comes to another record: to be asked for before a watch is looked for and added. */
export async function holdWatches(client: Prisma.TransactionClient, tenantId: TenantId): Promise<void> {
  await client.$executeRaw`SELECT pg_advisory_xact_lock(${WATCH_LOCK}::int, ${tenantId}::int)`;
}

/** One page, newest first; `wanted`: of that record or place alone. */
export async function pageOfWatches(
  client: Client,
  tenantId: TenantId,
  wanted: { readonly [Part in 'entity' | 'entityId']?: string | undefined } & { readonly chatWebhookId?: number | undefined },
  { beforeId, limit }: { readonly beforeId: number | null; readonly limit: number },
): Promise<Watch[]> {
  const { entity, entityId, chatWebhookId } = wanted;
  return await client.watch.findMany({
    where: {
      tenantId,
      ...(entity === undefined ? {} : { entity }),
      ...(entityId === undefined ? {} : { entityId }),
      ...(chatWebhookId === undefined ? {} : { chatWebhookId }),
      ...(beforeId === null ? {} : { id: { lt: beforeId } }),
    },
    select: SHOWN,
    orderBy: { id: 'desc' },
    take: limit,
  });
}

/** The watch of this record in this place; null when there is none. */
export async function findWatch(
  client: Client,
  tenantId: TenantId,
  { entity, entityId, chatWebhookId }: WatchedRecord & { readonly chatWebhookId: number },
): Promise<Watch | null> {
  return await client.watch.findFirst({ where: { tenantId, entity, entityId, chatWebhookId }, select: SHOWN });
}

/** All of a tenant's, or those that tell this destination. */
export async function countWatches(client: Client, tenantId: TenantId, chatWebhookId?: number): Promise<number> {
  return await client.watch.count({ where: { tenantId, ...(chatWebhookId === undefined ? {} : { chatWebhookId }) } });
}

/** Watches a record; `chatWebhookId` must be the tenant's own. */
export async function addWatch(
  client: Client,
  tenantId: TenantId,
  watch: WatchedRecord & { readonly chatWebhookId: number; readonly author: string; readonly createdAt: Date },
): Promise<Watch> {
  return await client.watch.create({ data: { tenantId, ...watch }, select: SHOWN });
}

/** The watch that was taken away; null when the tenant has none of this id. */
export async function removeWatch(client: Client, tenantId: TenantId, id: number): Promise<Watch | null> {
  const found = await client.watch.findFirst({ where: { tenantId, id }, select: SHOWN });
  if (found !== null) await client.watch.delete({ where: { id: found.id } });
  return found;
}

/** Who watches where, of the watches among these deciders. */
export async function loadWatchNames(
  pool: Pool,
  tenantId: TenantId,
  decided: readonly { readonly ruleId: number }[],
): Promise<WatchNames> {
  const ids = [...new Set(decided.map(({ ruleId }) => watchIdOf(ruleId)).filter((id) => id !== null))];
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<{ id: number; author: string; spaceName: string }>(
    `SELECT w.id, w.author, c.name AS "spaceName"
       FROM watches w JOIN chat_webhooks c ON c.id = w.chat_webhook_id WHERE w.tenant_id = $1 AND w.id = ANY ($2::int[])`,
    [tenantId, ids],
  );
  return new Map(rows.map(({ id, ...named }) => [id, named]));
}
