/** Brings claimed messages of one tenant on their way: looked at, prepared together, posted each in its turn, recorded. */

import type { Logger } from 'pino';
import type { DeliveryOutcome } from '../core/delivery';
import { isUnreadableSecret } from '../core/errors';
import type { TenantProfile } from '../core/tenant';
import type { AttemptRecord, ClaimedDelivery, DeliveryStore } from './delivery-ledger';
import { FRESH_MS } from './lease';
import type { MendFold } from './mend-fold';
import {
  settleAttempt,
  settleKeyless,
  settleUnprepared,
  settleUnsent,
  settleUntried,
  type AttemptSettings,
  type Obstacle,
} from './settle-attempt';
import { judgeRefusal, PAUSED_REASON } from './space-health';

/** Renders bodies for deliveries of one tenant; names are gathered for all of them at once. */
export type RenderBodies = (
  tenant: TenantProfile,
  deliveries: readonly ClaimedDelivery[],
) => Promise<ReadonlyMap<number, string>>;

/**
 * Posts a frozen body. `onWritten` is called when the whole request has left this process; not when it never does. Rejects with what
 * `isUnreadableSecret` knows, nothing posted, when the destination's key cannot be opened.
 */
export type PostBody = (
  delivery: ClaimedDelivery,
  body: string,
  isThreaded: boolean,
  onWritten: () => void,
) => Promise<DeliveryOutcome>;

/**
 * Gives the message as it is to go now; null when it waits or is told by another one, set aside and its space free again. Rejects when it
 * could not be looked at.
 */
export type ScreenDue = (delivery: ClaimedDelivery) => Promise<ClaimedDelivery | null>;

export interface DeliverGroupDependencies {
  readonly store: Pick<DeliveryStore, 'freeze' | 'renew' | 'release'>;
  /** Records one attempt; concurrent calls may share a statement. */
  readonly record: (attempt: AttemptRecord) => Promise<void>;
  readonly screenDue: ScreenDue;
  readonly renderBodies: RenderBodies;
  readonly mendFold: MendFold;
  readonly postBody: PostBody;
  /** Whether a failure is the database's, which says nothing of the message that met it. */
  readonly isDatabaseTrouble: (error: unknown) => boolean;
  readonly log: Logger;
  /** Messages that are posted at once. */
  readonly concurrency: number;
  /** Makes what lets at most `places` through at once, those that take longer than `slowMs` not counted. */
  readonly makeTurnstile: (places: number, slowMs: number) => <T>(work: () => Promise<T>) => Promise<T>;
  readonly settings: AttemptSettings;
  /** A clock that never jumps. */
  readonly nowMs: () => number;
  readonly jitter: () => number;
  readonly onAttempt?: (outcome: DeliveryOutcome, delivery: ClaimedDelivery) => void;
}

/** How far a claimed message has come. */
export interface Progress {
  /** It is on its way to Chat, or its preparation is slow: another one may be claimed beside it. May be told twice. */
  begun(delivery: ClaimedDelivery): void;
  /** Nothing more happens to it. */
  ended(delivery: ClaimedDelivery): void;
}

/** Never rejects: what could not be done is done by whoever has the lease next. `claimedAtMs`: by `nowMs`, before they were claimed. */
export type DeliverGroup = (claimed: readonly ClaimedDelivery[], claimedAtMs: number, progress: Progress) => Promise<void>;

/** Who takes longer (a Chat that hangs, names that are slow to come) gives its place to others. */
const SLOW_MS = 500;
/** A request that has left is taken in by Chat within this time, however busy the ways are; or when it is answered, if that is earlier. */
const ON_THE_WAY_MS = 1_000;

/** Makes it for groups of one tenant each; the groups take turns to post. */
export function makeDeliverGroup(dependencies: DeliverGroupDependencies): DeliverGroup {
  const { log } = dependencies;
  const turn = dependencies.makeTurnstile(dependencies.concurrency, SLOW_MS);

  return async (claimed, claimedAtMs, { begun, ended }) => {
    const slow = setTimeout(() => claimed.forEach(begun), SLOW_MS);
    const { going, failed } = await screen(claimed, dependencies);
    const group = [...going, ...failed];
    const kept = new Set(group.map(({ id }) => id));
    claimed.filter(({ id }) => !kept.has(id)).forEach(ended);
    // Nothing is ready of those that failed.
    const ready = await prepare(going, dependencies);
    clearTimeout(slow);
    await Promise.all(
      group.map(async (delivery) => {
        const post: PostInTurn = (...message) =>
          turn(async () => {
            begun(delivery);
            const lease = await keepLease(delivery, claimedAtMs, dependencies);
            const startedAtMs = dependencies.nowMs();
            return lease === null ? null : { lease, startedAtMs, outcome: await tryPost(message, dependencies) };
          });
        try {
          await deliverOne(delivery, ready.get(delivery.id), post, dependencies);
        } catch (error) {
          // The lease runs out and the message is sent then, by whoever looks first.
          log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: delivery.id }, 'delivery could not be recorded');
        } finally {
          ended(delivery);
        }
      }),
    );
  };
}

