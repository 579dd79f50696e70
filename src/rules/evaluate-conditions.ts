/** Evaluates a rule's conditions on a change: true, or the first condition that failed with what was there. Pure, bounded in time. */

import { RE2JS } from 're2js';
import { isCondition, type Condition, type ConditionTree } from '../core/condition';
import { convert, type ExchangeRates } from '../core/exchange-rates';
import type { RecordState } from '../core/record';
import { dayOf, relativeDay } from './calendar-day';
import { fieldValue, readValue, type FieldValue } from './field-value';

/** What conditions are measured against. */
export interface ConditionSubject {
  /** The record after the change; for a deletion its last state. */
  readonly state: RecordState;
  /** Old values of the fields that changed; null when the record was created by this change. */
  readonly previous: RecordState | null;
  /** Facts of the event itself, by the names `actor_user_id`, `change_source`, `is_bulk_edit`. */
  readonly event: RecordState;
  readonly rates: ExchangeRates;
  /** IANA zone in which "today" and days are meant. */
  readonly timeZone: string;
  readonly now: Date;
}

export interface FailedCondition {
  readonly field: string;
  readonly op: Condition['op'] | 'not' | 'any';
  readonly wanted: unknown;
  /** The value that was there, as it can be shown; null when the field was empty. */
  readonly actual: unknown;
  /** The comparison needed an exchange rate that is not known. */
  readonly lacksRate?: boolean;
}

export type ConditionResult = { readonly holds: true } | { readonly holds: false; readonly failed: FailedCondition };

const HOLDS: ConditionResult = { holds: true };

/** Evaluates the tree. An empty group of any kind holds. */
export function evaluateConditions(tree: ConditionTree, subject: ConditionSubject): ConditionResult {
  if (isCondition(tree)) return evaluateOne(tree, subject);
  if ('all' in tree) return firstFailure(tree.all, subject) ?? HOLDS;
  if ('any' in tree) return evaluateAny(tree.any, subject);
  return evaluateNot(tree.not, subject);
}

function firstFailure(trees: readonly ConditionTree[], subject: ConditionSubject): ConditionResult | null {
  for (const tree of trees) {
    const result = evaluateConditions(tree, subject);
    if (!result.holds) return result;
  }
  return null;
}

/** None held: the first one's failure stands for all. */
function evaluateAny(trees: readonly ConditionTree[], subject: ConditionSubject): ConditionResult {
  const results = trees.map((tree) => evaluateConditions(tree, subject));
  return results.length === 0 || results.some((result) => result.holds) ? HOLDS : (results[0] ?? HOLDS);
}

function evaluateNot(trees: readonly ConditionTree[], subject: ConditionSubject): ConditionResult {
  const held = trees.find((tree) => evaluateConditions(tree, subject).holds);
  if (held === undefined) return HOLDS;
  const first = isCondition(held) ? held : null;
  const field = first?.field ?? '';
  return {
    holds: false,
    failed: { field, op: 'not', wanted: held, actual: first === null ? null : shown(valueOf(field, subject)) },
  };
}

function evaluateOne(condition: Condition, subject: ConditionSubject): ConditionResult {
  const actual = valueOf(condition.field, subject);
  const verdict = judge(condition, actual, subject);
  if (verdict === true) return HOLDS;
  const failed = { field: condition.field, op: condition.op, wanted: condition.value ?? null, actual: shown(actual) };
  return { holds: false, failed: verdict === 'lacksRate' ? { ...failed, lacksRate: true } : failed };
}

const EVENT_FIELDS: ReadonlySet<string> = new Set(['actor_user_id', 'change_source', 'is_bulk_edit']);

function valueOf(field: string, subject: ConditionSubject): FieldValue {
  return EVENT_FIELDS.has(field) ? readValue(subject.event[field]) : fieldValue(subject.state, field);
}

type Verdict = boolean | 'lacksRate';

