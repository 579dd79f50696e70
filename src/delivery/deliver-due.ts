/**
 * Sends what is due, one message per space at a time, spaces side by side. The ledger says what is due and who may send;
 * this only works it off, and looks again whenever it is woken: by a bell, by the sweep, by its own timer for the next slot.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { makeDeliverGroup, type DeliverGroupDependencies, type Progress } from './deliver-group';
import type { ClaimedDelivery, DeliveryStore } from './delivery-ledger';

export interface DeliverDueDependencies extends DeliverGroupDependencies {
  readonly store: Pick<DeliveryStore, 'claimDue' | 'freeze' | 'renew' | 'release'>;
  /** Resolves when nothing goes before messages. */
  readonly giveWay?: () => Promise<void>;
}

export interface DeliverDue {
  /** Looks for due messages and sends them. Resolves when the look is over; messages may still be under way. */
  wake(): Promise<void>;
  /** Takes nothing new and waits for what is under way. */
  close(): Promise<void>;
}

/** A timer further away than this is left to the sweep. */
const LONGEST_TIMER_MS = 60_000;
/** Messages that end one after the other are followed by others together. */
const REFILL_MS = 5;
/** When much is under way, looks are so far apart: one that finds many costs hardly more than one that finds a few. */
const BUSY_LOOK_MS = 20;
/** Claimed and not yet posted at most, per message that may be posted at once. */
const MOST_AHEAD = 2;
/** Claimed and not yet recorded at most, per message that may be posted at once: slow ones give their place to others. */
const MOST_IN_HAND = 20;

/** Makes the sender of this process. While messages are being posted it claims some more, so that they are prepared by when they may go. */
export function makeDeliverDue(dependencies: DeliverDueDependencies): DeliverDue {
  const { store, log, concurrency, nowMs } = dependencies;
  const deliverGroup = makeDeliverGroup(dependencies);
  const underWay = new Set<Promise<void>>();
  /** Ids of messages that are claimed and not yet recorded, and of those among them that are not yet posted. */
  const inHand = new Set<number>();
  const ahead = new Set<number>();
  let looking: Promise<void> | null = null;
  /** The last look took as many as it might: there may be more. */
  let wasFull = false;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let wakes = 0;
  let heard = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let refill: NodeJS.Timeout | undefined;

  const progress: Progress = {
    begun({ id }) {
      if (ahead.delete(id) && wasFull) wakeSoon();
    },
    ended({ id }) {
      ahead.delete(id);
      inHand.delete(id);
      wakeSoon();
    },
  };

  async function look(): Promise<void> {
    do {
      const restMs = lookedAtMs + BUSY_LOOK_MS - nowMs();
      if (inHand.size >= concurrency / 2 && restMs > 0) await delay(restMs);
      await dependencies.giveWay?.();
      heard = wakes;
      const room = Math.min(concurrency * MOST_AHEAD - ahead.size, concurrency * MOST_IN_HAND - inHand.size);
      wasFull = room <= 0;
      if (wasFull || isClosed) return;
      lookedAtMs = nowMs();
      const { claimed, unreadable, nextMs } = await store.claimDue(room);
      wasFull = claimed.length + unreadable.length === room;
      for (const { id, tenantId, error } of unreadable)
        log.error({ err: error, tenantId, deliveryId: id }, 'delivery cannot be read');
      // Their spaces are free again.
      if (unreadable.length > 0) wakes += 1;
      for (const group of byTenant(claimed)) start(group, lookedAtMs);
      setTimer(nextMs);
    } while (heard !== wakes);
  }

  function start(group: readonly ClaimedDelivery[], claimedAtMs: number): void {
    for (const { id } of group) {
      inHand.add(id);
      ahead.add(id);
    }
    const work = deliverGroup(group, claimedAtMs, progress).finally(() => underWay.delete(work));
    underWay.add(work);
  }

  function wakeSoon(): void {
    if (inHand.size === 0) wakeQuietly();
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
