/** Which webhooks should exist at Pipedrive, against what it lists and what our rows say. Pure. */

import { WEBHOOK_ENTITIES, type WebhookEntity } from '../core/record';

/** A live row of ours (creating or active). */
export interface RegisteredWebhook {
  readonly rowId: number;
  readonly connectionId: number;
  /** Null: we were stopped between our row and Pipedrive's answer. */
  readonly remoteId: number | null;
  readonly eventObject: string;
}

/** A webhook as Pipedrive lists it. */
export interface RemoteWebhook {
  readonly remoteId: number;
  readonly eventObject: string;
  readonly eventAction: string;
  readonly subscriptionUrl: string;
  readonly version: string | null;
  readonly isActive: boolean;
  /** What came of the last event sent to it; `httpStatus` null: no answer. */
  readonly lastDelivery: { readonly at: string; readonly httpStatus: number | null } | null;
}

export interface RegistrationState {
  readonly subscriptionUrl: string;
  /** The connection under which the set shall exist. */
  readonly ownerConnectionId: number;
  readonly rows: readonly RegisteredWebhook[];
  readonly listed: readonly RemoteWebhook[];
}

/** A webhook to take away: at Pipedrive (when it has an id there) and in our rows (when it has one). */
export interface Removal {
  readonly remoteId: number | null;
  readonly rowId: number | null;
  /** Whose token removes it; null: the owner's. */
  readonly connectionId: number | null;
}

export interface RegistrationPlan {
  readonly create: readonly WebhookEntity[];
  readonly keep: readonly RegisteredWebhook[];
  /** Bring nothing (unknown password, inactive, another address): may go first. */
  readonly removeNow: readonly Removal[];
  /** Still bring events under another connection: each goes only once its successor of the same object stands. */
  readonly replace: readonly (Removal & { readonly eventObject: string })[];
}

/** Decides. Ours is what bears our address or an id in our rows; nobody else's webhook is ever in a removal. */
export function planWebhooks(state: RegistrationState): RegistrationPlan {
  const remoteById = new Map(state.listed.map((webhook) => [webhook.remoteId, webhook]));
  const keep: RegisteredWebhook[] = [];
  const removeNow: Removal[] = [];
  const replace: (Removal & { eventObject: string })[] = [];
  const keptObjects = new Set<string>();

  for (const row of state.rows) {
    const remote = row.remoteId === null ? undefined : remoteById.get(row.remoteId);
    const removal = { remoteId: row.remoteId, rowId: row.rowId, connectionId: row.connectionId };
    const isOwners = row.connectionId === state.ownerConnectionId;
    // Another user's webhooks may not be listed to this one, so not being listed says something only of the owner's own.
    if (!isOwners && row.remoteId !== null) replace.push({ ...removal, eventObject: row.eventObject });
    else if (remote === undefined) removeNow.push({ ...removal, remoteId: null });
    else if (isAsWanted(remote, state.subscriptionUrl) && !keptObjects.has(row.eventObject)) {
      keep.push(row);
      keptObjects.add(row.eventObject);
    } else removeNow.push(removal);
  }

  const rowRemoteIds = new Set(state.rows.map((row) => row.remoteId));
  for (const { remoteId, subscriptionUrl } of state.listed) {
    if (subscriptionUrl === state.subscriptionUrl && !rowRemoteIds.has(remoteId))
      removeNow.push({ remoteId, rowId: null, connectionId: null });
  }
  return { create: WEBHOOK_ENTITIES.filter((entity) => !keptObjects.has(entity)), keep, removeNow, replace };
}

function isAsWanted(remote: RemoteWebhook, subscriptionUrl: string): boolean {
  const isWantedObject = WEBHOOK_ENTITIES.some((entity) => entity === remote.eventObject);
  const isVersion2 = remote.version === null || remote.version.startsWith('2');
  return (
    isWantedObject && isVersion2 && remote.isActive && remote.eventAction === '*' && remote.subscriptionUrl === subscriptionUrl
  );
}

/** A webhook whose last event did not reach us. */
export interface FailingWebhook {
  readonly eventObject: string;
  readonly at: string;
  readonly httpStatus: number | null;
}

/**
 * Ten first attempts that fail make Pipedrive ban a webhook for half an hour, and nothing in its list says so: what is sent meanwhile
 * is lost. The only trace is that the last delivery failed.
 */
export function failingWebhooks(keep: readonly RegisteredWebhook[], listed: readonly RemoteWebhook[]): readonly FailingWebhook[] {
  const kept = new Set(keep.map(({ remoteId }) => remoteId));
  return listed.flatMap(({ remoteId, eventObject, lastDelivery }) => {
    if (lastDelivery === null || !kept.has(remoteId)) return [];
    const { at, httpStatus } = lastDelivery;
    return httpStatus !== null && httpStatus >= 200 && httpStatus < 300 ? [] : [{ eventObject, at, httpStatus }];
  });
}

export interface PossibleOwner {
  readonly id: number;
  readonly isAdmin: boolean;
}

/**
 * Under whose connection the set shall exist: the present owner stays while active, but gives way to an admin when it is none,
 * since a webhook tells only of what its owner may see. `candidates` are the active connections, best first; null without any.
 */
export function chooseOwner<C extends PossibleOwner>(candidates: readonly C[], rows: readonly RegisteredWebhook[]): C | null {
  const [best] = candidates;
  const webhooksOf = (id: number) => rows.filter((row) => row.connectionId === id).length;
  const holders = candidates.filter(({ id }) => webhooksOf(id) > 0).sort((a, b) => webhooksOf(b.id) - webhooksOf(a.id));
  const present = holders.find(({ isAdmin }) => isAdmin) ?? holders[0];
  if (best === undefined) return null;
  return present === undefined || (best.isAdmin && !present.isAdmin) ? best : present;
}
