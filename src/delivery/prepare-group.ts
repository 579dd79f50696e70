/** What comes before claimed messages of one tenant are posted: each is looked at, and those that go now are made ready together. */

import type { Logger } from 'pino';
import type { TenantProfile } from '../core/tenant';
import type { ClaimedDelivery, DeliveryStore } from './delivery-ledger';
import type { MendFold } from './mend-fold';
import { obstacleOf } from './obstacle';
import type { HealthSettings } from './space-health';

/**
 * Gives the message as it is to go now; null when it waits or is told by another one, set aside and its space free again. Rejects when it
 * could not be looked at.
 */
export type ScreenDue = (delivery: ClaimedDelivery) => Promise<ClaimedDelivery | null>;

/** Renders bodies for deliveries of one tenant; names are gathered for all of them at once. */
export type RenderBodies = (
  tenant: TenantProfile,
  deliveries: readonly ClaimedDelivery[],
) => Promise<ReadonlyMap<number, string>>;

export interface PrepareGroupDependencies {
  readonly store: Pick<DeliveryStore, 'freeze'>;
  readonly screenDue: ScreenDue;
  readonly renderBodies: RenderBodies;
  readonly mendFold: MendFold;
  /** Whether a failure is the database's: it is away, which says nothing of the message that met it, or a statement met its time limit. */
  readonly databaseTrouble: (error: unknown) => 'away' | 'timeLimit' | null;
  readonly log: Logger;
  readonly settings: Pick<HealthSettings, 'refusalConfirmMs'>;
}

interface Screened {
  readonly going: readonly ClaimedDelivery[];
  /** They could not be looked at, each for a reason of its own. */
  readonly failed: readonly ClaimedDelivery[];
  /** A time limit of the database ended the look. */
  readonly slow: readonly ClaimedDelivery[];
}

/** Looks at each of them. Those for which the database was away are in none: they are looked at by whoever has the lease next. */
export async function screen(
  claimed: readonly ClaimedDelivery[],
  { screenDue, databaseTrouble, log }: PrepareGroupDependencies,
): Promise<Screened> {
  const failed: ClaimedDelivery[] = [];
  const slow: ClaimedDelivery[] = [];
  const placed = await Promise.all(
    claimed.map(async (delivery) => {
      try {
        return await screenDue(delivery);
      } catch (error) {
        log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: delivery.id }, 'due message could not be looked at');
        const trouble = databaseTrouble(error);
        if (trouble !== 'away') (trouble === null ? failed : slow).push(delivery);
      }
      return null;
    }),
  );
  return { going: placed.filter((delivery) => delivery !== null), failed, slow };
}

/** What became of a message that was to be made ready. */
export type Prepared =
  | { readonly kind: 'ready'; readonly body: string }
  /** It is another one now: to be claimed anew. */
  | { readonly kind: 'changed' }
  /** The database was away, which says nothing of it: whoever has the lease next makes it ready. */
  | { readonly kind: 'left' }
  /** A time limit of the database ended it. */
  | { readonly kind: 'slow' };

const CHANGED: Prepared = { kind: 'changed' };
const LEFT: Prepared = { kind: 'left' };
export const SLOW: Prepared = { kind: 'slow' };

/** By delivery; of which no body could be made, each for a reason of its own, is not there: it is tried again later. */
export type PreparedGroup = ReadonlyMap<number, Prepared>;

/** Makes ready what nothing keeps from being posted. */
export async function prepare(group: readonly ClaimedDelivery[], dependencies: PrepareGroupDependencies): Promise<PreparedGroup> {
  const { databaseTrouble, renderBodies, log } = dependencies;
  const sendable = group.filter((delivery) => obstacleOf(delivery, dependencies.settings) === null);
  const [first] = sendable;
  if (first === undefined) return new Map();
  try {
    const fresh = sendable.filter((delivery) => delivery.renderedBody === null);
    const rendered = fresh.length === 0 ? new Map<number, string>() : await renderBodies(first.tenant, fresh);
    return await freezeAll(sendable, rendered, dependencies);
  } catch (error) {
    log.error({ err: error, tenantId: first.tenant.id, deliveryId: first.id }, 'messages could not be prepared');
    if (sendable.length === 1) return afterTrouble(first, databaseTrouble(error)) ?? (await mend(first, dependencies));
    // One that cannot be prepared must not keep the others from their way.
    const prepared = new Map<number, Prepared>();
    for (const delivery of sendable) for (const [id, one] of await prepare([delivery], dependencies)) prepared.set(id, one);
    return prepared;
  }
}

/** Null: the database had none. */
function afterTrouble({ id }: ClaimedDelivery, trouble: 'away' | 'timeLimit' | null): PreparedGroup | null {
  return trouble === null ? null : new Map([[id, trouble === 'away' ? LEFT : SLOW]]);
}

/** One of those that its message tells must not keep the others from being told. */
async function mend(
  delivery: ClaimedDelivery,
  { mendFold, databaseTrouble, log }: PrepareGroupDependencies,
): Promise<PreparedGroup> {
  try {
    return (await mendFold(delivery)) ? new Map([[delivery.id, CHANGED]]) : new Map();
  } catch (error) {
    log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: delivery.id }, 'message could not be mended');
    return afterTrouble(delivery, databaseTrouble(error)) ?? new Map();
  }
}

async function freezeAll(
  deliveries: readonly ClaimedDelivery[],
  rendered: ReadonlyMap<number, string>,
  { store }: PrepareGroupDependencies,
): Promise<PreparedGroup> {
  const bodies = deliveries.flatMap((delivery) => {
    const body = delivery.renderedBody ?? rendered.get(delivery.id);
    return body === undefined ? [] : [{ delivery, body }];
  });
  const isFrozen = await store.freeze(bodies);
  return new Map(
    bodies.map(({ delivery, body }, index) => [delivery.id, isFrozen[index] === true ? { kind: 'ready', body } : CHANGED]),
  );
}
