/** Makes Pipedrive's list of our webhooks equal to what is wanted: one active set per company, under one connection. */

import { createHash, randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { WebhookEntity } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { PipedriveWebhookStore } from './pipedrive-webhook.store';
import {
  chooseOwner,
  failingWebhooks,
  planWebhooks,
  type FailingWebhook,
  type PossibleOwner,
  type RegistrationPlan,
  type RemoteWebhook,
  type Removal,
} from './wanted-webhooks';

type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: { readonly kind: string; readonly reason: string } };

/** Pipedrive's API as far as webhooks go. */
export interface WebhookApi {
  listWebhooks(): Promise<Answer<readonly RemoteWebhook[]>>;
  addWebhook(webhook: {
    eventObject: WebhookEntity;
    subscriptionUrl: string;
    name: string;
    authUser: string;
    authPassword: string;
  }): Promise<Answer<number>>;
  deleteWebhook(remoteId: number): Promise<Answer<unknown>>;
}

interface Needs<C extends PossibleOwner> {
  readonly store: PipedriveWebhookStore;
  /** Active connections of a tenant, best first. */
  readonly listConnections: (tenantId: TenantId) => Promise<readonly C[]>;
  readonly apiOf: (connection: C) => Promise<WebhookApi>;
  /** `$BASE_URL/webhook/pipedrive` */
  readonly subscriptionUrl: string;
  readonly clock: () => Date;
  readonly log: Logger;
}

export interface SyncReport {
  /** Null: the tenant has no active connection, so nothing could be registered. */
  readonly ownerConnectionId: number | null;
  readonly created: readonly string[];
  readonly kept: number;
  readonly removed: number;
  /** Those that stand, but whose last event did not reach us. */
  readonly failing: readonly FailingWebhook[];
  /** What did not work, per object (`list` for the listing itself); the next repair tries again. */
  readonly failed: readonly { readonly object: string; readonly reason: string }[];
}

/** Lists first, never doubles; of several at once for one tenant, the second finds the work done. */
export type SyncWebhooks = (tenantId: TenantId) => Promise<SyncReport>;

const PASSWORD_BYTES = 32;
const USER_BYTES = 12;

export function makeSyncWebhooks<C extends PossibleOwner>(needs: Needs<C>): SyncWebhooks {
  return async function syncWebhooks(tenantId) {
    const report = await needs.store.withTenantLock(tenantId, () => syncLocked(needs, tenantId));
    const level = report.failed.length === 0 ? 'info' : 'warn';
    needs.log[level]({ tenantId, ...report }, 'webhooks synchronised');
    return report;
  };
}

async function syncLocked<C extends PossibleOwner>(needs: Needs<C>, tenantId: TenantId): Promise<SyncReport> {
  const connections = await needs.listConnections(tenantId);
  const rows = await needs.store.listLive(tenantId);
  const chosen = chooseOwner(connections, rows);
  const others = connections.filter((connection) => connection !== chosen);
  let refusal: { ownerConnectionId: number | null; failed: SyncReport['failed'] } = { ownerConnectionId: null, failed: [] };
  for (const owner of chosen === null ? [] : [chosen, ...others]) {
    const api = await needs.apiOf(owner);
    const listed = await api.listWebhooks();
    if (listed.ok) {
      const plan = planWebhooks({
        subscriptionUrl: needs.subscriptionUrl,
        ownerConnectionId: owner.id,
        rows,
        listed: listed.value,
      });
      const done = await carryOut(needs, tenantId, plan, { owner, connections, api });
      return { ...done, failing: failingWebhooks(plan.keep, listed.value) };
    }
    refusal = { ownerConnectionId: owner.id, failed: [{ object: 'list', reason: listed.failure.reason }] };
    // A user who may no longer do this must not keep the company deaf; trouble on the way would be the same for everybody.
    if (!isRefusal(listed.failure)) break;
  }
  return { ...refusal, created: [], kept: 0, removed: 0, failing: [] };
}

function isRefusal({ kind }: { readonly kind: string }): boolean {
  return kind === 'unauthorized' || kind === 'forbidden';
}

interface Actors<C> {
  readonly owner: C;
  readonly connections: readonly C[];
  readonly api: WebhookApi;
}

async function carryOut<C extends PossibleOwner>(
  needs: Needs<C>,
  tenantId: TenantId,
  plan: RegistrationPlan,
  actors: Actors<C>,
): Promise<Omit<SyncReport, 'failing'>> {
  const failed: { object: string; reason: string }[] = [];
  let removed = 0;
  const removeAll = async (removals: readonly Removal[]): Promise<void> => {
    const reasons = await Promise.all(removals.map((removal) => remove(needs, tenantId, removal, actors)));
    for (const reason of reasons) {
      if (reason === null) removed++;
      else failed.push({ object: 'removal', reason });
    }
  };

  await removeAll(plan.removeNow);
  const created: string[] = [];
  const outcomes = await Promise.all(
    plan.create.map(async (object) => ({ object, reason: await create(needs, tenantId, object, actors) })),
  );
  for (const { object, reason } of outcomes) {
    if (reason === null) created.push(object);
    else failed.push({ object, reason });
  }
  const standing = new Set([...created, ...plan.keep.map((row) => row.eventObject)]);
  await removeAll(plan.replace.filter(({ eventObject }) => standing.has(eventObject)));
  return { ownerConnectionId: actors.owner.id, created, kept: plan.keep.length, removed, failed };
}

/** Null when created, else why not. */
async function create<C extends PossibleOwner>(
  { store, subscriptionUrl, clock }: Needs<C>,
  tenantId: TenantId,
  eventObject: WebhookEntity,
  { owner, api }: Actors<C>,
): Promise<string | null> {
  const authUser = `dealbell-${randomBytes(USER_BYTES).toString('hex')}`;
  const authPassword = randomBytes(PASSWORD_BYTES).toString('base64url');
  const credentialHash = Uint8Array.from(createHash('sha256').update(authPassword).digest());
  // The row before the request: Pipedrive may deliver before it has answered us.
  const rowId = await store.insert(tenantId, { connectionId: owner.id, eventObject, subscriptionUrl, authUser, credentialHash });
  const answer = await api.addWebhook({ eventObject, subscriptionUrl, name: `Dealbell ${eventObject}`, authUser, authPassword });
  if (answer.ok) {
    await store.markActive(tenantId, rowId, answer.value);
    return null;
  }
  // After a timeout nobody knows: such a row stays, so that events are accepted until the next run finds the orphan in the list.
  if (answer.failure.kind !== 'unreachable') await store.markRemoved(tenantId, [rowId], clock());
  return answer.failure.reason;
}

/** Null when it brings no event of ours any more, else why not. */
async function remove<C extends PossibleOwner>(
  { store, apiOf, clock }: Needs<C>,
  tenantId: TenantId,
  { remoteId, rowId, connectionId }: Removal,
  { connections, api }: Actors<C>,
): Promise<string | null> {
  if (remoteId !== null) {
    const maker = connections.find(({ id }) => id === connectionId);
    const answer = await (maker === undefined ? api : await apiOf(maker)).deleteWebhook(remoteId);
    // Gone already (Pipedrive removes a user's webhooks at the uninstall), or not ours to remove any more: then its events are
    // refused from now on, and Pipedrive deletes what it cannot deliver.
    const isDone = answer.ok || answer.failure.kind === 'notFound' || isRefusal(answer.failure) || maker === undefined;
    if (!isDone) return answer.failure.reason;
  }
  if (rowId !== null) await store.markRemoved(tenantId, [rowId], clock());
  return null;
}
