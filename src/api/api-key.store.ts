/** Keys of the REST API: shown once, kept as their SHA-256 (they are 32 random bytes, so no slow hash is needed). */

import { createHash, randomBytes } from 'node:crypto';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { tenantId as brandTenantId, type TenantId } from '../core/tenant';

const PREFIX = 'dbk_';
const SHOWN_CHARACTERS = 10;
/** `last_used_at` is written at most this often: reading must not cost a write each time. */
const USE_NOTED_EVERY_MS = 60_000;

export interface ApiKey {
  readonly id: number;
  readonly name: string;
  /** The first characters, to tell keys apart. */
  readonly prefix: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

type Client = PrismaClient | Prisma.TransactionClient;

const SHOWN = { id: true, name: true, prefix: true, createdAt: true, lastUsedAt: true } as const;

/** Makes a key; its text is in the answer and nowhere else. */
export async function createApiKey(client: Client, tenantId: TenantId, name: string): Promise<ApiKey & { readonly key: string }> {
  const key = PREFIX + randomBytes(32).toString('base64url');
  const row = await client.apiKey.create({
    data: { tenantId, name, prefix: key.slice(0, SHOWN_CHARACTERS), keyHash: hashOf(key) },
    select: SHOWN,
  });
  return { ...row, key };
}

/** Whose key this is, and its name; null when there is no such key. Notes the use. */
export async function findApiKey(
  client: Client,
  key: string,
  now: Date,
): Promise<{ id: number; name: string; tenantId: TenantId } | null> {
  if (!key.startsWith(PREFIX)) return null;
  const row = await client.apiKey.findUnique({ where: { keyHash: hashOf(key) } });
  if (row === null) return null;
  if (row.lastUsedAt === null || now.getTime() - row.lastUsedAt.getTime() > USE_NOTED_EVERY_MS) {
    await client.apiKey.updateMany({ where: { id: row.id, tenantId: row.tenantId }, data: { lastUsedAt: now } });
  }
  return { id: row.id, name: row.name, tenantId: brandTenantId(row.tenantId) };
}

/** One page of a tenant's keys by id, after `afterId`. */
export async function pageOfApiKeys(
  client: Client,
  tenantId: TenantId,
  { afterId, limit }: { afterId: number; limit: number },
): Promise<ApiKey[]> {
  return await client.apiKey.findMany({
    where: { tenantId, id: { gt: afterId } },
    orderBy: { id: 'asc' },
    take: limit,
    select: SHOWN,
  });
}

/** How many keys a tenant has. */
export async function countApiKeys(client: Client, tenantId: TenantId): Promise<number> {
  return await client.apiKey.count({ where: { tenantId } });
}

/** Removes a key; null when the tenant has none of this id, else its name. */
export async function deleteApiKey(client: Client, tenantId: TenantId, id: number): Promise<string | null> {
  const row = await client.apiKey.findFirst({ where: { tenantId, id }, select: { name: true } });
  if (row === null) return null;
  await client.apiKey.deleteMany({ where: { tenantId, id } });
  return row.name;
}

function hashOf(key: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(key).digest());
}
