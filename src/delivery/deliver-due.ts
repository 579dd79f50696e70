/**
 * Sends what is due, one message per space at a time, spaces side by side. The ledger says what is due and who may send;
 * this only works it off, and looks again whenever it is woken: by a bell, by the sweep, by its own timer for the next slot.
 */

import type { Logger } from 'pino';
import type { DeliveryOutcome, FoldKind, HoldCause } from '../core/delivery';
import type { FoldPolicy, QuietHours, ThreadPolicy } from '../core/destination';
import type { Digest, TemplateMode } from '../core/rule';
import type { TenantProfile } from '../core/tenant';
import type { RecordChange } from '../core/transition';
import { settleAttempt, settleUnsent, type AttemptSettings, type Obstacle } from './settle-attempt';
import { judgeRefusal, PAUSED_REASON, type HealthChange, type KnownHealth } from './space-health';

export interface ClaimedDelivery {
  readonly id: number;
  /** Of its row, as it was claimed: a row that has another one by now was changed. */
  readonly version: string;
  readonly eventId: number;
  readonly ruleId: number;
  /** Its own destination. */
  readonly chatWebhookId: number;
  /** The fallback destination that it goes to instead; null: to its own. */
  readonly viaWebhookId: number | null;
  /** Its own destination's name, when it goes to another. */
  readonly meantFor: string | null;
  readonly spaceId: string;
  /** Troubles of the space in a row. */
  readonly troubles: number;
  /** Attempts begun, this one counted. */
  readonly attempts: number;
  readonly ageMs: number;
  /** Since the first attempt; 0 at the first. */
  readonly waitingMs: number;
  /** Attempts that came to no clear answer. */
  readonly uncertain: number;
  /** It is tried although its destination is broken: if it goes, the destination works again. */
  readonly isProbe: boolean;
  readonly requestId: string;
  /** Null until it is frozen. */
  readonly renderedBody: string | null;
  readonly isPlain: boolean;
  /** Chat rejected it with a thread. */
  readonly isUnthreaded: boolean;
  readonly mode: TemplateMode;
  readonly template: string | null;
  /** Its message tells others too; null: itself alone. */
  readonly foldKind: FoldKind | null;
  /** Its rule goes through quiet hours. */
  readonly isUrgent: boolean;
  readonly isReplay: boolean;
  /** When its rule's messages are gathered and told; null: at once. */
  readonly digest: Digest | null;
  readonly change: RecordChange;
  readonly tenant: TenantProfile;
  /** Null: the destination was removed. */
  readonly destination: ClaimedDestination | null;
}

export interface ClaimedDestination {
  readonly sealedCredentials: string;
  readonly threads: ThreadPolicy;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly fold: FoldPolicy;
  readonly foldThreshold: number | null;
  readonly quietHours: QuietHours | null;
  readonly isPaused: boolean;
  readonly health: KnownHealth;
  readonly healthReason: string | null;
  readonly refusals: number;
  readonly sinceLastRefusalMs: number | null;
  readonly probes: number;
}

/** What the ledger has to know after a delivery was worked on. */
export interface AttemptRecord {
  readonly delivery: ClaimedDelivery;
  readonly state: 'queued' | 'sent' | 'held' | 'dropped' | 'failed';
  readonly stateReason: string | null;
  readonly heldBecause: HoldCause | null;
  readonly messageName: string | null;
  readonly threadName: string | null;
  /** Another body, under another request id, is to be made. */
  readonly rewrite: 'unthreaded' | 'plain' | null;
  /** When the space may be written to again, counted from the moment of recording; null: nothing was written. */
  readonly slotAfterMs: number | null;
  readonly hasTrouble: boolean;
  /** Nobody knows whether it was posted. */
  readonly isUncertain: boolean;
  /** The log row; null when nothing was posted. */
  readonly wrote: {
    readonly httpStatus: number | null;
    readonly errorMessage: string | null;
    readonly durationMs: number;
  } | null;
  readonly health: HealthChange | null;
  /** The space takes cards, but no threads. */
  readonly cannotThread: boolean;
  /** Every queued message of the destination is held with this one. */
  readonly holdAll: boolean;
  /** Every queued message of the destination waits this long. */
  readonly delayAllMs: number | null;
  /** This message waits this long, others may go. */
  readonly delayMs: number | null;
}

/** What is about to be posted: a new body, or the one that was frozen at an earlier attempt. */
export interface FrozenBody {
  readonly delivery: ClaimedDelivery;
  readonly body: string;
}

export interface DeliveryStore {
  /** Takes the due head of up to `limit` free spaces. `nextMs`: until another space is ready; null when nothing waits. */
  claimDue(limit: number): Promise<{ readonly claimed: readonly ClaimedDelivery[]; readonly nextMs: number | null }>;
  /** Begins attempts. False for a delivery that was changed since it was claimed: it must not be posted. */
  freeze(bodies: readonly FrozenBody[]): Promise<readonly boolean[]>;
  /** Gives spaces back in which nothing was tried. */
  release(spaceIds: readonly string[]): Promise<void>;
  record(attempts: readonly AttemptRecord[]): Promise<void>;
  /** Gives up all leases: for the start of an installation that is alone on its database. */
  dropLeases(): Promise<void>;
}

