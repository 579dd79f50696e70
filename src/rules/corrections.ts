/**
 * Corrections: what a record's thread was told and is taken back after its settle window is told there as a correction, also where the
 * rule itself would not hear of the way back. Pure.
 */

import type { PipedriveEvent } from '../core/pipedrive-event';
import { isObject } from '../core/record';
import type { EventType, FieldChange, Transition } from '../core/transition';
import { recordKey, type PendingDelivery, type ShadowMap, type ToldChange } from './routing-ledger';
import { isSame } from './same-value';

const HOUR_MS = 3_600_000;

interface WayBack {
  /** What the way back is called. */
  readonly as: EventType;
  /** Later than that it is news of its own, and no correction. */
  readonly withinMs: number;
}

/** A reopening that ends in another win is news, not a mistake: it has no way back. */
const WAYS_BACK: Readonly<Partial<Record<EventType, WayBack>>> = {
  'deal.won': { as: 'deal.reopened', withinMs: 24 * HOUR_MS },
  'deal.lost': { as: 'deal.reopened', withinMs: 24 * HOUR_MS },
  'deal.stage_changed': { as: 'deal.stage_changed', withinMs: HOUR_MS },
  'deal.pipeline_changed': { as: 'deal.pipeline_changed', withinMs: HOUR_MS },
  'deal.owner_changed': { as: 'deal.owner_changed', withinMs: HOUR_MS },
  'deal.value_changed': { as: 'deal.value_changed', withinMs: HOUR_MS },
  'deal.close_date_changed': { as: 'deal.close_date_changed', withinMs: HOUR_MS },
  'deal.archived': { as: 'deal.restored', withinMs: HOUR_MS },
  'lead.archived': { as: 'lead.restored', withinMs: HOUR_MS },
  'activity.completed': { as: 'activity.reopened', withinMs: HOUR_MS },
};

/** Messages remembered of one record: more are no correction's business any more. */
const MAX_TOLD = 20;
/** Long texts would swell the row. */
const MAX_CHANGES_LENGTH = 500;

/** What is remembered of a record's messages after an event: what waits now, and what has left before. */
export function toldAfter(
  told: readonly ToldChange[],
  waiting: readonly PendingDelivery[],
  isThreaded: (chatWebhookId: number) => boolean,
  untold: ReadonlySet<string>,
  receivedAt: Date,
): readonly ToldChange[] {
  const now = waiting.filter(({ chatWebhookId }) => isThreaded(chatWebhookId)).flatMap(remembered);
  if (told.length === 0 && now.length === 0) return told;
  const known = new Set(now.map(toldKey));
  const before = told.filter(
    (entry) =>
      !known.has(toldKey(entry)) &&
      !untold.has(toldKey(entry)) &&
      entry.type !== 'deal.deleted' &&
      receivedAt.getTime() - entry.at.getTime() <= (WAYS_BACK[entry.type]?.withinMs ?? 24 * HOUR_MS),
  );
  return [...before, ...now].slice(-MAX_TOLD);
}

function remembered({ eventId, ruleId, chatWebhookId, receivedAt: at, change }: PendingDelivery): readonly ToldChange[] {
  const { type, changes, corrects } = change.transition;
  const isCorrection = corrects !== undefined;
  const canGoBack = WAYS_BACK[type] !== undefined && changes.length > 0;
  if (!isCorrection && (!canGoBack || JSON.stringify(changes).length > MAX_CHANGES_LENGTH)) return [];
  return [{ eventId, ruleId, chatWebhookId, type, changes: isCorrection ? [] : changes, isCorrection, at }];
}

/** Names one message: of that event, by that rule, to that destination. */
export function toldKey({ eventId, ruleId, chatWebhookId }: Pick<ToldChange, 'eventId' | 'ruleId' | 'chatWebhookId'>): string {
  return `${eventId}/${ruleId}/${chatWebhookId}`;
}

/** The transition that takes back what was told, as a correction of it; null when none of these does. */
export function wayBack(told: ToldChange, transitions: readonly Transition[], receivedAt: Date): Transition | null {
  const way = WAYS_BACK[told.type];
  if (told.isCorrection || way === undefined || receivedAt.getTime() - told.at.getTime() > way.withinMs) return null;
  const back = transitions.find((transition) => transition.type === way.as && takesBack(transition, told));
  return back === undefined ? null : { ...back, corrects: told.eventId };
}

/** Whether this leads back to where what was told had begun. */
export function takesBack(back: Transition, told: Pick<Transition, 'changes'>): boolean {
  return told.changes.every((change) => back.changes.some((other) => isBack(change, other)));
}

function isBack(change: FieldChange, other: FieldChange): boolean {
  return other.field === change.field && isSame(other.from, change.to) && isSame(other.to, change.from);
}

/** Whether a message tells the same ways of the same fields. */
export function tellsSame(left: Pick<Transition, 'changes'>, right: Pick<Transition, 'changes'>): boolean {
  return (
    left.changes.length > 0 &&
    left.changes.every(({ field, to }) => right.changes.some((other) => other.field === field && isAlike(other.to, to)))
  );
}

/** Among other edits of a deal its value is told without the currency. */
function isAlike(left: unknown, right: unknown): boolean {
  if (isObject(left) === isObject(right)) return isSame(left, right);
  return isSame(amountIn(left), amountIn(right));
}

function amountIn(value: unknown): unknown {
  return isObject(value) ? value['amount'] : value;
}

/** Remembered messages that these events may take back: whether they were sent at all is worth a look. */
export function doubtfulTellings(
  events: readonly { readonly event: PipedriveEvent }[],
  shadows: ShadowMap,
): readonly ToldChange[] {
  return events.flatMap(({ event }) => {
    const told = shadows.get(recordKey(event.entity, event.entityId))?.told ?? [];
    const { previous } = event;
    if (told.length === 0 || !isObject(previous)) return [];
    return told.filter(({ changes }) =>
      changes.some(({ field }) => field in previous || (field === 'value' && 'currency' in previous)),
    );
  });
}
