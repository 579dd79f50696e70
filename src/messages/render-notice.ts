/** The card that tells a team, in a space that works, which of its other spaces do not, or do again. Pure. */

import type { ChatMessage, Widget } from '../core/chat-message';
import { card, FULL_LIMITS, mainButton, paragraph, rowWidget } from './cards';
import { cut, plain } from './escape';
import { bold, words } from './rich-text';

export interface HealthNews {
  readonly name: string;
  readonly isBroken: boolean;
  /** Why, in words. */
  readonly reason: string | null;
}

const MOST_ROWS = 20;
const FALLBACK_LENGTH = 300;

/** `settingsUrl`: where destinations are repaired; Chat takes no card that links to a stand-in without TLS. */
export function renderNotice(news: readonly HealthNews[], settingsUrl: string): ChatMessage {
  const broken = news.filter(({ isBroken }) => isBroken);
  const title = broken.length > 0 ? '⚠️ Messages do not arrive' : '✅ Messages arrive again';
  const rest = news.length - MOST_ROWS;
  const widgets: readonly Widget[] = [
    ...news.slice(0, MOST_ROWS).map(rowOf),
    ...(rest > 0 ? [paragraph(words(`And ${rest} more.`), FULL_LIMITS)] : []),
  ];
  const isLinked = settingsUrl.startsWith('https:');
  const button = isLinked ? [{ widgets: [mainButton({ label: 'Open Dealbell', url: settingsUrl })] }] : [];
  return {
    cardsV2: [
      {
        cardId: 'destination-health',
        card: card(title, subtitleOf(news, broken.length), [{ widgets }, ...button], FULL_LIMITS),
      },
    ],
    fallbackText: cut(plain(`${title}: ${news.map(({ name }) => cut(name, FULL_LIMITS.label)).join(', ')}`), FALLBACK_LENGTH),
  };
}

function rowOf({ name, isBroken, reason }: HealthNews): Widget {
  const row = isBroken
    ? { text: words(reason ?? 'Google Chat refuses its messages.'), below: null }
    : { text: bold('Works again'), below: 'What was held follows.' };
  return rowWidget({ icon: isBroken ? 'error' : 'check_circle', label: name, ...row }, FULL_LIMITS);
}

function subtitleOf(news: readonly HealthNews[], broken: number): string {
  const count = broken > 0 ? broken : news.length;
  const spaces = count === 1 ? '1 space gets' : `${count} spaces get`;
  return broken > 0 ? `${spaces} no messages from Dealbell` : `${spaces} messages from Dealbell again`;
}
