/** Turns the outcome of an attempt into everything the ledger has to know of it. Pure. */

import type { DeliveryOutcome } from '../core/delivery';
import type { AttemptRecord, ClaimedDelivery, ClaimedDestination } from './delivery-ledger';
import type { Obstacle } from './obstacle';
import { backoffMs, nextStep, stepUnprepared, USUAL_HOLD_HOURS, type NextStep } from './retry-policy';
import { healthAfter, healthAfterLastRejection, healthWithoutKey, type Health, type HealthSettings } from './space-health';
import type { TimeLimit } from './time-limits';

export interface AttemptSettings extends HealthSettings {
  /** Least distance of two writes into one space. */
  readonly spaceIntervalMs: number;
}

/** What the ledger records after a POST. `isThreaded`: the body named a thread. */
export function settleAttempt(
  delivery: ClaimedDelivery,
  outcome: DeliveryOutcome,
  attempt: { readonly durationMs: number; readonly isThreaded: boolean; readonly jitter: number },
  settings: AttemptSettings,
): AttemptRecord {
  const health = healthOf(delivery.destination);
  const step = nextStep(outcome, {
    waitingMs: delivery.waitingMs,
    attempts: delivery.attempts,
    holdHours: holdHoursOf(delivery),
    troubles: delivery.troubles,
    uncertain: delivery.uncertain,
    health: health.state,
    refusals: health.refusals,
    sinceLastRefusalMs: health.sinceLastRefusalMs,
    refusalConfirmMs: settings.refusalConfirmMs,
    isPlain: delivery.isPlain,
    isThreaded: attempt.isThreaded,
    jitter: attempt.jitter,
  });
  const reason = reasonOf(outcome);
  const isLastRejection = outcome.kind === 'rejected' && step.kind === 'giveUp';
  const change = isLastRejection
    ? healthAfterLastRejection(health, outcome)
    : healthAfter(health, outcome, delivery.troubles, settings);
  return {
    ...NOTHING_HAPPENED,
    delivery,
    stateReason: reason,
    slotAfterMs: settings.spaceIntervalMs,
    isAnswered: outcome.kind !== 'unreachable' && outcome.kind !== 'unnamed',
    wrote: { httpStatus: outcome.httpStatus, errorMessage: reason, durationMs: Math.max(0, Math.round(attempt.durationMs)) },
    health: change,
    ...afterStep(delivery, outcome, step, settings),
    ...(step.kind === 'break' ? { stateReason: change?.reason ?? reason } : {}),
  };
}

/** What the ledger records when nothing was posted. It takes all along that would be held or dropped after it, each in its turn, while others of the space wait. */
export function settleUnsent(delivery: ClaimedDelivery, obstacle: Obstacle): AttemptRecord {
  return {
    ...NOTHING_HAPPENED,
    delivery,
    state: obstacle.state,
    holdAll: obstacle.state === 'held',
    dropAll: delivery.isUninstalled,
    stateReason: obstacle.reason,
    heldBecause: obstacle.state === 'held' ? obstacle.heldBecause : null,
    delayAllMs: obstacle.state === 'queued' ? obstacle.delayAllMs : null,
  };
}

/** What the ledger records when no body could be made: that says nothing of the space nor of its destination. */
export function settleUnprepared(delivery: ClaimedDelivery, jitter: number): AttemptRecord {
  const { attempts, ageMs } = delivery;
  const step = stepUnprepared({ attempts, ageMs, holdHours: holdHoursOf(delivery), jitter });
  const record = { ...NOTHING_HAPPENED, delivery, isUnprepared: true };
  if (step.kind === 'giveUp') return { ...record, state: 'failed', stateReason: step.reason };
  return { ...record, stateReason: 'The message could not be prepared; it is tried again.', delayMs: step.ms };
}

/**
 * What the ledger records when time limits of the database ended its preparation again and again: others of its space go. It is given up as what
 * cannot be prepared is, but only what is so of it alone counts, and since when that is so: by its age an outage of the database would cost its life.
 */
