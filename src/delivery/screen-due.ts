/**
 * Looks at claimed messages before they are prepared: what has to wait for a time is set aside, what belongs to a backlog is folded into
 * the message at its head. Whoever claimed a space's head holds its lease, so that nobody else decides about the space meanwhile.
 */

import { WON_NAMES_BYTES } from '../messages/render-fold';
import type { ScreenDue } from './deliver-group';
import type { ClaimedDelivery, ClaimedDestination } from './delivery-ledger';
import type { FoldStore, Head, SpaceBacklog } from './fold.store';
import type { HeldStore } from './held.store';
import { judgeDue, type DueVerdict } from './judge-due';
import { foldLimit, foldStep, planBacklog } from './plan-fold';
import { isQuiet } from './quiet-hours';

export interface ScreenDueDependencies {
  readonly folds: Pick<FoldStore, 'fold' | 'putOff' | 'putOffAlone'> & {
    /** How it stands with the space; many are asked at once. */
    backlogOf(head: Head): Promise<SpaceBacklog | undefined>;
  };
  readonly held: Pick<HeldStore, 'setAside' | 'endQuiet'>;
  /** Lets go what has waited for its time. */
  readonly releaseHeld: () => Promise<void>;
  readonly spaceIntervalMs: number;
  readonly clock: () => Date;
}

/** A burst is looked at again after this time. */
const GATHER_STEP_MS = 250;
/** What waits for the release of what came before it tries again so soon. */
const RELEASE_STEP_MS = 50;

interface Fresh {
  readonly delivery: ClaimedDelivery;
  readonly destination: ClaimedDestination;
}

/** Makes the use case. It rejects when the database cannot be reached. */
export function makeScreenDue(dependencies: ScreenDueDependencies): ScreenDue {
  const { folds, held, clock, spaceIntervalMs } = dependencies;

  /** Null: it does not go now. */
  async function place(fresh: Fresh, now: Date): Promise<ClaimedDelivery | null> {
    const { delivery, destination } = fresh;
    const verdict = verdictOn(fresh, now);
    if (verdict.kind !== 'send') {
      await held.setAside(delivery, verdict);
      return null;
    }
    const limit = limitOf(destination, spaceIntervalMs);
    if (limit === Infinity && destination.quietHours === null) return delivery;
    // Where nothing is folded only an earlier message that waits in quiet hours matters.
    const backlog = await folds.backlogOf({ delivery, limit: Number.isFinite(limit) ? limit : 0 });
    return backlog === undefined ? delivery : await placeIn(backlog, fresh, limit, now);
  }

  async function placeIn(backlog: SpaceBacklog, fresh: Fresh, limit: number, now: Date): Promise<ClaimedDelivery | null> {
    const { delivery } = fresh;
    if (backlog.heldBefore && !isUrgent(delivery)) {
      // It may go, so its destination is not quiet: what waits there for the end of quiet has come to it, whatever was thought before.
      await held.endQuiet(delivery, now);
      await dependencies.releaseHeld();
      await folds.putOffAlone(delivery, RELEASE_STEP_MS);
      return null;
    }
    const step = foldStep(backlog, limit);
    if (step === 'single') return delivery;
    if (step === 'gather') {
      await folds.putOff(delivery, GATHER_STEP_MS);
      return null;
    }
    const { isBurst, isGrowing } = backlog;
    const settings = { limit, isBurst, isGrowing, nameRoom: WON_NAMES_BYTES };
    return await folds.fold(delivery, isQuietNow(fresh, now), (head, due) => planBacklog(head, due, settings));
  }

  return async (group) => {
    const now = clock();
    const placed = await Promise.all(
      group.map(async (delivery) => {
        const fresh = freshOf(delivery);
        return fresh === null ? delivery : await place(fresh, now);
      }),
    );
    return placed.filter((delivery) => delivery !== null);
  };
}

/** A message that was never prepared, for a destination that takes messages. What somebody announces goes at once and by itself. */
function freshOf(delivery: ClaimedDelivery): Fresh | null {
  if (delivery.change.transition.announcement !== undefined) return null;
  const { destination, renderedBody, isPlain, foldKind } = delivery;
  const isFresh = renderedBody === null && !isPlain && foldKind === null;
  if (!isFresh || destination === null || destination.isPaused || destination.health === 'broken') return null;
  return { delivery, destination };
}

function verdictOn(fresh: Fresh, now: Date): DueVerdict {
  const { delivery, destination } = fresh;
  const cameAt = delivery.waitingMs > 0 || delivery.viaWebhookId !== null ? null : new Date(now.getTime() - delivery.ageMs);
  const { quietHours } = destination;
  return judgeDue({ quietHours, timeZone: zoneOf(fresh), digest: delivery.digest, isUrgent: isUrgent(delivery), cameAt }, now);
}

function isQuietNow(fresh: Fresh, now: Date): boolean {
  const { quietHours } = fresh.destination;
  return quietHours !== null && isQuiet(quietHours, zoneOf(fresh), now);
}

function zoneOf({ delivery, destination }: Fresh): string {
  return destination.timeZone ?? delivery.tenant.timeZone;
}

/** Of an urgent rule, or sent again because somebody asked for it. */
function isUrgent(delivery: ClaimedDelivery): boolean {
  return delivery.isUrgent || delivery.isReplay;
}

function limitOf({ fold, foldThreshold }: ClaimedDestination, spaceIntervalMs: number): number {
  return fold === 'off' ? Infinity : foldLimit(foldThreshold, spaceIntervalMs);
}
