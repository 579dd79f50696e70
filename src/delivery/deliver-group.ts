/** Brings claimed messages of one tenant on their way: looked at, prepared together, posted each in its turn, recorded. */

import type { DeliveryOutcome } from '../core/delivery';
import { isUnreadableSecret } from '../core/errors';
import type { AttemptRecord, ClaimedDelivery, DeliveryStore } from './delivery-ledger';
import { FRESH_MS } from './lease';
import { obstacleOf } from './obstacle';
import { prepare, screen, SLOW, type Prepared, type PrepareGroupDependencies } from './prepare-group';
import {
  settleAttempt,
  settleKeyless,
  settleSlow,
  settleUnprepared,
  settleUnsent,
  settleUntried,
  type AttemptSettings,
} from './settle-attempt';
import { makeTimeLimits, type TimeLimits } from './time-limits';

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

export interface DeliverGroupDependencies extends PrepareGroupDependencies {
  readonly store: Pick<DeliveryStore, 'freeze' | 'renew' | 'release'>;
  /** Records one attempt; concurrent calls may share a statement. */
  readonly record: (attempt: AttemptRecord) => Promise<void>;
  readonly postBody: PostBody;
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

/** Makes it for groups of one tenant each; the groups take turns to post. What a time limit of the database ended before keeps no others from theirs. */
export function makeDeliverGroup(dependencies: DeliverGroupDependencies): DeliverGroup {
  const { log } = dependencies;
  const turn = dependencies.makeTurnstile(dependencies.concurrency, SLOW_MS);
  const timeLimits = makeTimeLimits();

  return async (claimed, claimedAtMs, progress) => {
    const together = claimed.filter(({ id }) => !timeLimits.has(id));
    const apart = claimed.filter(({ id }) => timeLimits.has(id)).map((delivery) => [delivery]);
    await Promise.all([together, ...apart].map((group) => deliverTogether(group, claimedAtMs, progress)));
  };

  async function deliverTogether(
    claimed: readonly ClaimedDelivery[],
    claimedAtMs: number,
    { begun, ended }: Progress,
  ): Promise<void> {
    const timer = setTimeout(() => claimed.forEach(begun), SLOW_MS);
    const { going, failed, slow } = await screen(claimed, dependencies);
    const group = [...going, ...failed, ...slow];
    const kept = new Set(group.map(({ id }) => id));
    claimed.filter(({ id }) => !kept.has(id)).forEach(ended);
    // Nothing is ready of those that failed.
    const prepared = new Map([...(await prepare(going, dependencies)), ...slow.map(({ id }) => [id, SLOW] as const)]);
    clearTimeout(timer);
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
          await deliverOne(delivery, prepared.get(delivery.id), post, timeLimits, dependencies);
        } catch (error) {
          // The lease runs out and the message is sent then, by whoever looks first.
          log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: delivery.id }, 'delivery could not be recorded');
        } finally {
          ended(delivery);
        }
      }),
    );
  }
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

async function deliverOne(
  delivery: ClaimedDelivery,
  prepared: Prepared | undefined,
  post: PostInTurn,
  timeLimits: TimeLimits,
  dependencies: DeliverGroupDependencies,
): Promise<void> {
  const { store, record, settings, nowMs, jitter, log } = dependencies;
  const obstacle = obstacleOf(delivery, settings);
  if (obstacle !== null) {
    await record(settleUnsent(delivery, obstacle));
    return;
  }
  if (prepared === undefined) {
    await record(settleUnprepared(delivery, jitter()));
    return;
  }
  if (prepared.kind === 'left') return;
  if (prepared.kind === 'slow') {
    const limit = timeLimits.met(delivery.id);
    if (limit !== null) await record(settleSlow(delivery, limit, jitter()));
    return;
  }
  timeLimits.passed(delivery.id);
  if (prepared.kind === 'changed') {
    await store.release(delivery);
    return;
  }
  const { body } = prepared;
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
