/** A destination in words: its health with the reason, and what is set for it. Pure. */

import type { SpaceView } from '../../views/settings/spaces';
import type { Destination } from '../delivery/chat-webhook.store';
import type { TenantProfile } from '../core/tenant';
import { isQuiet, quietUntil } from '../delivery/quiet-hours';
import { shownHealth } from '../delivery/space-health';
import type { HealthState, QuietHours } from '../core/destination';
import type { WaitingMessages } from './overview.store';
import { counted, sentence, wordsOf } from './words';

type Tone = SpaceView['tone'];

const HEALTH: Readonly<Record<HealthState, { readonly word: string; readonly tone: Tone; readonly reason: string }>> = {
  healthy: { word: 'Working', tone: 'good', reason: 'Messages are being delivered.' },
  throttled: {
    word: 'Slowed down',
    tone: 'warn',
    reason: 'Google Chat asks to go slower here. Messages are late, none is lost.',
  },
  doubtful: { word: 'Delivery problem', tone: 'warn', reason: 'Dealbell is trying again.' },
  broken: {
    word: 'Broken',
    tone: 'bad',
    reason: 'Google Chat refuses messages. They are kept and sent once the URL is replaced.',
  },
  paused: { word: 'Paused', tone: 'neutral', reason: 'Nothing is sent here until it is resumed.' },
};
const REASONED: ReadonlySet<HealthState> = new Set(['throttled', 'doubtful', 'broken']);

/** What is known beside the destinations themselves. */
export interface SpaceFacts {
  readonly tenant: TenantProfile;
  readonly now: Date;
  readonly waiting: readonly WaitingMessages[];
  /** Those whose URL was not used yet. */
  readonly unused: ReadonlySet<number>;
}

/** `rules` is how many rules post here. */
export function spaceView(destination: Destination, rules: number, facts: SpaceFacts): SpaceView {
  const { waiting } = facts;
  const { health: state } = shownHealth(destination);
  const { word, tone, reason } = stateOf(destination, state, facts);
  const own = waiting.filter(({ destinationId }) => destinationId === destination.id);
  const held = own.filter((each) => each.state === 'held').reduce((sum, { count }) => sum + count, 0);
  const told =
    REASONED.has(state) && destination.healthReason !== null ? `${sentence(destination.healthReason)} ${reason}` : reason;
  const waits = held === 0 ? '' : ` ${counted(held, 'message')} waiting.`;
  return {
    id: destination.id,
    name: destination.name,
    spaceId: destination.spaceId,
    state: word,
    tone,
    reason: `${told}${waits}`,
    brief: `${reason}${waits}`,
    isPaused: destination.paused,
    canReplaceUrl: state === 'broken' || state === 'doubtful',
    rules: rules === 0 ? 'No rule posts here' : `${counted(rules, 'rule')} ${rules === 1 ? 'posts' : 'post'} here`,
    settings: settingsWords(destination),
  };
}

function stateOf(
  { id, quietHours, timeZone }: Destination,
  state: HealthState,
  { tenant, now, unused }: SpaceFacts,
): (typeof HEALTH)[HealthState] {
  if (state !== 'healthy') return HEALTH[state];
  const zone = timeZone ?? tenant.timeZone;
  if (quietHours !== null && isQuiet(quietHours, zone, now)) {
    const reason = quietHours.mode === 'drop' ? 'Messages are discarded until then.' : 'Messages wait until then.';
    return {
      word: `Quiet until ${endWords(quietUntil(quietHours, zone, now), now, { ...tenant, timeZone: zone })}`,
      tone: 'neutral',
      reason,
    };
  }
  if (unused.has(id)) return { word: 'Not used yet', tone: 'neutral', reason: 'Nothing was sent by its URL yet.' };
  return HEALTH.healthy;
}

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

/** "German (Germany)"; the code itself where this runtime knows no name. */
export function languageName(locale: string): string {
  return new Intl.DisplayNames('en', { type: 'language', fallback: 'code' }).of(locale.replaceAll('_', '-')) ?? locale;
}
