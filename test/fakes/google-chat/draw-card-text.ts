// Draws the HTML subset of card text; every tag outside it, and every tag with other attributes, stands as visible text.
import { decodeEntities, drawLink, escapeHtml, safeAddress } from './escape-html';

const plainTags = new Set(['b', 'i', 'u', 's', 'code', 'pre', 'ul', 'ol', 'li', 'time']);
const closings: Readonly<Record<string, string>> = { font: '</span>', a: '</a>' };

/** @param html card text as posted; the result is safe to put into a page */
export function drawCardText(html: string): string {
  const open: string[] = [];
  let drawn = '';
  let position = 0;
  for (const match of html.matchAll(/<(\/?)([a-z]+)(\s[^<>]*)?>|<br\/>/gi)) {
    const [whole, slash = '', name = 'br', attributes = ''] = match;
    drawn += drawPlain(html.slice(position, match.index));
    drawn +=
      (slash === '' ? openTag(name.toLowerCase(), attributes.trim(), open) : closeTag(name.toLowerCase(), open)) ??
      escapeHtml(whole);
    position = match.index + whole.length;
  }
  return drawn + drawPlain(html.slice(position)) + closeAll(open);
}

function drawPlain(text: string): string {
  return escapeHtml(decodeEntities(text)).replaceAll('\n', '<br>');
}

function openTag(name: string, attributes: string, open: string[]): string | undefined {
  if (name === 'br' && (attributes === '' || attributes === '/')) {
    return '<br>';
  }
  const tag = startOf(name, attributes);
  if (tag !== undefined) {
    open.push(name);
  }
  return tag;
}

function startOf(name: string, attributes: string): string | undefined {
  if (plainTags.has(name)) {
    return attributes === '' ? `<${name}>` : undefined;
  }
  if (name === 'font') {
    const color = /^color=(["'])(#(?:[0-9a-f]{3}|[0-9a-f]{6}))\1$/i.exec(attributes)?.[2];
    return color === undefined ? undefined : `<span style="color:${color}">`;
  }
  if (name === 'a') {
    const address = safeAddress(decodeEntities(/^href=(["'])([^"']*)\1$/i.exec(attributes)?.[2] ?? ''));
    return address === undefined ? undefined : drawLink(address, '').slice(0, -'</a>'.length);
  }
  return undefined;
}

function closeTag(name: string, open: string[]): string | undefined {
  const depth = open.lastIndexOf(name);
  return depth === -1 ? undefined : closeAll(open.splice(depth));
}

function closeAll(open: readonly string[]): string {
  return open
    .toReversed()
    .map((name) => closings[name] ?? `</${name}>`)
    .join('');
}
