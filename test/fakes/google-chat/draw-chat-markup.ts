// Draws the `text` of a message in one of its two dialects (Chat's own markup, Markdown); a mention becomes a pill that nobody overlooks.
import { drawLink, escapeHtml, safeAddress } from './escape-html';

export type Dialect = 'chat' | 'markdown';

interface InlineRule {
  readonly pattern: RegExp;
  readonly draw: (groups: readonly string[], dialect: Dialect) => string;
}

/** @returns safe HTML with line breaks, lists, quotes and fenced code */
export function drawChatMarkup(text: string, dialect: Dialect): string {
  return text
    .split(/```\n?([\s\S]*?)```/)
    .map((part, index) => (index % 2 === 1 ? `<pre class="gc-pre">${escapeHtml(part)}</pre>` : drawLines(part, dialect)))
    .join('');
}

function drawLines(text: string, dialect: Dialect): string {
  const lines = text.split('\n').map((line) => {
    const quote = /^> (.*)$/.exec(line)?.[1];
    if (quote !== undefined) {
      return `<span class="gc-quote">${drawInline(quote, dialect)}</span>`;
    }
    const item = /^[*-] (.*)$/.exec(line)?.[1];
    return item === undefined ? drawInline(line, dialect) : `<span class="gc-item">• ${drawInline(item, dialect)}</span>`;
  });
  return lines.join('<br>');
}

/** Draws what may stand inside one line. */
export function drawInline(text: string, dialect: Dialect): string {
  const rules = dialect === 'chat' ? chatRules : markdownRules;
  let earliest: { readonly match: RegExpExecArray; readonly rule: InlineRule } | undefined;
  for (const rule of rules) {
    const match = rule.pattern.exec(text);
    if (match && (earliest === undefined || match.index < earliest.match.index)) {
      earliest = { match, rule };
    }
  }
  if (!earliest) {
    return escapeHtml(text);
  }
  const { match, rule } = earliest;
  return (
    escapeHtml(text.slice(0, match.index)) +
    rule.draw([...match], dialect) +
    drawInline(text.slice(match.index + match[0].length), dialect)
  );
}

const code: InlineRule = { pattern: /`([^`]+)`/, draw: ([, inner = '']) => `<code class="gc-code">${escapeHtml(inner)}</code>` };
const mentionAll: InlineRule = { pattern: /<users\/all>/, draw: () => '<span class="gc-mention gc-mention-all">@all</span>' };
const mention: InlineRule = {
  pattern: /<users\/([^<>\s|]+)>/,
  draw: ([, id = '']) => `<span class="gc-mention">@${escapeHtml(id)}</span>`,
};
const bareLink: InlineRule = {
  pattern: /https?:\/\/[^\s<>"`]*[^\s<>"`.,;:!?)*_~]/,
  draw: ([address = '']) => drawLink(address, escapeHtml(address)),
};
const angleLink: InlineRule = {
  pattern: /<((?:https?:\/\/|mailto:)[^\s<>|]+)(?:\|([^<>]+))?>/,
  draw: ([whole = '', address = '', label]) => linkOrText(whole, address, escapeHtml(label ?? address)),
};
const bracketLink: InlineRule = {
  pattern: /\[([^\]]+)\]\(([^\s()]+)\)/,
  draw: ([whole = '', label = '', address = ''], dialect) => linkOrText(whole, address, drawInline(label, dialect)),
};
const backslash: InlineRule = { pattern: /\\([\\`*_{}[\]()<>#+\-.!~|])/, draw: ([, character = '']) => escapeHtml(character) };

const chatRules: readonly InlineRule[] = [
  code,
  mentionAll,
  mention,
  angleLink,
  bareLink,
  paired('\\*', 'b'),
  paired('_', 'i'),
  paired('~', 's'),
];
const markdownRules: readonly InlineRule[] = [
  ...[backslash, code, mentionAll, mention, bracketLink, angleLink, bareLink],
  ...[paired('\\*\\*', 'b'), paired('\\*', 'i'), paired('_', 'i'), paired('~~', 's'), paired('~', 's')],
];

/** Marks pair only around words, so that 3*4*5 and snake_case stay as they are. */
function paired(mark: string, tag: string): InlineRule {
  return {
    pattern: new RegExp(`(?<![\\p{L}\\p{N}])${mark}(?=\\S)([^\\n]*?\\S)${mark}(?![\\p{L}\\p{N}])`, 'u'),
    draw: ([, inner = ''], dialect) => `<${tag}>${drawInline(inner, dialect)}</${tag}>`,
  };
}

function linkOrText(whole: string, address: string, innerHtml: string): string {
  const safe = safeAddress(address);
  return safe === undefined ? escapeHtml(whole) : drawLink(safe, innerHtml);
}
