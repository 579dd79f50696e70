/**
 * The health of a destination: what an answer of Google Chat makes of it, and the reason in words. Pure: no clock, no database.
 *
 *     healthy   --429--> throttled --sent--> healthy
 *     any       --refused--> doubtful --third refusal, spaced--> broken
 *     any       --three attempts in a row that did not get through--> doubtful
 *     any       --took neither the card of a message nor its plain text--> doubtful
 *     any       --its key cannot be opened--> broken
 *     doubtful, broken --sent (a message, a test, the trial of a held one)--> healthy
 *
 * Paused is no health but a setting, and is shown in its place.
 */

import type { DeliveryOutcome } from '../core/delivery';
import type { HealthState } from '../core/destination';

export const KNOWN_HEALTHS = ['healthy', 'throttled', 'doubtful', 'broken'] as const satisfies readonly HealthState[];
export type KnownHealth = (typeof KNOWN_HEALTHS)[number];

/** What is known of a destination before an attempt. */
export interface Health {
  readonly state: KnownHealth;
  readonly reason: string | null;
  /** Refusals in a row that counted. */
  readonly refusals: number;
  /** Since the last one; null when there was none. */
  readonly sinceLastRefusalMs: number | null;
  /** How often it was tried in vain while it was broken. */
  readonly probes: number;
}

/** What makes a destination what it is, where it is not Chat that says so: its key cannot be opened. */
export type HealthCause = 'keyLost';

export interface HealthChange {
  readonly state: KnownHealth;
  readonly reason: string | null;
  readonly cause: HealthCause | null;
  readonly countsRefusal: boolean;
  readonly isHealed: boolean;
  /** Until a held message is tried again; null while it is not broken. */
  readonly nextProbeMs: number | null;
}

export interface HealthSettings {
  /** Least distance of two refusals that count. */
  readonly refusalConfirmMs: number;
  /** From the break to the first trial; each refused one doubles it. */
  readonly firstProbeMs: number;
}

/** One 401 can be random (healthchecks#1117): three refusals, each at least `refusalConfirmMs` apart, make a destination broken. */
const REFUSALS_TO_BREAK = 3;
/** Attempts in a row that did not get through before people are told of it. */
const TROUBLES_TO_DOUBT = 3;
const LONGEST_PROBE_MS = 60 * 60 * 1000;

/** What a refusal means: whether it counts, whether it was the last one needed, and else how long the destination rests. */
export function judgeRefusal(
  { state, refusals, sinceLastRefusalMs }: Pick<Health, 'state' | 'refusals' | 'sinceLastRefusalMs'>,
  refusalConfirmMs: number,
): { readonly counts: boolean; readonly isBroken: boolean; readonly restMs: number } {
  if (state === 'broken') return { counts: false, isBroken: true, restMs: 0 };
  const counts = sinceLastRefusalMs === null || sinceLastRefusalMs >= refusalConfirmMs;
  const restMs = counts ? refusalConfirmMs : refusalConfirmMs - sinceLastRefusalMs;
  return { counts, isBroken: counts && refusals + 1 >= REFUSALS_TO_BREAK, restMs };
}

/**
 * What an outcome changes; null: nothing. `troubles`: attempts in the space in a row that did not get through, this one not
 * counted.
 */
export function healthAfter(
  health: Health,
  outcome: DeliveryOutcome,
  troubles: number,
  settings: HealthSettings,
): HealthChange | null {
  switch (outcome.kind) {
    case 'sent':
      return health.state === 'healthy' && health.refusals === 0 ? null : HEALED;
    case 'busy':
      return weighsLess(health) ? null : changed('throttled', `Google Chat asks to slow down (${outcome.reason}).`);
    case 'unreachable':
    case 'unnamed':
      if (weighsLess(health) || troubles + 1 < TROUBLES_TO_DOUBT) return null;
      return changed(
        'doubtful',
        `Several attempts in a row did not get through; Dealbell keeps trying. The last one: ${outcome.reason}`,
      );
    case 'rejected':
      // The message's fault, as long as there is another way to say it (`healthAfterLastRejection`).
      return null;
    case 'refused':
      return afterRefusal(health, outcome, settings);
    default:
      return outcome satisfies never;
  }
}

