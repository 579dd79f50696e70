/** Muted records in the database: records of which nothing is told, whatever the rules say. */

import type { PoolClient } from 'pg';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';

type Client = PrismaClient | Prisma.TransactionClient;

export interface MutedRecord {
  readonly entity: string;
  readonly entityId: string;
}

export interface StoredMute extends MutedRecord {
  readonly id: number;
  readonly createdAt: Date;
}

const SHOWN = { id: true, entity: true, entityId: true, createdAt: true } as const;

/** What the router keeps silent about, in its own transaction. */
export async function loadMuted(client: PoolClient, tenantId: TenantId): Promise<MutedRecord[]> {
  const { rows } = await client.query<MutedRecord>(
    `SELECT entity, entity_id AS "entityId" FROM muted_records WHERE tenant_id = $1`,
    [tenantId],
  );
  return rows;
}

/** One page, newest first; `record`: that one alone. */
export async function pageOfMutes(
  client: Client,
  tenantId: TenantId,
  record: { readonly entity?: string | undefined; readonly entityId?: string | undefined },
  { beforeId, limit }: { readonly beforeId: number | null; readonly limit: number },
): Promise<StoredMute[]> {
  const { entity, entityId } = record;
  return await client.mutedRecord.findMany({
    where: {
      tenantId,
      ...(entity === undefined ? {} : { entity }),
      ...(entityId === undefined ? {} : { entityId }),
      ...(beforeId === null ? {} : { id: { lt: beforeId } }),
    },
    select: SHOWN,
    orderBy: { id: 'desc' },
    take: limit,
  });
}

export async function findMute(client: Client, tenantId: TenantId, record: MutedRecord): Promise<StoredMute | null> {
  const { entity, entityId } = record;
  return await client.mutedRecord.findFirst({ where: { tenantId, entity, entityId }, select: SHOWN });
}

/** Mutes a record; one that is muted already stays as it is. */
export async function addMute(client: Client, tenantId: TenantId, record: MutedRecord): Promise<StoredMute> {
  const { entity, entityId } = record;
  return await client.mutedRecord.upsert({
    where: { tenantId_entity_entityId: { tenantId, entity, entityId } },
    create: { tenantId, entity, entityId },
    update: {},
    select: SHOWN,
  });
}

/** The mute that was taken away; null when the tenant has none of this id. */
export async function removeMute(client: Client, tenantId: TenantId, id: number): Promise<StoredMute | null> {
  const found = await client.mutedRecord.findFirst({ where: { tenantId, id }, select: SHOWN });
  if (found !== null) await client.mutedRecord.delete({ where: { id: found.id } });
  return found;
}