function judge(condition: Condition, actual: FieldValue, subject: ConditionSubject): Verdict {
  switch (condition.op) {
    case 'is':
      return equals(actual, condition.value, subject);
    case 'isNot':
      return opposite(equals(actual, condition.value, subject));
    case 'in':
      return anyOf(condition.value, (wanted) => equals(actual, wanted, subject));
    case 'notIn':
      return opposite(anyOf(condition.value, (wanted) => equals(actual, wanted, subject)));
    case 'contains':
      return textsOf(actual).some((text) => text.toLowerCase().includes(condition.value.toLowerCase()));
    case 'notContains':
      return !textsOf(actual).some((text) => text.toLowerCase().includes(condition.value.toLowerCase()));
    case 'matches':
      return textsOf(actual).some((text) => patternOf(condition.value)?.matcher(text).find() ?? false);
    case 'isEmpty':
      return actual.kind === 'empty';
    case 'isNotEmpty':
      return actual.kind !== 'empty';
    case 'includes':
      return hasAll(actual, [condition.value]);
    case 'includesAny':
      return condition.value.some((wanted) => hasAll(actual, [wanted]));
    case 'includesAll':
      return hasAll(actual, condition.value);
    case 'includesNone':
      return !condition.value.some((wanted) => hasAll(actual, [wanted]));
    default:
      return judgeOrder(condition, actual, subject);
  }
}

type OrderCondition = Extract<
  Condition,
  {
    op:
      | 'gt'
      | 'gte'
      | 'lt'
      | 'lte'
      | 'between'
      | 'before'
      | 'after'
      | 'withinDays'
      | 'changed'
      | 'changedTo'
      | 'changedFrom'
      | 'increasedBy'
      | 'decreasedBy';
  }
>;

function judgeOrder(condition: OrderCondition, actual: FieldValue, subject: ConditionSubject): Verdict {
  switch (condition.op) {
    case 'gt':
      return compared(actual, condition.value, subject, (order) => order > 0);
    case 'gte':
      return compared(actual, condition.value, subject, (order) => order >= 0);
    case 'lt':
      return compared(actual, condition.value, subject, (order) => order < 0);
    case 'lte':
      return compared(actual, condition.value, subject, (order) => order <= 0);
    case 'between':
      return both(
        compared(actual, condition.value[0], subject, (order) => order >= 0),
        compared(actual, condition.value[1], subject, (order) => order <= 0),
      );
    case 'before':
      return compared(actual, condition.value, subject, (order) => order < 0);
    case 'after':
      return compared(actual, condition.value, subject, (order) => order > 0);
    case 'withinDays':
      return isWithinDays(actual, condition.value, subject);
    default:
      return judgeChange(condition, actual, subject);
  }
}

type ChangeCondition = Extract<OrderCondition, { op: 'changed' | 'changedTo' | 'changedFrom' | 'increasedBy' | 'decreasedBy' }>;

/** Conditions on the way of a value; a record that was created has not changed. */
function judgeChange(condition: ChangeCondition, actual: FieldValue, subject: ConditionSubject): Verdict {
  const old = oldValue(condition.field, subject);
  if (old === null) return false;
  switch (condition.op) {
    case 'changed':
      return true;
    case 'changedTo':
      return anyOf(listOf(condition.value), (wanted) => reached(actual, old, wanted, subject));
    case 'changedFrom':
      return anyOf(listOf(condition.value), (wanted) => reached(old, actual, wanted, subject));
    case 'increasedBy':
      return isStep(old, actual, condition.value, subject);
    case 'decreasedBy':
      return isStep(actual, old, condition.value, subject, old);
    default:
      return condition satisfies never;
  }
}

/** Arrived at `wanted`, where it was not before; for lists: it was added. */
function reached(now: FieldValue, before: FieldValue, wanted: unknown, subject: ConditionSubject): Verdict {
  if (now.kind === 'list') return hasAll(now, [wanted]) && !hasAll(before, [wanted]);
  return equals(now, wanted, subject);
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value];
}

/** The value before the change; null when the field did not change. */
function oldValue(field: string, subject: ConditionSubject): FieldValue | null {
  const { previous, state } = subject;
  if (previous === null) return null;
  if (field === 'value') {
    return 'value' in previous || 'currency' in previous ? fieldValue({ ...state, ...previous }, field) : null;
  }
  if (field in previous) return fieldValue(previous, field);
  const custom = previous['custom_fields'];
  const isCustom = typeof custom === 'object' && custom !== null && Object.hasOwn(custom, field);
  return isCustom ? fieldValue({ custom_fields: custom }, field) : null;
}

