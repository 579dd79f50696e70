/** Whether a message that is due may go now, waits for a time, or is dropped for the sake of quiet. Pure. */

import type { HeldFor } from '../core/delivery';
import type { QuietHours } from '../core/destination';
import type { Digest } from '../core/rule';
import { nextDigestAt } from './digest-time';
import { isQuiet, neverEnds, quietUntil } from './quiet-hours';

/** What the message's destination and rule ask for. */
export interface DueWishes {
  readonly quietHours: QuietHours | null;
  /** IANA zone of the destination. */
  readonly timeZone: string;
  readonly digest: Digest | null;
  /** Of an urgent rule, or sent again because somebody asked for it: neither gathered nor kept for later. */
  readonly isUrgent: boolean;
  /** When it came; null: its time is reckoned anew. */
  readonly cameAt: Date | null;
  /** It waited for nothing else since, came after these hours were chosen, and is meant for this destination: only such is ever dropped. */
  readonly isNew: boolean;
  /** Of a digest that is told: the time that was chosen for it. */
  readonly digestAt: Date | null;
}

export type DueVerdict =
  | { readonly kind: 'send' }
  | { readonly kind: 'hold'; readonly heldFor: HeldFor; readonly until: Date; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string };

/** How the reason ends of what waits for quiet hours that leave no time of the week: it is looked at again, but not told then. */
export const NEVER_END = 'never end: it waits until somebody changes them.';

/**
 * A digest is gathered whatever the hour, for its first time after the message came, which may be over by now; and told at its time also when
 * that is quiet, but not in quiet hours that it came into by being late. Only what came in quiet hours is dropped.
 */
export function judgeDue(wishes: DueWishes, now: Date): DueVerdict {
  const { quietHours, timeZone, digest, isUrgent, cameAt, isNew, digestAt } = wishes;
  if (isUrgent) return { kind: 'send' };
  if (digest !== null) {
    const until = nextDigestAt(digest, timeZone, quietHours?.businessDays, cameAt ?? now);
    const heldFor = digest.every === 'day' ? 'daily' : 'weekly';
    return { kind: 'hold', heldFor, until, reason: `Gathered for the ${heldFor} digest at ${digest.at} (${timeZone}).` };
  }
  if (quietHours === null || !isQuiet(quietHours, timeZone, now)) return { kind: 'send' };
  const isOfNow = (at: Date | null) =>
    at !== null && isQuiet(quietHours, timeZone, at) && quietUntil(quietHours, timeZone, at) > now;
  if (isOfNow(digestAt)) return { kind: 'send' };
  const hours = `Quiet hours of this space, ${quietHours.from} to ${quietHours.to} (${timeZone})`;
  if (quietHours.mode === 'drop' && isNew && isOfNow(cameAt))
    return { kind: 'drop', reason: `${hours}: what comes then is dropped.` };
  const reason = neverEnds(quietHours) ? `${hours}, ${NEVER_END}` : `${hours}.`;
  return { kind: 'hold', heldFor: 'quiet', until: quietUntil(quietHours, timeZone, now), reason };
}