/** What it makes of a destination that it took neither the card of a message nor its plain text, in which there is nothing to object to; null: nothing. */
export function healthAfterLastRejection(health: Health, outcome: { readonly reason: string }): HealthChange | null {
  if (weighsLess(health)) return null;
  return changed(
    'doubtful',
    `Google Chat took neither the card of a message nor its plain text (${codeOf(outcome.reason)}). That message failed; Dealbell tries the next ones.`,
  );
}

/** What a key that cannot be opened makes of its destination: nothing can be posted there. A trial finds out when it opens again. */
export function healthWithoutKey(health: Health, settings: HealthSettings): HealthChange {
  return { ...broken(health, KEY_LOST_REASON, settings), cause: 'keyLost' };
}

/** How long a destination stays untried after `probes` trials in vain: doubling, at most an hour. */
export function probeDelayMs(probes: number, firstProbeMs: number): number {
  return Math.min(firstProbeMs * 2 ** Math.min(probes, 20), Math.max(LONGEST_PROBE_MS, firstProbeMs));
}

/** The pause is a setting, health is what Chat says: shown as one word and one reason. What cannot be read takes no messages whatever is set. */
export function shownHealth(
  destination: {
    readonly paused: boolean;
    readonly health: KnownHealth;
    readonly healthReason: string | null;
  },
  unreadable: string | null = null,
): {
  readonly health: HealthState;
  readonly healthReason: string | null;
} {
  if (unreadable !== null) return { health: 'broken', healthReason: unreadable };
  if (destination.paused) return { health: 'paused', healthReason: PAUSED_REASON };
  return { health: destination.health, healthReason: destination.healthReason };
}

export const PAUSED_REASON = 'The destination is paused: its messages are held until it goes on.';

/** As the pages say it by themselves (`unreadableReason`). */
export const KEY_LOST_REASON = 'Dealbell cannot read the key of this space. Replace its URL.';

const HEALED: HealthChange = {
  ...{ state: 'healthy', reason: null, cause: null },
  ...{ countsRefusal: false, isHealed: true, nextProbeMs: null },
};

/** A refusal, or worse, is known of it: being slow says nothing against that. */
function weighsLess({ state, refusals }: Health): boolean {
  return state === 'broken' || refusals > 0;
}

function changed(state: KnownHealth, reason: string): HealthChange {
  return { state, reason, cause: null, countsRefusal: false, isHealed: false, nextProbeMs: null };
}

function broken(health: Health, reason: string, { firstProbeMs }: HealthSettings): HealthChange {
  const probes = health.state === 'broken' ? health.probes + 1 : 0;
  return { ...changed('broken', reason), nextProbeMs: probeDelayMs(probes, firstProbeMs) };
}

function afterRefusal(health: Health, outcome: { httpStatus: number; reason: string }, settings: HealthSettings): HealthChange {
  const { counts, isBroken } = judgeRefusal(health, settings.refusalConfirmMs);
  const what = `${complaintOf(outcome.httpStatus)} (${codeOf(outcome.reason)})`;
  if (!isBroken) {
    return {
      ...changed(
        'doubtful',
        `${what}. Dealbell tries again; after ${REFUSALS_TO_BREAK} refusals in a row the space counts as broken.`,
      ),
      countsRefusal: counts,
    };
  }
  // Else it was broken before, and not by refusals.
  const isByRefusals = counts || health.refusals >= REFUSALS_TO_BREAK;
  const howOften = isByRefusals ? `, ${REFUSALS_TO_BREAK} times in a row` : '';
  const reason = `${what}${howOften}. Create a new webhook in the space, and replace the URL in Dealbell.`;
  return { ...broken(health, reason, settings), countsRefusal: counts };
}

/** "HTTP 403 PERMISSION_DENIED" of what Google Chat says; its sentences are meant for programmers. */
function codeOf(reason: string): string {
  return (reason.split(':')[0] ?? reason).replace(/\.$/, '');
}

function complaintOf(httpStatus: number): string {
  switch (httpStatus) {
    case 401:
      return 'Google Chat does not accept the key and token of this webhook';
    case 403:
      return 'Google Chat does not let this webhook post';
    case 404:
      return 'Google Chat no longer knows this webhook or its space';
    default:
      return 'Google Chat says that its URL is damaged';
  }
}
