/** Destinations in the database. Key and token stand there sealed and are never part of what this file returns. */

import { Prisma, type PrismaClient } from '../../prisma/generated/client';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';
import { isUnfinished } from '../core/unfinished.store';
import { BRING_BACK_FROM, LET_GO_OF } from './hold.store';
import { readDestination, type Destination, type UnreadablePart } from './read-destination';

/** The fields that people set, beside the URL. */
export type DestinationFields = Pick<
  Destination,
  | 'name'
  | 'paused'
  | 'threads'
  | 'fold'
  | 'foldThreshold'
  | 'timeZone'
  | 'locale'
  | 'quietHours'
  | 'fallbackWebhookId'
  | 'holdHours'
>;

/** Where it posts to, sealed: `sealedCredentials` is the JWE of `{key, token}`. */
export interface SealedUrl {
  readonly spaceId: string;
  readonly sealedCredentials: string;
  readonly credentialsDigest: Uint8Array<ArrayBuffer>;
}

type Client = PrismaClient | Prisma.TransactionClient;

/** One page of a tenant's destinations by id, after `afterId`. */
export async function pageOfDestinations(
  client: Client,
  tenantId: TenantId,
  { afterId, limit }: { afterId: number; limit: number },
): Promise<Destination[]> {
  const rows = await client.chatWebhook.findMany({
    where: { tenantId, id: { gt: afterId } },
    orderBy: { id: 'asc' },
    take: limit,
  });
  return rows.map(readDestination);
}

/** Every destination of a tenant by id. */
export async function listDestinations(client: Client, tenantId: TenantId): Promise<Destination[]> {
  return (await client.chatWebhook.findMany({ where: { tenantId }, orderBy: { id: 'asc' } })).map(readDestination);
}

/** One destination; null when the tenant has none of this id. */
export async function findDestination(client: Client, tenantId: TenantId, id: number): Promise<Destination | null> {
  const row = await client.chatWebhook.findFirst({ where: { tenantId, id } });
  return row === null ? null : readDestination(row);
}

/** The sealed keys and tokens of a tenant's destinations, by id. */
export async function sealedKeys(client: Client, tenantId: TenantId): Promise<ReadonlyMap<number, string>> {
  const rows = await client.chatWebhook.findMany({ where: { tenantId }, select: { id: true, sealedCredentials: true } });
  return new Map(rows.map(({ id, sealedCredentials }) => [id, sealedCredentials]));
}

/** How many destinations a tenant has. */
export async function countDestinations(client: Client, tenantId: TenantId): Promise<number> {
  return await client.chatWebhook.count({ where: { tenantId } });
}

/** Those of `ids` that are the tenant's own. */
export async function ownDestinationIds(client: Client, tenantId: TenantId, ids: readonly number[]): Promise<Set<number>> {
  const rows = await client.chatWebhook.findMany({ where: { tenantId, id: { in: [...ids] } }, select: { id: true } });
  return new Set(rows.map((row) => row.id));
}

/** Writes a new destination and its space. Throws an AppError (422) when the tenant has this URL already. */
export async function insertDestination(
  client: Client,
  tenantId: TenantId,
  fields: DestinationFields,
  url: SealedUrl,
): Promise<Destination> {
  await refuseTwin(client, tenantId, url, null);
  await ensureSpace(client, url.spaceId);
  return readDestination(await client.chatWebhook.create({ data: { ...columns(fields), ...url, tenantId } }));
}

/**
 * Overwrites a destination, but for what is `untouched`. With a new URL it counts as repaired: healthy, no refusals, and what it still owes goes to the
 * new space; so it does when its health could not be read. Threads that are switched on are tried anew. Throws as `insertDestination`.
 */
export async function updateDestination(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  before: Destination,
  {
    fields,
    untouched,
    url,
  }: { readonly fields: DestinationFields; readonly untouched: readonly UnreadablePart[]; readonly url: SealedUrl | null },
): Promise<Destination> {
  const { id } = before;
  const isRepaired = url !== null || before.unreadable.includes('health');
  const isThreadingAnew = url !== null || (before.threads === 'off' && fields.threads === 'perRecord');
  if (url !== null) {
    await refuseTwin(client, tenantId, url, id);
    await ensureSpace(client, url.spaceId);
  }
  const changed = {
    ...{ ...columns(fields, untouched), updatedAt: await databaseTime(client) },
    ...(isThreadingAnew ? { threadingUnsupported: false } : {}),
  };
  // The destination before its messages, as the sender locks them.
  const row = await client.chatWebhook.update({
    where: { id, tenantId },
    data: { ...changed, ...url, ...(isRepaired ? { ...REPAIRED, healthSince: new Date() } : {}) },
  });
  if (url !== null) await client.$executeRawUnsafe(FOLLOW, id, url.spaceId);
  if (isRepaired || (before.paused && !fields.paused)) {
    for (const statement of LET_GO_OF) await client.$executeRawUnsafe(statement, [id]);
  }
  return readDestination(row);
}

/** By the clock that says when messages came: what did so before a change is judged by it (screen-due.ts). */
async function databaseTime(client: Prisma.TransactionClient): Promise<Date> {
  const [row] = await client.$queryRaw<{ at: Date }[]>`SELECT clock_timestamp() AS at`;
  if (row === undefined) throw new Error('the database tells no time');
  return row.at;
}

const REPAIRED = {
  health: 'healthy',
  healthReason: null,
  healthCause: null,
  refusals: 0,
  lastRefusalAt: null,
  nextProbeAt: null,
  probes: 0,
} as const;

/**
 * What is under way goes along too, so that nothing of its record overtakes it; whoever sends it has its lease to say what came of it. Routers
 * owe nothing to the old space from here on: they write nothing that was planned by settings before this change.
 */
const FOLLOW = `
  UPDATE deliveries d SET space_id = $2, not_before = CASE WHEN state = 'sending' THEN now() + interval '15 seconds' ELSE not_before END
   WHERE coalesce(via_webhook_id, chat_webhook_id) = $1::int AND ${isUnfinished('d')}`;

/**
 * Removes a destination and it from all rules; false when the tenant has none of this id. What it was to take in another's place
 * goes back there.
 */
export async function deleteDestination(client: Prisma.TransactionClient, tenantId: TenantId, id: number): Promise<boolean> {
  const { count } = await client.chatWebhook.deleteMany({ where: { tenantId, id } });
  if (count > 0) await client.$executeRawUnsafe(BRING_BACK_FROM, id);
  return count > 0;
}

async function refuseTwin(client: Client, tenantId: TenantId, url: SealedUrl, exceptId: number | null): Promise<void> {
  const twin = await client.chatWebhook.findUnique({
    where: { tenantId_credentialsDigest: { tenantId, credentialsDigest: url.credentialsDigest } },
    select: { id: true, name: true },
  });
  if (twin === null || twin.id === exceptId) return;
  const message = `This webhook is connected already, as “${twin.name}”.`;
  throw new AppError('duplicate_destination', message, { status: 422, errors: [{ path: 'url', message }] });
}

async function ensureSpace(client: Client, spaceId: string): Promise<void> {
  await client.googleSpace.createMany({ data: [{ spaceId }], skipDuplicates: true });
}

function columns({ quietHours, threads, fold, ...fields }: DestinationFields, untouched: readonly UnreadablePart[] = []) {
  return {
    ...fields,
    ...(untouched.includes('threads') ? {} : { threads }),
    ...(untouched.includes('fold') ? {} : { fold }),
    ...(untouched.includes('quietHours') ? {} : { quietHours: quietHours ?? Prisma.DbNull }),
  };
}
