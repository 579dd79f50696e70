/** What to do after one attempt to send. Pure: no clock, no queue. */

import { counted } from '../core/counted';
import type { DeliveryOutcome } from '../core/delivery';
import { judgeRefusal, type KnownHealth } from './space-health';

const HOUR_MS = 60 * 60 * 1000;
/** What a destination that is gone let its messages wait. */
export const USUAL_HOLD_HOURS = 24;
/**
 * What is given up was tried at least so often: a clock that jumps ahead by days gives up nothing. Fewer than fit into an hour, the least
 * that a destination lets messages wait, unless Chat asks for longer waits than ours.
 */
export const LEAST_ATTEMPTS = 20;
/**
 * So often a message may come to no clear answer before a 2xx without a name ends it: under one request id Chat shows it once, and
 * an answer that never names it would hold up the space for ever.
 */
export const MAX_UNNAMED = 6;
/** So often a message may come to no clear answer before others of its space go first. */
const PATIENT_ATTEMPTS = 3;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

/** What is known besides the outcome. */
export interface AttemptContext {
  /** Since the first attempt, but for what quiet hours kept it. */
  readonly waitingMs: number;
  /** Attempts of this message, this one counted. */
  readonly attempts: number;
  /** Of its destination: what was tried for longer is given up. */
  readonly holdHours: number;
  /** Troubles of this space in a row, this one not counted. */
  readonly troubles: number;
  /** Attempts of this message that came to no clear answer, this one not counted. */
  readonly uncertain: number;
  readonly health: KnownHealth;
  /** Refusals of this destination in a row that counted, this one not among them. */
  readonly refusals: number;
  /** Since the last refusal that counted; null when there was none. */
  readonly sinceLastRefusalMs: number | null;
  readonly refusalConfirmMs: number;
  readonly isPlain: boolean;
  readonly isThreaded: boolean;
  /** 0 (inclusive) to 1: spreads retries. */
  readonly jitter: number;
}

export type NextStep =
  | { readonly kind: 'done' }
  /**
   * The same body again, no earlier than this; nothing else goes into the space before. With `asideMs` it stands aside for so
   * long, so that one message that Chat cannot digest does not hold up all others.
   */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly asideMs: number | null }
  /** Chat does not take this body: another one at once, without thread or as plain text. */
  | { readonly kind: 'rewrite'; readonly as: 'unthreaded' | 'plain' }
  /** The destination refuses: its messages wait this long. */
  | { readonly kind: 'doubt'; readonly afterMs: number }
  /** The destination is broken: its messages are held until it is repaired. */
  | { readonly kind: 'break' }
  | { readonly kind: 'giveUp'; readonly reason: string };

/** Decides the next step of a delivery. */
export function nextStep(outcome: DeliveryOutcome, context: AttemptContext): NextStep {
  switch (outcome.kind) {
    case 'sent':
      return { kind: 'done' };
    case 'busy':
      return again(outcome.retryAfterMs ?? backoffMs(context.troubles, context.jitter), null, context, outcome.reason);
    case 'unreachable':
      return afterSilence(context, outcome.reason, outcome.retryAfterMs ?? null);
    case 'unnamed':
      if (context.uncertain + 1 < MAX_UNNAMED) return afterSilence(context, outcome.reason, null);
      return { kind: 'giveUp', reason: `Google Chat may show this message, but never named it: ${outcome.reason}` };
    case 'rejected':
      if (context.isThreaded) return { kind: 'rewrite', as: 'unthreaded' };
      if (!context.isPlain) return { kind: 'rewrite', as: 'plain' };
      return { kind: 'giveUp', reason: `Google Chat does not take this message, nor its plain text: ${outcome.reason}` };
    case 'refused': {
      const { isBroken, restMs } = judgeRefusal({ ...context, state: context.health }, context.refusalConfirmMs);
      return isBroken ? { kind: 'break' } : { kind: 'doubt', afterMs: restMs };
    }
    default:
      return outcome satisfies never;
  }
}

/** After an attempt for which no body could be made: nothing was posted, and others of its space may go. */
export function stepUnprepared(context: {
  /** This one counted. */
  readonly attempts: number;
  readonly ageMs: number;
  /** Of its destination: what waits for longer is given up. */
  readonly holdHours: number;
  readonly jitter: number;
}): { readonly kind: 'aside'; readonly ms: number } | { readonly kind: 'giveUp'; readonly reason: string } {
  const { attempts, ageMs, holdHours, jitter } = context;
  if (ageMs >= holdHours * HOUR_MS && attempts >= LEAST_ATTEMPTS)
    return { kind: 'giveUp', reason: `The message could not be prepared within ${counted(holdHours, 'hour')}.` };
  return { kind: 'aside', ms: backoffMs(attempts - 1, jitter) };
}

function afterSilence(context: AttemptContext, reason: string, retryAfterMs: number | null): NextStep {
  const backoff = backoffMs(context.troubles, context.jitter);
  const afterMs = retryAfterMs ?? backoff;
  return again(afterMs, context.uncertain + 1 < PATIENT_ATTEMPTS ? null : afterMs + backoff, context, reason);
}

function again(afterMs: number, asideMs: number | null, context: AttemptContext, reason: string): NextStep {
  const { attempts, holdHours, waitingMs } = context;
  if (waitingMs >= holdHours * HOUR_MS && attempts >= LEAST_ATTEMPTS)
    return { kind: 'giveUp', reason: `Not delivered within ${counted(holdHours, 'hour')}; the last attempt came to: ${reason}` };
  return { kind: 'retry', afterMs, asideMs };
}

/** Exponential with jitter: 1 s, 2 s, 4 s, ... at most a minute, of which the upper half is random. */
export function backoffMs(troubles: number, jitter: number): number {
  const full = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(troubles, 20), LONGEST_BACKOFF_MS);
  return Math.round(full * (0.5 + jitter / 2));
}
