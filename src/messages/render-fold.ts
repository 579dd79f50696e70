/**
 * Renders many changes as one message: a section per group, with the records that stand out, the names of others behind "Show more"
 * and the count of all. Every deal won is named. Pure; never throws on any record, and always fits Chat's bounds.
 */

import type { ChatMessage, Section, Widget } from '../core/chat-message';
import type { FoldKind } from '../core/delivery';
import type { ExchangeRates } from '../core/exchange-rates';
import { ownerIdOf, titleOf } from '../core/record';
import type { TenantProfile } from '../core/tenant';
import type { RecordChange } from '../core/transition';
import { afterwardsOf, type Afterwards } from './afterwards';
import { card, FULL_LIMITS, listWidget, mainButton, paragraph, rowWidget } from './cards';
import { chatText, cut, html, oneLine, plain } from './escape';
import { formatFor, type Format } from './format';
import { countOf, groupChanges, isWon, type ChangeGroup } from './group-changes';
import { emojiOf, endsOf, endVerb, gistOf, iconOf, sentenceOf, sumWords, thenWords, thingsOf, titleOfGroup } from './group-words';
import { listUrl } from './links';
import { NO_NAMES, referenceKey, type Names, type Reference } from './names';
import { referencesOf } from './references';
import { bold, linked, quiet, words, type Rich } from './rich-text';
import { joined, ownerIn, titleIn, valueIn, type Story, type StoryContext } from './story';
import { tellStory } from './tell-story';

export interface FoldSubject {
  readonly kind: FoldKind;
  readonly changes: readonly RecordChange[];
  readonly tenant: TenantProfile;
  /** Into the company's own currency. */
  readonly rates: ExchangeRates;
  readonly destination: { readonly locale: string | null; readonly timeZone: string | null };
}

/** Google takes 32,000 bytes. */
const MAX_BYTES = 29_000;
/** Of a card Google shows no more, and leaves out the others without a word. */
const MAX_WIDGETS = 100;
/** What the names of deals won may take of one message that tells nothing else, and of one that does; whoever plans a fold splits it by this. */
export const WON_NAMES_BYTES = { alone: 24_000, amidOthers: 16_000 } as const;
const NAME_LENGTH = 80;
const FALLBACK_LENGTH = 300;
const PARAGRAPH_UNITS = 1_200;
const SEPARATOR = ' · ';
/** Google takes 4,096 characters of text. */
const PLAIN_UNITS = 4_000;
const PLAIN_GROUPS = 1_000;
/** Lengths of names in plain text; from rich to poor until all of them fit. */
const PLAIN_NAMES = [NAME_LENGTH, 40, 20, 10, 5] as const;
/** What the count of those may take that have no room. */
const MORE_UNITS = 30;
/** By so much of its name a deal is still known. */
const TELLING_NAME = 40;

/** How much a card says; from rich to poor until it fits. */
interface Wealth {
  /** Records of a group in lines of their own: of one group, of few, of many. */
  readonly rows: readonly [number, number, number];
  /** Names behind "Show more", all groups together. */
  readonly names: number;
  /** Deals won in lines of their own, and with links, at most. */
  readonly wonRows: number;
  readonly wonLinks: number;
}
const WEALTHS: readonly Wealth[] = [
  { rows: [5, 5, 3], names: 100, wonRows: 12, wonLinks: 60 },
  { rows: [5, 3, 1], names: 30, wonRows: 5, wonLinks: 40 },
  { rows: [3, 1, 0], names: 0, wonRows: 0, wonLinks: 0 },
  { rows: [0, 0, 0], names: 0, wonRows: 0, wonLinks: 0 },
];
const FEW_GROUPS = 4;

interface Scene extends FoldSubject {
  readonly names: Names;
  readonly format: Format;
  readonly groups: readonly ChangeGroup[];
  readonly afterwards: Afterwards;
}