export function settleSlow(delivery: ClaimedDelivery, { times, isAlone }: TimeLimit, jitter: number): AttemptRecord {
  const { attempts, waitingMs } = delivery;
  const step = stepUnprepared({ attempts, ageMs: waitingMs, holdHours: holdHoursOf(delivery), jitter });
  const record = { ...NOTHING_HAPPENED, delivery, isSlow: true, isUnprepared: isAlone };
  if (isAlone && step.kind === 'giveUp') return { ...record, state: 'failed', stateReason: step.reason };
  const stateReason = 'The database took too long to prepare the message; it is tried again.';
  return { ...record, stateReason, delayMs: backoffMs(times - 1, jitter) };
}

/** What the ledger records when a body was frozen and could not be posted, as when none could be made. `isUnwritten`: nothing of it has left. */
export function settleUntried(delivery: ClaimedDelivery, jitter: number, isUnwritten: boolean): AttemptRecord {
  // Its attempt was begun with the freezing.
  return { ...settleUnprepared(delivery, jitter), isUnprepared: false, isAnswered: isUnwritten };
}

/** What the ledger records when a body was frozen and the key of its destination could not be opened: as when that broke, but that nothing was posted. */
export function settleKeyless(delivery: ClaimedDelivery, settings: HealthSettings): AttemptRecord {
  const health = healthWithoutKey(healthOf(delivery.destination), settings);
  return { ...NOTHING_HAPPENED, delivery, ...HELD_WITH_ALL, stateReason: health.reason, isAnswered: true, health };
}

const NOTHING_HAPPENED: Omit<AttemptRecord, 'delivery'> = {
  state: 'queued',
  stateReason: null,
  heldBecause: null,
  messageName: null,
  threadName: null,
  rewrite: null,
  slotAfterMs: null,
  hasTrouble: false,
  isAnswered: false,
  isUnprepared: false,
  isSlow: false,
  wrote: null,
  health: null,
  cannotThread: false,
  holdAll: false,
  dropAll: false,
  delayAllMs: null,
  delayMs: null,
};

const HELD_WITH_ALL = { state: 'held', heldBecause: 'broken', holdAll: true } as const;

function reasonOf(outcome: DeliveryOutcome): string | null {
  return outcome.kind === 'sent' ? null : outcome.reason;
}

function afterStep(
  delivery: ClaimedDelivery,
  outcome: DeliveryOutcome,
  step: NextStep,
  settings: AttemptSettings,
): Partial<AttemptRecord> {
  switch (step.kind) {
    case 'done': {
      const names = outcome.kind === 'sent' ? { messageName: outcome.messageName, threadName: outcome.threadName } : {};
      // The card went without a thread that it was rejected with: so the thread was to blame.
      return { state: 'sent', ...names, cannotThread: delivery.isUnthreaded && !delivery.isPlain };
    }
    case 'retry':
      return { slotAfterMs: Math.max(step.afterMs, settings.spaceIntervalMs), hasTrouble: true, delayMs: step.asideMs };
    case 'rewrite':
      return { rewrite: step.as };
    case 'doubt':
      return { delayAllMs: step.afterMs };
    case 'break':
      return HELD_WITH_ALL;
    case 'giveUp':
      return { state: 'failed', stateReason: step.reason };
    default:
      return step satisfies never;
  }
}

function holdHoursOf({ destination }: ClaimedDelivery): number {
  return destination?.holdHours ?? USUAL_HOLD_HOURS;
}

function healthOf(destination: ClaimedDestination | null): Health {
  if (destination === null) return { state: 'healthy', reason: null, refusals: 0, sinceLastRefusalMs: null, probes: 0 };
  const { health, healthReason, refusals, sinceLastRefusalMs, probes } = destination;
  return { state: health, reason: healthReason, refusals, sinceLastRefusalMs, probes };
}
