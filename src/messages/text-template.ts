/** A rule's own text (Liquid), bounded: no files, no loops, few filters. Values are marked on their way in, so that none becomes markup. */

import { Liquid } from 'liquidjs';
import { isObject } from '../core/record';
import { severalLines } from './escape';
import { plainOf, type Rich, type Span } from './rich-text';

export interface TemplateVariables {
  readonly event: { readonly type: string; readonly name: string; readonly time: string | null };
  readonly record: Readonly<Record<'title' | 'value' | 'url' | 'type' | 'status' | 'closeDate' | 'lostReason', string | null>>;
  readonly owner: string | null;
  readonly stage: string | null;
  readonly pipeline: string | null;
  readonly person: string | null;
  readonly organization: string | null;
  readonly actor: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

const MAX_TEMPLATE_LENGTH = 4_000;
const TAGS = ['assign', 'capture', 'case', 'comment', 'echo', 'if', 'raw', 'unless', '#'];
const FILTERS = [
  ...['append', 'capitalize', 'default', 'downcase', 'first', 'last', 'lstrip', 'plus', 'minus', 'prepend', 'remove', 'replace'],
  ...['round', 'rstrip', 'size', 'slice', 'split', 'strip', 'truncate', 'truncatewords', 'upcase'],
];

/** A value's own brackets, in Unicode's private use area until the author's markup has been read. */
const OPEN = '\uE000';
const CLOSE = '\uE001';
const LOOKS: Readonly<Record<string, 'b' | 'i' | 'u' | 's'>> = { b: 'b', i: 'i', u: 'u', s: 's' };

/** What is wrong with a rule's template, in words for its author; null when nothing is. */
export function templateProblem(text: string): string | null {
  if (text.length > MAX_TEMPLATE_LENGTH)
    return `A template has at most ${MAX_TEMPLATE_LENGTH.toLocaleString('en-US')} characters.`;
  try {
    sharedEngine().parse(text);
    return null;
  } catch (error) {
    // Liquid's messages carry a position and an excerpt after the first line.
    return `The template cannot be read: ${(error instanceof Error ? error.message : 'syntax error').split('\n')[0] ?? ''}.`;
  }
}

const NAMES: readonly string[] = [
  ...['event.type', 'event.name', 'event.time'],
  ...['title', 'value', 'url', 'type', 'status', 'closeDate', 'lostReason'].map((name) => `record.${name}`),
  ...['owner', 'stage', 'pipeline', 'person', 'organization', 'actor', 'from', 'to'],
];

/** What a template names that no message has: it comes out empty. None where the template cannot be read. */
export function unknownNames(text: string): readonly string[] {
  if (templateProblem(text) !== null) return [];
  const named = sharedEngine().globalFullVariablesSync(text);
  return [...new Set(named)].filter((name) => !NAMES.some((known) => name === known || name.startsWith(`${known}.`)));
}

/** The text with its variables filled in; null when it comes out empty or fails, for example by going over its bounds. */
export function renderTemplate(template: string, variables: TemplateVariables): Rich | null {
  if (template.length > MAX_TEMPLATE_LENGTH) return null;
  try {
    const rendered: unknown = sharedEngine().parseAndRenderSync(template, withMarkedBrackets(variables));
    const rich = typeof rendered === 'string' ? readMarkup(rendered) : [];
    return severalLines(plainOf(rich)) === null ? null : rich;
  } catch {
    // The standard card tells the story then; saving the rule has already said what is wrong with its syntax.
    return null;
  }
}

let engineKept: Liquid | undefined;

function sharedEngine(): Liquid {
  engineKept ??= makeEngine();
  return engineKept;
}

function makeEngine(): Liquid {
  const engine = new Liquid({
    templates: {},
    ownPropertyOnly: true,
    strictVariables: false,
    strictFilters: true,
    parseLimit: MAX_TEMPLATE_LENGTH,
    renderLimit: 100,
    memoryLimit: 100_000,
  });
  for (const name of Object.keys(engine.filters)) if (!FILTERS.includes(name)) engine.unregisterFilter(name);
  for (const name of Object.keys(engine.tags)) if (!TAGS.includes(name)) Reflect.deleteProperty(engine.tags, name);
  return engine;
}

function withMarkedBrackets(variables: TemplateVariables): object {
  const mark = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value
        .replace(/[\uE000\uE001]/g, '')
        .replaceAll('<', OPEN)
        .replaceAll('>', CLOSE);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mark(inner)]));
  };
  const marked = mark(variables);
  return isObject(marked) ? marked : {};
}

/** The author may use `<b> <i> <u> <s> <br>`; everything else is text. */
function readMarkup(rendered: string): Rich {
  const spans: Span[] = [];
  let look: 'b' | 'i' | 'u' | 's' | undefined;
  for (const part of (severalLines(rendered) ?? '').split(/(<\/?[bius]>|<br ?\/?>)/i)) {
    const tag = /^<(\/?)([bius]|br ?\/?)>$/i.exec(part);
    const named = LOOKS[tag?.[2]?.toLowerCase() ?? ''];
    if (tag === null) {
      const text = part.replaceAll(OPEN, '<').replaceAll(CLOSE, '>');
      if (text !== '') spans.push({ text, ...(look && { look }) });
    } else if (named === undefined) {
      spans.push({ text: '\n' });
    } else {
      look = tag[1] === '/' ? undefined : named;
    }
  }
  return spans;
}
