/** Decides every concerned rule for one event: what it tells, what a waiting message tells now, or why it stays silent. Pure. */

import type { Decision } from '../core/decision';
import type { RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { RecordChange, Transition } from '../core/transition';
import { basisAt } from './basis-at';
import { dropDelivery, pendingOf, retell, type BatchState, type StoredEvent } from './batch-state';
import { tellsSame, wayBack } from './corrections';
import { decideWatch } from './decide-watch';
import { isToldAsGone } from './late-merge';
import type { Match } from './match-rules';
import {
  basisFor,
  begunBy,
  measure,
  ownBasis,
  ruleOf,
  waitingOf,
  windowFor,
  type Basis,
  type Beginning,
  type RoutingRules,
  type Scene,
} from './measure-rule';
import { netOfWindow, netSince, netTransitions } from './net-transitions';
import { asCorrection, changeTold, lastTold, oweTo } from './owe-message';
import { recordKey, type Destination, type Dropping, type PendingDelivery } from './routing-ledger';
import { isSame } from './same-value';
import type { WindowNow } from './settle-windows';
import { isMuted } from './muted-records';
import { withCorrections } from './tell-corrections';
import type { Story } from './tell-story';
import { hearsAny, watchersOf, watchIdOf } from './watch-rules';

/** One decision per rule that listens to what happened or has a message about the record waiting. */
export function decideRules(
  stored: StoredEvent,
  story: Story,
  windows: readonly WindowNow[],
  state: BatchState,
  rules: RoutingRules,
): readonly Decision[] {
  const waiting = [...pendingOf(state, story.entity, story.entityId)];
  const watchers = watchersOf(story, state.watches);
  if (isMuted(story, rules.muted)) return decideMuted(story, waiting, state, { rules, watchers });
  const told = state.shadows.get(recordKey(story.entity, story.entityId))?.told ?? [];
  const marks = { toldBy: new Map(), freed: new Map(), untold: new Map() };
  const own = ownBasis({ stored, story });
  const scene: Scene = { stored, story, own, windows, waiting, told, state, rules, watchers, ...marks };
  const withMessages = waiting
    .map((delivery) => ruleOf(delivery.ruleId, scene))
    .filter((rule) => rule !== undefined)
    .filter((rule) => waitingOf(rule, scene).length > 0);
  const since = withMessages.flatMap((rule) => silencedSince(rule, scene));
  const silenced = since.flatMap((before) => listeners(netTransitions(before, story, []), scene));
  const settling = windows.filter(({ isNew }) => !isNew).flatMap((window) => settlingIn(window, scene));
  const concerned = new Set([...listeners(story.transitions, scene), ...settling, ...silenced, ...withMessages]);
  const inOrder = [...concerned].sort(byPosition);
  const decided = inOrder.filter(({ hears }) => hears === undefined).map((rule) => decideRule(rule, scene));
  const speaking = watchers.filter((watch) => concerned.has(watch) || watch.targetWebhookIds.some((id) => scene.untold.has(id)));
  return withCorrections([...decided, ...speaking.map((watch) => decideWatch(watch, scene))], scene);
}

/** Nothing is told of a muted record, also not what waited when it was muted. */
function decideMuted(
  story: Story,
  waiting: readonly PendingDelivery[],
  state: BatchState,
  hearing: Hearing,
): readonly Decision[] {
  for (const delivery of waiting) dropDelivery(state, delivery, 'The record was muted.', { code: 'muted' });
  return [...new Set(listeners(story.transitions, hearing))]
    .sort(byPosition)
    .map((rule) => ({ ruleId: rule.id, matched: false, code: 'muted' }));
}

/** Rules of this window that listen to its net change. */
function settlingIn(window: WindowNow, scene: Scene): readonly Rule[] {
  const { transitions } = netOfWindow(window, scene.story);
  return listeners(transitions, scene).filter((rule) => windowFor(rule, scene) === window);
}

/** From when on the rules behind a rule with `stopAfter` were kept from telling. */
function silencedSince(rule: Rule, scene: Scene): readonly (RecordState | null)[] {
  return rule.stopAfter ? waitingOf(rule, scene).map(({ recordBefore }) => recordBefore) : [];
}

const byPosition = (left: Rule, right: Rule): number => left.position - right.position || left.id - right.id;

/** Who may hear of a record. */
export type Hearing = Pick<Scene, 'rules' | 'watchers'>;

/** Rules that listen to any of these transitions, and the record's watches. */
export function listeners(transitions: readonly Transition[], { rules, watchers }: Hearing): readonly Rule[] {
  const listening = transitions.flatMap((transition) => rules.index.get(transition.type) ?? []);
  return watchers.length === 0 ? listening : [...listening, ...watchers.filter((watch) => hearsAny(watch, transitions))];
}

function decideRule(rule: Rule, scene: Scene): Decision {
  const mine = waitingOf(rule, scene);
  if (mine.length === 0 && isAlikeEverywhere(scene)) return tellFirst(rule, scene);
  const [first, ...others] = byStateBefore(mine);
  if (first === undefined) return decideFor(rule, scene, destinationsOf(rule, scene), basisFor(rule, scene));
  const told = oweRest(rule, scene, mine);
  const decision = decideAnew(rule, scene, first);
  const decisions = [decision, ...others.map((messages) => decideAnew(rule, scene, messages))];
  return told ?? decisions.find(({ matched }) => matched) ?? decision;
}

/** Nothing makes one destination know more than another. */
function isAlikeEverywhere({ freed, watchers }: Scene): boolean {
  return freed.size === 0 && watchers.length === 0;
}

/** The ordinary case, and most often a silence: destinations are looked up only for a rule that matches. */
function tellFirst(rule: Rule, scene: Scene): Decision {
  const basis = basisFor(rule, scene);
  const match = measure(rule, scene, basis, basis.beginning);
  return match.matched ? owe(rule, scene, match.transition, basis, destinationsOf(rule, scene)) : silent(rule, scene, match);
}

/** The decision for destinations for which no message of the rule waits, each by what it was told so far. */
function decideFor(rule: Rule, scene: Scene, destinations: readonly Destination[], basis: Basis): Decision {
  const bases = destinations.map((destination) => ({ destination, own: basisAt(destination, rule, scene, basis) }));
  const apart = bases.filter(({ own }) => own !== basis);
  if (apart.length === 0) return tell(rule, scene, destinations, basis);
  const others = bases.filter(({ own }) => own === basis).map(({ destination }) => destination);
  const decisions = [
    ...(others.length > 0 ? [tell(rule, scene, others, basis)] : []),
    ...apart.map(({ destination, own }) => tell(rule, scene, [destination], own)),
  ];
  return decisions.find(({ matched }) => matched) ?? decisions[0] ?? tell(rule, scene, [], basis);
}

function tell(rule: Rule, scene: Scene, destinations: readonly Destination[], basis: Basis): Decision {
  const match = measure(rule, scene, basis, basis.beginning);
  if (match.matched) {
    const decision = owe(rule, scene, match.transition, basis, destinations);
    if (decision.matched) dropHeldBack(rule, scene, match.transition, basis);
    return decision;
  }
  if (basis.toldBy === undefined) return silent(rule, scene, match);
  const watchId = watchIdOf(basis.toldBy.id);
  const { entity, entityId } = scene.story;
  if (watchId !== null) scene.state.toldByWatches.push({ watchId, entity, entityId });
  return { ruleId: rule.id, matched: false, code: 'alreadyTold', actual: { watchId } };
}

/** What a watch was to tell when quiet hours end and this rule tells now. */
function dropHeldBack(rule: Rule, { state }: Scene, transition: Transition, { heldBack = [] }: Basis): void {
  for (const { id, isHeld, isAlone, transition: held } of heldBack) {
    if (isHeld && isAlone && tellsSame(held, transition)) state.dropped.set(id, droppingFor(rule));
  }
}

/** What this event alone would have been, but the window is not: the change was taken back in it. */
function silent(rule: Rule, scene: Scene, match: Mismatch): Decision {
  const isOwn = scene.story.transitions.some((transition) => transition.type === rule.eventType);
  if (match.code === 'otherEvent' && isOwn) return { ruleId: rule.id, matched: false, code: 'settled' };
  const { code, actual } = match;
  return actual === undefined ? { ruleId: rule.id, matched: false, code } : { ruleId: rule.id, matched: false, code, actual };
}

/** Messages that tell the change from one and the same state: a destination whose first message has left already hears the rest alone. */
interface Messages {
  readonly first: PendingDelivery;
  readonly all: readonly PendingDelivery[];
}

function byStateBefore(messages: readonly PendingDelivery[]): readonly Messages[] {
  const [first, ...others] = messages;
  if (first === undefined) return [];
  const isAlike = ({ recordBefore }: PendingDelivery): boolean => isSame(recordBefore, first.recordBefore);
  const rest = byStateBefore(others.filter((message) => !isAlike(message)));
  return [{ first, all: [first, ...others.filter(isAlike)] }, ...rest];
}

/** A later event inside the window: each waiting message tells the net change, or nothing when that was taken back. */
function decideAnew(rule: Rule, scene: Scene, { first, all }: Messages): Decision {
  const beginning = begunBy(first, scene);
  const match = measure(rule, scene, netSince(first.recordBefore, scene.story, [first.change.transition]), beginning);
  const anew: Decision = { ruleId: rule.id, matched: true, code: 'settled', toldByEventId: first.eventId };
  if (!match.matched) {
    const kept = all.filter((delivery) => isCorrectedAnew(rule, scene, delivery, beginning));
    for (const delivery of all) if (!kept.includes(delivery)) dropSettled(rule, scene, delivery, match);
    return kept.length > 0 ? anew : settledSilently(rule, match);
  }
  const change = changeTold(scene, match.transition, beginning);
  for (const delivery of all) retellUnlessTold(rule, scene, delivery, change);
  const isSilenced = all.every((delivery) => isToldByAnother(rule, scene, delivery.chatWebhookId));
  return isSilenced ? alreadyTold(rule, scene, first.chatWebhookId) : anew;
}

/** A waiting correction, which the rule need not match, shows the newest state; false when there is nothing to correct any more. */
function isCorrectedAnew(rule: Rule, scene: Scene, delivery: PendingDelivery, beginning: Beginning): boolean {
  const told = delivery.change.transition.corrects === undefined ? null : lastTold(rule, delivery.chatWebhookId, scene);
  const { transitions } = netSince(delivery.recordBefore, scene.story, []);
  const back = told === null ? null : wayBack(told, transitions, scene.stored.receivedAt);
  if (back !== null) retell(scene.state, delivery, changeTold(scene, back, beginning));
  return back !== null;
}

type Mismatch = Extract<Match, { matched: false }>;

function dropSettled(rule: Rule, scene: Scene, delivery: PendingDelivery, { code, actual }: Mismatch): void {
  const isTakenBack = code === 'otherEvent';
  const reason = isTakenBack
    ? 'The change was taken back before its message was due.'
    : 'After a later change the rule no longer matched.';
  dropDelivery(scene.state, delivery, reason, { code: 'settled', ...(!isTakenBack && { actual: { code, actual } }) });
  if (rule.stopAfter) scene.freed.set(delivery.chatWebhookId, delivery);
  leaveUntold(scene, delivery);
}

function leaveUntold({ untold }: Scene, delivery: PendingDelivery): void {
  untold.set(delivery.chatWebhookId, [...(untold.get(delivery.chatWebhookId) ?? []), delivery]);
}

/** With the reason, unless nothing is left of the change. */
function settledSilently(rule: Rule, { code, actual }: Mismatch): Decision {
  const decision = { ruleId: rule.id, matched: false, code: 'settled' as const };
  return code === 'otherEvent' ? decision : { ...decision, actual: { code, actual } };
}

/** Messages for those destinations of the rule for which none waits; null when there are none or they hear nothing. */
function oweRest(rule: Rule, scene: Scene, mine: readonly PendingDelivery[]): Decision | null {
  const rest = destinationsOf(rule, scene).filter(({ id }) => mine.every((delivery) => delivery.chatWebhookId !== id));
  if (rest.length === 0) return null;
  const decision = decideFor(rule, scene, rest, scene.own);
  return decision.matched ? decision : null;
}

function destinationsOf(rule: Rule, scene: Scene): readonly Destination[] {
  return rule.targetWebhookIds.map((id) => scene.rules.destinations.get(id)).filter((found) => found !== undefined);
}

function retellUnlessTold(rule: Rule, scene: Scene, delivery: PendingDelivery, change: RecordChange): void {
  const teller = scene.toldBy.get(delivery.chatWebhookId);
  if (teller !== undefined) {
    const { reason, decision } = droppingFor(teller);
    dropDelivery(scene.state, delivery, reason, decision);
    leaveUntold(scene, delivery);
  } else retell(scene.state, delivery, asCorrection(change, rule, scene, delivery.chatWebhookId));
  if (teller === undefined && rule.stopAfter) scene.toldBy.set(delivery.chatWebhookId, rule);
}

function droppingFor(teller: Rule): Dropping {
  const actual = { ruleId: teller.id, ruleName: teller.name };
  return {
    reason: `Rule “${teller.name}” tells the same destination of this change.`,
    decision: { code: 'alreadyTold', actual },
  };
}

function isToldByAnother(rule: Rule, scene: Scene, chatWebhookId: number): boolean {
  const teller = scene.toldBy.get(chatWebhookId);
  return teller !== undefined && teller.id !== rule.id;
}

function alreadyTold(rule: Rule, scene: Scene, chatWebhookId: number | undefined): Decision {
  const teller = chatWebhookId === undefined ? undefined : scene.toldBy.get(chatWebhookId);
  return {
    ruleId: rule.id,
    matched: false,
    code: 'alreadyTold',
    actual: { ruleId: teller?.id ?? null, ruleName: teller?.name ?? null },
  };
}

/** A message for each destination that no rule with `stopAfter` told already, due when the window closes. */
function owe(rule: Rule, scene: Scene, transition: Transition, basis: Basis, destinations: readonly Destination[]): Decision {
  const change = changeTold(scene, transition, basis.beginning);
  const fresh = destinations.filter((destination) => !isToldAsGone(transition, destination, scene));
  if (fresh.length === 0 && destinations.length > 0) return { ruleId: rule.id, matched: false, code: 'toldAsGone' };
  const open = fresh.filter((destination) => !isToldByAnother(rule, scene, destination.id));
  if (open.length === 0 && destinations.length > 0) return alreadyTold(rule, scene, fresh[0]?.id);
  for (const destination of open) {
    oweTo(destination, rule, scene, change, basis);
    if (rule.stopAfter) scene.toldBy.set(destination.id, rule);
  }
  return { ruleId: rule.id, matched: true, code: destinations.length === 0 ? 'noDestination' : 'matched' };
}
