/**
 * Looks at a claimed message before it is sent: what has to wait for a time is set aside, what belongs to a backlog is folded into
 * the message at its head. Whoever claimed a space's head holds its lease, so that nobody else decides about the space meanwhile.
 */

import { NO_RATES } from '../core/exchange-rates';
import { namesFitText, WON_NAMES_BYTES } from '../messages/render-fold';
import type { ScreenDue } from './prepare-group';
import type { ClaimedDelivery, ClaimedDestination } from './delivery-ledger';
import type { FoldStore, Head, SpaceBacklog } from './fold.store';
import { judgeDue, type DueVerdict } from './judge-due';
import { foldLimit, foldStep, planBacklog } from './plan-fold';
import { isQuiet } from './quiet-hours';
import type { SetAsideStore } from './set-aside.store';

export interface ScreenDueDependencies {
  readonly folds: Pick<FoldStore, 'fold' | 'takeApart' | 'putOff' | 'putOffAlone' | 'members' | 'halve'> & {
    /** How it stands with the space; many are asked at once. */
    backlogOf(head: Head): Promise<SpaceBacklog | null>;
  };
  readonly aside: SetAsideStore;
  /** Lets go what has waited for its time. */
  readonly releaseHeld: () => Promise<void>;
  readonly spaceIntervalMs: number;
  readonly clock: () => Date;
}

/** A burst is looked at again after this time. */
const GATHER_STEP_MS = 250;
/** What waits for the release of what came before it tries again so soon. */
const RELEASE_STEP_MS = 50;

interface Judged {
  readonly delivery: ClaimedDelivery;
  readonly destination: ClaimedDestination;
}

/** Makes the use case. It rejects when the message could not be looked at. */
export function makeScreenDue(dependencies: ScreenDueDependencies): ScreenDue {
  const { folds, aside, clock, spaceIntervalMs } = dependencies;

  /** Null: it does not go now. */
  async function place(judged: Judged, now: Date): Promise<ClaimedDelivery | null> {
    const { delivery, destination } = judged;
    const verdict = verdictOn(judged, now);
    const isGathered = verdict.kind === 'hold' && verdict.heldFor !== 'quiet';
    // What its destination cannot take waits for that; only what a digest gathers does not care.
    if (!isGathered && !takes(judged)) return delivery;
    if (isUnmadeFold(delivery) && isQuietNow(judged, now)) {
      await folds.takeApart(delivery);
      return null;
    }
    if (verdict.kind !== 'send') {
      await aside.setAside(delivery, verdict, now);
      return null;
    }
    if (await isTooMuchForText(judged)) {
      await folds.halve(delivery, 0);
      return null;
    }
    if (isMade(delivery) || delivery.isProbe) return delivery;
    const limit = limitOf(destination, spaceIntervalMs);
    const isFolded = Number.isFinite(limit);
    if (!isFolded && !delivery.isHeldBefore) return delivery;
    const backlog = await folds.backlogOf({ delivery, limit: isFolded ? limit : 0 });
    return backlog === null ? delivery : await placeIn(backlog, judged, limit, now);
  }

  /** Its card was refused, and what it tells besides would hide deals won behind a few letters of their names. */
  async function isTooMuchForText({ delivery, destination }: Judged): Promise<boolean> {
    const { id, foldKind: kind, isPlain, renderedBody, tenant } = delivery;
    if (kind === null || !isPlain || renderedBody !== null) return false;
    const members = await folds.members(id);
    const changes = members.flatMap(({ change }) => (change instanceof Error ? [] : [change]));
    return changes.length > 1 && !namesFitText({ kind, changes, tenant, rates: NO_RATES, destination });
  }

  async function placeIn(backlog: SpaceBacklog, judged: Judged, limit: number, now: Date): Promise<ClaimedDelivery | null> {
    const { delivery } = judged;
    if (backlog.heldBefore && !isUrgent(delivery)) {
      // It may go, so its destination is not quiet: what waits there for the end of quiet has come to it, whatever was thought before.
      await aside.endQuiet(delivery, now);
      await dependencies.releaseHeld();
      await folds.putOffAlone(delivery, RELEASE_STEP_MS);
      return null;
    }
    // What could not be prepared before would keep others from their way, and never be by itself for long enough to be given up.
    const step = delivery.attempts > 1 ? 'single' : foldStep(backlog, limit);
    if (step === 'single') return delivery;
    if (step === 'gather') {
      await folds.putOff(delivery, GATHER_STEP_MS);
      return null;
    }
    const { isBurst, isGrowing } = backlog;
    const settings = { limit, isBurst, isGrowing, nameRoom: WON_NAMES_BYTES };
    return await folds.fold(delivery, isQuietNow(judged, now), (head, due) => planBacklog(head, due, settings));
  }

  return async (delivery) => {
    const { destination, isUninstalled } = delivery;
    // What somebody announces goes at once and by itself; what is not told any more neither waits nor is folded.
    const isJudged = destination !== null && !isUninstalled && delivery.change.transition.announcement === undefined;
    return isJudged ? await place({ delivery, destination }, clock()) : delivery;
  };
}