/** Renders bodies for deliveries of one tenant; names are gathered for all of them at once. */
export type RenderBodies = (
  tenant: TenantProfile,
  deliveries: readonly ClaimedDelivery[],
) => Promise<ReadonlyMap<number, string>>;

/** Posts a frozen body. `onWritten` is called when the whole request has left this process; not when it never does. */
export type PostBody = (
  delivery: ClaimedDelivery,
  body: string,
  isThreaded: boolean,
  onWritten: () => void,
) => Promise<DeliveryOutcome>;

/** Chooses those that go now; what waits or is told by another message is set aside, its space free again. */
export type ScreenDue = (group: readonly ClaimedDelivery[]) => Promise<readonly ClaimedDelivery[]>;

export interface DeliverDueDependencies {
  readonly store: Pick<DeliveryStore, 'claimDue' | 'freeze' | 'release'>;
  /** Records one attempt; concurrent calls may share a statement. */
  readonly record: (attempt: AttemptRecord) => Promise<void>;
  readonly screenDue: ScreenDue;
  readonly renderBodies: RenderBodies;
  readonly postBody: PostBody;
  readonly log: Logger;
  /** Messages under way at once. */
  readonly concurrency: number;
  readonly settings: AttemptSettings;
  /** A clock that never jumps. */
  readonly nowMs: () => number;
  readonly jitter: () => number;
  readonly onAttempt?: (outcome: DeliveryOutcome, delivery: ClaimedDelivery) => void;
}

export interface DeliverDue {
  /** Looks for due messages and sends them. Resolves when the look is over; messages may still be under way. */
  wake(): Promise<void>;
  /** Takes nothing new and waits for what is under way. */
  close(): Promise<void>;
}

/** A timer further away than this is left to the sweep. */
const LONGEST_TIMER_MS = 60_000;
const REFILL_MS = 5;
/** Who takes longer (a Chat that hangs, names that are slow to come) gives its place to others. */
const SLOW_MS = 500;
/** Under way in all, slow ones included, per place. */
const SLOW_PER_PLACE = 20;
/** A request that has left is taken in by Chat within this time, however busy the ways are; or when it is answered, if that is earlier. */
const ON_THE_WAY_MS = 1_000;

/** Makes the sender of this process. */
export function makeDeliverDue(dependencies: DeliverDueDependencies): DeliverDue {
  const { store, log, concurrency } = dependencies;
  const underWay = new Set<Promise<void>>();
  /** Places taken, and messages under way in all: slow ones keep no place. */
  let inFlight = 0;
  let inHand = 0;
  let looking: Promise<void> | null = null;
  let wakes = 0;
  let heard = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let refill: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    do {
      heard = wakes;
      const room = Math.min(concurrency - inFlight, concurrency * SLOW_PER_PLACE - inHand);
      if (room <= 0 || isClosed) return;
      const { claimed, nextMs } = await store.claimDue(room);
      for (const group of byTenant(claimed)) start(group);
      setTimer(nextMs);
    } while (heard !== wakes);
  }

  function start(group: readonly ClaimedDelivery[]): void {
    const work = deliverGroup(group).finally(() => underWay.delete(work));
    underWay.add(work);
  }

  /** Takes a place for one message; it is given up when that is done, or slow. */
  function takePlace(): () => void {
    let isTaken = true;
    inFlight += 1;
    inHand += 1;
    const give = (): void => {
      if (isTaken) inFlight -= 1;
      isTaken = false;
      wakeSoon();
    };
    const slow = setTimeout(give, SLOW_MS);
    return () => {
      clearTimeout(slow);
      inHand -= 1;
      give();
    };
  }

  async function deliverGroup(claimed: readonly ClaimedDelivery[]): Promise<void> {
    const places = new Map(claimed.map((delivery) => [delivery.id, takePlace()]));
    const group = await screen(claimed);
    const going = new Set(group.map(({ id }) => id));
    for (const [id, leave] of places) if (!going.has(id)) leave();
    const ready = await prepare(group, dependencies);
    await Promise.all(
      group.map(async (delivery) => {
        try {
          await deliverOne(delivery, ready.get(delivery.id), dependencies);
        } catch (error) {
          // The lease runs out and the message is sent then, by whoever looks first.
          log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: delivery.id }, 'delivery could not be recorded');
        } finally {
          places.get(delivery.id)?.();
        }
      }),
    );
  }

  async function screen(claimed: readonly ClaimedDelivery[]): Promise<readonly ClaimedDelivery[]> {
    try {
      return await dependencies.screenDue(claimed);
    } catch (error) {
      // As above: whatever was not decided is decided by whoever has the lease next.
      log.error({ err: error, tenantId: claimed[0]?.tenant.id }, 'due messages could not be looked at');
    }
    return [];
  }

  /** Places that become free one after the other are filled together. */
  function wakeSoon(): void {
    if (inFlight === 0) wakeQuietly();
    else refill ??= setTimeout(wakeQuietly, REFILL_MS);
  }

  function wakeQuietly(): void {
    clearTimeout(refill);
    refill = undefined;
    wake().catch((error: unknown) => {
      log.warn({ err: error }, 'due messages could not be looked up; the sweep tries again');
    });
  }

  function setTimer(nextMs: number | null): void {
    clearTimeout(timer);
    if (nextMs === null || isClosed) return;
    timer = setTimeout(wakeQuietly, Math.min(Math.ceil(nextMs) + 1, LONGEST_TIMER_MS));
    timer.unref();
  }

  function wake(): Promise<void> {
    wakes += 1;
    looking ??= look().finally(() => {
      looking = null;
      // Woken after the last look had ended: nobody else would look for that.
      if (heard !== wakes && !isClosed) wakeQuietly();
    });
    return looking;
  }

  return {
    wake,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      // A look that fails is told to whoever woke; what is under way is waited for all the same.
      await Promise.allSettled([looking]);
      await Promise.all(underWay);
    },
  };
}