/** Bytes that the name of this record takes in a message, at most. */
export function nameBytes(title: string | null): number {
  const name = cut(oneLine(title ?? '') ?? 'Untitled deal', NAME_LENGTH);
  return Buffer.byteLength(JSON.stringify(html(name))) + SEPARATOR.length;
}

/** The names that the message will want. */
export function foldReferences(changes: readonly RecordChange[], rates: ExchangeRates): readonly Reference[] {
  const groups = groupChanges(changes, rates);
  const wanted = groups.flatMap((group) => [
    ...user(group.actorUserId),
    ...(group.target === null ? [] : [group.target]),
    ...(isWon(group)
      ? group.changes.flatMap(({ state }) => user(ownerIdOf(state)))
      : group.changes.slice(0, WEALTHS[0]?.rows[0]).flatMap((change) => referencesOf(change, 'compact'))),
  ]);
  return [...new Map(wanted.map((reference) => [referenceKey(reference.entity, reference.id), reference])).values()];
}

function user(id: number | null): readonly Reference[] {
  return id === null ? [] : [{ entity: 'user', id: String(id) }];
}

/** The card with its notification line. */
export function renderFold(subject: FoldSubject, names: Names): ChatMessage {
  const scene = sceneOf(subject, names);
  for (const wealth of WEALTHS) {
    const message = cardMessage(scene, wealth);
    if (fitsChat(message)) return message;
  }
  return renderPlainFold(subject, names);
}

/** None of its widgets holds others. */
function fitsChat(message: ChatMessage): boolean {
  const sections = (message.cardsV2 ?? []).flatMap(({ card: { sections: all } }) => all);
  if (sections.reduce((sum, { widgets }) => sum + widgets.length, 0) > MAX_WIDGETS) return false;
  return Buffer.byteLength(JSON.stringify(message)) <= MAX_BYTES;
}

/** Text only: what is sent, once, when Chat has answered 400 to the card. */
export function renderPlainFold(subject: FoldSubject, names: Names): ChatMessage {
  const scene = sceneOf(subject, names);
  const { above, link, room } = plainFrame(scene);
  return {
    text: [...above, ...wonLine(scene, room), ...link].join('\n'),
    markupSyntax: 'MARKUP_SYNTAX_CHAT',
    fallbackText: fallbackOf(scene),
  };
}

/** Whether text has room for the deals won by names that tell them apart: a card has more, so who cannot send that tells them in several texts. */
export function namesFitText(subject: FoldSubject): boolean {
  const scene = sceneOf(subject, NO_NAMES);
  const titles = wonTitles(scene);
  return titles.length === 0 || linesOfNames(titles, TELLING_NAME).length <= plainFrame(scene).room;
}

/** What stands above and below the names of deals won, and the room that it leaves to them, in code units. */
function plainFrame(scene: Scene): {
  readonly above: readonly string[];
  readonly link: readonly string[];
  readonly room: number;
} {
  const { title } = headOf(scene);
  const lines = scene.groups.map((group) => `${emojiOf(group)} ${chatText(gistIn(scene, group))}`);
  const link = scene.groups[0] === undefined ? [] : [listUrl(scene.tenant.companyDomain, scene.groups[0].entity)];
  const above = [`*${chatText(title)}*`, cut(lines.join('\n'), PLAIN_GROUPS)];
  return { above, link, room: PLAIN_UNITS - [...above, ...link].join('\n').length };
}

function gistIn({ afterwards, names, format }: Scene, group: ChangeGroup): string {
  return gistOf(group, afterwards, names, format);
}

interface WonTitle {
  readonly title: string;
  /** How it ended, when more happened to it: "reopened". */
  readonly end: string | null;
}

function wonTitles(scene: Scene): readonly WonTitle[] {
  const changes = scene.groups.filter(isWon).flatMap((group) => group.changes);
  return changes.map((change) => ({ title: titleLine(scene, change), end: endVerb(scene.afterwards.get(change)) }));
}

