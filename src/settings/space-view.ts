/** A destination in words: its health with the reason, and what is set for it. Pure. */

import type { SpaceView } from '../../views/settings/spaces';
import type { Destination } from '../delivery/chat-webhook.store';
import { shownHealth } from '../delivery/space-health';
import type { HealthState, QuietHours } from '../core/destination';
import type { WaitingMessages } from './overview.store';
import { counted, sentence } from './words';

type Tone = SpaceView['tone'];

const HEALTH: Readonly<Record<HealthState, { readonly word: string; readonly tone: Tone; readonly reason: string }>> = {
  healthy: { word: 'Works', tone: 'good', reason: 'Google Chat takes its messages.' },
  throttled: {
    word: 'Slowed down',
    tone: 'warn',
    reason: 'Google Chat asks to go slower here. Messages are late, none is lost.',
  },
  doubtful: { word: 'Refused lately', tone: 'warn', reason: 'Google Chat refused a message; Dealbell is trying again.' },
  broken: {
    word: 'Broken',
    tone: 'bad',
    reason: 'Google Chat refuses messages. They are kept and go out once the URL is replaced.',
  },
  paused: { word: 'Paused', tone: 'neutral', reason: 'Nothing is sent here until it is resumed.' },
};
const REASONED: ReadonlySet<HealthState> = new Set(['throttled', 'doubtful', 'broken']);

/** `rules` is how many rules post here. */
export function spaceView(destination: Destination, rules: number, waiting: readonly WaitingMessages[]): SpaceView {
  const { health: state } = shownHealth(destination);
  const { word, tone, reason } = HEALTH[state];
  const own = waiting.filter(({ destinationId }) => destinationId === destination.id);
  const held = own.filter((each) => each.state === 'held').reduce((sum, { count }) => sum + count, 0);
  const told =
    REASONED.has(state) && destination.healthReason !== null ? `${sentence(destination.healthReason)} ${reason}` : reason;
  return {
    id: destination.id,
    name: destination.name,
    spaceId: destination.spaceId,
    state: word,
    tone,
    reason: held === 0 ? told : `${told} ${counted(held, 'message')} ${held === 1 ? 'waits' : 'wait'}.`,
    isPaused: destination.paused,
    isBroken: state === 'broken',
    rules: rules === 0 ? 'No rule posts here' : `${counted(rules, 'rule')} ${rules === 1 ? 'posts' : 'post'} here`,
    settings: settingsWords(destination),
  };
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
  return `Quiet from ${from} to ${to}${mode === 'drop' ? ', what comes then is dropped' : ''}`;
}

/** "German (Germany)"; the code itself where this runtime knows no name. */
export function languageName(locale: string): string {
  return new Intl.DisplayNames('en', { type: 'language', fallback: 'code' }).of(locale.replaceAll('_', '-')) ?? locale;
}
