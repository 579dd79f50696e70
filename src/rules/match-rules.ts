/** Whether a rule tells a change: every filter in a fixed order, and the first that fails is the reason. Pure. */

import type { DecisionCode } from '../core/decision';
import { convert, rateDate, type ExchangeRates } from '../core/exchange-rates';
import { idField, isObject, moneyOf, numberField, ownerIdOf, textField, type Money, type RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { EventType, Transition } from '../core/transition';
import { evaluateConditions } from './evaluate-conditions';
import { kindsOf, NO_STAGES, type StageOrder } from './kinds-of-transition';
import { heardBy } from './watch-rules';

/** What a rule is measured against. */
export interface Candidate {
  readonly transitions: readonly Transition[];
  /** The record after the change; for a deletion its last state. */
  readonly state: RecordState;
  /** Old values of the fields that changed; null when the record was created by this change. */
  readonly previous: RecordState | null;
  /** Facts of the event itself: `actor_user_id`, `change_source`, `is_bulk_edit`. */
  readonly event: RecordState;
  readonly receivedAt: Date;
  readonly baseCurrency: string;
  readonly rates: ExchangeRates;
  /** IANA zone in which days are meant. */
  readonly timeZone: string;
  /** The order of the tenant's stages; absent when no rule asks for it. */
  readonly stages?: StageOrder;
}

export type Match =
  | { readonly matched: true; readonly transition: Transition }
  | { readonly matched: false; readonly code: DecisionCode; readonly actual?: unknown };

interface Failure {
  readonly code: DecisionCode;
  readonly actual?: unknown;
}

type Filter = (rule: Rule, candidate: Candidate, transition: Transition) => Failure | null;

/** Evaluated in this order. A new filter is one more line here, a code in core/decision.ts and its words in explain.ts. */
const FILTERS: readonly Filter[] = [
  byPipeline,
  byStage,
  byStageLeft,
  byKind,
  byOwner,
  byValue,
  byCrossing,
  byFields,
  byConditions,
];

/** Decides one rule. A rule that listens to something else fails with `otherEvent`. */
export function matchRule(rule: Rule, candidate: Candidate): Match {
  const transition = heard(rule, candidate.transitions);
  if (transition === null) return { matched: false, code: 'otherEvent' };
  if (candidate.receivedAt < rule.enabledAt) return { matched: false, code: 'switchedOnLater' };
  for (const filter of FILTERS) {
    const failure = filter(rule, candidate, transition);
    if (failure !== null) return { matched: false, ...failure };
  }
  return { matched: true, transition };
}

/** What the rule would tell of these; null when it listens to none of them. */
export function heard({ hears, eventType }: Rule, transitions: readonly Transition[]): Transition | null {
  if (hears !== undefined) return heardBy(hears, transitions);
  return transitions.find(({ type }) => type === eventType) ?? null;
}

/** Rules by what they listen to, so that an event costs only the rules that could tell it. */
export type RuleIndex = ReadonlyMap<EventType, readonly Rule[]>;

/** Indexes enabled rules, keeping their order. */
export function indexRules(rules: readonly Rule[]): RuleIndex {
  const index = new Map<EventType, Rule[]>();
  for (const rule of rules) {
    if (!rule.enabled) continue;
    const listeners = index.get(rule.eventType);
    if (listeners === undefined) index.set(rule.eventType, [rule]);
    else listeners.push(rule);
  }
  return index;
}

function byPipeline(rule: Rule, candidate: Candidate): Failure | null {
  return outside('pipeline', rule.filters.pipelineIds, idField(candidate.state, 'pipeline_id'));
}

/** The stage that the deal is in now, which for a change of stage is the one it moved to. */
function byStage(rule: Rule, candidate: Candidate): Failure | null {
  return outside('stage', rule.filters.stageIds, idField(candidate.state, 'stage_id'));
}

function byStageLeft(rule: Rule, _candidate: Candidate, transition: Transition): Failure | null {
  const { fromStageIds } = rule.filters;
  if (fromStageIds === undefined) return null;
  const left = transition.changes.find((change) => change.field === 'stage_id');
  return outside('fromStage', fromStageIds, left === undefined ? null : idField({ left: left.from }, 'left'));
}

function byKind(rule: Rule, { stages }: Candidate, transition: Transition): Failure | null {
  const { kinds } = rule.filters;
  if (kinds === undefined || kinds.length === 0) return null;
  const actual = kindsOf(transition, stages ?? NO_STAGES);
  return actual?.some((kind) => kinds.includes(kind)) === true ? null : { code: 'kind', actual };
}

function byOwner(rule: Rule, candidate: Candidate): Failure | null {
  return outside('owner', rule.filters.ownerIds, ownerIdOf(candidate.state));
}

/** An empty list filters nothing, as an absent one. */
function outside(code: DecisionCode, wanted: readonly number[] | undefined, actual: number | null): Failure | null {
  if (wanted === undefined || wanted.length === 0) return null;
  return actual !== null && wanted.includes(actual) ? null : { code, actual };
}

/** The amount in the rule's currency, by Pipedrive's own rates; without a rate the rule stays silent and says so. */
function byValue(rule: Rule, candidate: Candidate): Failure | null {
  const { minValue } = rule.filters;
  if (minValue === undefined) return null;
  const value = moneyOf(candidate.state);
  if (value === null) return { code: 'noValue' };
  const { wanted, actual, converted } = inCurrencyOf(rule, value, candidate);
  if (converted === null) return { code: 'otherCurrency', actual: { ...actual, wanted } };
  if (converted >= minValue) return null;
  if (actual.currency === wanted) return { code: 'minValue', actual };
  const asOf = rateDate(actual, wanted, candidate.rates)?.toISOString() ?? null;
  return { code: 'minValue', actual: { ...actual, converted, wanted, asOf } };
}

interface Converted {
  /** The rule's currency. */
  readonly wanted: string;
  readonly actual: { readonly amount: number; readonly currency: string };
  /** The amount in the rule's currency; null without a rate. */
  readonly converted: number | null;
}

function inCurrencyOf(rule: Rule, value: Money, { baseCurrency, rates }: Candidate): Converted {
  const wanted = rule.filters.currency ?? baseCurrency;
  const actual = { amount: value.amount, currency: value.currency ?? baseCurrency };
  return { wanted, actual, converted: convert(actual, wanted, rates) };
}

/** Both sides by the same rates, so that no drift of a rate is ever a crossing; no value is below any minimum. */
function byCrossing(rule: Rule, candidate: Candidate, transition: Transition): Failure | null {
  const { crossing, minValue } = rule.filters;
  if (crossing !== true || minValue === undefined) return null;
  const before = moneyIn(transition.changes.find(({ field }) => field === 'value')?.from);
  if (before === null) return null;
  const { wanted, actual, converted } = inCurrencyOf(rule, before, candidate);
  if (converted === null) return { code: 'otherCurrency', actual: { ...actual, wanted } };
  return converted < minValue ? null : { code: 'crossing', actual };
}

function moneyIn(value: unknown): Money | null {
  if (!isObject(value)) return null;
  const amount = numberField(value, 'amount');
  return amount === null ? null : { amount, currency: textField(value, 'currency') };
}

function byFields(rule: Rule, _candidate: Candidate, transition: Transition): Failure | null {
  const { fields } = rule.filters;
  if (fields === undefined || fields.length === 0) return null;
  return transition.changes.some((change) => fields.includes(change.field)) ? null : { code: 'fields' };
}

function byConditions(rule: Rule, candidate: Candidate): Failure | null {
  const { conditions } = rule.filters;
  if (conditions === undefined) return null;
  const { state, previous, event, rates, timeZone, receivedAt } = candidate;
  const result = evaluateConditions(conditions, { state, previous, event, rates, timeZone, now: receivedAt });
  return result.holds ? null : { code: 'conditions', actual: result.failed };
}
