/** `/chat-webhooks`: the destinations of a tenant. The URL goes in and never comes out. */

import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { maskChatUrl, parseChatUrl } from '../clients/google-chat-url';
import { FOLD_POLICIES, quietHoursSchema, THREAD_POLICIES } from '../core/destination';
import type { Bell } from '../core/jobs';
import type { TenantId } from '../core/tenant';
import type { CheckKeys } from '../delivery/check-keys';
import {
  countDestinations,
  deleteDestination,
  findDestination,
  insertDestination,
  ownDestinationIds,
  pageOfDestinations,
  updateDestination,
  type DestinationFields,
  type SealedUrl,
} from '../delivery/chat-webhook.store';
import { dropWaiting } from '../delivery/drop-waiting.store';
import { CREDENTIALS_PURPOSE } from '../delivery/open-destination';
import { unreadableReason, type Destination } from '../delivery/read-destination';
import { reconsiderHeld } from '../delivery/reconsider-held.store';
import { shownHealth } from '../delivery/space-health';
import { refuseOverLimit, type CurrentPlan } from '../plans/plan-limits';
import { countWatches } from '../rules/watch.store';
import { changedFields, type RunChange } from './change.store';
import { invalid, missing, tenantEndpoint, type Endpoint } from './endpoint';
import { idField, localeField, nameField, timeZoneField } from './fields';
import { pageAnswer, pageFields, readCursor } from './paging';

/** The part of the secret box that is needed here. */
export interface Sealer {
  seal(tenantId: number, purpose: string, value: unknown): Promise<string>;
  digest(text: string): Uint8Array;
}

interface Deps {
  readonly prisma: PrismaClient;
  readonly runChange: RunChange;
  readonly secretBox: Sealer;
  readonly checkKeys: CheckKeys;
  readonly bell: Pick<Bell, 'ringDeliver'>;
  readonly clock: () => Date;
  readonly loadPlan: (client: Prisma.TransactionClient, tenantId: TenantId) => Promise<CurrentPlan>;
  /** `GOOGLE_CHAT_ORIGIN`. */
  readonly googleChatOrigin: string;
}

const MAX_FOLD_THRESHOLD = 1000;
/** A week: a message that waited longer is no news. */
const MAX_HOLD_HOURS = 168;

const settings = {
  name: nameField,
  timeZone: timeZoneField.nullable(),
  locale: localeField.nullable(),
  threads: z.enum(THREAD_POLICIES),
  fold: z.enum(FOLD_POLICIES),
  /** More messages due at once than this are told in one; null: more than can go within ten seconds. */
  foldThreshold: z.int().min(1).max(MAX_FOLD_THRESHOLD).nullable(),
  quietHours: quietHoursSchema.nullable(),
  paused: z.boolean(),
  fallbackWebhookId: idField.nullable(),
  holdHours: z.int().min(1).max(MAX_HOLD_HOURS),
};
const urlField = z.string().min(1).max(2000);
const createBody = z.strictObject({ ...z.object(settings).partial().shape, name: nameField, url: urlField });
const updateBody = z.strictObject({ ...z.object(settings).partial().shape, url: urlField.optional() });
const listQuery = z.object(pageFields);

const DEFAULTS: Omit<DestinationFields, 'name'> = {
  paused: false,
  threads: 'off',
  fold: 'auto',
  foldThreshold: null,
  timeZone: null,
  locale: null,
  quietHours: null,
  fallbackWebhookId: null,
  holdHours: 24,
};

export function chatWebhookEndpoints(deps: Deps): Endpoint[] {
  const { prisma, googleChatOrigin } = deps;
  const show = (destination: Destination) => shown(destination, googleChatOrigin);
  const showOne = async (tenantId: TenantId, destination: Destination) => {
    const [checked = destination] = await deps.checkKeys(tenantId, [destination]);
    return show(checked);
  };
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/chat-webhooks', access: 'read', status: 200, summary: 'List the destinations' },
      query: listQuery,
      handle: async ({ tenantId }, { query: { limit, cursor } }) => {
        const [afterId = 0] = readCursor(cursor, 1);
        const rows = await pageOfDestinations(prisma, tenantId, { afterId, limit: limit + 1 });
        return pageAnswer(await deps.checkKeys(tenantId, rows), limit, ({ id }) => [id], show);
      },
    }),
    tenantEndpoint({
      ...{
        method: 'post',
        path: '/chat-webhooks',
        access: 'change',
        status: 201,
        summary: 'Connect a Google Chat webhook; posts nothing',
      },
      body: createBody,
      handle: async (principal, { body }) => ({ status: 201, body: show(await create(deps, principal, body)) }),
    }),
    tenantEndpoint({
      ...{ method: 'get', path: '/chat-webhooks/:id', access: 'read', status: 200, summary: 'One destination' },
      handle: async ({ tenantId }, { id }) => {
        const destination = await findDestination(prisma, tenantId, id);
        if (destination === null) throw missing('Chat webhook');
        return { status: 200, body: await showOne(tenantId, destination) };
      },
    }),
    tenantEndpoint({
      ...{ method: 'put', path: '/chat-webhooks/:id', access: 'change', status: 200 },
      summary: 'Change a destination; a new url counts as repaired and releases what was held',
      body: updateBody,
      handle: async (principal, { id, body }) => {
        const destination = await update(deps, principal, id, body);
        return { status: 200, body: await showOne(principal.tenantId, destination) };
      },
    }),
    tenantEndpoint({
      ...{ method: 'delete', path: '/chat-webhooks/:id', access: 'change', status: 204 },
      summary: 'Remove a destination, from all rules too, and with it what is watched there; what it still owes is dropped',
      handle: async (principal, { id }) => {
        await remove(deps, principal, id);
        return { status: 204 };
      },
    }),
  ];
}

