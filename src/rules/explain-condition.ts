/** Words a condition that failed: the field by its name, what it was, what the rule asked for. Pure. */

import { isObject, type RecordState } from '../core/record';
import type { NameOf } from './decision-names';
import { fieldWords, isOrAre, listWords, moneyWords, numberWords, rateWords, valueWords } from './value-words';

const NOT_MATCHED = 'Not matched: ';

/** One sentence for a failed condition as the decision keeps it; a general one for anything else. */
export function explainCondition(failed: unknown, nameOf: NameOf): string {
  return `${NOT_MATCHED}${failureWords(failed, nameOf) ?? 'the conditions of the rule do not hold'}.`;
}

function failureWords(failed: unknown, nameOf: NameOf): string | null {
  if (!isObject(failed) || typeof failed['op'] !== 'string') return null;
  const { op } = failed;
  if (op === 'any') return alternatives(failed['wanted'], nameOf);
  if (op === 'every') return combination(failed['wanted'], nameOf);
  if (op === 'not') return negation(failed, nameOf);
  const field = textIn(failed, 'field');
  if (failed['lacksRate'] === true) return unknownRate(failed, field, nameOf);
  return flagWords(failed, field) ?? (CHANGE_ASKS[op] === undefined ? stateWords : changeWords)(failed, field, op, nameOf);
}

function textIn(state: RecordState, field: string): string {
  return typeof state[field] === 'string' ? state[field] : '';
}

function alternatives(failures: unknown, nameOf: NameOf): string {
  const words = (Array.isArray(failures) ? failures : []).map((failed: unknown) => failureWords(failed, nameOf));
  return `none of the rule’s alternatives holds: ${words.filter((text) => text !== null).join('; ')}`;
}

/** What is excluded only together. */
function combination(parts: unknown, nameOf: NameOf): string {
  const words = (Array.isArray(parts) ? parts : []).map((part: unknown) => heldWords(part, nameOf));
  return `the rule excludes this combination: ${words.filter((text) => text !== null).join(', and ')}`;
}

/** What was there, without what the rule makes of it. */
function heldWords(part: unknown, nameOf: NameOf): string | null {
  if (!isObject(part)) return null;
  const held = part['op'] === 'not' ? part['wanted'] : part;
  if (!isObject(held) || typeof held['field'] !== 'string' || held['field'] === '') return failureWords(part, nameOf);
  const { field, op } = held;
  return typeof op === 'string' && CHANGE_ASKS[op] !== undefined ? wayWords(part, field, nameOf) : whatIs(part, field, nameOf);
}

/** "the value is 8,000 EUR, which is 8,640 USD (rate of 23 Nov 2026)". */
function stateWords(failed: RecordState, field: string, op: string, nameOf: NameOf): string {
  return `${whatIs(failed, field, nameOf)}, and the rule ${asked(op, failed['wanted'], field, failed['actual'], nameOf)}`;
}

function whatIs(failed: RecordState, field: string, nameOf: NameOf): string {
  const is = `the ${fieldWords(field, nameOf)} ${isOrAre(field)} ${valueWords(failed['actual'], field, nameOf)}`;
  const converted = failed['converted'];
  if (!isObject(converted) || typeof converted['amount'] !== 'number') return is;
  return `${is}, which is ${moneyWords(converted['amount'], converted['currency'])}${rateWords(converted['asOf'])}`;
}

function unknownRate(failed: RecordState, field: string, nameOf: NameOf): string {
  const wanted: readonly unknown[] = Array.isArray(failed['wanted']) ? failed['wanted'] : [failed['wanted']];
  const [currency] = wanted.flatMap((item) => (isObject(item) && typeof item['currency'] === 'string' ? item['currency'] : []));
  const limit = currency === undefined ? 'with its old value' : `in ${currency}`;
  const value = valueWords(failed['actual'], field, nameOf);
  return `the ${fieldWords(field, nameOf)} ${value} cannot be compared ${limit}: no exchange rate is known`;
}

type Words = (wanted: string) => string;

/** What the rule asks of a field's value, given the words for what it names. */
const ASKS: Readonly<Record<string, Words>> = {
  is: (wanted) => `asks for ${wanted}`,
  isNot: (wanted) => `excludes ${wanted}`,
  in: (wanted) => `asks for ${wanted}`,
  notIn: (wanted) => `excludes ${wanted}`,
  contains: (wanted) => `asks for text with ${wanted} in it`,
  notContains: (wanted) => `excludes text with ${wanted} in it`,
  matches: (wanted) => `asks for text of the pattern ${wanted}`,
  isEmpty: () => 'asks for it to be empty',
  isNotEmpty: () => 'asks for it to be set',
  gt: (wanted) => `asks for more than ${wanted}`,
  gte: (wanted) => `asks for at least ${wanted}`,
  lt: (wanted) => `asks for less than ${wanted}`,
  lte: (wanted) => `asks for at most ${wanted}`,
  between: (wanted) => `asks for something between ${wanted}`,
  includes: (wanted) => `asks for ${wanted} among them`,
  includesAny: (wanted) => `asks for ${wanted} among them`,
  includesAll: (wanted) => `asks for all of ${wanted} among them`,
  includesNone: (wanted) => `excludes ${wanted}`,
  before: (wanted) => `asks for a day before ${wanted}`,
  after: (wanted) => `asks for a day after ${wanted}`,
};

