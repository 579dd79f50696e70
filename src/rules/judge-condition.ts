/** Judges a single condition on a field: what each operator means. Pure, bounded in time. */

import type { Condition } from '../core/condition';
import { anyOf, both, compared, equals, hasAll, isStep, isWithinDays, opposite, textsOf, type Verdict } from './compare-values';
import type { ConditionSubject } from './evaluate-conditions';
import { fieldValue, type FieldValue } from './field-value';
import { patternOf } from './safe-pattern';

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

function listOf(value: unknown): readonly unknown[] {
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
