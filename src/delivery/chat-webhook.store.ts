/** Destinations in the database. Key and token stand there sealed and are never part of what this file returns. */

import { Prisma, type PrismaClient } from '../../prisma/generated/client';
import { AppError } from '../core/errors';
import {
  quietHoursSchema,
  type FoldPolicy,
  type HealthState,
  type QuietHours,
  type ThreadPolicy,
  FOLD_POLICIES,
  HEALTH_STATES,
  THREAD_POLICIES,
} from '../core/destination';
import type { TenantId } from '../core/tenant';

/** A destination as the API and the pages show it. */
export interface Destination {
  readonly id: number;
  readonly name: string;
  readonly spaceId: string;
  readonly health: HealthState;
  readonly healthReason: string | null;
  readonly healthSince: Date;
  readonly paused: boolean;
  readonly threads: ThreadPolicy;
  readonly fold: FoldPolicy;
  /** Null: as many as can go within the latency goal. */
  readonly foldThreshold: number | null;
  readonly timeZone: string | null;
  readonly locale: string | null;
  readonly quietHours: QuietHours | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The fields that people set, beside the URL. */
export type DestinationFields = Pick<
  Destination,
  'name' | 'paused' | 'threads' | 'fold' | 'foldThreshold' | 'timeZone' | 'locale' | 'quietHours'
>;

/** Where it posts to, sealed: `sealedCredentials` is the JWE of `{key, token}`. */
export interface SealedUrl {
  readonly spaceId: string;
  readonly sealedCredentials: string;
  readonly credentialsDigest: Uint8Array<ArrayBuffer>;
}

type Client = PrismaClient | Prisma.TransactionClient;
type Row = Prisma.ChatWebhookModel;

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
  return rows.map(toDestination);
}

/** Every destination of a tenant by id. */
export async function listDestinations(client: Client, tenantId: TenantId): Promise<Destination[]> {
  return (await client.chatWebhook.findMany({ where: { tenantId }, orderBy: { id: 'asc' } })).map(toDestination);
}

/** One destination; null when the tenant has none of this id. */
export async function findDestination(client: Client, tenantId: TenantId, id: number): Promise<Destination | null> {
  const row = await client.chatWebhook.findFirst({ where: { tenantId, id } });
  return row === null ? null : toDestination(row);
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
  return toDestination(await client.chatWebhook.create({ data: { ...columns(fields), ...url, tenantId } }));
}

/**
 * Overwrites a destination. With a new URL it counts as repaired: healthy, no refusals, and what it still owes goes to the
 * new space. Throws as `insertDestination`.
 */
export async function updateDestination(
  client: Client,
  tenantId: TenantId,
  id: number,
  fields: DestinationFields,
  url: SealedUrl | null,
): Promise<Destination> {
  if (url === null) return toDestination(await client.chatWebhook.update({ where: { id, tenantId }, data: columns(fields) }));
  await refuseTwin(client, tenantId, url, id);
  await ensureSpace(client, url.spaceId);
  await client.delivery.updateMany({
    where: { tenantId, chatWebhookId: id, state: { in: ['queued', 'held'] } },
    data: { spaceId: url.spaceId },
  });
  const repaired = {
    health: 'healthy',
    healthReason: null,
    healthSince: new Date(),
    refusals: 0,
    lastRefusalAt: null,
    threadingUnsupported: false,
  };
  return toDestination(
    await client.chatWebhook.update({ where: { id, tenantId }, data: { ...columns(fields), ...url, ...repaired } }),
  );
}

/** Removes a destination and it from all rules; false when the tenant has none of this id. */
export async function deleteDestination(client: Client, tenantId: TenantId, id: number): Promise<boolean> {
  const { count } = await client.chatWebhook.deleteMany({ where: { tenantId, id } });
  return count > 0;
}

/** Messages held in quiet hours are looked at anew: the hours have changed. */
export async function reconsiderQuiet(client: Client, tenantId: TenantId, chatWebhookId: number): Promise<void> {
  await client.delivery.updateMany({
    where: { tenantId, chatWebhookId, state: 'held', heldFor: 'quiet' },
    data: { heldUntil: new Date(0) },
  });
}

/** Messages held for a destination's health become due again, in their order; what waits for a time goes on waiting. */
export async function releaseHeld(client: Client, tenantId: TenantId, chatWebhookId: number): Promise<number> {
  const { count } = await client.delivery.updateMany({
    where: { tenantId, chatWebhookId, state: 'held', heldFor: null },
    data: { state: 'queued', stateReason: null, notBefore: new Date() },
  });
  return count;
}

/**
 * Messages that wait for a rule or destination that goes are dropped, with the reason. One that is being sent is left to its sender; one
 * that tells several deliveries outlives each single rule.
 */
export async function dropWaiting(
  client: Client,
  tenantId: TenantId,
  of: { readonly ruleId: number } | { readonly chatWebhookId: number },
  reason: string,
): Promise<number> {
  const { count } = await client.delivery.updateMany({
    where: { tenantId, ...of, state: { in: ['queued', 'held'] }, ...('ruleId' in of && { foldKind: null }) },
    data: { state: 'dropped', stateReason: reason, finishedAt: new Date() },
  });
  return count;
}

/** The pause is a setting, health is what Chat says: shown as one word. */
export function shownHealth({ paused, health }: Pick<Destination, 'paused' | 'health'>): HealthState {
  return paused ? 'paused' : health;
}

async function refuseTwin(client: Client, tenantId: TenantId, url: SealedUrl, exceptId: number | null): Promise<void> {
  const twin = await client.chatWebhook.findUnique({
    where: { tenantId_credentialsDigest: { tenantId, credentialsDigest: url.credentialsDigest } },
    select: { id: true, name: true },
  });
  if (twin === null || twin.id === exceptId) return;
  const message = `This webhook is connected already, as "${twin.name}".`;
  throw new AppError('duplicate_destination', message, { status: 422, errors: [{ path: 'url', message }] });
}

async function ensureSpace(client: Client, spaceId: string): Promise<void> {
  await client.googleSpace.createMany({ data: [{ spaceId }], skipDuplicates: true });
}

function columns({ quietHours, ...fields }: DestinationFields) {
  return { ...fields, quietHours: quietHours ?? Prisma.DbNull };
}

function toDestination(row: Row): Destination {
  return {
    id: row.id,
    name: row.name,
    spaceId: row.spaceId,
    health: oneOf(HEALTH_STATES, row.health),
    healthReason: row.healthReason,
    healthSince: row.healthSince,
    paused: row.paused,
    threads: oneOf(THREAD_POLICIES, row.threads),
    fold: oneOf(FOLD_POLICIES, row.fold),
    foldThreshold: row.foldThreshold,
    timeZone: row.timeZone,
    locale: row.locale,
    quietHours: row.quietHours === null ? null : quietHoursSchema.parse(row.quietHours),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

function oneOf<Word extends string>(words: readonly Word[], text: string): Word {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new Error(`the database holds an unknown word: ${text}`);
  return found;
}
