/** Words a condition that failed: the field by its name, what it was, what the rule asked for. Pure. */

import { isObject } from '../core/record';
import type { NameOf } from './decision-names';

/** What people call Pipedrive's own fields; the rest is told by its API name with the underscores taken out. */
const FIELD_WORDS: Readonly<Record<string, string>> = {
  owner_id: 'owner',
  creator_user_id: 'creator',
  person_id: 'person',
  org_id: 'organization',
  organization_id: 'organization',
  stage_id: 'stage',
  pipeline_id: 'pipeline',
  label_ids: 'labels',
  add_time: 'creation date',
  visible_to: 'visibility',
  lost_reason: 'lost reason',
  actor_user_id: 'person who did it',
  change_source: 'source of the change',
  is_bulk_edit: 'bulk edit',
};

const ASKS: Readonly<Record<string, string>> = {
  is: 'be',
  isNot: 'not be',
  in: 'be one of',
  notIn: 'be none of',
  contains: 'contain',
  notContains: 'not contain',
  matches: 'match the pattern',
  isEmpty: 'be empty',
  isNotEmpty: 'be set',
  gt: 'be more than',
  gte: 'be at least',
  lt: 'be less than',
  lte: 'be at most',
  between: 'be between',
  includes: 'include',
  includesAny: 'include one of',
  includesAll: 'include all of',
  includesNone: 'include none of',
  changed: 'have changed',
  changedTo: 'have changed to',
  changedFrom: 'have changed from',
  increasedBy: 'have increased by',
  decreasedBy: 'have decreased by',
  before: 'be before',
  after: 'be after',
  withinDays: 'be within days of today:',
};

/** One sentence for `{field, op, wanted, actual}`; a general one for anything else. */
export function explainCondition(failed: unknown, nameOf: NameOf): string {
  if (!isObject(failed) || typeof failed['op'] !== 'string') return 'Not matched: the conditions of the rule do not hold.';
  const field = typeof failed['field'] === 'string' ? failed['field'] : '';
  const actual = valueWords(failed['actual'], field, nameOf);
  if (failed['op'] === 'not') return negation(failed['wanted'], field, actual, nameOf);
  const asked = `${ASKS[failed['op']] ?? failed['op']} ${wantedWords(failed['wanted'], field, nameOf)}`.trim();
  const reason = `Not matched: the ${fieldWords(field, nameOf)} is ${actual}, and the rule asks it to ${asked}`;
  return failed['lacksRate'] === true ? `${reason}: no exchange rate between the two is known.` : `${reason}.`;
}

function negation(held: unknown, field: string, actual: string, nameOf: NameOf): string {
  if (!isObject(held) || typeof held['op'] !== 'string') return 'Not matched: a condition holds that the rule excludes.';
  const excluded = `${ASKS[held['op']] ?? held['op']} ${wantedWords(held['value'], field, nameOf)}`.trim();
  return `Not matched: the ${fieldWords(field, nameOf)} is ${actual}, and the rule asks it not to ${excluded}.`;
}

function fieldWords(field: string, nameOf: NameOf): string {
  return (
    FIELD_WORDS[field] ??
    nameOf('dealField', field) ??
    (/^[0-9a-f]{40}$/.test(field) ? 'custom field' : field.replaceAll('_', ' '))
  );
}

function wantedWords(wanted: unknown, field: string, nameOf: NameOf): string {
  if (wanted === null || wanted === undefined) return '';
  if (!Array.isArray(wanted)) return valueWords(wanted, field, nameOf);
  return wanted.map((item: unknown) => valueWords(item, field, nameOf)).join(' or ');
}

/** A value with its name and unit; never a bare id where a name is known. */
function valueWords(value: unknown, field: string, nameOf: NameOf): string {
  if (value === null || value === undefined || value === '') return 'not set';
  if (Array.isArray(value)) return value.map((item: unknown) => valueWords(item, field, nameOf)).join(', ');
  if (isObject(value)) return objectWords(value, field, nameOf);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const name = typeof value === 'number' || typeof value === 'string' ? nameOf('dealField', field, value) : null;
  if (name !== null) return `"${name}"`;
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 2 }) : `"${String(value)}"`;
}

function objectWords(value: Readonly<Record<string, unknown>>, field: string, nameOf: NameOf): string {
  if (typeof value['amount'] === 'number') {
    const amount = value['amount'].toLocaleString('en-US', { maximumFractionDigits: 2 });
    return typeof value['currency'] === 'string' ? `${amount} ${value['currency']}` : amount;
  }
  if (typeof value['percent'] === 'number') return `${value['percent']} %`;
  if (typeof value['days'] === 'number') return `${value['days']} days`;
  if (typeof value['name'] === 'string') return `"${value['name']}"`;
  if ('id' in value) return valueWords(value['id'], field, nameOf);
  return [value['from'], value['until']].map((end) => (typeof end === 'string' ? end : '…')).join(' to ');
}
