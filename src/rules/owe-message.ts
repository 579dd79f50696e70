/** Puts a message that a rule owes a destination into the batch: what it tells, and when it is due. */

import type { RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { RecordChange, Transition } from '../core/transition';
import { addPending, pendingOf, slim } from './batch-state';
import { toldKey, wayBack } from './corrections';
import { settleMsOf, waitingOf, type Basis, type Beginning, type Scene } from './measure-rule';
import type { Destination, NewDelivery, ToldChange } from './routing-ledger';

/** The change as messages tell it: begun by somebody, with the record as it is now. */
export function changeTold(scene: Scene, transition: Transition, { actorUserId, cause, ...beginning }: Beginning): RecordChange {
  const { entity, entityId, state } = scene.story;
  const occurredAt = scene.stored.happened?.get(transition.type) ?? beginning.occurredAt;
  return { entity, entityId, transition: { ...transition, cause }, state: slim(state), actorUserId, occurredAt };
}

/** A message of the rule for this destination, due when the window closes. */
export function oweTo(destination: Destination, rule: Rule, scene: Scene, change: RecordChange, basis: Basis): void {
  const { id: eventId, receivedAt } = scene.stored;
  const recordBefore: RecordState | null = basis.before === null ? null : slim(basis.before);
  const notBefore = dueAt(rule, scene, basis, destination);
  const told = asCorrection(change, rule, scene, destination.id);
  const created: NewDelivery = { change: told, recordBefore, notBefore, eventId, rule, destination, dropped: null };
  const address = { eventId, receivedAt, ruleId: rule.id, chatWebhookId: destination.id, spaceId: destination.spaceId };
  scene.state.created.push(created);
  addPending(scene.state.pending, { ...address, change: told, recordBefore, notBefore, id: null, created });
}

/** When the window closes, but never before a message of an earlier event about the same record in the same space. */
function dueAt(rule: Rule, scene: Scene, basis: Basis, destination: Destination): Date {
  const { stored, story, state, rules } = scene;
  const earlier = pendingOf(state, story.entity, story.entityId)
    .filter((delivery) => delivery.spaceId === destination.spaceId && delivery.eventId !== stored.id)
    .map((delivery) => delivery.notBefore.getTime());
  return new Date(Math.max(stored.receivedAt.getTime(), basis.openedAtMs + settleMsOf(rule, rules), ...earlier));
}

/** What the rule told this destination last, before the window that is open now. */
export function lastTold(rule: Rule, chatWebhookId: number, scene: Scene): ToldChange | null {
  if (scene.told.length === 0) return null;
  const waiting = new Set(waitingOf(rule, scene).map(toldKey));
  const isLeft = (told: ToldChange): boolean => !waiting.has(toldKey(told)) && !scene.state.untold.has(toldKey(told));
  const mine = scene.told.filter((told) => told.ruleId === rule.id && told.chatWebhookId === chatWebhookId && isLeft(told));
  return mine.at(-1) ?? null;
}

/** The same change, marked as a correction where it takes back what the destination was told last. */
export function asCorrection(change: RecordChange, rule: Rule, scene: Scene, chatWebhookId: number): RecordChange {
  const told = lastTold(rule, chatWebhookId, scene);
  const back = told === null ? null : wayBack(told, [change.transition], scene.stored.receivedAt);
  return back === null ? change : { ...change, transition: back };
}
