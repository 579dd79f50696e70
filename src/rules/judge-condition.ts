/** Judges a single condition on a field: what each operator means. Pure, bounded in time. */

import type { Condition } from '../core/condition';
import { isObject } from '../core/record';
import { anyOf, both, compared, equals, hasAll, isWithinDays, opposite, textsOf, type Verdict } from './compare-values';
import type { ConditionSubject } from './evaluate-conditions';
import { fieldValue, oldRawValue, readValue, type FieldValue } from './field-value';
import { isStep } from './measure-step';
import { patternOf } from './safe-pattern';
import { isSame } from './same-value';

/** A note may hold a megabyte; nobody needs a pattern to look that far. */
const MAX_SEARCHED = 20_000;

/** True, false, or that an exchange rate is missing. */
export function judgeCondition(condition: Condition, actual: FieldValue, subject: ConditionSubject): Verdict {
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
      return contains(actual, condition.value);
    case 'notContains':
      return !contains(actual, condition.value);
    case 'matches':
      return textsOf(actual).some((text) => patternOf(condition.value)?.matcher(text.slice(0, MAX_SEARCHED)).find() ?? false);
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

function contains(actual: FieldValue, wanted: string): boolean {
  return textsOf(actual).some((text) => text.toLowerCase().includes(wanted.toLowerCase()));
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

/** Arrived at `wanted`; for lists: it was added, whatever else was there before. */
function reached(now: FieldValue, before: FieldValue, wanted: unknown, subject: ConditionSubject): Verdict {
  if (now.kind === 'list') return hasAll(now, [wanted]) && !hasAll(before, [wanted]);
  return equals(now, wanted, subject);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/**
 * The value before the change; null when the field did not change. Of custom fields presence alone decides: a real change of an option
 * carried the same id on both sides. Standard fields are named without having changed (Pipedrive's lead sample): they must differ.
 */
export function oldValue(field: string, { previous, state }: ConditionSubject): FieldValue | null {
  if (previous === null) return null;
  if (field === 'value' && !('value' in previous) && !('currency' in previous)) return null;
  const raw = field === 'value' ? null : oldRawValue(previous, field);
  if (raw === undefined) return null;
  if (field !== 'value' && !Object.hasOwn(previous, field)) return readValue(raw);
  const before = fieldValue({ ...state, ...previous }, field);
  const isUnchanged = isSame(sorted(before), sorted(fieldValue(state, field))) || (isPlain(raw) && isSame(raw, state[field]));
  return isUnchanged ? null : before;
}

/** The order of a list's entries means nothing. */
function sorted(value: FieldValue): FieldValue {
  return value.kind === 'list' ? { ...value, items: [...value.items].sort() } : value;
}

const isPlain = (raw: unknown): boolean => raw !== null && !Array.isArray(raw) && !isObject(raw);