function equals(actual: FieldValue, wanted: unknown, subject: ConditionSubject): Verdict {
  const plain = bare(wanted);
  if (plain === null || plain === '') return actual.kind === 'empty';
  switch (actual.kind) {
    case 'empty':
      return false;
    case 'flag':
      return actual.flag === (plain === true || plain === 1 || plain === 'true' || plain === '1');
    case 'money':
      return compared(actual, wanted, subject, (order) => order === 0);
    case 'list':
      return actual.items.length === 1 && actual.items[0] === String(plain);
    case 'range':
      return actual.from === plain;
    case 'number':
      return actual.number === Number(plain);
    case 'text':
      return actual.text.toLowerCase() === String(plain).toLowerCase();
    default:
      return actual satisfies never;
  }
}

/** `{id, name}` counts by its id; everything else is itself. */
function bare(wanted: unknown): string | number | boolean | null {
  if (typeof wanted === 'object' && wanted !== null) return 'id' in wanted ? bare(wanted.id) : null;
  return typeof wanted === 'string' || typeof wanted === 'number' || typeof wanted === 'boolean' ? wanted : null;
}

function hasAll(actual: FieldValue, wanted: readonly unknown[]): boolean {
  const items = actual.kind === 'list' ? actual.items : textsOf(actual);
  return wanted.every((item) => items.includes(String(bare(item))));
}

function textsOf(value: FieldValue): readonly string[] {
  switch (value.kind) {
    case 'empty':
      return [];
    case 'list':
      return value.items;
    case 'text':
      return [value.text];
    case 'number':
      return [String(value.number)];
    case 'flag':
      return [String(value.flag)];
    case 'money':
      return [String(value.amount)];
    case 'range':
      return [value.from, value.until].filter((end) => end !== null);
    default:
      return value satisfies never;
  }
}

const patterns = new Map<string, RE2JS | null>();
const MAX_PATTERNS = 1_000;

/** A compiled pattern of RE2's language, which matches in linear time whatever a user writes; null when it is none. */
export function patternOf(source: string): RE2JS | null {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  if (patterns.size >= MAX_PATTERNS) patterns.clear();
  const compiled = compile(source);
  patterns.set(source, compiled);
  return compiled;
}

function compile(source: string): RE2JS | null {
  try {
    return RE2JS.compile(source, RE2JS.CASE_INSENSITIVE);
  } catch {
    // The API refuses such a pattern; one that is stored all the same matches nothing.
    return null;
  }
}

/** Compares in order: numbers, money (converted where the currency is named), dates by day, texts by alphabet. */
function compared(actual: FieldValue, wanted: unknown, subject: ConditionSubject, isRight: (order: number) => boolean): Verdict {
  if (actual.kind === 'empty') return false;
  if (actual.kind === 'money') return comparedMoney(actual, wanted, subject, isRight);
  const day = dayOfWanted(wanted, subject);
  const text = actual.kind === 'range' ? actual.from : actual.kind === 'text' ? actual.text : null;
  if (text !== null && day !== null) {
    const actualDay = dayOf(text, subject.timeZone);
    return actualDay !== null && isRight(Math.sign(actualDay.localeCompare(day)));
  }
  const number = actual.kind === 'number' ? actual.number : text === null ? Number.NaN : Number(text);
  const limit = typeof wanted === 'number' ? wanted : Number(bare(wanted) ?? Number.NaN);
  return !Number.isNaN(number) && !Number.isNaN(limit) && isRight(Math.sign(number - limit));
}

function comparedMoney(
  actual: Extract<FieldValue, { kind: 'money' }>,
  wanted: unknown,
  subject: ConditionSubject,
  isRight: (order: number) => boolean,
): Verdict {
  const limit = amountOf(wanted);
  if (limit === null) return false;
  if (limit.currency === null) return isRight(Math.sign(actual.amount - limit.amount));
  const amount = convert(actual, limit.currency, subject.rates);
  return amount === null ? 'lacksRate' : isRight(Math.sign(amount - limit.amount));
}

function amountOf(wanted: unknown): { amount: number; currency: string | null } | null {
  if (typeof wanted === 'object' && wanted !== null && 'amount' in wanted && typeof wanted.amount === 'number') {
    const currency = 'currency' in wanted && typeof wanted.currency === 'string' ? wanted.currency : null;
    return { amount: wanted.amount, currency };
  }
  const number = Number(bare(wanted) ?? Number.NaN);
  return Number.isNaN(number) ? null : { amount: number, currency: null };
}