function byTenant(claimed: readonly ClaimedDelivery[]): Iterable<readonly ClaimedDelivery[]> {
  const groups = new Map<number, ClaimedDelivery[]>();
  for (const delivery of claimed) {
    const group = groups.get(delivery.tenant.id);
    if (group === undefined) groups.set(delivery.tenant.id, [delivery]);
    else group.push(delivery);
  }
  return groups.values();
}

/** What may be posted, by delivery; null for one that was changed meanwhile. A failure leaves them out; they are tried again later. */
type Ready = ReadonlyMap<number, string | null>;

async function prepare(group: readonly ClaimedDelivery[], dependencies: DeliverDueDependencies): Promise<Ready> {
  const sendable = group.filter((delivery) => obstacleOf(delivery, dependencies.settings) === null);
  const [first] = sendable;
  if (first === undefined) return new Map();
  try {
    const fresh = sendable.filter((delivery) => delivery.renderedBody === null);
    const rendered = fresh.length === 0 ? new Map<number, string>() : await dependencies.renderBodies(first.tenant, fresh);
    return await freezeAll(sendable, rendered, dependencies);
  } catch (error) {
    dependencies.log.error({ err: error, tenantId: first.tenant.id, deliveryId: first.id }, 'messages could not be prepared');
    // One that cannot be rendered must not keep the others from their way.
    const alone = sendable.length > 1 ? sendable : [];
    const ready = new Map<number, string | null>();
    for (const delivery of alone) for (const [id, body] of await prepare([delivery], dependencies)) ready.set(id, body);
    return ready;
  }
}

async function freezeAll(
  deliveries: readonly ClaimedDelivery[],
  rendered: ReadonlyMap<number, string>,
  { store }: DeliverDueDependencies,
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
  dependencies: DeliverDueDependencies,
): Promise<void> {
  const { store, record, postBody, settings, nowMs, jitter, log } = dependencies;
  const obstacle = obstacleOf(delivery, settings);
  if (obstacle !== null) {
    await record(settleUnsent(delivery, obstacle));
    return;
  }
  if (body === null) {
    await store.release([delivery.spaceId]);
    return;
  }
  const startedAtMs = nowMs();
  const isThreaded = body?.includes('"threadKey"') ?? false;
  let writtenAtMs = Number.POSITIVE_INFINITY;
  const outcome: DeliveryOutcome =
    body === undefined
      ? { kind: 'unreachable', httpStatus: null, reason: 'The message could not be prepared.' }
      : await postBody(delivery, body, isThreaded, () => (writtenAtMs = nowMs()));
  const endedAtMs = nowMs();
  const durationMs = endedAtMs - startedAtMs;
  // The interval counts from when Chat had it at the latest, and not from its answer: that may take long.
  const sinceTakenInMs = endedAtMs - Math.min(endedAtMs, writtenAtMs + ON_THE_WAY_MS);
  const spaceIntervalMs = Math.max(0, settings.spaceIntervalMs - sinceTakenInMs);
  const attempt = { durationMs, isThreaded, jitter: jitter() };
  await record(settleAttempt(delivery, outcome, attempt, { ...settings, spaceIntervalMs }));
  dependencies.onAttempt?.(outcome, delivery);
  const facts = {
    tenantId: delivery.tenant.id,
    deliveryId: delivery.id,
    attempt: delivery.attempts,
    outcome: outcome.kind,
    durationMs,
  };
  log.info({ ...facts, ...(outcome.kind === 'sent' ? {} : { reason: outcome.reason }) }, 'delivery attempted');
}
