/** A destination in words: its health with the reason, and what is set for it. Pure. */

import type { SpaceView } from '../../views/settings/spaces';
import { isMendedByUrl, unreadableReason, type Destination } from '../delivery/read-destination';
import { counted } from '../core/counted';
import type { TenantProfile } from '../core/tenant';
import { isQuiet, neverEnds, quietUntil } from '../delivery/quiet-hours';
import { shownHealth } from '../delivery/space-health';
import type { HealthState, QuietHours } from '../core/destination';
import type { WaitingMessages } from './overview.store';
import { sentence, wordsOf } from './words';

type Tone = SpaceView['tone'];

const WORDS: Readonly<Record<HealthState, { readonly word: string; readonly tone: Tone }>> = {
  healthy: { word: 'Working', tone: 'good' },
  throttled: { word: 'Slowed down', tone: 'warn' },
  doubtful: { word: 'Delivery problem', tone: 'warn' },
  broken: { word: 'Broken', tone: 'bad' },
  paused: { word: 'Paused', tone: 'neutral' },
};

/** `what` is said where no words of Google Chat's are at hand, `then` in every case. */
function reasonOf(
  state: HealthState,
  destination: Destination,
  all: readonly Destination[],
): { readonly what: string; readonly then: string } {
  switch (state) {
    case 'healthy':
      return { what: '', then: 'Messages are being delivered.' };
    case 'throttled':
      return { what: 'Google Chat asks to go slower here.', then: 'Messages are late, none is lost.' };
    case 'doubtful':
      return { what: 'Dealbell is trying again.', then: '' };
    case 'broken':
      return { what: 'Google Chat refuses messages.', then: brokenWords(destination, all) };
    case 'paused':
      return { what: '', then: `Messages wait until you resume, for ${counted(destination.holdHours, 'hour')} at most.` };
    default:
      return state satisfies never;
  }
}

function brokenWords({ fallbackWebhookId, holdHours, unreadable }: Destination, all: readonly Destination[]): string {
  if (unreadable.length > 0) return `Its messages wait, for ${counted(holdHours, 'hour')} at most.`;
  const fallback = all.find(({ id }) => id === fallbackWebhookId);
  const kept = `Messages are kept for ${counted(holdHours, 'hour')}`;
  if (fallback === undefined) return `${kept} and sent once the URL is replaced.`;
  const { health } = shownHealth(fallback, unreadableReason(fallback));
  if (health === 'paused') return `${kept}: ${fallback.name}, where they would go, is paused.`;
  if (health === 'broken') return `${kept}: ${fallback.name}, where they would go, is broken too.`;
  return `Messages go to ${fallback.name} until the URL is replaced.`;
}

/** What is known beside the destinations themselves. */
export interface SpaceFacts {
  readonly tenant: TenantProfile;
  readonly now: Date;
  readonly waiting: readonly WaitingMessages[];
  /** All of the tenant: one may be another's fallback. */
  readonly destinations: readonly Destination[];
  /** Those whose URL was not used yet. */
  readonly unused: ReadonlySet<number>;
}

/** `rules` is how many rules post here. */
export function spaceView(destination: Destination, rules: number, facts: SpaceFacts): SpaceView {
  const { waiting } = facts;
  const unreadable = unreadableReason(destination);
  const { health: state, healthReason } = shownHealth(destination, unreadable);
  const { word, tone, reason } = stateOf(destination, state, facts);
  const own = waiting.filter(({ destinationId }) => destinationId === destination.id);
  const held = own.filter((each) => each.state === 'held').reduce((sum, { count }) => sum + count, 0);
  const { what, then } = reason;
  const told = what === '' || healthReason === null ? what : sentence(healthReason);
  const waits = held === 0 ? '' : `${counted(held, 'message')} waiting.`;
  return {
    id: destination.id,
    name: destination.name,
    spaceId: destination.spaceId,
    state: word,
    tone,
    reason: sentences(told, then, waits),
    brief: sentences(then === '' ? what : then, waits),
    isPaused: destination.paused,
    canReplaceUrl: unreadable === null ? state === 'broken' || state === 'doubtful' : isMendedByUrl(destination),
    rules: rules === 0 ? 'No rule posts here' : `${counted(rules, 'rule')} ${rules === 1 ? 'posts' : 'post'} here`,
    settings: settingsWords(destination),
  };
}

function sentences(...all: readonly string[]): string {
  return all.filter((one) => one !== '').join(' ');
}

interface SpaceState {
  readonly word: string;
  readonly tone: Tone;
  readonly reason: ReturnType<typeof reasonOf>;
}

function stateOf(destination: Destination, state: HealthState, { tenant, now, unused, destinations }: SpaceFacts): SpaceState {
  const health = { ...WORDS[state], reason: reasonOf(state, destination, destinations) };
  if (state !== 'healthy') return health;
  const { id, quietHours, timeZone } = destination;
  const zone = timeZone ?? tenant.timeZone;
  if (quietHours !== null && neverEnds(quietHours)) return ALWAYS_QUIET[quietHours.mode];
  if (quietHours !== null && isQuiet(quietHours, zone, now)) {
    const then = quietHours.mode === 'drop' ? 'Messages are discarded until then.' : 'Messages wait until then.';
    return {
      word: `Quiet until ${endWords(quietUntil(quietHours, zone, now), now, { ...tenant, timeZone: zone })}`,
      tone: 'neutral',
      reason: { what: '', then },
    };
  }
  if (!unused.has(id)) return health;
  return { word: 'Not used yet', tone: 'neutral', reason: { what: '', then: 'No message has arrived through this URL yet.' } };
}

/** Of quiet hours that leave no time of the week. */
const ALWAYS_QUIET: Readonly<Record<QuietHours['mode'], SpaceState>> = {
  hold: {
    ...{ word: 'Always quiet', tone: 'warn' },
    reason: { what: '', then: 'Its quiet hours never end: messages wait until somebody changes them.' },
  },
  drop: { word: 'Always quiet', tone: 'neutral', reason: { what: '', then: 'Messages are discarded.' } },
};

const DAY_MS = 86_400_000;

/** "07:00", or "Mon 07:00" when that is not the next one. */
function endWords(end: Date, now: Date, tenant: TenantProfile): string {
  const isNear = end.getTime() - now.getTime() < DAY_MS;
  return wordsOf(end, tenant, isNear ? { timeStyle: 'short' } : { weekday: 'short', hour: 'numeric', minute: '2-digit' });
}

function settingsWords({ threads, quietHours, timeZone, locale }: Destination): string[] {
  return [
    ...(threads === 'perRecord' ? ['One thread per deal'] : []),
    ...(quietHours === null ? [] : [quietWords(quietHours)]),
    ...(locale === null ? [] : [languageName(locale)]),
    ...(timeZone === null ? [] : [timeZone]),
  ];
}

function quietWords({ from, to, mode }: QuietHours): string {
  return `Quiet from ${from} to ${to}${mode === 'drop' ? ', messages then are discarded' : ''}`;
}

/** "German (Germany)"; the code itself where this runtime knows no name, or it is none. */
export function languageName(locale: string): string {
  try {
    return new Intl.DisplayNames('en', { type: 'language', fallback: 'code' }).of(locale.replaceAll('_', '-')) ?? locale;
  } catch (error) {
    if (error instanceof RangeError) return locale;
    throw error;
  }
}
