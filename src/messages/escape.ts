/** Makes hostile text harmless, by the place where it will stand; nothing from Pipedrive reaches a message by another way. */

/** Code units looked at, whatever the length of the source: a title of a megabyte costs no more than one of a page. */
const MAX_SOURCE_LENGTH = 8_000;

/** A grapheme may carry hundreds of combining marks; this many code units each are allowed on average. */
const UNITS_PER_GRAPHEME = 2;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Controls, lone surrogates, bidi overrides, zero-width spaces and the invisible "tag" characters. */
const UNSEEN = /[\p{Cc}\p{Cs}\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\u{E0000}-\u{E007F}]/gu;

/**
 * One line of visible text: control characters, bidi overrides and invisible characters go, whitespace is folded.
 * @returns null when nothing visible is left
 */
export function oneLine(source: string): string | null {
  const text = source.slice(0, MAX_SOURCE_LENGTH).replace(/\s+/gu, ' ').replace(UNSEEN, '').replace(/ {2,}/g, ' ').trim();
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(text) ? text : null;
}

/** The same for a text of several lines, with at most one empty line in a row. */
export function severalLines(source: string): string | null {
  const lines = source
    .slice(0, MAX_SOURCE_LENGTH)
    .split(/\r\n?|\n/)
    .map((line) => oneLine(line) ?? '');
  const text = lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return text === '' ? null : text;
}

/** At most `limit` graphemes; what was cut ends in an ellipsis. */
export function cut(text: string, limit: number): string {
  const units = limit * UNITS_PER_GRAPHEME;
  if (text.length <= limit) return text;
  const kept: string[] = [];
  let length = 0;
  for (const { segment } of graphemes.segment(text.slice(0, units * UNITS_PER_GRAPHEME))) {
    if (kept.length === limit || length + segment.length > units) break;
    kept.push(segment);
    length += segment.length;
  }
  const whole = kept.join('');
  return whole.length === text.length
    ? text
    : `${kept
        .slice(0, limit - 1)
        .join('')
        .trimEnd()}…`;
}

/** For card fields that Google reads as HTML. */
export function html(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/**
 * For fields without any markup (header, labels, buttons, `fallbackText`). Entities would be shown as they are there, so the
 * brackets of `<users/all>` and `<https://evil|Invoice>` become look-alikes that mean nothing to Chat.
 */
export function plain(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}

const CHAT_MARKUP: Readonly<Record<string, string>> = { '*': '∗', _: 'ˍ', '~': '∼', '`': 'ˋ' };

/** For a message's `text`: no mention, link or emphasis survives. Google documents no escape, hence look-alikes. */
export function chatText(text: string): string {
  return plain(text).replace(/[*_~`]/g, (mark) => CHAT_MARKUP[mark] ?? '');
}

const NAMED_ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** The words of an HTML fragment (a note's content), line by line; still raw text, to be escaped where it is shown. */
export function wordsOfHtml(source: string): string | null {
  const text = source
    .slice(0, MAX_SOURCE_LENGTH * 2)
    .replace(/\s+/g, ' ')
    .replace(/<li(?: [^<>]*)?>/gi, '\n• ')
    .replace(/<(?:br|\/p|\/div|\/li|\/tr|\/h[1-6]|\/blockquote)(?: [^<>]*)?\/?>/gi, '\n')
    // `[^<>]` keeps this linear on "<<<<<<".
    .replace(/<\/?[a-z!][^<>]*>/gi, '')
    .replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi, decodeEntity);
  return severalLines(text)?.replace(/\n+(?=• )/g, '\n') ?? null;
}

function decodeEntity(whole: string, decimal: string | undefined, hex: string | undefined, name: string | undefined): string {
  if (name !== undefined) return NAMED_ENTITIES[name.toLowerCase()] ?? whole;
  const code = decimal === undefined ? parseInt(hex ?? '', 16) : parseInt(decimal, 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}