/** Every deal won by its name, shortened as far as it takes; what even then has no room is counted. `room` is in code units. */
function wonLine(scene: Scene, room: number): readonly string[] {
  const titles = wonTitles(scene);
  if (titles.length === 0) return [];
  const all = PLAIN_NAMES.map((length) => linesOfNames(titles, length)).find((lines) => lines.length <= room);
  if (all !== undefined) return [all];
  const shortest = Math.min(...PLAIN_NAMES);
  const fitting =
    titles.findLastIndex((_title, index) => linesOfNames(titles.slice(0, index + 1), shortest).length + MORE_UNITS <= room) + 1;
  const lines = linesOfNames(titles.slice(0, fitting), shortest);
  return [lines, `and ${scene.format.number(titles.length - fitting)} more deals won`];
}

/** A line of those that are won still, and one of those that became something else. */
function linesOfNames(titles: readonly WonTitle[], length: number): string {
  return partsBy(titles, ({ end }) => end)
    .map(([end, part]) => {
      const names = part.map(({ title }) => chatText(cut(title, length))).join(SEPARATOR);
      return `Won${end === null ? '' : `, then ${end}`}: ${names}`;
    })
    .join('\n');
}

/** In parts by how they ended: first those to which nothing happened afterwards. */
function partsBy<Item>(
  items: readonly Item[],
  endOf: (item: Item) => string | null,
): readonly (readonly [end: string | null, part: readonly Item[]])[] {
  const parts = new Map<string | null, Item[]>([[null, []]]);
  for (const item of items) {
    const part = parts.get(endOf(item));
    if (part === undefined) parts.set(endOf(item), [item]);
    else part.push(item);
  }
  return [...parts].filter(([, part]) => part.length > 0);
}

function sceneOf(subject: FoldSubject, names: Names): Scene {
  const { tenant, destination } = subject;
  const format = formatFor(destination.locale ?? tenant.locale, destination.timeZone ?? tenant.timeZone);
  const groups = groupChanges(subject.changes, subject.rates);
  return { ...subject, names, format, groups, afterwards: afterwardsOf(groups) };
}

interface Head {
  readonly emoji: string;
  readonly title: string;
  readonly subtitle: string;
}

function headOf(scene: Scene): Head {
  const { kind, groups, format } = scene;
  const [only] = groups;
  const when = whenOf(scene);
  if (kind === 'backlog' && only !== undefined && groups.length === 1) {
    const isBulk = only.changes.every(({ transition }) => transition.cause?.isBulkEdit === true);
    const subtitle = joined(isBulk ? 'One bulk edit' : null, when) ?? when;
    return { emoji: emojiOf(only), title: titleOfGroup(only, format), subtitle };
  }
  const count = countOf(groups);
  const changes = `${format.number(count)} ${count === 1 ? 'change' : 'changes'}`;
  switch (kind) {
    case 'backlog':
      return { emoji: '📋', title: changes, subtitle: when };
    case 'quiet':
      return { emoji: '🌙', title: `${changes} in quiet hours`, subtitle: when };
    case 'daily':
      return { emoji: '📰', title: `Daily digest: ${changes}`, subtitle: when };
    case 'weekly':
      return { emoji: '📰', title: `Weekly digest: ${changes}`, subtitle: when };
    default:
      return kind satisfies never;
  }
}

/** From the first change to the last one; and that no webhook told of them in time, if so. */
function whenOf({ groups, format }: Scene): string {
  const times = groups.flatMap(({ changes }) => changes.map(({ occurredAt }) => occurredAt.getTime()));
  const [first, last] = times.reduce(([from, to], time) => [Math.min(from, time), Math.max(to, time)], [Infinity, -Infinity]);
  const isLate = groups.some(({ changes }) => changes.some(({ transition }) => transition.cause?.isLate === true));
  return times.length === 0 ? '' : `${format.timeRange(new Date(first), new Date(last))}${isLate ? ', told late' : ''}`;
}

