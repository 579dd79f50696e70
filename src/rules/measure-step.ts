/** Whether a value rose by a step: an amount, a percentage of the old value, or days. Pure. */

import { convert } from '../core/exchange-rates';
import { isObject } from '../core/record';
import { dayOf } from './calendar-day';
import { amountOf, plainNumberOf, timeIn, type Verdict } from './compare-values';
import type { ConditionSubject } from './evaluate-conditions';
import type { FieldValue } from './field-value';

const DAY_MS = 86_400_000;
/** 0.3 - 0.1 is a little less than 0.2 in binary fractions, but not in money. */
const PRECISION = 1e6;

/**
 * From `low` to `high` at least by the step. Money is measured in the step's currency, else in that of the `old` value. A plain number
 * on dates means days. An empty amount counts as nothing, so that a value that is set has increased; a percentage of nothing is none.
 */
export function isStep(
  low: FieldValue,
  high: FieldValue,
  step: unknown,
  subject: ConditionSubject,
  old: FieldValue = low,
): Verdict {
  const days = isObject(step) ? step['days'] : isDate(low, subject) || isDate(high, subject) ? step : null;
  if (typeof days === 'number') return isDayStep(low, high, days, subject);
  const wanted = amountOf(step);
  const currency = wanted?.currency ?? (old.kind === 'money' ? old.currency : null);
  const amounts = [low, high, old].map((value) => amountIn(value, currency, subject));
  if (amounts.includes('lacksRate')) return 'lacksRate';
  const [from, to, base] = amounts;
  if (typeof from !== 'number' || typeof to !== 'number' || typeof base !== 'number') return false;
  const percent = isObject(step) && typeof step['percent'] === 'number' ? step['percent'] : null;
  const least = percent === null ? (wanted?.amount ?? null) : base === 0 ? null : (Math.abs(base) * percent) / 100;
  return least !== null && Math.round((to - from - least) * PRECISION) >= 0;
}

function isDate(value: FieldValue, { timeZone }: ConditionSubject): boolean {
  const text = timeIn(value);
  return text !== null && dayOf(text, timeZone) !== null;
}

function isDayStep(low: FieldValue, high: FieldValue, days: number, { timeZone }: ConditionSubject): boolean {
  const [from, to] = [timeIn(low), timeIn(high)].map((text) => (text === null ? null : dayOf(text, timeZone)));
  return from != null && to != null && (Date.parse(to) - Date.parse(from)) / DAY_MS >= days;
}

function amountIn(value: FieldValue, currency: string | null, { rates }: ConditionSubject): number | 'lacksRate' | null {
  if (value.kind === 'empty') return 0;
  if (value.kind !== 'money') return plainNumberOf(value);
  return currency === null ? value.amount : (convert(value, currency, rates) ?? 'lacksRate');
}
