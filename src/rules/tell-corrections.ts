/** Tells a record's thread that what it was told was taken back, where no rule tells that there anyway. */

import type { Decision } from '../core/decision';
import type { Rule } from '../core/rule';
import type { Transition } from '../core/transition';
import { pendingOf } from './batch-state';
import { takesBack, tellsSame, wayBack } from './corrections';
import { isUpToDate, ruleOf, waitingOf, windowFor, type Basis, type Scene } from './measure-rule';
import { netOfWindow, shownBeforeEvent } from './net-transitions';
import { changeTold, lastTold, oweTo } from './owe-message';
import type { Destination, ToldChange } from './routing-ledger';

/** The decisions of the event, with those of rules whose message is corrected. A correction waits for its window as any message. */
export function withCorrections(decisions: readonly Decision[], scene: Scene): readonly Decision[] {
  if (scene.told.length === 0) return decisions;
  const speaking = new Set(decisions.filter(({ matched }) => matched).map(({ ruleId }) => ruleId));
  const ruleIds = [...new Set(scene.told.map(({ ruleId }) => ruleId))].filter((id) => !speaking.has(id));
  const corrected = ruleIds
    .map((id) => scene.rules.byId.get(id))
    .filter((rule) => rule !== undefined)
    .sort((left, right) => left.position - right.position || left.id - right.id)
    .map((rule) => correctionBy(rule, scene))
    .filter((decision) => decision !== null);
  const ids = new Set(corrected.map(({ ruleId }) => ruleId));
  return [...decisions.filter(({ ruleId }) => !ids.has(ruleId)), ...corrected];
}

/** Null when nothing that the rule told is taken back by this event. */
function correctionBy(rule: Rule, scene: Scene): Decision | null {
  const { rules, stored } = scene;
  if (stored.receivedAt < rule.enabledAt || waitingOf(rule, scene).some(({ change }) => change.transition.corrects !== undefined))
    return null;
  const made = rule.targetWebhookIds
    .map((id) => rules.destinations.get(id))
    .filter((destination) => destination?.isThreaded === true)
    .map((destination) => (destination === undefined ? null : correctAt(destination, rule, scene)))
    .filter((decision) => decision !== null);
  return made.find(({ matched }) => matched) ?? made[0] ?? null;
}

function correctAt(destination: Destination, rule: Rule, scene: Scene): Decision | null {
  const told = lastTold(rule, destination.id, scene);
  if (told === null) return null;
  for (const basis of basesOf(rule, scene, told, destination)) {
    const back = wayBack(told, basis.transitions, scene.stored.receivedAt);
    if (back !== null && !isOfUntold(back, destination, scene)) return correct(destination, rule, scene, back, basis);
  }
  return null;
}

/** What this event takes back was about to be told and is not: the thread knows nothing of it. */
function isOfUntold(back: Transition, { id }: Destination, { untold }: Scene): boolean {
  const messages = untold.get(id) ?? [];
  return messages.some(({ change: { transition } }) => transition.changes.length > 0 && takesBack(back, transition));
}

function correct(destination: Destination, rule: Rule, scene: Scene, back: Transition, basis: Basis): Decision {
  const { state, story } = scene;
  const teller = pendingOf(state, story.entity, story.entityId).find(
    (message) =>
      message.chatWebhookId === destination.id && isUpToDate(message, scene) && tellsSame(back, message.change.transition),
  );
  if (teller !== undefined) {
    const actual = { ruleId: teller.ruleId, ruleName: ruleOf(teller.ruleId, scene)?.name ?? null };
    return { ruleId: rule.id, matched: false, code: 'alreadyTold', actual };
  }
  oweTo(destination, rule, scene, changeTold(scene, back, basis.beginning), basis);
  const corrects = back.corrects === undefined ? {} : { toldByEventId: back.corrects };
  return { ruleId: rule.id, matched: true, code: 'corrected', ...corrects };
}

/**
 * The net change of the rule's window first, then what this event alone shows: the message may have left early. So may one about the way
 * back, where that was shown before this event already.
 */
function basesOf(rule: Rule, scene: Scene, told: ToldChange, { id }: Destination): readonly Basis[] {
  const window = windowFor(rule, scene);
  if (window === null || window.isNew) return [scene.own];
  const isBack = (transitions: readonly Transition[]): boolean => wayBack(told, transitions, scene.stored.receivedAt) !== null;
  const isUntold = scene.untold.get(id)?.some(({ change }) => isBack([change.transition])) === true;
  if (!isUntold && isBack(shownBeforeEvent(window, scene.story).transitions)) return [scene.own];
  const net = netOfWindow(window, scene.story);
  return [{ ...net, openedAtMs: window.openedAt.getTime(), beginning: scene.own.beginning }, scene.own];
}