function fallbackOf(scene: Scene): string {
  const { kind, groups } = scene;
  const gists = groups.map((group) => gistIn(scene, group)).join('; ');
  const line = kind === 'backlog' ? gists : `${headOf(scene).title}: ${gists}`;
  return cut(plain(line.replace(/\s+/g, ' ')), FALLBACK_LENGTH);
}

function cardMessage(scene: Scene, wealth: Wealth): ChatMessage {
  const { emoji, title, subtitle } = headOf(scene);
  const sections = scene.groups.map((group) => groupSection(group, scene, wealth));
  const link = linkOf(scene);
  const button: readonly Section[] = link === null ? [] : [{ widgets: [mainButton(link)] }];
  return {
    cardsV2: [{ cardId: `fold-${scene.kind}`, card: card(`${emoji} ${title}`, subtitle, [...sections, ...button], FULL_LIMITS) }],
    fallbackText: fallbackOf(scene),
  };
}

/** To the list of the records that most of the card is about. */
function linkOf({ groups, tenant }: Scene): { label: string; url: string } | null {
  const [largest] = [...groups].sort((left, right) => right.changes.length - left.changes.length);
  if (largest === undefined) return null;
  const label = largest.entity === 'note' ? 'Open activities' : `Open ${thingsOf(largest)}`;
  return { label, url: listUrl(tenant.companyDomain, largest.entity) };
}

function groupSection(group: ChangeGroup, scene: Scene, wealth: Wealth): Section {
  const { afterwards, names, format } = scene;
  const [sentence, sum] = [sentenceOf(group, names, format), sumWords(group, format)];
  // What the card's title says already is not said again.
  const isTitle =
    sum !== null && scene.kind === 'backlog' && scene.groups.length === 1 && sentence === titleOfGroup(group, format);
  const { shown, hidden, isWhole } = isWon(group) ? wonWidgets(group, scene, wealth) : restWidgets(group, scene, wealth);
  // Nor what its lines say.
  const sumBelow = isTitle || (sum !== null && shown.length > 0 && isListed(sum, group, scene)) ? null : sum;
  const below = joined(sumBelow, isWhole ? null : endsOf(group, afterwards, format));
  const row = rowWidget({ icon: iconOf(group), text: bold(isTitle ? sum : sentence), below }, FULL_LIMITS);
  const widgets = [row, ...shown];
  if (hidden.length === 0) return { widgets };
  return { widgets: [...widgets, ...hidden], collapsible: true, uncollapsibleWidgetsCount: widgets.length };
}

function isListed(sum: string, { changes: [only, ...others] }: ChangeGroup, scene: Scene): boolean {
  if (only === undefined || others.length > 0) return false;
  const context = contextOf(scene, only);
  return detailsOf(tellStory(context), context)?.includes(sum) === true;
}

interface Listing {
  readonly shown: readonly Widget[];
  /** Behind "Show more". */
  readonly hidden: readonly Widget[];
  /** Each record has a line of its own, which says what happened to it afterwards. */
  readonly isWhole: boolean;
}

/** Every one is named, in plain sight. */
function wonWidgets({ changes }: ChangeGroup, scene: Scene, { wonRows, wonLinks }: Wealth): Listing {
  const isWhole = changes.length <= wonRows;
  if (isWhole) return { shown: changes.map((change) => lineOfWon(scene, change)), hidden: [], isWhole };
  return { shown: nameParagraphs(changes, scene, changes.length <= wonLinks), hidden: [], isWhole };
}

function lineOfWon(scene: Scene, change: RecordChange): Widget {
  const context = contextOf(scene, change);
  const { link } = tellStory(context);
  const details = joined(valueIn(context), ownerIn(context), thenIn(scene, change));
  return listWidget(linked(titleIn(context), link.url), details, FULL_LIMITS);
}

function thenIn({ afterwards }: Scene, change: RecordChange): string | null {
  return thenWords(afterwards.get(change));
}

