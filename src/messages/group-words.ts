/** Says in one sentence what a group of changes is: "Ana moved 37 deals to Negotiation". Pure; raw words, escaped where they stand. */

import type { EventType } from '../core/transition';
import type { Money } from '../core/record';
import type { Afterwards } from './afterwards';
import { cut, oneLine } from './escape';
import type { Format } from './format';
import type { ChangeGroup } from './group-changes';
import { nameOf, type Names } from './names';
import { joined } from './story';

interface Phrase {
  readonly emoji: string;
  /** Name of a Material icon. */
  readonly icon: string;
  readonly one: string;
  readonly many: string;
  /** What happened to them, in a word: "moved". */
  readonly verb: string;
  /** After somebody's name. */
  by(things: string, target: string | null): string;
  /** When nobody, or several people, did it. */
  of(things: string, target: string | null): string;
}

const DEALS = { one: 'deal', many: 'deals' };
const LEADS = { one: 'lead', many: 'leads' };
const PERSONS = { one: 'person', many: 'people' };
const ORGANIZATIONS = { one: 'organization', many: 'organizations' };
const ACTIVITIES = { one: 'activity', many: 'activities' };
const NOTES = { one: 'note', many: 'notes' };
const NAME_LENGTH = 60;
/** More currencies than this are counted. */
const SUMS_SHOWN = 4;
/** More ways in which the records of a group ended are counted together. */
const ENDS_SHOWN = 3;
/** What says of a record how it stands; other changes leave that as it was. */
const STANDINGS: readonly EventType[] = [
  ...(['deal.won', 'deal.lost', 'deal.reopened', 'deal.merged', 'deal.deleted', 'lead.converted', 'lead.deleted'] as const),
  ...(['activity.completed', 'activity.reopened', 'activity.deleted', 'person.deleted', 'organization.deleted'] as const),
];

const done = (verb: string): Pick<Phrase, 'verb' | 'by' | 'of'> => ({
  verb,
  by: (things) => `${verb} ${things}`,
  of: (things) => `${things} ${verb}`,
});
const changedOf = (what: string): Pick<Phrase, 'by' | 'of'> => ({
  by: (things) => `changed the ${what} of ${things}`,
  of: (things) => `${things} with a new ${what}`,
});

const PHRASES: Readonly<Record<EventType, Phrase>> = {
  'deal.created': { emoji: '✨', icon: 'handshake', ...DEALS, ...done('added') },
  'deal.won': { emoji: '🏆', icon: 'emoji_events', ...DEALS, ...done('won') },
  'deal.lost': {
    ...{ emoji: '❌', icon: 'sentiment_dissatisfied', ...DEALS, verb: 'lost' },
    by: (things) => `marked ${things} as lost`,
    of: (things) => `${things} lost`,
  },
  'deal.reopened': { emoji: '🔄', icon: 'restart_alt', ...DEALS, ...done('reopened') },
  'deal.stage_changed': {
    ...{ emoji: '➡️', icon: 'swap_horiz', ...DEALS, verb: 'moved' },
    by: (things, stage) => `moved ${things} to ${stage ?? 'another stage'}`,
    of: (things, stage) => `${things} moved to ${stage ?? 'another stage'}`,
  },
  'deal.pipeline_changed': {
    ...{ emoji: '🔀', icon: 'view_kanban', ...DEALS, verb: 'moved' },
    by: (things, pipeline) => `moved ${things} to ${pipeline === null ? 'another pipeline' : `the pipeline ${pipeline}`}`,
    of: (things, pipeline) => `${things} moved to ${pipeline === null ? 'another pipeline' : `the pipeline ${pipeline}`}`,
  },
  'deal.owner_changed': {
    ...{ emoji: '🤝', icon: 'person', ...DEALS, verb: 'reassigned' },
    by: (things, owner) => `gave ${things} to ${owner ?? 'a new owner'}`,
    of: (things, owner) => `${things} given to ${owner ?? 'a new owner'}`,
  },
  'deal.value_changed': { emoji: '💰', icon: 'payments', ...DEALS, verb: 'revalued', ...changedOf('value') },
  'deal.close_date_changed': { emoji: '📅', icon: 'event', ...DEALS, verb: 'rescheduled', ...changedOf('expected close date') },
  'deal.label_added': { emoji: '🏷️', icon: 'label', ...DEALS, ...done('labelled') },
  'deal.field_changed': { emoji: '✏️', icon: 'edit', ...DEALS, ...done('updated') },
  'deal.merged': { emoji: '🔗', icon: 'merge', ...DEALS, ...done('merged') },
  'deal.deleted': { emoji: '🗑️', icon: 'delete', ...DEALS, ...done('deleted') },
  'lead.created': { emoji: '🌱', icon: 'lightbulb', ...LEADS, ...done('added') },
  'lead.converted': { emoji: '🚀', icon: 'handshake', ...LEADS, ...done('converted') },
  'lead.archived': { emoji: '📦', icon: 'inventory_2', ...LEADS, ...done('archived') },
  'person.created': { emoji: '👤', icon: 'contact_mail', ...PERSONS, ...done('added') },
  'organization.created': { emoji: '🏢', icon: 'apartment', ...ORGANIZATIONS, ...done('added') },
  'activity.created': { emoji: '🗓️', icon: 'event', ...ACTIVITIES, ...done('added') },
  'activity.completed': { emoji: '✅', icon: 'task_alt', ...ACTIVITIES, ...done('completed') },
  'note.created': { emoji: '📝', icon: 'sticky_note_2', ...NOTES, ...done('written') },
  'deal.label_removed': {
    ...{ emoji: '🏷️', icon: 'label_off', ...DEALS, verb: 'unlabelled' },
    by: (things) => `removed labels from ${things}`,
    of: (things) => `${things} with labels taken off`,
  },
  'deal.archived': { emoji: '📦', icon: 'inventory_2', ...DEALS, ...done('archived') },
  'deal.restored': { emoji: '↩️', icon: 'unarchive', ...DEALS, ...done('restored') },
  'lead.restored': { emoji: '↩️', icon: 'unarchive', ...LEADS, ...done('restored') },
  'lead.deleted': { emoji: '🗑️', icon: 'delete', ...LEADS, ...done('deleted') },
  'person.deleted': { emoji: '🗑️', icon: 'person_remove', ...PERSONS, ...done('deleted') },
  'organization.deleted': { emoji: '🗑️', icon: 'delete', ...ORGANIZATIONS, ...done('deleted') },
  'activity.reopened': { emoji: '↩️', icon: 'restart_alt', ...ACTIVITIES, ...done('reopened') },
  'activity.rescheduled': { emoji: '📅', icon: 'event_repeat', ...ACTIVITIES, ...done('rescheduled') },
  'activity.deleted': { emoji: '🗑️', icon: 'delete', ...ACTIVITIES, ...done('deleted') },
  'note.deleted': { emoji: '🗑️', icon: 'delete', ...NOTES, ...done('deleted') },
};