/** The trial of a broken destination is a message like others. */
function takes({ delivery, destination }: Judged): boolean {
  return !destination.isPaused && (destination.health !== 'broken' || delivery.isProbe);
}

/** It was prepared, or tells others too, or Chat refused its body and gets another: it goes as it is. */
function isMade({ renderedBody, isPlain, isUnthreaded, foldKind }: ClaimedDelivery): boolean {
  return renderedBody !== null || isPlain || isUnthreaded || foldKind !== null;
}

/** Nobody was told any of it yet: each may be judged by itself. A digest stays one, and so does what Chat refused once and gets otherwise. */
function isUnmadeFold({ renderedBody, foldKind, isPlain, isUnthreaded }: ClaimedDelivery): boolean {
  return renderedBody === null && !isPlain && !isUnthreaded && (foldKind === 'backlog' || foldKind === 'quiet');
}

function verdictOn(judged: Judged, now: Date): DueVerdict {
  const { delivery, destination } = judged;
  const { foldKind, viaWebhookId, releasedAt, cameMs } = delivery;
  const { sinceChangeMs } = destination;
  // What waited already when somebody chose these hours was not to be dropped when it came.
  const isBeforeChange = sinceChangeMs >= 0 && cameMs >= sinceChangeMs;
  const isUntouched = !isMade(delivery) && releasedAt === null && delivery.waitingMs === 0;
  const isDigest = (foldKind === 'daily' || foldKind === 'weekly') && viaWebhookId === null;
  const wishes = {
    ...{ quietHours: destination.quietHours, timeZone: zoneOf(judged), isUrgent: isUrgent(delivery) },
    digest: isMade(delivery) ? null : delivery.digest,
    cameAt: new Date(now.getTime() - cameMs),
    isNew: isUntouched && viaWebhookId === null && !isBeforeChange,
    digestAt: isDigest ? releasedAt : null,
  };
  return judgeDue(wishes, now);
}

function isQuietNow(judged: Judged, now: Date): boolean {
  const { quietHours } = judged.destination;
  return quietHours !== null && isQuiet(quietHours, zoneOf(judged), now);
}

function zoneOf({ delivery, destination }: Judged): string {
  return destination.timeZone ?? delivery.tenant.timeZone;
}

/** Of an urgent rule, or sent again because somebody asked for it. */
function isUrgent(delivery: ClaimedDelivery): boolean {
  return delivery.isUrgent || delivery.isReplay;
}

function limitOf({ fold, foldThreshold }: ClaimedDestination, spaceIntervalMs: number): number {
  return fold === 'off' ? Infinity : foldLimit(foldThreshold, spaceIntervalMs);
}
