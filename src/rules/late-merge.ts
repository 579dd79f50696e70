/**
 * A merge whose webhook comes when the reconciliation has found its deal gone already: where it was told that the deal was deleted or
 * merged, the merge is not told again. Pure.
 */

import type { PipedriveEvent } from '../core/pipedrive-event';
import type { Transition } from '../core/transition';
import { pendingOf, putShadow, type BatchState, type StoredEvent } from './batch-state';
import { toldKey } from './corrections';
import type { Scene } from './measure-rule';
import { recordKey, type Destination, type ShadowMap, type ToldChange } from './routing-ledger';

const GONE = 'deal.deleted';

/** The gone deal remembers who is told of that by this event of the reconciliation; an event that brings it back makes it forget. */
export function rememberGone({ id, event }: StoredEvent, state: BatchState): void {
  const { entity, entityId } = event;
  const shadow = state.shadows.get(recordKey(entity, entityId));
  const told = pendingOf(state, entity, entityId)
    .filter(({ eventId, change }) => eventId === id && change.transition.type === GONE)
    .map(({ eventId, ruleId, chatWebhookId, receivedAt: at }): ToldChange => ({
      ...{ eventId, ruleId, chatWebhookId, type: GONE, changes: [], isCorrection: false, at },
    }));
  if (shadow !== undefined && told.length > 0) putShadow(state, { ...shadow, told: [...shadow.told, ...told] });
}

/** Who was told that a deal is gone which these events say was merged: whether it was sent at all is worth a look. */
export function doubtfulGone(events: readonly { readonly event: PipedriveEvent }[], shadows: ShadowMap): readonly ToldChange[] {
  return events.flatMap(({ event: { entity, entityId, mergedToId, mergedFromId } }) => {
    const goneId = mergedToId === null ? mergedFromId : entityId;
    return goneId === null ? [] : toldOfGone(goneId, entity, shadows);
  });
}

/** Whether the space of this destination was told already that the deal which was merged into another one is gone. */
export function isToldAsGone({ type, relatedId }: Transition, { spaceId }: Destination, scene: Scene): boolean {
  if (type !== 'deal.merged' || relatedId === undefined) return false;
  const { state, story, rules } = scene;
  return toldOfGone(relatedId, story.entity, state.shadows).some(
    (told) => rules.destinations.get(told.chatWebhookId)?.spaceId === spaceId && !state.untold.has(toldKey(told)),
  );
}

function toldOfGone(goneId: string, entity: string, shadows: ShadowMap): readonly ToldChange[] {
  return shadows.get(recordKey(entity, goneId))?.told.filter(({ type }) => type === GONE) ?? [];
}
