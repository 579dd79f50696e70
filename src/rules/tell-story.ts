/** What one event tells of which record: merges and lead conversions are one story that comes in two halves. */

import type { PipedriveEvent } from '../core/pipedrive-event';
import type { RecordEntity, RecordState } from '../core/record';
import type { Transition } from '../core/transition';
import { dropPending, emptyShadow, putShadow, type BatchState } from './batch-state';
import { leadNamedBy, pairConversion } from './convert-lead';
import { changeOfEvent, deriveTransitions, type Change } from './derive-transitions';
import { recordKey, type Shadow } from './routing-ledger';

/** Merges and conversions may tell of another record than the event names. */
export interface Story {
  readonly entity: RecordEntity;
  readonly entityId: string;
  /** The change as this event alone shows it. */
  readonly change: Change;
  readonly transitions: readonly Transition[];
  readonly state: RecordState;
  /** The lead that the told deal came from. */
  readonly convertedFrom: string | null;
}

/** Tells one event. Marks the other half of a merge or conversion in the batch, so that it stays silent. */
export function tellStory(event: PipedriveEvent, entity: RecordEntity, shadow: Shadow | null, state: BatchState): Story {
  const own = storyOf(entity, event.entityId, changeOfEvent(entity, event, shadow?.state ?? null));
  if (event.mergedToId !== null) return mergeFromDeletedHalf(event, own, shadow, state);
  if (event.mergedFromId !== null) return mergeFromSurvivor(event, own, state);
  if (entity === 'deal' && event.action === 'create') {
    const leadId = leadNamedBy(event.state ?? {}) ?? pairConversion(event, 'lead', state)?.entityId ?? null;
    return leadId === null ? own : conversionStory(event, own, leadId, state);
  }
  if (entity === 'lead' && isGone(own)) return leadGoneStory(event, own, shadow, state);
  return shadow?.convertedFrom == null ? own : { ...own, convertedFrom: shadow.convertedFrom };
}

function storyOf(entity: RecordEntity, entityId: string, change: Change): Story {
  return {
    entity,
    entityId,
    change,
    transitions: deriveTransitions(change),
    state: change.after ?? change.before ?? {},
    convertedFrom: change.convertedFromLeadId ?? null,
  };
}

/** The lead of this story was archived or deleted. */
export const isGone = (story: Pick<Story, 'change' | 'transitions'>): boolean =>
  story.change.after === null || story.transitions.some(({ type }) => type === 'lead.archived');

/** The half of a merge that deletes: told as the survivor's merge, unless the other half told it already. */
function mergeFromDeletedHalf(event: PipedriveEvent, own: Story, shadow: Shadow | null, state: BatchState): Story {
  const survivorId = event.mergedToId ?? '';
  const isTold = shadow?.mergedInto === survivorId;
  // Of a survivor that was never heard of, the deal that it swallowed says most: what is merged are duplicates.
  const known = state.shadows.get(recordKey(own.entity, survivorId))?.state ?? own.change.before ?? {};
  const change: Change = {
    entity: own.entity,
    before: known,
    after: known,
    previous: {},
    mergedFromId: event.entityId,
  };
  const story = storyOf(own.entity, survivorId, change);
  return isTold ? { ...story, transitions: [] } : story;
}

function mergeFromSurvivor(event: PipedriveEvent, own: Story, state: BatchState): Story {
  const swallowedId = event.mergedFromId ?? '';
  const key = recordKey(event.entity, swallowedId);
  const swallowed = state.shadows.get(key);
  const isTold = swallowed?.mergedInto === event.entityId;
  putShadow(state, { ...(swallowed ?? emptyShadow(event.entity, swallowedId)), mergedInto: event.entityId });
  const story = storyOf(own.entity, own.entityId, { ...own.change, mergedFromId: swallowedId });
  return isTold ? { ...story, transitions: [] } : story;
}

function conversionStory(event: PipedriveEvent, own: Story, leadId: string, state: BatchState): Story {
  const lead = state.shadows.get(recordKey('lead', leadId));
  putShadow(state, { ...(lead ?? emptyShadow('lead', leadId)), mergedInto: `deal:${event.entityId}`, conversionKey: null });
  for (const type of ['lead.archived', 'lead.deleted'])
    dropPending(state, 'lead', leadId, type, 'The lead was converted into a deal, which is told instead.');
  return storyOf(own.entity, own.entityId, { ...own.change, convertedFromLeadId: leadId });
}

/** A lead was archived or deleted: silent when it became a deal, and told as the deal's conversion when that is found now. */
function leadGoneStory(event: PipedriveEvent, own: Story, shadow: Shadow | null, state: BatchState): Story {
  if (shadow?.mergedInto != null) return { ...own, transitions: [] };
  const deal = pairConversion(event, 'deal', state);
  if (deal === null) return own;
  dropPending(state, 'deal', deal.entityId, 'deal.created', 'The deal came from a lead; its conversion is told instead.');
  putShadow(state, { ...deal, conversionKey: null, convertedFrom: event.entityId });
  putShadow(state, { ...(shadow ?? emptyShadow('lead', event.entityId)), mergedInto: `deal:${deal.entityId}` });
  const change: Change = { entity: 'deal', before: null, after: deal.state, previous: {}, convertedFromLeadId: event.entityId };
  const story = storyOf('deal', deal.entityId, change);
  return { ...story, transitions: story.transitions.filter((transition) => transition.type === 'lead.converted') };
}
