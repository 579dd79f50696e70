/** Rich text: spans of raw text with a few looks. Only here does it become HTML or plain text, so nothing is escaped twice or never. */

import { cut, html, plain } from './escape';

/** Google's own palette: at least 4.5 to 1 on light cards, and as much of it on dark ones as one colour can have on both. */
const COLOURS = { good: '#188038', bad: '#D93025', moved: '#1A73E8', warning: '#B06000', quiet: '#70757A' } as const;
export type Tone = keyof typeof COLOURS;

/** What a colour of a card means, for whoever draws it in colours of their own; null for one that is not ours. */
export function toneOfColour(colour: string): Tone | null {
  const tones = ['good', 'bad', 'moved', 'warning', 'quiet'] as const;
  return tones.find((tone) => COLOURS[tone] === colour.toUpperCase()) ?? null;
}

export interface Span {
  /** Raw; may hold line breaks. */
  readonly text: string;
  readonly look?: 'b' | 'i' | 'u' | 's';
  readonly tone?: Tone;
  /** Absolute https URL of ours, never a value from Pipedrive. */
  readonly url?: string;
}
export type Rich = readonly Span[];

export function words(text: string): Rich {
  return [{ text }];
}

export function bold(text: string, tone?: Tone): Rich {
  return [{ text, look: 'b', ...(tone && { tone }) }];
}

export function quiet(text: string): Rich {
  return [{ text, tone: 'quiet' }];
}

export function linked(text: string, url: string | null): Rich {
  return [{ text, ...(url !== null && { url }) }];
}

/** "from → to": where it came from stands back, where it is now stands out. A side that is not known is left out. */
export function fromTo(from: string | null, to: string | null, tone?: Tone): Rich {
  if (to === null) return from === null ? [] : [...words(from), ...quiet(' → …')];
  return from === null ? bold(to, tone) : [...words(from), ...quiet(' → '), ...bold(to, tone)];
}

export function plainOf(rich: Rich): string {
  return rich.map((span) => span.text).join('');
}

/** HTML of at most `limit` visible graphemes. */
export function htmlOf(rich: Rich, limit: number): string {
  let left = limit;
  const parts: string[] = [];
  for (const span of rich) {
    if (left <= 0) break;
    const text = cut(span.text, left);
    left -= span.text.length;
    parts.push(htmlOfSpan(span, text));
  }
  return parts.join('');
}

/** One line without markup. */
export function lineOf(rich: Rich, limit: number): string {
  return plain(cut(plainOf(rich).replace(/\s+/g, ' '), limit));
}

function htmlOfSpan(span: Span, text: string): string {
  const escaped = html(text).replaceAll('\n', '<br>');
  const coloured = span.tone === undefined ? escaped : `<font color="${COLOURS[span.tone]}">${escaped}</font>`;
  const marked = span.look === undefined ? coloured : `<${span.look}>${coloured}</${span.look}>`;
  return span.url === undefined ? marked : `<a href="${html(span.url)}">${marked}</a>`;
}