interface Screened {
  readonly going: readonly ClaimedDelivery[];
  /** They could not be looked at, each for a reason of its own. */
  readonly failed: readonly ClaimedDelivery[];
}

/** Those that the database failed are in neither: they are looked at by whoever has the lease next. */
async function screen(
  claimed: readonly ClaimedDelivery[],
  { screenDue, isDatabaseTrouble, log }: DeliverGroupDependencies,
): Promise<Screened> {
  const failed: ClaimedDelivery[] = [];
  const placed = await Promise.all(
    claimed.map(async (delivery) => {
      try {
        return await screenDue(delivery);
      } catch (error) {
        log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: delivery.id }, 'due message could not be looked at');
        if (!isDatabaseTrouble(error)) failed.push(delivery);
      }
      return null;
    }),
  );
  return { going: placed.filter((delivery) => delivery !== null), failed };
}

/** As `PostBody`; null when the delivery's space was lost before its turn came: nothing was posted. */
type PostInTurn = (...message: Parameters<PostBody>) => Promise<{
  /** Of its space, as it was posted under. */
  readonly lease: string;
  readonly startedAtMs: number;
  readonly outcome: DeliveryOutcome | NotTried;
} | null>;

/** It could not even be tried; `keyless`: because the key of its destination cannot be opened. */
type NotTried = { readonly kind: 'untried' } | { readonly kind: 'keyless' };

/** What cannot be tried must not keep its space from others for ever. */
async function tryPost(
  message: Parameters<PostBody>,
  { postBody, log }: DeliverGroupDependencies,
): Promise<DeliveryOutcome | NotTried> {
  try {
    return await postBody(...message);
  } catch (error) {
    const [{ id, tenant }] = message;
    log.error({ err: error, tenantId: tenant.id, deliveryId: id }, 'delivery could not be posted');
    return { kind: isUnreadableSecret(error) ? 'keyless' : 'untried' };
  }
}

/** Sees to it that the space stays ours for as long as a POST may take: what waited for too long takes it anew. Gives its lease; null: it is lost. */
async function keepLease(
  delivery: ClaimedDelivery,
  claimedAtMs: number,
  { store, nowMs }: DeliverGroupDependencies,
): Promise<string | null> {
  let lease: string | null = delivery.lease;
  let sinceMs = claimedAtMs;
  while (lease !== null && nowMs() - sinceMs > FRESH_MS) {
    sinceMs = nowMs();
    lease = await store.renew(delivery, lease);
  }
  return lease;
}

/** What may be posted, by delivery; null for one that was changed meanwhile. A failure leaves them out; they are tried again later. */
type Ready = ReadonlyMap<number, string | null>;

async function prepare(group: readonly ClaimedDelivery[], dependencies: DeliverGroupDependencies): Promise<Ready> {
  const sendable = group.filter((delivery) => obstacleOf(delivery, dependencies.settings) === null);
  const [first] = sendable;
  if (first === undefined) return new Map();
  try {
    const fresh = sendable.filter((delivery) => delivery.renderedBody === null);
    const rendered = fresh.length === 0 ? new Map<number, string>() : await dependencies.renderBodies(first.tenant, fresh);
    return await freezeAll(sendable, rendered, dependencies);
  } catch (error) {
    dependencies.log.error({ err: error, tenantId: first.tenant.id, deliveryId: first.id }, 'messages could not be prepared');
    if (sendable.length === 1) return await mend(first, dependencies);
    // One that cannot be rendered must not keep the others from their way.
    const ready = new Map<number, string | null>();
    for (const delivery of sendable) for (const [id, body] of await prepare([delivery], dependencies)) ready.set(id, body);
    return ready;
  }
}