/** Operators whose values all count; of the others one is enough. */
const ALL_OF: ReadonlySet<string> = new Set(['includesAll', 'between']);

function asked(op: string, wanted: unknown, field: string, actual: unknown, nameOf: NameOf): string {
  if (op === 'withinDays') return `asks for ${withinWords(wanted)}`;
  if (wanted === null && op === 'is') return 'asks for it to be empty';
  if (wanted === null && op === 'isNot') return 'asks for it to be set';
  const currency = isObject(actual) && typeof actual['amount'] === 'number' ? actual['currency'] : null;
  // A bare number means the record's own currency.
  const named = (Array.isArray(wanted) ? wanted : [wanted]).map((item: unknown) =>
    typeof item === 'number' && typeof currency === 'string' ? { amount: item, currency } : item,
  );
  const words = listWords(named, field, nameOf, ALL_OF.has(op) ? 'and' : 'or');
  return ASKS[op]?.(words) ?? `asks for “${op}” ${words}`;
}

function withinWords(days: unknown): string {
  if (typeof days !== 'number' || days === 0) return 'today';
  const count = Math.abs(days) === 1 ? 'day' : `${numberWords(Math.abs(days))} days`;
  return days > 0 ? `today or the next ${count}` : `today or the last ${count}`;
}

/** What the rule asks of a change. */
const CHANGE_ASKS: Readonly<Record<string, Words>> = {
  changed: () => 'a change of it',
  changedTo: (wanted) => `a change to ${wanted}`,
  changedFrom: (wanted) => `a change from ${wanted}`,
  increasedBy: (wanted) => `an increase of at least ${wanted}`,
  decreasedBy: (wanted) => `a decrease of at least ${wanted}`,
};

function changeWords(failed: RecordState, field: string, op: string, nameOf: NameOf): string {
  const { before, actual, wanted } = failed;
  return `${wayWords(failed, field, nameOf)}, and the rule asks for ${CHANGE_ASKS[op]?.(stepWords(wanted, op, field, actual, before, nameOf)) ?? op}`;
}

/** "the stage changed from “Qualified” to “Negotiation”". */
function wayWords(failed: RecordState, field: string, nameOf: NameOf): string {
  const name = fieldWords(field, nameOf);
  if (!('before' in failed)) return `the ${name} did not change`;
  return `the ${name} changed from ${valueWords(failed['before'], field, nameOf)} to ${valueWords(failed['actual'], field, nameOf)}`;
}

function stepWords(wanted: unknown, op: string, field: string, actual: unknown, before: unknown, nameOf: NameOf): string {
  if (op !== 'increasedBy' && op !== 'decreasedBy') return listWords(wanted, field, nameOf, 'or');
  if (isObject(wanted) && typeof wanted['days'] === 'number') return `${numberWords(wanted['days'])} days`;
  if (typeof wanted !== 'number') return valueWords(wanted, field, nameOf);
  const [money] = [before, actual].filter((side) => isObject(side)).filter((side) => typeof side['amount'] === 'number');
  if (money !== undefined) return moneyWords(wanted, money['currency']);
  return [before, actual].some((side) => typeof side === 'string') ? `${numberWords(wanted)} days` : numberWords(wanted);
}

/** A condition holds that must not. */
function negation(failed: RecordState, nameOf: NameOf): string {
  const held = failed['wanted'];
  if (!isObject(held) || typeof held['op'] !== 'string') return 'something is the case that the rule excludes';
  const field = textIn(held, 'field');
  const { op, value } = held;
  const flag = flagWords({ ...failed, field }, field);
  if (flag !== null) return flag;
  if (CHANGE_ASKS[op] !== undefined) return excludedChange(failed, field, op, value, nameOf);
  const is = whatIs(failed, field, nameOf);
  if (op === 'is' || op === 'in' || op === 'includes' || op === 'includesAny') return `${is}, which the rule excludes`;
  const excluded = asked(op, value, field, failed['actual'], nameOf)
    .replace(/^asks for it to be/, 'being')
    .replace(/^asks for /, '');
  return op === 'isEmpty' || op === 'isNotEmpty'
    ? `${is}, which the rule excludes`
    : `${is}, and the rule leaves out ${excluded.replace(/^excludes /, 'everything but ')}`;
}

function excludedChange(failed: RecordState, field: string, op: string, wanted: unknown, nameOf: NameOf): string {
  const { before, actual } = failed;
  const step = CHANGE_ASKS[op]?.(stepWords(wanted, op, field, actual, before, nameOf)) ?? op;
  return `${wayWords(failed, field, nameOf)}, and the rule leaves out ${step}`;
}

/** A flag has two values: what the rule asks for is the other one. */
const FLAGS: Readonly<Record<string, readonly [ifSet: string, ifNot: string]>> = {
  is_bulk_edit: ['it was a bulk edit, which the rule leaves out', 'it was no bulk edit, and the rule tells nothing else'],
  is_archived: ['it is archived, which the rule leaves out', 'it is not archived, and the rule tells only what is'],
  done: ['it is done, and the rule tells only what is still to do', 'it is not done yet, and the rule tells only what is'],
};

function flagWords(failed: RecordState, field: string): string | null {
  const words = FLAGS[field];
  if (words === undefined || 'before' in failed || typeof failed['actual'] !== 'boolean') return null;
  return ['changed', 'changedTo', 'changedFrom'].includes(textIn(failed, 'op')) ? null : words[failed['actual'] ? 0 : 1];
}
