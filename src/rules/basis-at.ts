/** From where a destination is to hear on: what was told there already, by whom it may be, is not news. Pure. */

import type { RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { Transition } from '../core/transition';
import { begunBy, isTelling, isUpToDate, measure, windowFor, type Basis, type Scene } from './measure-rule';
import { customFields, netOfWindow, netSince, type Shown } from './net-transitions';
import type { Destination, HeldBack, PendingDelivery } from './routing-ledger';
import { hearsAny, watchIdOf } from './watch-rules';

/**
 * From where the rule tells this destination, where its window says `basis`: at a place where it was silenced the whole net change is
 * news, and where the record is watched it goes on from where the watch ended, or from what was known when that began.
 */
export function basisAt({ id }: Destination, rule: Rule, scene: Scene, basis: Basis): Basis {
  const message = scene.freed.get(id);
  const whole = message === undefined ? basis : freedBasis(rule, scene, message);
  const watch = rule.digest === null ? watchAt(id, scene) : undefined;
  return watch === undefined ? whole : behindWatch(id, rule, scene, whole, watch);
}

function watchAt(chatWebhookId: number, { watchers, stored }: Scene): Rule | undefined {
  return watchers.find(
    ({ targetWebhookIds, enabledAt }) => targetWebhookIds.includes(chatWebhookId) && enabledAt <= stored.receivedAt,
  );
}

/**
 * Where nothing waits about these fields, all that came before this event was told there; where this event takes back what waits, nothing
 * is left to tell. A rule that matches the whole alone tells the whole, unless the watch has told just that: one that began later than the
 * rule's window has not.
 */
function behindWatch(chatWebhookId: number, rule: Rule, scene: Scene, basis: Basis, watch: Rule): Basis {
  const match = measure(rule, scene, basis, basis.beginning);
  const fields = match.matched ? fieldsOf(match.transition) : [];
  if (fields.length === 0) return basis;
  const isAbout = (transition: Pick<Transition, 'type' | 'changes'>): boolean =>
    fieldsOf(transition).some((field) => fields.includes(field));
  const waiting = scene.waiting.filter(
    (message) =>
      message.chatWebhookId === chatWebhookId &&
      isAbout(message.change.transition) &&
      isUpToDate(message, scene) &&
      isTelling(message, scene),
  );
  const rest = { ...basis, ...sinceTold(waiting, scene) };
  if (measure(rule, scene, rest, rest.beginning).matched) return rest;
  if (watch.enabledAt.getTime() > basis.openedAtMs || rest.transitions.some(isAbout)) return basis;
  if (waiting.length > 0) return rest;
  if (!match.matched || !hearsAny(watch, [match.transition])) return basis;
  const heldBack = scene.state.heldBack.filter(
    (message) => isHeldBack(message, rule, watch, basis) && isAbout(message.transition),
  );
  return heldBack.length === 0 ? { ...rest, toldBy: watch } : { ...basis, heldBack };
}

/** What waits for the end of quiet hours is told to all but urgent rules, whose messages would go now. */
function isHeldBack({ ruleId, receivedAt, isHeld }: HeldBack, rule: Rule, watch: Rule, { openedAtMs }: Basis): boolean {
  return ruleId === watch.id && receivedAt.getTime() >= openedAtMs && (rule.urgent || !isHeld);
}

/** What is news where these messages wait and will be told anew: their changes, and of everything else this event alone. */
export function sinceTold(waiting: readonly PendingDelivery[], { own, story }: Scene): Shown & Pick<Basis, 'before'> {
  if (waiting.length === 0) return own;
  const before = beforeTold(waiting, story.change.before);
  const told = waiting.map(({ change }) => change.transition);
  return { ...netSince(before, story, told), before };
}

/** The state before this event, with the fields that these messages tell as they were before the first of them. */
function beforeTold(waiting: readonly PendingDelivery[], before: RecordState | null): RecordState | null {
  return waiting.reduceRight<RecordState | null>((state, { ruleId, recordBefore, change }) => {
    const fields = fieldsOf(change.transition);
    if (recordBefore !== null) return state === null ? recordBefore : withFields(state, recordBefore, fields);
    // Of a new deal a rule tells the one thing, a watch the birth too.
    return state === null || fields.length === 0 || watchIdOf(ruleId) !== null
      ? null
      : withFields(state, { status: null }, fields);
  }, before);
}

/** What a message tells of. */
export function fieldsOf(transition: Pick<Transition, 'type' | 'changes'>): readonly string[] {
  const fields = transition.changes.flatMap(({ field }) => (field === 'value' ? ['value', 'currency'] : [field]));
  return isUnnamed(transition) ? ['status', ...fields] : fields;
}

/** A win or loss beside the birth names no way. */
export function isUnnamed({ type, changes }: Pick<Transition, 'type' | 'changes'>): boolean {
  return (type === 'deal.won' || type === 'deal.lost') && changes.every(({ field }) => field !== 'status');
}

function withFields(state: RecordState, old: RecordState, fields: readonly string[]): RecordState {
  const [plain, custom] = [fields.filter((field) => field in old), fields.filter((field) => !(field in old))];
  const restored = { ...state, ...pick(old, plain) };
  if (custom.length === 0) return restored;
  return { ...restored, custom_fields: { ...customFields(state), ...pick(customFields(old), custom) } };
}

function pick(state: RecordState, fields: readonly string[]): RecordState {
  return Object.fromEntries(fields.map((field) => [field, state[field] ?? null]));
}

/** Where the rule was silenced since that message. */
function freedBasis(rule: Rule, scene: Scene, message: PendingDelivery): Basis {
  const { story } = scene;
  const window = windowFor(rule, scene);
  const beginning = begunBy(message, scene);
  if (window !== null && !window.isNew)
    return { ...netOfWindow(window, story), openedAtMs: window.openedAt.getTime(), beginning };
  const { recordBefore, change, receivedAt } = message;
  const shown = netSince(recordBefore, story, [change.transition]);
  return { ...shown, before: recordBefore, openedAtMs: receivedAt.getTime(), beginning };
}
