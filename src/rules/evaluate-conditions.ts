/** Evaluates a rule's conditions on a change: they hold, or the first one that failed with what was there. Pure. */

import { isCondition, type Condition, type ConditionTree } from '../core/condition';
import { convert, rateDate, type ExchangeRates } from '../core/exchange-rates';
import type { RecordState } from '../core/record';
import { amountOf } from './compare-values';
import { fieldValue, readValue, type FieldValue } from './field-value';
import { judgeCondition, oldValue } from './judge-condition';

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

interface Conversion {
  readonly amount: number;
  readonly currency: string;
  readonly asOf: string | null;
}

export interface FailedCondition {
  readonly field: string;
  readonly op: Condition['op'] | 'not' | 'any' | 'every';
  /** What the condition asked for; of `not` the tree that held, of `any` every failure, of `every` everything that held together (`FailedCondition`). */
  readonly wanted: unknown;
  /** The value that was there, as it can be shown; null when the field was empty. */
  readonly actual: unknown;
  /** The value before the change; absent when the field did not change. */
  readonly before?: unknown;
  /** The value in the currency that the condition names, by the rate of that day (ISO). */
  readonly converted?: Conversion;
  /** The comparison needed an exchange rate that is not known. */
  readonly lacksRate?: boolean;
}

export type ConditionResult = { readonly holds: true } | { readonly holds: false; readonly failed: FailedCondition };

const HOLDS: ConditionResult = { holds: true };

/**
 * Evaluates the tree. An empty group of any kind holds. A comparison that lacks a rate neither holds nor fails, also under `not`:
 * the rule stays silent, and that is the reason unless another condition decides without it.
 */
export function evaluateConditions(tree: ConditionTree, subject: ConditionSubject): ConditionResult {
  if (isCondition(tree)) return evaluateOne(tree, subject);
  if ('all' in tree) return evaluateAll(tree.all, subject);
  if ('any' in tree) return evaluateAny(tree.any, subject);
  return evaluateNot(listOf(tree.not), subject);
}

function listOf(not: ConditionTree | readonly ConditionTree[]): readonly ConditionTree[] {
  return isList(not) ? not : [not];
}

function isList(not: ConditionTree | readonly ConditionTree[]): not is readonly ConditionTree[] {
  return Array.isArray(not);
}

/** Ends at the first that fails for certain; a missing rate waits for whether another one does. */
function evaluateAll(trees: readonly ConditionTree[], subject: ConditionSubject): ConditionResult {
  let undecided: ConditionResult = HOLDS;
  for (const tree of trees) {
    const result = evaluateConditions(tree, subject);
    if (!result.holds && result.failed.lacksRate !== true) return result;
    if (undecided.holds) undecided = result;
  }
  return undecided;
}

/** None held: each failure counts. */
function evaluateAny(trees: readonly ConditionTree[], subject: ConditionSubject): ConditionResult {
  const failures: FailedCondition[] = [];
  for (const tree of trees) {
    const result = evaluateConditions(tree, subject);
    if (result.holds) return HOLDS;
    failures.push(result.failed);
  }
  const [first] = failures;
  if (first === undefined) return HOLDS;
  const undecided = failures.find(lacksRate);
  if (undecided !== undefined || failures.length === 1) return { holds: false, failed: undecided ?? first };
  return { holds: false, failed: { field: '', op: 'any', wanted: failures.slice(0, MAX_TOLD), actual: null } };
}

const lacksRate = (failed: FailedCondition): boolean => failed.lacksRate === true;

/** Alternatives told in a reason. */
const MAX_TOLD = 5;

function evaluateNot(trees: readonly ConditionTree[], subject: ConditionSubject): ConditionResult {
  let undecided: ConditionResult = HOLDS;
  for (const tree of trees) {
    const result = evaluateConditions(tree, subject);
    if (result.holds) return { holds: false, failed: exclusionOf(tree, subject) };
    if (undecided.holds && lacksRate(result.failed)) undecided = result;
  }
  return undecided;
}

/** What there is to say of a tree that held though it must not. */
function exclusionOf(held: ConditionTree, subject: ConditionSubject): FailedCondition {
  if (isCondition(held)) return { ...failureOf(held, subject), op: 'not', wanted: held };
  if ('any' in held) return exclusionOfAny(held, subject);
  if ('all' in held) return exclusionOfAll(held, subject);
  const [inner] = listOf(held.not);
  const denied = inner === undefined ? null : evaluateConditions(inner, subject);
  return denied === null || denied.holds ? unexplained(held) : denied.failed;
}

/** The first that held is reason enough. */
function exclusionOfAny(held: { readonly any: readonly ConditionTree[] }, subject: ConditionSubject): FailedCondition {
  const first = held.any.find((tree) => evaluateConditions(tree, subject).holds);
  return first === undefined ? unexplained(held) : exclusionOf(first, subject);
}

function exclusionOfAll(held: { readonly all: readonly ConditionTree[] }, subject: ConditionSubject): FailedCondition {
  const parts = held.all.slice(0, MAX_TOLD).map((tree) => exclusionOf(tree, subject));
  const [first, second] = parts;
  if (first === undefined) return unexplained(held);
  return second === undefined ? first : { field: '', op: 'every', wanted: parts, actual: null };
}

/** An empty group holds whatever is the case. */
const unexplained = (held: ConditionTree): FailedCondition => ({ field: '', op: 'not', wanted: held, actual: null });

function evaluateOne(condition: Condition, subject: ConditionSubject): ConditionResult {
  const verdict = judgeCondition(condition, valueOf(condition.field, subject), subject);
  if (verdict === true) return HOLDS;
  const failed = failureOf(condition, subject);
  return { holds: false, failed: verdict === 'lacksRate' ? { ...failed, lacksRate: true } : failed };
}

const ON_CHANGES: ReadonlySet<string> = new Set(['changed', 'changedTo', 'changedFrom', 'increasedBy', 'decreasedBy']);

/** What there is to say of a condition that failed. */
function failureOf(condition: Condition, subject: ConditionSubject): FailedCondition {
  const { field, op, value } = condition;
  const actual = valueOf(field, subject);
  const before = ON_CHANGES.has(op) ? oldValue(field, subject) : null;
  const converted = ON_CHANGES.has(op) ? null : conversionOf(actual, value, subject);
  return {
    ...{ field, op, wanted: value ?? null, actual: shown(actual) },
    ...(before === null ? {} : { before: shown(before) }),
    ...(converted === null ? {} : { converted }),
  };
}

function conversionOf(actual: FieldValue, wanted: unknown, { rates }: ConditionSubject): Conversion | null {
  if (actual.kind !== 'money') return null;
  const [currency] = (Array.isArray(wanted) ? wanted : [wanted]).flatMap((item: unknown) => amountOf(item)?.currency ?? []);
  const amount = currency === undefined || currency === actual.currency ? null : convert(actual, currency, rates);
  if (amount === null || currency === undefined) return null;
  return { amount, currency, asOf: rateDate(actual, currency, rates)?.toISOString() ?? null };
}

const EVENT_FIELDS: ReadonlySet<string> = new Set(['actor_user_id', 'change_source', 'is_bulk_edit']);

function valueOf(field: string, subject: ConditionSubject): FieldValue {
  return EVENT_FIELDS.has(field) ? readValue(subject.event[field]) : fieldValue(subject.state, field);
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