/** One of those that its message tells must not keep the others from being told. */
async function mend(delivery: ClaimedDelivery, { mendFold, log }: DeliverGroupDependencies): Promise<Ready> {
  try {
    return (await mendFold(delivery)) ? new Map([[delivery.id, null]]) : new Map();
  } catch (error) {
    log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: delivery.id }, 'message could not be mended');
  }
  return new Map();
}

async function freezeAll(
  deliveries: readonly ClaimedDelivery[],
  rendered: ReadonlyMap<number, string>,
  { store }: DeliverGroupDependencies,
): Promise<Ready> {
  const bodies = deliveries.flatMap((delivery) => {
    const body = delivery.renderedBody ?? rendered.get(delivery.id);
    return body === undefined ? [] : [{ delivery, body }];
  });
  const isFrozen = await store.freeze(bodies);
  return new Map(bodies.map(({ delivery, body }, index) => [delivery.id, isFrozen[index] === true ? body : null]));
}

/** Why nothing may be posted for this delivery now; null when it may. */
function obstacleOf(delivery: ClaimedDelivery, { refusalConfirmMs }: AttemptSettings): Obstacle | null {
  const { destination } = delivery;
  if (delivery.isUninstalled) return { state: 'dropped', reason: 'Dealbell was uninstalled before it could be told.' };
  // A fallback that was removed: back to its own destination.
  if (destination === null && delivery.viaWebhookId !== null) return { state: 'queued', reason: null, delayAllMs: null };
  if (destination === null) return { state: 'dropped', reason: 'The destination was removed.' };
  if (destination.isPaused) return { state: 'held', reason: PAUSED_REASON, heldBecause: 'paused' };
  if (delivery.isProbe) return null;
  const { health, healthReason, refusals, sinceLastRefusalMs } = destination;
  if (health === 'broken') return { state: 'held', reason: healthReason ?? 'The destination is broken.', heldBecause: 'broken' };
  const { counts, restMs } = judgeRefusal({ state: health, refusals, sinceLastRefusalMs }, refusalConfirmMs);
  // Another refusal would prove nothing yet.
  return counts ? null : { state: 'queued', reason: healthReason, delayAllMs: restMs };
}

async function deliverOne(
  delivery: ClaimedDelivery,
  body: string | null | undefined,
  post: PostInTurn,
  dependencies: DeliverGroupDependencies,
): Promise<void> {
  const { store, record, settings, nowMs, jitter, log } = dependencies;
  const obstacle = obstacleOf(delivery, settings);
  if (obstacle !== null) {
    await record(settleUnsent(delivery, obstacle));
    return;
  }
  if (body === null) {
    await store.release(delivery);
    return;
  }
  if (body === undefined) {
    await record(settleUnprepared(delivery, jitter()));
    return;
  }
  const isThreaded = body.includes('"threadKey"');
  let writtenAtMs = Number.POSITIVE_INFINITY;
  const posted = await post(delivery, body, isThreaded, () => (writtenAtMs = nowMs()));
  if (posted === null) {
    log.warn(
      { tenantId: delivery.tenant.id, deliveryId: delivery.id },
      'delivery waited for its turn for too long; its space was lost',
    );
    return;
  }
  const { lease, startedAtMs, outcome } = posted;
  const tried = lease === delivery.lease ? delivery : { ...delivery, lease };
  if (outcome.kind === 'keyless') {
    await record(settleKeyless(tried, settings));
    return;
  }
  if (outcome.kind === 'untried') {
    await record(settleUntried(tried, jitter(), writtenAtMs === Number.POSITIVE_INFINITY));
    return;
  }
  const endedAtMs = nowMs();
  const durationMs = endedAtMs - startedAtMs;
  // The interval counts from when Chat had it at the latest, and not from its answer: that may take long.
  const sinceTakenInMs = endedAtMs - Math.min(endedAtMs, writtenAtMs + ON_THE_WAY_MS);
  const spaceIntervalMs = Math.max(0, settings.spaceIntervalMs - sinceTakenInMs);
  const attempt = { durationMs, isThreaded, jitter: jitter() };
  await record(settleAttempt(tried, outcome, attempt, { ...settings, spaceIntervalMs }));
  dependencies.onAttempt?.(outcome, delivery);
  const facts = {
    tenantId: delivery.tenant.id,
    deliveryId: delivery.id,
    attempt: delivery.attempts,
    outcome: outcome.kind,
    durationMs,
  };
  // Every attempt has its row in the ledger; the log tells what went wrong.
  if (outcome.kind === 'sent') log.debug(facts, 'delivery attempted');
  else log.info({ ...facts, reason: outcome.reason }, 'delivery attempted');
}
