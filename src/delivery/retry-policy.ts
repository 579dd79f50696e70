/** What to do after one attempt to send. Pure: no clock, no queue. */

import type { DeliveryOutcome } from '../core/delivery';

/** A message older than this is given up: nobody wants yesterday's news as today's. */
export const MAX_AGE_MS = 24 * 60 * 60 * 1000;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
/** Refusals, each at least `REFUSAL_CONFIRM_MS` apart, that make a destination broken: one 401 can be random (healthchecks#1117). */
const REFUSALS_TO_BREAK = 3;

/** What is known besides the outcome. */
export interface AttemptContext {
  readonly ageMs: number;
  /** Troubles of this space in a row, this one not counted. */
  readonly troubles: number;
  /** Confirmed refusals of this destination in a row, this one not counted. */
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
  /** The same body again, no earlier than this; nothing else goes into the space before. */
  | { readonly kind: 'retry'; readonly afterMs: number }
  /** Chat does not take this body: another one at once, without thread or as plain text. */
  | { readonly kind: 'rewrite'; readonly as: 'unthreaded' | 'plain' }
  /** The destination refuses: its messages wait this long; the refusal counts as confirmed or not. */
  | { readonly kind: 'doubt'; readonly afterMs: number; readonly isConfirmed: boolean }
  /** The destination is broken: its messages are held until it is repaired. */
  | { readonly kind: 'break' }
  | { readonly kind: 'giveUp'; readonly reason: string };

/** Decides the next step of a delivery. */
export function nextStep(outcome: DeliveryOutcome, context: AttemptContext): NextStep {
  switch (outcome.kind) {
    case 'sent':
      return { kind: 'done' };
    case 'busy':
      return again(outcome.retryAfterMs ?? backoffMs(context.troubles, context.jitter), context, outcome.reason);
    case 'unreachable':
      return again(backoffMs(context.troubles, context.jitter), context, outcome.reason);
    case 'rejected':
      if (context.isThreaded) return { kind: 'rewrite', as: 'unthreaded' };
      if (!context.isPlain) return { kind: 'rewrite', as: 'plain' };
      return { kind: 'giveUp', reason: `Google Chat does not take this message, nor its plain text: ${outcome.reason}` };
    case 'refused':
      return afterRefusal(context);
    default:
      return outcome satisfies never;
  }
}

function again(afterMs: number, context: AttemptContext, reason: string): NextStep {
  if (context.ageMs >= MAX_AGE_MS)
    return { kind: 'giveUp', reason: `Not delivered within 24 hours; the last attempt came to: ${reason}` };
  return { kind: 'retry', afterMs };
}

/** Exponential with jitter: 1 s, 2 s, 4 s, ... at most a minute, of which the upper half is random. */
export function backoffMs(troubles: number, jitter: number): number {
  const full = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(troubles, 20), LONGEST_BACKOFF_MS);
  return Math.round(full * (0.5 + jitter / 2));
}

function afterRefusal(context: AttemptContext): NextStep {
  const { sinceLastRefusalMs, refusalConfirmMs } = context;
  const isConfirmed = sinceLastRefusalMs === null || sinceLastRefusalMs >= refusalConfirmMs;
  if (isConfirmed && context.refusals + 1 >= REFUSALS_TO_BREAK) return { kind: 'break' };
  const afterMs = isConfirmed ? refusalConfirmMs : refusalConfirmMs - sinceLastRefusalMs;
  return { kind: 'doubt', afterMs, isConfirmed };
}
