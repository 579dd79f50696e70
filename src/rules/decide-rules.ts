/** Decides every concerned rule for one event: what it tells, what a waiting message tells now, or why it stays silent. Pure. */

import type { Decision } from '../core/decision';
import type { ExchangeRates } from '../core/exchange-rates';
import type { RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { RecordChange, Transition } from '../core/transition';
import { dropDelivery, pendingOf, retell, slim, type BatchState, type StoredEvent } from './batch-state';
import { deriveTransitions, netChange } from './derive-transitions';
import { matchRule, type Match, type RuleIndex } from './match-rules';
import type { Destination, NewDelivery, PendingDelivery } from './routing-ledger';
import { isSame } from './same-value';
import type { Story } from './tell-story';

/** What routing of a tenant goes by. */
export interface RoutingRules {
  readonly index: RuleIndex;
  readonly byId: ReadonlyMap<number, Rule>;
  readonly destinations: ReadonlyMap<number, Destination>;
  readonly baseCurrency: string;
  readonly rates: ExchangeRates;
  /** IANA zone of the tenant. */
  readonly timeZone: string;
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
  /** What the window had shown before this event; empty when this event opened it. */
  readonly shownBefore: readonly Transition[];
  /** Messages about the same record that still wait. */
  readonly waiting: readonly PendingDelivery[];
  readonly state: BatchState;
  readonly rules: RoutingRules;
  /** Destinations that a rule with `stopAfter` told of this change, and by which rule. */
  readonly toldBy: Map<number, Rule>;
}

/** One decision per rule that listens to what happened or has a message about the record waiting. */
export function decideRules(
  stored: StoredEvent,
  story: Story,
  window: Window | null,
  state: BatchState,
  rules: RoutingRules,
): readonly Decision[] {
  const waiting = pendingOf(state, story.entity, story.entityId);
  const shownBefore = window === null || window.isNew ? [] : transitionsBetween(window.before, story.change.before, story);
  const scene: Scene = { stored, story, window, shownBefore, waiting, state, rules, toldBy: new Map() };
  const withMessages = waiting
    .map((delivery) => rules.byId.get(delivery.ruleId))
    .filter((rule) => rule !== undefined)
    .filter((rule) => waitingOf(rule, scene).length > 0);
  const net = window === null || window.isNew ? [] : netTransitions(window.before, story, []);
  const concerned = new Set([...listeners(story.transitions, rules), ...listeners(net, rules), ...withMessages]);
  return [...concerned].sort(byPosition).map((rule) => decideRule(rule, scene));
}

const byPosition = (left: Rule, right: Rule): number => left.position - right.position || left.id - right.id;

/** Rules that listen to any of these transitions. */
export function listeners(transitions: readonly Transition[], rules: RoutingRules): readonly Rule[] {
  return transitions.flatMap((transition) => rules.index.get(transition.type) ?? []);
}

function decideRule(rule: Rule, scene: Scene): Decision {
  const mine = waitingOf(rule, scene);
  const first = mine[0];
  if (first !== undefined) return decideAnew(rule, scene, mine, first);
  const basis = basisFor(rule, scene);
  const match = measure(rule, scene, basis);
  return match.matched ? owe(rule, scene, match.transition, basis, destinationsOf(rule, scene)) : silent(rule, match);
}

/** What a rule is measured by: transitions with the fields they changed. */
interface Shown {
  readonly transitions: readonly Transition[];
  readonly previous: RecordState | null;
}

function measure(rule: Rule, scene: Scene, shown: Shown, state: RecordState = scene.story.state): Match {
  const { stored, rules } = scene;
  const { actorUserId, changeSource, isBulkEdit } = stored.event;
  return matchRule(rule, {
    ...shown,
    state,
    event: { actor_user_id: actorUserId, change_source: changeSource, is_bulk_edit: isBulkEdit },
    receivedAt: stored.receivedAt,
    baseCurrency: rules.baseCurrency,
    rates: rules.rates,
    timeZone: rules.timeZone,
  });
}

/** Old values of what changed between two states of the story's record; null for a creation. */
function previousBetween(before: RecordState | null, after: RecordState | null, story: Story): RecordState | null {
  return before === null ? null : netChange(story.entity, before, after).previous;
}

function settleMsOf(rule: Rule, rules: RoutingRules): number {
  return rule.settleMs ?? rules.defaultSettleMs;
}

/**
 * Messages of the rule whose window this event falls into. Their `notBefore` may lie after the window's end, for the sake of
 * order within a space; a rule that does not settle has no window at all.
 */
function waitingOf(rule: Rule, scene: Scene): readonly PendingDelivery[] {
  const settleMs = settleMsOf(rule, scene.rules);
  if (settleMs === 0) return [];
  const receivedMs = scene.stored.receivedAt.getTime();
  return scene.waiting.filter(
    ({ ruleId, notBefore, receivedAt }) =>
      ruleId === rule.id && receivedMs <= Math.min(notBefore.getTime(), receivedAt.getTime() + settleMs),
  );
}

/** From which state on a rule measures the change, and since when its window is open. */
interface Basis extends Shown {
  readonly before: RecordState | null;
  readonly openedAtMs: number;
}

/** What this event alone shows. */
function ownBasis({ story, stored }: Scene): Basis {
  const { before, previous } = story.change;
  return {
    transitions: story.transitions,
    previous: before === null ? null : previous,
    before,
    openedAtMs: stored.receivedAt.getTime(),
  };
}

/** The net change since the window opened, unless that was told already and the message has left: then this event alone. */
function basisFor(rule: Rule, scene: Scene): Basis {
  const { story, window, stored } = scene;
  const settleMs = settleMsOf(rule, scene.rules);
  if (window === null || window.isNew || settleMs === 0) return ownBasis(scene);
  const openedAtMs = window.openedAt.getTime();
  if (stored.receivedAt.getTime() - openedAtMs > settleMs) return ownBasis(scene);
  const shownBefore = { transitions: scene.shownBefore, previous: previousBetween(window.before, story.change.before, story) };
  if (measure(rule, scene, shownBefore, story.change.before ?? {}).matched) return ownBasis(scene);
  const previous = previousBetween(window.before, story.change.after, story);
  return { transitions: netTransitions(window.before, story, []), previous, before: window.before, openedAtMs };
}

/** Merges and conversions are no matter of fields: a waiting message of one stays what it is. */
const STORIES: ReadonlySet<string> = new Set(['deal.merged', 'lead.converted']);

function netTransitions(before: RecordState | null, story: Story, told: readonly Transition[]): readonly Transition[] {
  const derived = transitionsBetween(before, story.change.after, story);
  if (story.change.after === null) return derived;
  const seen = [...told, ...story.transitions];
  const kept = seen.find((transition) => STORIES.has(transition.type));
  const net = before === null ? derived : withPresent(derived, seen);
  return kept === undefined ? net : [kept, ...net.filter((transition) => transition.type !== kept.type)];
}

/** A custom field that was edited counts even where both sides carried one value: no net change can show it. */
function withPresent(net: readonly Transition[], seen: readonly Transition[]): readonly Transition[] {
  const type = 'deal.field_changed';
  const visible = net.find((transition) => transition.type === type)?.changes ?? [];
  const hidden = seen
    .filter((transition) => transition.type === type)
    .flatMap(({ changes }) => changes)
    .filter(({ field, from, to }) => isSame(from, to) && visible.every((change) => change.field !== field));
  if (hidden.length === 0) return net;
  const changes = [...visible, ...new Map(hidden.map((change) => [change.field, change])).values()];
  return [...net.filter((transition) => transition.type !== type), { type, changes }];
}

function transitionsBetween(before: RecordState | null, after: RecordState | null, story: Story): readonly Transition[] {
  return deriveTransitions({ ...netChange(story.entity, before, after), convertedFromLeadId: story.convertedFrom });
}

function silent(rule: Rule, match: Extract<Match, { matched: false }>): Decision {
  const decision = { ruleId: rule.id, matched: false, code: match.code };
  return match.actual === undefined ? decision : { ...decision, actual: match.actual };
}

/**
 * A later event inside the window: each waiting message tells the net change, or nothing when that was taken back. A destination
 * whose message has left already hears of this event alone.
 */
function decideAnew(rule: Rule, scene: Scene, mine: readonly PendingDelivery[], first: PendingDelivery): Decision {
  const match = measure(rule, scene, {
    transitions: netTransitions(first.recordBefore, scene.story, [first.change.transition]),
    previous: previousBetween(first.recordBefore, scene.story.change.after, scene.story),
  });
  const told = oweRest(rule, scene, mine);
  if (!match.matched) {
    for (const delivery of mine) dropDelivery(scene.state, delivery, 'The change was taken back before its message was due.');
    return told ?? { ruleId: rule.id, matched: false, code: 'settled' };
  }
  // Who began it is told, not the automation that tidied up a second later.
  const { actorUserId, occurredAt } = first.change;
  const change = { ...changeTold(scene, match.transition), actorUserId, occurredAt };
  for (const delivery of mine) retellUnlessTold(rule, scene, delivery, change);
  const isSilenced = mine.every((delivery) => isToldByAnother(rule, scene, delivery.chatWebhookId));
  if (isSilenced) return told ?? alreadyTold(rule, scene, mine[0]?.chatWebhookId);
  return told ?? { ruleId: rule.id, matched: true, code: 'settled', toldByEventId: first.eventId };
}

/** Messages for those destinations of the rule for which none waits; null when there are none or they hear nothing. */
function oweRest(rule: Rule, scene: Scene, mine: readonly PendingDelivery[]): Decision | null {
  const rest = destinationsOf(rule, scene).filter(({ id }) => mine.every((delivery) => delivery.chatWebhookId !== id));
  if (rest.length === 0) return null;
  const basis = ownBasis(scene);
  const match = measure(rule, scene, basis);
  return match.matched ? owe(rule, scene, match.transition, basis, rest) : null;
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

function destinationsOf(rule: Rule, scene: Scene): readonly Destination[] {
  return rule.targetWebhookIds.map((id) => scene.rules.destinations.get(id)).filter((found) => found !== undefined);
}

function retellUnlessTold(rule: Rule, scene: Scene, delivery: PendingDelivery, change: RecordChange): void {
  const teller = scene.toldBy.get(delivery.chatWebhookId);
  if (teller !== undefined)
    dropDelivery(scene.state, delivery, `Rule "${teller.name}" tells the same destination of this change.`);
  else retell(scene.state, delivery, change);
  if (teller === undefined && rule.stopAfter) scene.toldBy.set(delivery.chatWebhookId, rule);
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
  const change = changeTold(scene, transition);
  const recordBefore = basis.before === null ? null : slim(basis.before);
  const open = destinations.filter((destination) => !isToldByAnother(rule, scene, destination.id));
  if (open.length === 0 && destinations.length > 0) return alreadyTold(rule, scene, destinations[0]?.id);
  for (const destination of open) {
    oweTo(destination, rule, scene, { change, recordBefore, notBefore: dueAt(rule, scene, basis, destination) });
    if (rule.stopAfter) scene.toldBy.set(destination.id, rule);
  }
  return { ruleId: rule.id, matched: true, code: destinations.length === 0 ? 'noDestination' : 'matched' };
}

function oweTo(
  destination: Destination,
  rule: Rule,
  scene: Scene,
  message: Pick<NewDelivery, 'change' | 'recordBefore' | 'notBefore'>,
): void {
  const { id: eventId, receivedAt } = scene.stored;
  const created: NewDelivery = { ...message, eventId, rule, destination, isDropped: false };
  const addressed = {
    ...message,
    eventId,
    receivedAt,
    ruleId: rule.id,
    chatWebhookId: destination.id,
    spaceId: destination.spaceId,
  };
  scene.state.created.push(created);
  scene.state.pending = [...scene.state.pending, { ...addressed, id: null, created }];
}

/** When the window closes, but never before a message of an earlier event about the same record in the same space. */
function dueAt(rule: Rule, scene: Scene, basis: Basis, destination: Destination): Date {
  const { stored, story, state, rules } = scene;
  const earlier = pendingOf(state, story.entity, story.entityId)
    .filter((delivery) => delivery.spaceId === destination.spaceId && delivery.eventId !== stored.id)
    .map((delivery) => delivery.notBefore.getTime());
  return new Date(Math.max(stored.receivedAt.getTime(), basis.openedAtMs + settleMsOf(rule, rules), ...earlier));
}