export function emojiOf({ type }: ChangeGroup): string {
  return PHRASES[type].emoji;
}

export function iconOf({ type }: ChangeGroup): string {
  return PHRASES[type].icon;
}

/** What its records are called: "deals". */
export function thingsOf({ type }: ChangeGroup): string {
  return PHRASES[type].many;
}

/** A card's title, short enough for a phone: "37 deals moved". */
export function titleOfGroup(group: ChangeGroup, format: Format): string {
  return `${countedThings(group, format)} ${PHRASES[group.type].verb}`;
}

/** "Ana moved 37 deals to Negotiation", or "37 deals moved to Negotiation" when several people did. */
export function sentenceOf(group: ChangeGroup, names: Names, format: Format): string {
  const phrase = PHRASES[group.type];
  const things = countedThings(group, format);
  const target = group.target === null ? null : short(nameOf(names, group.target.entity, group.target.id));
  const actor = group.type === 'deal.won' ? null : short(nameOf(names, 'user', group.actorUserId));
  if (actor === null) return phrase.of(things, target);
  return group.type === 'note.created' ? `${actor} wrote ${things}` : `${actor} ${phrase.by(things, target)}`;
}

/** "€312,400 in all", also when that was converted; what cannot be stands side by side. Null when nothing has a value. */
export function sumWords({ sums, changes, isConverted }: ChangeGroup, format: Format): string | null {
  const shown = sums.slice(0, SUMS_SHOWN).map((money) => format.money(isConverted ? rounded(money) : money));
  const left = sums.length - shown.length;
  if (shown.length === 0) return null;
  const written = [...shown, ...(left > 0 ? [`${format.number(left)} more currencies`] : [])].join(' + ');
  return changes.length === 1 ? written : `${written} in all${isConverted ? ', converted' : ''}`;
}

/** A rate of the day makes cents that nobody agreed on. */
function rounded(money: Money): Money {
  return Math.abs(money.amount) < 100 ? money : { ...money, amount: Math.round(money.amount) };
}

/** The sentence, the sum and what came afterwards in one line. */
export function gistOf(group: ChangeGroup, afterwards: Afterwards, names: Names, format: Format): string {
  return joined(sentenceOf(group, names, format), sumWords(group, format), endsOf(group, afterwards, format)) ?? '';
}

/** "then reopened, won"; null when nothing happened afterwards. */
export function thenWords(types: readonly EventType[] = []): string | null {
  return types.length === 0 ? null : `then ${types.map((type) => PHRASES[type].verb).join(', ')}`;
}

/** How it ended, in a word: "reopened", though it was moved after that; null when nothing happened afterwards. */
export function endVerb(types: readonly EventType[] = []): string | null {
  const end = types.findLast((type) => STANDINGS.includes(type)) ?? types.at(-1);
  return end === undefined ? null : PHRASES[end].verb;
}

/** How the records of a group ended that went on: "12 then reopened, 1 then lost"; null when none did. */
export function endsOf({ changes }: ChangeGroup, afterwards: Afterwards, format: Format): string | null {
  const verbs = changes.map((change) => endVerb(afterwards.get(change))).filter((verb) => verb !== null);
  if (changes.length === 1) return verbs[0] === undefined ? null : `then ${verbs[0]}`;
  const ends = [...new Set(verbs)].map((verb) => ({ verb, count: verbs.filter((other) => other === verb).length }));
  ends.sort((left, right) => right.count - left.count);
  const rest = ends.slice(ENDS_SHOWN).reduce((sum, { count }) => sum + count, 0);
  const shown = [...ends.slice(0, ENDS_SHOWN), ...(rest === 0 ? [] : [{ verb: 'changed otherwise', count: rest }])];
  return shown.length === 0 ? null : shown.map(({ verb, count }) => `${format.number(count)} then ${verb}`).join(', ');
}

function countedThings({ type, changes }: ChangeGroup, format: Format): string {
  const { one, many } = PHRASES[type];
  return `${format.number(changes.length)} ${changes.length === 1 ? one : many}`;
}

function short(name: string | null): string | null {
  const line = name === null ? null : oneLine(name);
  return line === null ? null : cut(line, NAME_LENGTH);
}