function restWidgets(group: ChangeGroup, scene: Scene, wealth: Wealth): Listing {
  const { changes } = group;
  const [ofOne, ofFew, ofMany] = wealth.rows;
  const rows = scene.groups.length === 1 ? ofOne : scene.groups.length <= FEW_GROUPS ? ofFew : ofMany;
  // One more line says as much as "and 1 more".
  const listed = changes.slice(0, changes.length === rows + 1 && rows > 0 ? rows + 1 : rows);
  const rest = changes.slice(listed.length);
  const lines = listed.map((change) => lineOfChange(scene, change));
  if (rest.length === 0 || listed.length === 0) return { shown: lines, hidden: [], isWhole: rest.length === 0 };
  const more = paragraph(quiet(`and ${scene.format.number(rest.length)} more`), FULL_LIMITS);
  return { shown: [...lines, more], hidden: restNames(rest, scene, wealth), isWhole: false };
}

/** Each group has its share of the names; how many are left out is said. */
function restNames(rest: readonly RecordChange[], scene: Scene, { names }: Wealth): readonly Widget[] {
  const share = Math.floor(names / scene.groups.length);
  const named = rest.slice(0, share);
  if (named.length === 0) return [];
  const left = rest.length - named.length;
  const paragraphs = nameParagraphs(named, scene, true);
  return left === 0
    ? paragraphs
    : [...paragraphs, paragraph(quiet(`${scene.format.number(left)} more in Pipedrive`), FULL_LIMITS)];
}

function lineOfChange(scene: Scene, change: RecordChange): Widget {
  const context = contextOf(scene, change);
  const story = tellStory(context);
  const details = joined(detailsOf(story, context), thenIn(scene, change));
  return listWidget(linked(cut(story.title, FULL_LIMITS.title), story.link.url), details, FULL_LIMITS);
}

/** What the group's sentence has not said yet. */
function detailsOf(story: Story, context: StoryContext): string | null {
  const { type } = context.change.transition;
  if (type === 'deal.stage_changed' || type === 'deal.pipeline_changed') return joined(valueIn(context), ownerIn(context));
  return joined(...story.gist.map((part) => oneLine(part)));
}

function contextOf({ names, format, tenant }: Scene, change: RecordChange): StoryContext {
  return { change, names, format, companyDomain: tenant.companyDomain };
}

function nameSpan(scene: Scene, change: RecordChange, isLinked: boolean): Rich {
  const name = titleLine(scene, change);
  return isLinked ? linked(name, tellStory(contextOf(scene, change)).link.url) : words(name);
}

function titleLine(scene: Scene, change: RecordChange): string {
  const title = titleOf(change.state) === null ? tellStory(contextOf(scene, change)).title : titleIn(contextOf(scene, change));
  return cut(oneLine(title) ?? '', NAME_LENGTH);
}

/** Names in a row, as many to a paragraph as read well; those of records to which more happened stand by themselves. */
function nameParagraphs(changes: readonly RecordChange[], scene: Scene, isLinked: boolean): readonly Widget[] {
  const paragraphs = partsBy(changes, (change) => endVerb(scene.afterwards.get(change))).flatMap(([end, part]) => {
    const names = part.map((change) => nameSpan(scene, change, isLinked));
    return inParagraphs(names, end === null ? [] : quiet(`Then ${end}: `));
  });
  return paragraphs.map((text) => paragraph(text, FULL_LIMITS));
}

function inParagraphs(names: readonly Rich[], label: Rich): readonly Rich[] {
  const paragraphs: Rich[] = [];
  let units = Infinity;
  for (const name of names) {
    const length = name.reduce((sum, { text }) => sum + text.length, 0);
    if (units + length > PARAGRAPH_UNITS) {
      paragraphs.push([...label, ...name]);
      units = length;
    } else {
      paragraphs.push([...(paragraphs.pop() ?? []), ...words(SEPARATOR), ...name]);
      units += SEPARATOR.length + length;
    }
  }
  return paragraphs;
}
