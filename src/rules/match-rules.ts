/** Whether a rule tells a change: every filter in a fixed order, and the first that fails is the reason. Pure. */

import type { DecisionCode } from '../core/decision';
import { idField, moneyOf, ownerIdOf, type RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { EventType, Transition } from '../core/transition';

/** What a rule is measured against. */
export interface Candidate {
  readonly transitions: readonly Transition[];
  /** The record after the change; for a deletion its last state. */
  readonly state: RecordState;
  readonly receivedAt: Date;
  readonly baseCurrency: string;
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
const FILTERS: readonly Filter[] = [byPipeline, byStage, byStageLeft, byOwner, byValue, byFields, byConditions];

/** Decides one rule. A rule that listens to something else fails with `otherEvent`. */
export function matchRule(rule: Rule, candidate: Candidate): Match {
  const transition = candidate.transitions.find((item) => item.type === rule.eventType);
  if (transition === undefined) return { matched: false, code: 'otherEvent' };
  if (candidate.receivedAt < rule.enabledAt) return { matched: false, code: 'switchedOnLater' };
  for (const filter of FILTERS) {
    const failure = filter(rule, candidate, transition);
    if (failure !== null) return { matched: false, ...failure };
  }
  return { matched: true, transition };
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
  const left = transition.changes.find((change) => change.field === 'stage_id');
  return outside('fromStage', rule.filters.fromStageIds, left === undefined ? null : idField({ left: left.from }, 'left'));
}

function byOwner(rule: Rule, candidate: Candidate): Failure | null {
  return outside('owner', rule.filters.ownerIds, ownerIdOf(candidate.state));
}

/** An empty list filters nothing, as an absent one. */
function outside(code: DecisionCode, wanted: readonly number[] | undefined, actual: number | null): Failure | null {
  if (wanted === undefined || wanted.length === 0) return null;
  return actual !== null && wanted.includes(actual) ? null : { code, actual };
}

function byValue(rule: Rule, candidate: Candidate): Failure | null {
  const { minValue } = rule.filters;
  if (minValue === undefined) return null;
  const value = moneyOf(candidate.state);
  if (value === null) return { code: 'noValue' };
  const currency = rule.filters.currency ?? candidate.baseCurrency;
  if ((value.currency ?? currency) !== currency) return { code: 'otherCurrency', actual: { ...value, wanted: currency } };
  return value.amount >= minValue ? null : { code: 'minValue', actual: { ...value, currency } };
}

function byFields(rule: Rule, _candidate: Candidate, transition: Transition): Failure | null {
  const { fields } = rule.filters;
  if (fields === undefined || fields.length === 0) return null;
  return transition.changes.some((change) => fields.includes(change.field)) ? null : { code: 'fields' };
}

/** A rule with conditions stays silent rather than tell what its author excluded, until the rule engine reads them. */
function byConditions(rule: Rule): Failure | null {
  return rule.filters.conditions === undefined || Object.keys(rule.filters.conditions).length === 0
    ? null
    : { code: 'conditions' };
}