/** The day that a condition names, as YYYY-MM-DD; null when it names none. */
function dayOfWanted(wanted: unknown, subject: ConditionSubject): string | null {
  if (wanted === 'today') return relativeDay(subject.now, 0, subject.timeZone);
  if (typeof wanted === 'object' && wanted !== null && 'days' in wanted && typeof wanted.days === 'number') {
    return relativeDay(subject.now, wanted.days, subject.timeZone);
  }
  return typeof wanted === 'string' ? dayOf(wanted, subject.timeZone) : null;
}

/** Between today and `days` from now, both included; a negative number looks back. */
function isWithinDays(actual: FieldValue, days: number, subject: ConditionSubject): boolean {
  const text = actual.kind === 'text' ? actual.text : actual.kind === 'range' ? actual.from : null;
  const day = text === null ? null : dayOf(text, subject.timeZone);
  if (day === null) return false;
  const today = relativeDay(subject.now, 0, subject.timeZone);
  const limit = relativeDay(subject.now, days, subject.timeZone);
  return days >= 0 ? day >= today && day <= limit : day <= today && day >= limit;
}

/** From `low` to `high` at least by the step: an amount, a percentage of the old value, or days. */
function isStep(low: FieldValue, high: FieldValue, step: unknown, subject: ConditionSubject, old: FieldValue = low): Verdict {
  if (typeof step === 'object' && step !== null && 'days' in step && typeof step.days === 'number')
    return isDayStep(low, high, step.days, subject);
  const currency = typeof step === 'object' && step !== null && 'currency' in step ? String(step.currency) : currencyOf(old);
  const amounts = [low, high, old].map((value) => amountIn(value, currency, subject));
  if (amounts.includes('lacksRate')) return 'lacksRate';
  const [from, to, base] = amounts;
  if (typeof from !== 'number' || typeof to !== 'number' || typeof base !== 'number') return false;
  if (typeof step === 'object' && step !== null && 'percent' in step && typeof step.percent === 'number') {
    return base !== 0 && to - from >= (Math.abs(base) * step.percent) / 100;
  }
  return to - from >= (amountOf(step)?.amount ?? Number.POSITIVE_INFINITY);
}

function isDayStep(low: FieldValue, high: FieldValue, days: number, subject: ConditionSubject): boolean {
  const from = low.kind === 'text' ? dayOf(low.text, subject.timeZone) : null;
  const to = high.kind === 'text' ? dayOf(high.text, subject.timeZone) : null;
  return from !== null && to !== null && (Date.parse(to) - Date.parse(from)) / 86_400_000 >= days;
}

function currencyOf(value: FieldValue): string | null {
  return value.kind === 'money' ? value.currency : null;
}

/** An empty amount counts as nothing, so that a value that is set has increased. */
function amountIn(value: FieldValue, currency: string | null, subject: ConditionSubject): number | 'lacksRate' | null {
  if (value.kind === 'empty') return 0;
  if (value.kind === 'number') return value.number;
  if (value.kind !== 'money') return null;
  return currency === null ? value.amount : (convert(value, currency, subject.rates) ?? 'lacksRate');
}

function anyOf(wanted: readonly unknown[], judgeOne: (item: unknown) => Verdict): Verdict {
  const verdicts = wanted.map(judgeOne);
  return verdicts.includes(true) ? true : verdicts.includes('lacksRate') ? 'lacksRate' : false;
}

function opposite(verdict: Verdict): Verdict {
  return verdict === 'lacksRate' ? verdict : !verdict;
}

function both(left: Verdict, right: Verdict): Verdict {
  return left === 'lacksRate' || right === 'lacksRate' ? 'lacksRate' : left && right;
}

/** A value as a decision keeps it. */
function shown(value: FieldValue): unknown {
  switch (value.kind) {
    case 'empty':
      return null;
    case 'text':
      return value.text.slice(0, 200);
    case 'number':
      return value.number;
    case 'flag':
      return value.flag;
    case 'money':
      return { amount: value.amount, currency: value.currency };
    case 'list':
      return value.items.slice(0, 20);
    case 'range':
      return { from: value.from, until: value.until };
    default:
      return value satisfies never;
  }
}
