/** Decides every concerned rule for one event: what it tells, what a waiting message tells now, or why it stays silent. Pure. */

import type { Decision } from '../core/decision';
import type { RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { RecordChange, Transition } from '../core/transition';
import { dropDelivery, pendingOf, retell, slim, type BatchState, type StoredEvent } from './batch-state';
import { deriveTransitions, netChange } from './derive-transitions';
import { matchRule, type Match, type RuleIndex } from './match-rules';
import type { Destination, NewDelivery, PendingDelivery } from './routing-ledger';
import type { Story } from './tell-story';

/** What routing of a tenant goes by. */
export interface RoutingRules {
  readonly index: RuleIndex;
  readonly byId: ReadonlyMap<number, Rule>;
  readonly destinations: ReadonlyMap<number, Destination>;
  readonly baseCurrency: string;
  /** The installation's `SETTLE_MS`, for rules without one of their own. */
  readonly defaultSettleMs: number;
  /** The longest settle time of any rule; 0 switches windows off. */
  readonly longestSettleMs: number;
}

/** A record's settle window: the net change since `before` is what counts. */
export interface Window {
  readonly openedAt: Date;
  /** Null: the record was created inside the window. */
  readonly before: RecordState | null;
  /** This event opened it. */
  readonly isNew: boolean;
}

/** Everything that deciding one event needs. */
interface Scene {
  readonly stored: StoredEvent;
  readonly story: Story;
  readonly window: Window | null;
  /** Messages about the same record that still wait. */
  readonly waiting: readonly PendingDelivery[];
  readonly state: BatchState;
  readonly rules: RoutingRules;
}

/** One decision per rule that listens to what happened or has a message about the record waiting. */
export function decideRules(
  stored: StoredEvent,
  story: Story,
  window: Window | null,
  state: BatchState,
  rules: RoutingRules,
): readonly Decision[] {
  const waiting = pendingOf(state, story.entity, story.entityId).filter((delivery) => stored.receivedAt <= delivery.notBefore);
  const scene: Scene = { stored, story, window, waiting, state, rules };
  const withMessages = waiting.map((delivery) => rules.byId.get(delivery.ruleId)).filter((rule) => rule !== undefined);
  const net = transitionsInWindow(scene, rules.longestSettleMs);
  const concerned = new Set([...listeners(story.transitions, rules), ...listeners(net, rules), ...withMessages]);
  return [...concerned].map((rule) => decideRule(rule, scene));
}

/** Rules that listen to any of these transitions. */
export function listeners(transitions: readonly Transition[], rules: RoutingRules): readonly Rule[] {
  return transitions.flatMap((transition) => rules.index.get(transition.type) ?? []);
}

function decideRule(rule: Rule, scene: Scene): Decision {
  const { stored, story, rules } = scene;
  const settleMs = rule.settleMs ?? rules.defaultSettleMs;
  const mine = scene.waiting.filter((delivery) => delivery.ruleId === rule.id);
  const first = mine[0];
  const transitions =
    first === undefined
      ? transitionsInWindow(scene, settleMs)
      : transitionsSince(first.recordBefore, story, [first.change.transition]);
  const match = matchRule(rule, {
    transitions,
    state: story.state,
    receivedAt: stored.receivedAt,
    baseCurrency: rules.baseCurrency,
  });
  if (first !== undefined) return decideAnew(rule, scene, mine, first, match);
  return match.matched ? owe(rule, scene, match.transition, settleMs) : silent(rule, match);
}

/** What happened since the window opened; what this event alone shows, when it opened the window itself. */
function transitionsInWindow(scene: Scene, settleMs: number): readonly Transition[] {
  const { story, window } = scene;
  if (window === null || window.isNew || !isInside(scene, settleMs)) return story.transitions;
  return transitionsSince(window.before, story, []);
}

function isInside(scene: Scene, settleMs: number): boolean {
  return scene.window !== null && scene.stored.receivedAt.getTime() - scene.window.openedAt.getTime() <= settleMs;
}

/** Merges and conversions are no matter of fields: a waiting message of one stays what it is. */
const STORIES: ReadonlySet<string> = new Set(['deal.merged', 'lead.converted']);

function transitionsSince(before: RecordState | null, story: Story, told: readonly Transition[]): readonly Transition[] {
  const net = { ...netChange(story.entity, before, story.change.after), convertedFromLeadId: story.convertedFrom };
  const derived = deriveTransitions(net);
  if (story.change.after === null) return derived;
  const kept = [...told, ...story.transitions].find((transition) => STORIES.has(transition.type));
  return kept === undefined ? derived : [kept, ...derived.filter((transition) => transition.type !== kept.type)];
}

function silent(rule: Rule, match: Extract<Match, { matched: false }>): Decision {
  const decision = { ruleId: rule.id, matched: false, code: match.code };
  return match.actual === undefined ? decision : { ...decision, actual: match.actual };
}

/** A later event inside the window: the waiting message tells the net change, or nothing when that was taken back. */
function decideAnew(rule: Rule, scene: Scene, mine: readonly PendingDelivery[], first: PendingDelivery, match: Match): Decision {
  if (!match.matched) {
    for (const delivery of mine) dropDelivery(scene.state, delivery, 'The change was taken back before its message was due.');
    return { ruleId: rule.id, matched: false, code: 'settled' };
  }
  // Who began it is told, not the automation that tidied up a second later.
  const { actorUserId, occurredAt } = first.change;
  for (const delivery of mine) retell(scene.state, delivery, { ...changeTold(scene, match.transition), actorUserId, occurredAt });
  return { ruleId: rule.id, matched: true, code: 'settled', toldByEventId: first.eventId };
}

function changeTold(scene: Scene, transition: Transition): RecordChange {
  const { stored, story } = scene;
  return {
    entity: story.entity,
    entityId: story.entityId,
    transition,
    state: slim(story.state),
    actorUserId: stored.event.actorUserId,
    occurredAt: stored.event.occurredAt,
  };
}

/** A message for each destination, due when the window closes. */
function owe(rule: Rule, scene: Scene, transition: Transition, settleMs: number): Decision {
  const destinations = rule.targetWebhookIds.map((id) => scene.rules.destinations.get(id)).filter((found) => found !== undefined);
  const change = changeTold(scene, transition);
  const recordBefore = isInside(scene, settleMs) ? (scene.window?.before ?? null) : scene.story.change.before;
  for (const destination of destinations) {
    oweTo(destination, rule, scene, {
      change,
      recordBefore: recordBefore === null ? null : slim(recordBefore),
      notBefore: dueAt(scene, settleMs, destination),
    });
  }
  return { ruleId: rule.id, matched: true, code: destinations.length === 0 ? 'noDestination' : 'matched' };
}

function oweTo(
  destination: Destination,
  rule: Rule,
  scene: Scene,
  message: Pick<NewDelivery, 'change' | 'recordBefore' | 'notBefore'>,
): void {
  const eventId = scene.stored.id;
  const created: NewDelivery = { ...message, eventId, rule, destination, isDropped: false };
  const pending = { ...message, eventId, ruleId: rule.id, chatWebhookId: destination.id, spaceId: destination.spaceId };
  scene.state.created.push(created);
  scene.state.pending = [...scene.state.pending, { ...pending, id: null, created }];
}

/** When the window closes, but never before an earlier message about the same record in the same space. */
function dueAt(scene: Scene, settleMs: number, destination: Destination): Date {
  const receivedMs = scene.stored.receivedAt.getTime();
  if (settleMs === 0 && scene.rules.longestSettleMs === 0) return scene.stored.receivedAt;
  const opened = isInside(scene, settleMs) ? (scene.window?.openedAt.getTime() ?? receivedMs) : receivedMs;
  const earlier = pendingOf(scene.state, scene.story.entity, scene.story.entityId)
    .filter((delivery) => delivery.spaceId === destination.spaceId)
    .map((delivery) => delivery.notBefore.getTime());
  return new Date(Math.max(receivedMs, opened + settleMs, ...earlier));
}
