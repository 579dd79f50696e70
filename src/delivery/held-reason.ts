/** Why a message is held, in words, with what that has to do with a fallback. Pure. */

import type { HoldCause } from '../core/delivery';

/** A message that is held, and the fallback of its destination as it is now. */
export interface HeldMessage {
  /** As it was when it was held. */
  readonly reason: string | null;
  /** Null: for a time. */
  readonly heldBecause: HoldCause | null;
  /** It goes to the fallback instead of its own destination. */
  readonly isRedirected: boolean;
  /** It may have been posted. */
  readonly isUncertain: boolean;
  readonly fallback: {
    readonly name: string;
    readonly isBroken: boolean;
    readonly isPaused: boolean;
    /** Its rule tells the fallback too. */
    readonly isToldAnyhow: boolean;
  } | null;
}

export function heldReason({ reason, heldBecause, isRedirected, isUncertain, fallback }: HeldMessage): string | null {
  if (isRedirected)
    return fallback === null ? reason : `Given to the fallback “${fallback.name}”: ${reason ?? 'it waits there.'}`;
  if (heldBecause !== 'broken') return reason;
  return [...(reason === null ? [] : [reason]), fallbackWords(fallback, isUncertain)].join(' ');
}

function fallbackWords(fallback: HeldMessage['fallback'], isUncertain: boolean): string {
  if (fallback === null) return 'No fallback space is set, so it waits.';
  const its = `the fallback “${fallback.name}”`;
  if (fallback.isToldAnyhow) return `Its rule tells ${its} too.`;
  if (isUncertain) return `It is not given to ${its}, because it may have been posted.`;
  if (fallback.isPaused) return `It cannot be given to ${its}, which is paused.`;
  if (fallback.isBroken) return `It cannot be given to ${its}, which is broken too.`;
  return `It will be given to ${its}.`;
}
