/** Everything a person can read on a posted message, line by line, and what must never stand there. Pure. */

import type { ChatMessage, ColumnWidget, Section, Widget } from '../fakes/google-chat/chat-message';

/** The visible lines of a message, without markup; the notification's words first. */
export function wordsOf(message: ChatMessage): readonly string[] {
  const cards = (message.cardsV2 ?? []).flatMap(({ card }) => [
    card.header?.title,
    card.header?.subtitle,
    ...card.sections.flatMap(sectionWords),
  ]);
  return [message.fallbackText, message.text, ...cards].filter((text) => text !== undefined).map(withoutMarkup);
}

/** Words that give away a bug: leftovers of the program. */
const BUGS = /\bundefined\b|\bnull\b|\bNaN\b|\[object |Invalid Date/;
/** A mention that would call people. Escaped, for a card's HTML, it is only words. */
const LIVE_MENTION = /<users\/[^>]*>/;
const UUID = /\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b/i;

/** The first thing on the message that should not be there, in words; null when it is clean. `ids` must not stand there by themselves. */
export function blemishOf(message: ChatMessage, ids: ReadonlySet<number>): string | null {
  const mention = LIVE_MENTION.exec(JSON.stringify(message))?.[0];
  if (mention !== undefined) return `it mentions ${mention}`;
  for (const line of wordsOf(message)) {
    if (BUGS.test(line) || UUID.test(line)) return `"${line}" is not for people`;
    // Amounts have separators and dates their words: a bare number of an id is an id.
    const bare = line.match(/(?<![\d.,:/-])\d+(?![\d.,:/-])/g)?.find((number) => ids.has(Number(number)));
    if (bare !== undefined) return `"${line}" shows the id ${bare}`;
  }
  return null;
}

function sectionWords({ header, widgets }: Section): readonly (string | undefined)[] {
  return [header, ...widgets.flatMap(widgetWords)];
}

function widgetWords(widget: Widget): readonly (string | undefined)[] {
  const columns = widget.columns?.columnItems.flatMap((column) => column.widgets.flatMap(columnWidgetWords)) ?? [];
  return [...columnWidgetWords(widget), ...columns];
}

function columnWidgetWords({ textParagraph, decoratedText, buttonList }: ColumnWidget): readonly (string | undefined)[] {
  const row = [decoratedText?.topLabel, decoratedText?.text, decoratedText?.bottomLabel, decoratedText?.button?.text];
  return [textParagraph?.text, ...row, ...(buttonList?.buttons.map((button) => button.text) ?? [])];
}

function withoutMarkup(html: string): string {
  return html
    .replace(/<br\s*\/?>/gi, ' ')
    .replace(/<\/?[a-z][^>]*>/gi, '')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_whole, name: string) => ENTITIES[name] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
