/** Evaluates a rule's conditions on a change: they hold, or the first one that failed with what was there. Pure. */

import { isCondition, type Condition, type ConditionTree } from '../core/condition';
import type { ExchangeRates } from '../core/exchange-rates';
import type { RecordState } from '../core/record';
import { fieldValue, readValue, type FieldValue } from './field-value';
import { judgeCondition } from './judge-condition';

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
  return evaluateNot('op' in tree.not || !Array.isArray(tree.not) ? [tree.not] : tree.not, subject);
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
  const verdict = judgeCondition(condition, actual, subject);
  if (verdict === true) return HOLDS;
  const failed = { field: condition.field, op: condition.op, wanted: condition.value ?? null, actual: shown(actual) };
  return { holds: false, failed: verdict === 'lacksRate' ? { ...failed, lacksRate: true } : failed };
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
