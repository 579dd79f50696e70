/** A watch follows its record when that becomes another one: the survivor of a merge, the deal of a lead. Pure. */

import type { PipedriveEvent } from '../core/pipedrive-event';
import type { Rule } from '../core/rule';
import type { BatchState } from './batch-state';
import { recordKey } from './routing-ledger';
import type { Story } from './tell-story';
import { watchIdOf, watchRule, type Watch } from './watch-rules';

/** Watches as rules, by the key of their record. */
export function indexWatches(watches: readonly Watch[]): BatchState['watches'] {
  const index = new Map<string, readonly Rule[]>();
  for (const watch of watches) {
    const key = recordKey(watch.entity, watch.entityId);
    index.set(key, [...(index.get(key) ?? []), watchRule(watch)]);
  }
  return index;
}

interface Place {
  readonly entity: string;
  readonly entityId: string;
}

/** Before the event is decided, so that the watch hears of the merge or conversion itself. */
export function followRecords(event: PipedriveEvent, story: Story, state: BatchState): void {
  if (state.watches.size === 0) return;
  const { entity, entityId, mergedToId, mergedFromId } = event;
  if (mergedToId !== null) follow({ entity, entityId }, { entity, entityId: mergedToId }, state);
  if (mergedFromId !== null) follow({ entity, entityId: mergedFromId }, { entity, entityId }, state);
  const leadId = story.convertedFrom;
  if (leadId !== null) follow({ entity: 'lead', entityId: leadId }, { entity: 'deal', entityId: story.entityId }, state);
}

function follow(from: Place, to: Place, { watches, moved }: BatchState): void {
  const [left, right] = [recordKey(from.entity, from.entityId), recordKey(to.entity, to.entityId)];
  const leaving = watches.get(left) ?? [];
  if (leaving.length === 0 || left === right) return;
  const there = watches.get(right) ?? [];
  const taken = new Set(there.flatMap(({ targetWebhookIds }) => targetWebhookIds));
  const isTaken = ({ targetWebhookIds }: Rule): boolean => targetWebhookIds.some((id) => taken.has(id));
  for (const rule of leaving) {
    const id = watchIdOf(rule.id);
    if (id !== null) moved.set(id, { to: isTaken(rule) ? null : to });
  }
  watches.delete(left);
  watches.set(right, [...there, ...leaving.filter((rule) => !isTaken(rule))]);
}
