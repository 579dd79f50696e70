/** The decisions on one event, completed and in words. Pure: the router stores only those of rules that listen to the event's kind. */

import type { Decision } from '../core/decision';
import type { RecordEntity } from '../core/record';
import type { Rule } from '../core/rule';
import { recordEntityOf } from '../core/transition';
import type { NameOf } from './decision-names';
import { byNumber, explainDecision, type NameEvent } from './explain';
import { deciderOf, watchIdOf, watchName, type Decider, type WatchNames } from './watch-rules';

export interface WordedDecision extends Decider {
  readonly ruleName: string;
  readonly matched: boolean;
  readonly reason: string;
}

export interface DecidedEvent {
  readonly entity: string;
  readonly transitions: readonly string[];
  readonly receivedAt: Date;
  /** Null: the router has not seen it yet. */
  readonly routedAt: Date | null;
  /** Why nothing was derived from it; null for an ordinary event. */
  readonly ignoredReason: string | null;
  readonly decisions: readonly Decision[];
}

/** Names for the words of a decision, by the kind of record whose fields it names. */
export type NamesOf = (of: RecordEntity) => NameOf;

/**
 * One line per rule: the stored decisions, then "listens to something else" for every rule that was on when the event came
 * in and has none. `rules` are all rules of the tenant, also those that are off, `watches` the names of its watches by their id.
 */
export function listDecisions(
  event: DecidedEvent,
  rules: ReadonlyMap<number, Rule>,
  watches: WatchNames,
  namesOf: NamesOf,
  nameEvent: NameEvent = byNumber,
): WordedDecision[] {
  if (event.routedAt === null || event.ignoredReason !== null) return [];
  const decided = new Set(event.decisions.map((decision) => decision.ruleId));
  const others = [...rules.values()]
    .filter((rule) => rule.enabled && rule.enabledAt <= event.receivedAt && !decided.has(rule.id))
    .map((rule): Decision => ({ ruleId: rule.id, matched: false, code: 'otherEvent' }));
  return [...event.decisions, ...others].map((decision) => {
    const watchId = watchIdOf(decision.ruleId);
    const named = watchId === null ? null : watchName(watchId, watches);
    return worded(decision, rules.get(decision.ruleId) ?? null, named, event, namesOf, nameEvent);
  });
}

function worded(
  decision: Decision,
  rule: Rule | null,
  named: string | null,
  event: DecidedEvent,
  namesOf: NamesOf,
  nameEvent: NameEvent,
): WordedDecision {
  const of = rule === null ? 'deal' : recordEntityOf(rule.eventType);
  const reason = explainDecision(decision, rule, event, namesOf(of), nameEvent);
  const { matched } = decision;
  return { ...deciderOf(decision), ruleName: named ?? rule?.name ?? 'removed rule', matched, reason };
}
