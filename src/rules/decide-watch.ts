/** Decides one watch for one event of its record, behind all rules: it tells its destination what none of them tells there. Pure. */

import type { Decision } from '../core/decision';
import type { RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { Transition } from '../core/transition';
import { fieldsOf, isUnnamed, sinceTold } from './basis-at';
import { dropDelivery, pendingOf, retell } from './batch-state';
import { tellsSame } from './corrections';
import { isToldAsGone } from './late-merge';
import { begunBy, isTelling, isUpToDate, measure, ruleOf, waitingOf, windowFor, type Basis, type Scene } from './measure-rule';
import type { Shown } from './net-transitions';
import { asCorrection, changeTold, oweTo } from './owe-message';
import type { Destination, PendingDelivery } from './routing-ledger';
import { hearsAny, isMoment } from './watch-rules';

export function decideWatch(watch: Rule, scene: Scene): Decision {
  const destination = scene.rules.destinations.get(watch.targetWebhookIds[0] ?? 0);
  if (destination === undefined) return { ruleId: watch.id, matched: true, code: 'noDestination' };
  const waiting = waitingAt(destination, watch, scene);
  const whole = basisOf(watch, scene, destination, waiting);
  const basis = { ...whole, transitions: whole.transitions.filter((each) => !isToldAsGone(each, destination, scene)) };
  const match = measure(watch, scene, basis, basis.beginning);
  const isGoneAlone = waiting === undefined && basis.transitions.length < whole.transitions.length;
  if (!match.matched) return silent(watch, scene, isGoneAlone ? 'toldAsGone' : match.code, waiting);
  const { left, teller } = untold(watch, scene, destination.id, basis);
  const news = measure(watch, scene, left, basis.beginning);
  if (!news.matched) return leaveTo(teller, watch, scene, waiting);
  const change = changeTold(scene, news.transition, basis.beginning);
  const before = stateBefore(basis, left, scene);
  if (waiting === undefined) {
    oweTo(destination, watch, scene, change, { ...basis, before });
    return { ruleId: watch.id, matched: true, code: 'matched' };
  }
  retell(scene.state, waiting, asCorrection(change, watch, scene, destination.id), before);
  return { ruleId: watch.id, matched: true, code: 'settled', toldByEventId: waiting.eventId };
}

/**
 * The message of the watch that may tell this event too. It may not when one behind it tells of the same field as it was before: people would
 * read of the way on first.
 */
function waitingAt({ id }: Destination, watch: Rule, scene: Scene): PendingDelivery | undefined {
  const last = waitingOf(watch, scene).at(-1);
  const fields = scene.own.transitions.flatMap(fieldsOf);
  const isBehind = (other: PendingDelivery): boolean =>
    other.chatWebhookId === id && last !== undefined && other.eventId > last.eventId && isTelling(other, scene);
  const isOvertaken = pendingOf(scene.state, scene.story.entity, scene.story.entityId).some(
    (other) =>
      isBehind(other) && !isUpToDate(other, scene) && fieldsOf(other.change.transition).some((field) => fields.includes(field)),
  );
  return isOvertaken ? undefined : last;
}

/**
 * What the watch tells by a message that waits, what rules were about to tell there and do not any more, and this event: all else was
 * told by others.
 */
function basisOf(watch: Rule, scene: Scene, { id }: Destination, waiting: PendingDelivery | undefined): Basis {
  const freed = (scene.untold.get(id) ?? []).filter((message) => isTelling(message, scene));
  const open = [...(waiting === undefined ? [] : [waiting]), ...freed].sort((left, right) => left.eventId - right.eventId);
  const [first] = open;
  const openedAt = windowFor(watch, scene)?.openedAt ?? first?.receivedAt ?? scene.stored.receivedAt;
  const beginning = first === undefined ? scene.own.beginning : begunBy(first, scene);
  return { ...sinceTold(open, scene), openedAtMs: openedAt.getTime(), beginning };
}

/** Where a rule tells the birth, the watch tells at most what the new record was won or lost as. */
function stateBefore({ before, transitions }: Basis, left: Shown, { story }: Scene): RecordState | null {
  const isBirthTold = before === null && transitions.some(isBirth) && !left.transitions.some(isBirth);
  return isBirthTold ? { ...story.state, status: null } : before;
}

const isBirth = ({ type }: Transition): boolean => type === 'deal.created' || type === 'lead.converted';

/** Nothing is news there any more: what a message was about to tell was taken back. */
function silent(watch: Rule, { state, story }: Scene, code: Decision['code'], waiting: PendingDelivery | undefined): Decision {
  if (waiting !== undefined) dropDelivery(state, waiting, 'The change was taken back before its message was due.');
  const isTakenBack = waiting !== undefined || (code === 'otherEvent' && hearsAny(watch, story.transitions));
  return { ruleId: watch.id, matched: false, code: isTakenBack ? 'settled' : code };
}

function leaveTo(teller: PendingDelivery | null, watch: Rule, scene: Scene, waiting: PendingDelivery | undefined): Decision {
  const rule = teller === null ? undefined : ruleOf(teller.ruleId, scene);
  const actual = { ruleId: teller?.ruleId ?? null, ruleName: rule?.name ?? null };
  const decision = { code: 'alreadyTold', actual } as const;
  const name = rule === undefined ? 'Another rule' : `Rule “${rule.name}”`;
  if (waiting !== undefined) dropDelivery(scene.state, waiting, `${name} tells the same destination of this change.`, decision);
  return { ruleId: watch.id, matched: false, ...decision };
}

interface Untold {
  readonly left: Shown;
  /** Who tells the rest; null when all is left. */
  readonly teller: PendingDelivery | null;
}

/** Without what another message tells the same destination. */
function untold(watch: Rule, scene: Scene, chatWebhookId: number, shown: Shown): Untold {
  const { state, story, stored } = scene;
  const others = pendingOf(state, story.entity, story.entityId).filter(
    (other) => other.chatWebhookId === chatWebhookId && other.ruleId !== watch.id && isTelling(other, scene),
  );
  let teller: PendingDelivery | null = null;
  const isUntold = (transition: Transition): boolean => {
    // What a new deal was won or lost as is told for good also where the rule does not settle: that message waits behind the birth.
    const mayTell = (other: PendingDelivery): boolean => isUnnamed(transition) || isUpToDate(other, scene);
    const found = others.find((other) => mayTell(other) && isTeller(other, transition, stored.id));
    if (found !== undefined && watch.hears?.has(transition.type) === true) teller = found;
    return found === undefined;
  };
  const transitions = shown.transitions.filter((transition) => transition.type === 'deal.field_changed' || isUntold(transition));
  return { left: { ...shown, transitions }, teller };
}

function isTeller({ change, eventId, recordBefore }: PendingDelivery, transition: Transition, ownEventId: number): boolean {
  const told = change.transition;
  if (transition.changes.length === 0 || told.changes.length === 0) {
    return isSameStory(told, transition) || (recordBefore === null && isBirth(told) && !isMoment(transition));
  }
  const isOfEvent = eventId === ownEventId;
  const isCovered = transition.changes.every(({ field }) => told.changes.some((other) => other.field === field));
  return tellsSame(transition, told) || (isOfEvent && isCovered);
}

function isSameStory(told: Transition, transition: Transition): boolean {
  return told.type === transition.type && told.relatedId === transition.relatedId;
}
