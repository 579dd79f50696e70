/** Decides one watch for one event of its record, behind all rules: it tells its destination what none of them tells there. Pure. */

import type { Decision } from '../core/decision';
import type { Rule } from '../core/rule';
import type { Transition } from '../core/transition';
import { dropDelivery, pendingOf, retell } from './batch-state';
import { tellsSame } from './corrections';
import { basisFor, begunBy, freedBasis, measure, ruleOf, waitingOf, type Basis, type Scene } from './measure-rule';
import { netSince, type Shown } from './net-transitions';
import { asCorrection, changeTold, oweTo } from './owe-message';
import type { Destination, PendingDelivery } from './routing-ledger';

export function decideWatch(watch: Rule, scene: Scene): Decision {
  const [waiting] = waitingOf(watch, scene);
  if (waiting !== undefined) return decideAnew(watch, scene, waiting);
  const destination = scene.rules.destinations.get(watch.targetWebhookIds[0] ?? 0);
  if (destination === undefined) return { ruleId: watch.id, matched: true, code: 'noDestination' };
  const basis = basisAt(destination, watch, scene);
  const match = measure(watch, scene, basis, basis.beginning);
  if (!match.matched) return silent(watch, scene, match.code);
  const { left, teller } = untold(watch, scene, destination.id, basis);
  const news = measure(watch, scene, left, basis.beginning);
  if (!news.matched) return { ruleId: watch.id, matched: false, ...alreadyTold(teller, scene) };
  oweTo(destination, watch, scene, changeTold(scene, news.transition, basis.beginning), basis);
  return { ruleId: watch.id, matched: true, code: 'matched' };
}

/** Where a rule was about to tell something and does not any more, what is left of that is news together with this event. */
function basisAt(destination: Destination, watch: Rule, scene: Scene): Basis {
  const untold = [...(scene.untold.get(destination.id) ?? [])].sort((left, right) => left.eventId - right.eventId);
  const [first] = untold;
  if (first === undefined) return basisFor(watch, scene);
  const basis = freedBasis(watch, scene, first);
  return { ...basis, ...onlyOf(basis, untold, scene) };
}

/** A later event inside the window: the waiting message tells the net change, or nothing when that was taken back or is told by a rule. */
function decideAnew(watch: Rule, scene: Scene, waiting: PendingDelivery): Decision {
  const { state, story } = scene;
  const beginning = begunBy(waiting, scene);
  const net = onlyOf(netSince(waiting.recordBefore, story, [waiting.change.transition]), [waiting], scene);
  if (!measure(watch, scene, net, beginning).matched) {
    dropDelivery(state, waiting, 'The change was taken back before its message was due.');
    return { ruleId: watch.id, matched: false, code: 'settled' };
  }
  const { left, teller } = untold(watch, scene, waiting.chatWebhookId, net);
  const news = measure(watch, scene, left, beginning);
  if (!news.matched) {
    const decision = alreadyTold(teller, scene);
    dropDelivery(state, waiting, `${tellerName(teller, scene)} tells the same destination of this change.`, decision);
    return { ruleId: watch.id, matched: false, ...decision };
  }
  const change = changeTold(scene, news.transition, beginning);
  retell(state, waiting, asCorrection(change, watch, scene, waiting.chatWebhookId));
  return { ruleId: watch.id, matched: true, code: 'settled', toldByEventId: waiting.eventId };
}

/** What this event alone would have been, but the window is not: the change was taken back in it. */
function silent(watch: Rule, { story }: Scene, code: Decision['code']): Decision {
  const isOwn = story.transitions.some(({ type }) => watch.hears?.has(type) === true);
  return { ruleId: watch.id, matched: false, code: code === 'otherEvent' && isOwn ? 'settled' : code };
}

/** The net change as far as these messages were about it or this event is: the rest was told by others and has left already. */
function onlyOf(net: Shown, messages: readonly PendingDelivery[], { story }: Scene): Shown {
  const told = messages.map(({ change }) => change.transition);
  const types = new Set([...told, ...story.transitions].map(({ type }) => type));
  const fields = new Set(told.flatMap(({ changes }) => changes.map(({ field }) => field)));
  const isOwn = (transition: Transition): boolean =>
    transition.type === 'deal.field_changed' ||
    types.has(transition.type) ||
    transition.changes.some(({ field }) => fields.has(field));
  return { ...net, transitions: net.transitions.filter(isOwn) };
}

interface Untold {
  readonly left: Shown;
  /** Who tells the rest; null when all is left. */
  readonly teller: PendingDelivery | null;
}

/** Without what another message tells the same destination. A digest is a summary, and does not count. */
function untold(watch: Rule, scene: Scene, chatWebhookId: number, shown: Shown): Untold {
  const { state, story, stored } = scene;
  const others = pendingOf(state, story.entity, story.entityId).filter(
    (other) => other.chatWebhookId === chatWebhookId && other.ruleId !== watch.id && ruleOf(other.ruleId, scene)?.digest == null,
  );
  let teller: PendingDelivery | null = null;
  const isUntold = (transition: Transition): boolean => {
    const found = others.find((other) => isTeller(other, transition, stored.id));
    if (found !== undefined && watch.hears?.has(transition.type) === true) teller = found;
    return found === undefined;
  };
  const transitions = shown.transitions.filter((transition) => transition.type === 'deal.field_changed' || isUntold(transition));
  return { left: { ...shown, transitions }, teller };
}

function isTeller({ change, eventId }: PendingDelivery, transition: Transition, ownEventId: number): boolean {
  const told = change.transition;
  if (transition.changes.length === 0) return told.type === transition.type && told.relatedId === transition.relatedId;
  const isOfEvent = eventId === ownEventId && told.changes.length > 0;
  const isCovered = transition.changes.every(({ field }) => told.changes.some((other) => other.field === field));
  return tellsSame(transition, told) || (isOfEvent && isCovered);
}

function alreadyTold(teller: PendingDelivery | null, scene: Scene): Pick<Decision, 'code' | 'actual'> {
  const ruleName = teller === null ? null : (ruleOf(teller.ruleId, scene)?.name ?? null);
  return { code: 'alreadyTold', actual: { ruleId: teller?.ruleId ?? null, ruleName } };
}

function tellerName(teller: PendingDelivery | null, scene: Scene): string {
  const name = teller === null ? undefined : ruleOf(teller.ruleId, scene)?.name;
  return name === undefined ? 'Another rule' : `Rule "${name}"`;
}
