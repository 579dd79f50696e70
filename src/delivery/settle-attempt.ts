/** Turns the outcome of an attempt into everything the ledger has to know of it. Pure. */

import type { DeliveryOutcome } from '../core/delivery';
import type { AttemptRecord, ClaimedDelivery } from './deliver-due';
import { nextStep, type NextStep } from './retry-policy';

export interface AttemptSettings {
  /** Least distance of two writes into one space. */
  readonly spaceIntervalMs: number;
  readonly refusalConfirmMs: number;
}

/** What the ledger records after a POST. `isThreaded`: the body named a thread. */
export function settleAttempt(
  delivery: ClaimedDelivery,
  outcome: DeliveryOutcome,
  attempt: { readonly durationMs: number; readonly isThreaded: boolean; readonly jitter: number },
  settings: AttemptSettings,
): AttemptRecord {
  const step = nextStep(outcome, {
    ageMs: delivery.ageMs,
    troubles: delivery.troubles,
    refusals: delivery.destination?.refusals ?? 0,
    sinceLastRefusalMs: delivery.destination?.sinceLastRefusalMs ?? null,
    refusalConfirmMs: settings.refusalConfirmMs,
    isPlain: delivery.isPlain,
    isThreaded: attempt.isThreaded,
    jitter: attempt.jitter,
  });
  const base: AttemptRecord = {
    delivery,
    state: 'queued',
    stateReason: reasonOf(outcome),
    messageName: null,
    threadName: null,
    rewrite: null,
    slotAfterMs: settings.spaceIntervalMs,
    hasTrouble: false,
    wrote: { httpStatus: outcome.httpStatus, errorMessage: reasonOf(outcome), durationMs: Math.round(attempt.durationMs) },
    health: null,
    holdAll: false,
    delayAllMs: null,
  };
  return { ...base, ...afterStep(delivery, outcome, step, settings) };
}

/** A destination that cannot take messages now: the delivery is held or dropped without an attempt. */
export function settleUnsent(delivery: ClaimedDelivery, state: 'held' | 'dropped' | 'failed', reason: string): AttemptRecord {
  return {
    delivery,
    state,
    stateReason: reason,
    messageName: null,
    threadName: null,
    rewrite: null,
    slotAfterMs: null,
    hasTrouble: false,
    wrote: null,
    health: null,
    holdAll: false,
    delayAllMs: null,
  };
}

function reasonOf(outcome: DeliveryOutcome): string | null {
  return outcome.kind === 'sent' ? null : outcome.reason;
}

function afterStep(
  delivery: ClaimedDelivery,
  outcome: DeliveryOutcome,
  step: NextStep,
  settings: AttemptSettings,
): Partial<AttemptRecord> {
  const reason = reasonOf(outcome) ?? '';
  switch (step.kind) {
    case 'done': {
      const names = outcome.kind === 'sent' ? { messageName: outcome.messageName, threadName: outcome.threadName } : {};
      return { state: 'sent', stateReason: null, ...names, ...healed(delivery) };
    }
    case 'retry':
      return { slotAfterMs: Math.max(step.afterMs, settings.spaceIntervalMs), hasTrouble: true, ...throttled(outcome, reason) };
    case 'rewrite':
      return step.as === 'unthreaded' ? { rewrite: step.as, health: unchangedHealth(delivery) } : { rewrite: step.as };
    case 'doubt':
      return {
        delayAllMs: step.afterMs,
        health: { state: 'doubtful', reason, countsRefusal: step.isConfirmed, isHealed: false },
      };
    case 'break':
      return { state: 'held', holdAll: true, health: { state: 'broken', reason, countsRefusal: true, isHealed: false } };
    case 'giveUp':
      return { state: 'failed', stateReason: step.reason };
    default:
      return step satisfies never;
  }
}

/** The health row is written only when it changes: most messages go to a healthy destination. */
function healed(delivery: ClaimedDelivery): Partial<AttemptRecord> {
  const isWell = delivery.destination?.health === 'healthy' && delivery.destination.refusals === 0;
  return isWell ? {} : { health: { state: 'healthy', reason: null, countsRefusal: false, isHealed: true } };
}

function throttled(outcome: DeliveryOutcome, reason: string): Partial<AttemptRecord> {
  return outcome.kind === 'busy' ? { health: { state: 'throttled', reason, countsRefusal: false, isHealed: false } } : {};
}

function unchangedHealth(delivery: ClaimedDelivery): AttemptRecord['health'] {
  const { destination } = delivery;
  return {
    state: destination?.health ?? 'healthy',
    reason: destination?.healthReason ?? null,
    countsRefusal: false,
    isHealed: false,
  };
}
