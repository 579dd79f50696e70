/** Fields and their values in the words of a reason: names for ids, amounts with their currency, days as people write them. Pure. */

import { isObject } from '../core/record';
import type { NameOf } from './decision-names';

/** What people call Pipedrive's own fields; the rest is told by its API name with the underscores taken out. */
const FIELD_WORDS: ReadonlyMap<string, string> = new Map<string, string>(
  Object.entries({
    owner_id: 'owner',
    user_id: 'author',
    creator_user_id: 'creator',
    creator_id: 'creator',
    person_id: 'person',
    org_id: 'organization',
    organization_id: 'organization',
    deal_id: 'deal',
    lead_id: 'lead',
    stage_id: 'stage',
    pipeline_id: 'pipeline',
    label_ids: 'labels',
    add_time: 'creation date',
    won_time: 'date of the win',
    lost_time: 'date of the loss',
    visible_to: 'visibility',
    actor_user_id: 'person who did it',
    change_source: 'source of the change',
    is_bulk_edit: 'bulk edit',
    emails: 'e-mail addresses',
    phones: 'telephone numbers',
    is_archived: 'archived state',
    due_date: 'due date',
    content: 'text',
    type: 'type of activity',
  }),
);

const USER_FIELDS: ReadonlySet<string> = new Set([
  ...['owner_id', 'user_id', 'creator_user_id', 'creator_id', 'actor_user_id', 'update_user_id', 'last_update_user_id'],
]);

const SOURCE_WORDS: ReadonlyMap<unknown, string> = new Map([
  ['app', 'Pipedrive itself'],
  ['api', 'the API or an automation'],
]);

const PLURALS: ReadonlySet<string> = new Set(['label_ids', 'emails', 'phones']);
/** Values told one by one; the rest is counted. */
const MAX_TOLD = 8;

/** The field as it stands after "the". */
export function fieldWords(field: string, nameOf: NameOf): string {
  const isCustom = /^[0-9a-f]{40}/.test(field);
  const name = nameOf('field', field);
  if (isCustom) return name === null ? 'custom field' : name;
  return FIELD_WORDS.get(field) ?? (name === null ? field.replaceAll('_', ' ') : inSentence(name));
}

/** "Expected close date" as it stands inside a sentence; "ACV" stays. */
function inSentence(name: string): string {
  return /^\p{Lu}\p{Ll}/u.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name;
}

/** "is", or "are" for what there are several of. */
export function isOrAre(field: string): 'is' | 'are' {
  return PLURALS.has(field) ? 'are' : 'is';
}

/** Several values: "A", "B" or "C". */
export function listWords(values: unknown, field: string, nameOf: NameOf, link: 'or' | 'and'): string {
  const all: readonly unknown[] = Array.isArray(values) ? values : [values];
  const words = [...new Set(all.slice(0, MAX_TOLD).map((item) => valueWords(item, field, nameOf)))];
  if (all.length > MAX_TOLD) words.push(`${all.length - MAX_TOLD} more`);
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${link} ${words.at(-1) ?? ''}`;
}

/** A value with its name and unit; never a bare id where a name is known. */
export function valueWords(value: unknown, field: string, nameOf: NameOf): string {
  if (value === null || value === undefined || value === '') return 'not set';
  if (Array.isArray(value)) return listWords(value, field, nameOf, 'and');
  if (isObject(value)) return objectWords(value, field, nameOf);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number' && typeof value !== 'string') return 'something else';
  const words = field === 'change_source' ? SOURCE_WORDS.get(value) : undefined;
  if (words !== undefined) return words;
  const name = nameOf('field', field, value);
  return name === null ? plainWords(value, field, nameOf) : `“${name}”`;
}

function plainWords(value: number | string, field: string, nameOf: NameOf): string {
  const isNumeric = /^\d+$/.test(String(value));
  if (isNumeric && /_ids?$/.test(field)) return unnamed(idWords(field));
  const typeWords = TYPE_WORDS.get(nameOf('fieldType', field) ?? '');
  if (isNumeric && typeWords !== undefined) return unnamed(typeWords);
  if (typeof value === 'number') return numberWords(value);
  if (/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value)) return unnamed(idWords(field));
  return value === 'today' ? value : (dayWords(value) ?? `“${value}”`);
}

/** Something of which only the id is known: ids mean nothing to people. */
export function unnamed(what: string): string {
  return `${/^[aeio]/.test(what) ? 'an' : 'a'} ${what} whose name is not known`;
}

/** What the values of a custom field are ids of, by its type. */
const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ['enum', 'option'],
  ['set', 'option'],
  ['user', 'user'],
  ['people', 'person'],
  ['org', 'organization'],
]);

/** What an id is an id of, where no name is known. */
function idWords(field: string): string {
  if (field === 'label_ids') return 'label';
  return USER_FIELDS.has(field) ? 'user' : (FIELD_WORDS.get(field) ?? 'record');
}

function objectWords(value: Readonly<Record<string, unknown>>, field: string, nameOf: NameOf): string {
  if (typeof value['amount'] === 'number') return moneyWords(value['amount'], value['currency']);
  if (typeof value['percent'] === 'number') return `${numberWords(value['percent'])} %`;
  if (typeof value['days'] === 'number') return relativeWords(value['days']);
  if ('id' in value) {
    const name = typeof value['id'] === 'object' ? null : nameOf('field', field, value['id']);
    const kept = typeof value['name'] === 'string' ? value['name'] : null;
    return name === null && kept !== null ? `“${kept}”` : valueWords(value['id'], field, nameOf);
  }
  const ends = [value['from'], value['until']].map((end) => (typeof end === 'string' ? (dayWords(end) ?? end) : 'an open end'));
  return ends.join(' to ');
}

export function moneyWords(amount: number, currency: unknown): string {
  return typeof currency === 'string' ? `${numberWords(amount)} ${currency}` : numberWords(amount);
}

export function numberWords(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function relativeWords(days: number): string {
  if (days === 0) return 'today';
  const words = `${Math.abs(days)} ${Math.abs(days) === 1 ? 'day' : 'days'}`;
  return days > 0 ? `${words} from now` : `${words} ago`;
}

/** "3 Dec 2026", with the time where it has one; null for what is no date. */
export function dayWords(text: string): string | null {
  const [, day, clock] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}).*)?$/.exec(text) ?? [];
  const date = day === undefined ? Number.NaN : Date.parse(day);
  if (Number.isNaN(date)) return null;
  const words = new Date(date).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
  return clock === undefined ? words : `${words} ${clock} UTC`;
}

/** " (rate of 23 Nov 2026)"; empty where no date is known. */
export function rateWords(asOf: unknown): string {
  const day = typeof asOf === 'string' ? dayWords(asOf.slice(0, 10)) : null;
  return day === null ? '' : ` (rate of ${day})`;
}