type Actor = { readonly tenantId: TenantId; readonly actor: string };

async function create(deps: Deps, principal: Actor, { url, ...given }: z.infer<typeof createBody>): Promise<Destination> {
  const { tenantId } = principal;
  const sealed = await sealUrl(deps, tenantId, url);
  const fields = merged({ ...DEFAULTS, name: given.name }, given);
  return await deps.runChange(principal, async (client) => {
    refuseOverLimit('destinations', await countDestinations(client, tenantId), await deps.loadPlan(client, tenantId));
    await refuseForeignFallback(client, tenantId, null, given.fallbackWebhookId);
    const result = await insertDestination(client, tenantId, fields, sealed);
    return {
      result,
      note: { action: 'chat_webhook.created', subject: `chat webhook ${result.id}`, changes: { name: result.name } },
    };
  });
}

async function update(
  deps: Deps,
  principal: Actor,
  id: number,
  { url, ...given }: z.infer<typeof updateBody>,
): Promise<Destination> {
  const { tenantId } = principal;
  const before = await findDestination(deps.prisma, tenantId, id);
  if (before === null) throw missing('Chat webhook');
  const sealed = url === undefined ? null : await sealUrl(deps, tenantId, url);
  const destination = await deps.runChange(principal, async (client) => {
    const current = await findDestination(client, tenantId, id);
    if (current === null) throw missing('Chat webhook');
    await refuseForeignFallback(client, tenantId, id, given.fallbackWebhookId);
    const wanted = merged(current, given);
    // What is not given stays as it is written, also where it cannot be read.
    const untouched = current.unreadable.filter((part) => !(part in given));
    const result = await updateDestination(client, tenantId, current, { fields: wanted, untouched, url: sealed });
    const isTimeChanged = given.quietHours !== undefined || given.timeZone !== undefined;
    if (isTimeChanged) await reconsiderHeld(client, tenantId, { chatWebhookId: id }, deps.clock());
    const mended = current.unreadable.filter((part) => part in given);
    const fields = [...new Set([...changedFields(current, wanted), ...mended]), ...(sealed === null ? [] : ['url'])];
    const changes = { fields, ...(fields.includes('paused') && { paused: result.paused }) };
    const note = fields.length === 0 ? null : { action: 'chat_webhook.updated', subject: `chat webhook ${id}`, changes };
    return { result, note };
  });
  deps.bell.ringDeliver();
  return destination;
}

async function remove(deps: Deps, principal: Actor, id: number): Promise<void> {
  const { tenantId } = principal;
  await deps.runChange(principal, async (client) => {
    const watches = await countWatches(client, tenantId, id);
    if (!(await deleteDestination(client, tenantId, id))) throw missing('Chat webhook');
    await dropWaiting(client, tenantId, { chatWebhookId: id }, 'the destination was removed');
    const note = { action: 'chat_webhook.deleted', subject: `chat webhook ${id}`, ...(watches > 0 && { changes: { watches } }) };
    return { result: undefined, note };
  });
}

async function sealUrl({ secretBox, googleChatOrigin }: Deps, tenantId: TenantId, url: string): Promise<SealedUrl> {
  const parsed = parseChatUrl(url, googleChatOrigin);
  if (parsed.kind === 'problem') throw invalid([{ path: 'url', message: parsed.message }]);
  const { spaceId, key, token } = parsed.parts;
  return {
    spaceId,
    sealedCredentials: await secretBox.seal(tenantId, CREDENTIALS_PURPOSE, { key, token }),
    credentialsDigest: new Uint8Array(secretBox.digest(JSON.stringify([spaceId, key, token]))),
  };
}

/** Two destinations may be each other's fallback: a message makes one hop and no more. */
async function refuseForeignFallback(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  id: number | null,
  fallbackId: number | null | undefined,
): Promise<void> {
  if (fallbackId === null || fallbackId === undefined) return;
  const path = 'fallbackWebhookId';
  if (fallbackId === id) throw invalid([{ path, message: 'must be another destination' }]);
  const own = await ownDestinationIds(client, tenantId, [fallbackId]);
  if (!own.has(fallbackId)) throw invalid([{ path, message: 'There is no Chat webhook of this id.' }]);
}

/** What is given counts, what is not stays. */
function merged(
  before: DestinationFields,
  given: Partial<{ [Field in keyof DestinationFields]: DestinationFields[Field] | undefined }>,
): DestinationFields {
  return {
    name: given.name ?? before.name,
    paused: given.paused ?? before.paused,
    threads: given.threads ?? before.threads,
    fold: given.fold ?? before.fold,
    foldThreshold: given.foldThreshold === undefined ? before.foldThreshold : given.foldThreshold,
    timeZone: given.timeZone === undefined ? before.timeZone : given.timeZone,
    locale: given.locale === undefined ? before.locale : given.locale,
    quietHours: given.quietHours === undefined ? before.quietHours : given.quietHours,
    fallbackWebhookId: given.fallbackWebhookId === undefined ? before.fallbackWebhookId : given.fallbackWebhookId,
    holdHours: given.holdHours ?? before.holdHours,
  };
}

function shown(destination: Destination, origin: string): object {
  const { id, name, spaceId, health: _health, healthReason: _reason, unreadable: _parts, ...rest } = destination;
  const health = shownHealth(destination, unreadableReason(destination));
  return { id, name, spaceId, maskedUrl: maskChatUrl(origin, spaceId), ...health, ...rest };
}
