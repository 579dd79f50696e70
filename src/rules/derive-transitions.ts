/** What an event, or the net change over a settle window, means in a sales team's words. Pure. */

import type { PipedriveEvent } from '../core/pipedrive-event';
import { flagField, isObject, listField, moneyOf, textField, type RecordEntity, type RecordState } from '../core/record';
import type { FieldChange, Transition } from '../core/transition';
import { isSame } from './same-value';

/** A change of one record, however many events it took. */
export interface Change {
  readonly entity: RecordEntity;
  /** Null: the record was created by this change. */
  readonly before: RecordState | null;
  /** Null: the record was deleted by this change. */
  readonly after: RecordState | null;
  /** The fields that changed, with their old values: presence decides, and a present null counts. */
  readonly previous: RecordState;
  /** The lead that this deal was converted from; a conversion replaces the creation. */
  readonly convertedFromLeadId?: string | null;
  /** Merges are told as such, whatever else changed. */
  readonly mergedFromId?: string | null;
}

/** A single event as a change: Pipedrive's `previous` is already the diff. */
export function changeOfEvent(entity: RecordEntity, event: PipedriveEvent, before: RecordState | null): Change {
  if (event.action === 'create') return { entity, before: null, after: event.state, previous: {} };
  // A bare deletion says little more than the id: the title and the rest are those that were last known.
  if (event.action === 'delete') return { entity, before: { ...before, ...event.previous }, after: null, previous: {} };
  const previous = entity === 'lead' ? withoutNoise(event, before) : (event.previous ?? {});
  return { entity, before: undoneState(event.state ?? {}, previous), after: event.state, previous };
}

/**
 * Pipedrive's own sample of a lead whose amount changed names `is_archived: true` among the old values: it counts when the lead is
 * known to have been archived, or when nothing else changed.
 */
function withoutNoise({ previous, state }: PipedriveEvent, known: RecordState | null): RecordState {
  if (previous === null || !flagField(previous, 'is_archived') || flagField(state ?? {}, 'is_archived')) return previous ?? {};
  const { is_archived: _noise, ...rest } = previous;
  const wasArchived = known !== null && 'is_archived' in known ? flagField(known, 'is_archived') : isNothing(rest);
  return wasArchived ? previous : rest;
}

function isNothing(previous: RecordState): boolean {
  return Object.keys(previous).every((field) => BOOKKEEPING.has(field));
}

/**
 * The state before a change: today's state with the old values put back. Not the last known one: where webhooks were missed that
 * one lags behind, and the net change of a window would tell what happened long ago.
 */
export function undoneState(after: RecordState, previous: RecordState): RecordState {
  const custom = { ...objectField(after, 'custom_fields'), ...objectField(previous, 'custom_fields') };
  return { ...after, ...previous, custom_fields: custom };
}

/** The net change between two states, for a window in which several events came. */
export function netChange(entity: RecordEntity, before: RecordState | null, after: RecordState | null): Change {
  if (before === null || after === null) return { entity, before, after, previous: {} };
  const customBefore = objectField(before, 'custom_fields');
  const customAfter = objectField(after, 'custom_fields');
  const custom = changedFields(customBefore, customAfter);
  const plain = changedFields({ ...before, custom_fields: null }, { ...after, custom_fields: null });
  return { entity, before, after, previous: Object.keys(custom).length === 0 ? plain : { ...plain, custom_fields: custom } };
}

/** Old values of the fields in which two states differ; an unset custom field and an absent one are the same. */
function changedFields(before: RecordState, after: RecordState): RecordState {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...keys].filter((key) => !isSame(before[key] ?? null, after[key] ?? null));
  return Object.fromEntries(changed.map((key) => [key, before[key] ?? null]));
}

/** Every transition of a change, the most important first. Empty when nothing worth telling happened. */
export function deriveTransitions(change: Change): readonly Transition[] {
  const { before, after } = change;
  if (after === null) return before === null ? [] : deletion(change.entity);
  switch (change.entity) {
    case 'deal':
      return before === null ? createdDeal(change, after) : changedDeal(change, after);
    case 'lead':
      return before === null ? [{ type: 'lead.created', changes: [] }] : changedLead(change, after);
    case 'person':
      return before === null ? [{ type: 'person.created', changes: [] }] : [];
    case 'organization':
      return before === null ? [{ type: 'organization.created', changes: [] }] : [];
    case 'activity':
      return before === null ? createdActivity(after) : changedActivity(change, after);
    case 'note':
      return before === null ? [{ type: 'note.created', changes: [] }] : [];
    default:
      return change.entity satisfies never;
  }
}

function deletion(entity: RecordEntity): readonly Transition[] {
  return [{ type: `${entity}.deleted`, changes: [] }];
}

function createdDeal(change: Change, after: RecordState): readonly Transition[] {
  const leadId = change.convertedFromLeadId ?? null;
  const birth: Transition =
    leadId === null ? { type: 'deal.created', changes: [] } : { type: 'lead.converted', changes: [], relatedId: leadId };
  const status = statusTransition(null, after);
  return status === null ? [birth] : [status, birth];
}

function changedDeal(change: Change, after: RecordState): readonly Transition[] {
  if (change.mergedFromId != null) return [{ type: 'deal.merged', changes: [], relatedId: change.mergedFromId }];
  const { previous } = change;
  const transitions = [
    'status' in previous ? statusTransition(textField(previous, 'status'), after) : null,
    placeTransition(change, after),
    fieldTransition('deal.owner_changed', 'owner_id', previous, after),
    valueTransition(change, after),
    fieldTransition('deal.close_date_changed', 'expected_close_date', previous, after),
    archiveTransition(change, after, ['deal.archived', 'deal.restored']),
    labelTransition('deal.label_added', previous, after),
    labelTransition('deal.label_removed', previous, after),
    anyFieldTransition(previous, after),
  ];
  return transitions.filter((transition) => transition !== null);
}

/** Won, lost or reopened; null when the status stayed what it was. `from` is null for a new deal. */
function statusTransition(from: string | null, after: RecordState): Transition | null {
  const to = textField(after, 'status');
  if (to === from) return null;
  const changes: readonly FieldChange[] = from === null ? [] : [{ field: 'status', from, to }];
  if (to === 'won') return isWonAgain(after) ? { type: 'deal.won', changes, again: true } : { type: 'deal.won', changes };
  if (to === 'lost') return { type: 'deal.lost', changes };
  const isReopened = to === 'open' && (from === 'won' || from === 'lost');
  return isReopened ? { type: 'deal.reopened', changes } : null;
}

/** `first_won_time` stays with a deal for ever; when it is older than `won_time`, this is not the first win. */
function isWonAgain(after: RecordState): boolean {
  const first = Date.parse(textField(after, 'first_won_time') ?? '');
  const now = Date.parse(textField(after, 'won_time') ?? '');
  return first < now;
}

/** A change of pipeline changes the stage too and is told once, as the pipeline's. */
function placeTransition(change: Change, after: RecordState): Transition | null {
  const { previous } = change;
  const stage = fieldChange('stage_id', previous, after);
  const pipeline = fieldChange('pipeline_id', previous, after);
  if (pipeline !== null) return { type: 'deal.pipeline_changed', changes: stage === null ? [pipeline] : [pipeline, stage] };
  return stage === null ? null : { type: 'deal.stage_changed', changes: [stage] };
}

function fieldTransition(type: Transition['type'], field: string, previous: RecordState, after: RecordState): Transition | null {
  const change = fieldChange(field, previous, after);
  return change === null ? null : { type, changes: [change] };
}

function fieldChange(field: string, previous: RecordState, after: RecordState): FieldChange | null {
  if (!(field in previous)) return null;
  const from = previous[field] ?? null;
  const to = after[field] ?? null;
  return isSame(from, to) ? null : { field, from, to };
}

/** Amount or currency; either alone is a change of the value. */
function valueTransition(change: Change, after: RecordState): Transition | null {
  const { previous } = change;
  if (!('value' in previous) && !('currency' in previous)) return null;
  const from = moneyOf({ ...after, ...previous });
  const to = moneyOf(after);
  return isSame(from, to) ? null : { type: 'deal.value_changed', changes: [{ field: 'value', from, to }] };
}

/** Only labels that were added, or that were removed; a new order tells nothing. */
function labelTransition(
  type: 'deal.label_added' | 'deal.label_removed',
  previous: RecordState,
  after: RecordState,
): Transition | null {
  if (!('label_ids' in previous)) return null;
  const [from, to] = [listField(previous, 'label_ids'), listField(after, 'label_ids')];
  if (type === 'deal.label_removed')
    return without(from, to).length === 0 ? null : { type, changes: [{ field: 'label_ids', from, to }] };
  const added = without(to, from);
  return added.length === 0 ? null : { type, changes: [{ field: 'label_ids', from, to: added }] };
}

function without<T>(labels: readonly T[], others: readonly T[]): readonly T[] {
  const known = new Set(others.map(String));
  return labels.filter((label) => !known.has(String(label)));
}

function archiveTransition(
  { previous }: Change,
  after: RecordState,
  [archived, restored]: readonly [Transition['type'], Transition['type']],
): Transition | null {
  if (!('is_archived' in previous)) return null;
  const [from, to] = [flagField(previous, 'is_archived'), flagField(after, 'is_archived')];
  if (from === to) return null;
  return { type: to ? archived : restored, changes: [{ field: 'is_archived', from, to }] };
}

/** The same labels in another order are no change. */
function isReordered(change: FieldChange): boolean {
  if (change.field !== 'label_ids') return false;
  const [from, to] = [change.from, change.to].map((value) => listField({ value }, 'value').map(String).sort());
  return isSame(from, to);
}

/** Bookkeeping of Pipedrive's own, never a change that somebody made. */
const BOOKKEEPING = new Set(['update_time', 'stage_change_time', 'close_time', 'custom_fields', 'id']);

/**
 * Every field that changed. For custom fields presence alone counts: a real enum change carried the same option on both sides.
 */
function anyFieldTransition(previous: RecordState, after: RecordState): Transition | null {
  const plain = Object.keys(previous)
    .filter((field) => !BOOKKEEPING.has(field))
    .map((field) => fieldChange(field, previous, after))
    .filter((change) => change !== null)
    .filter((change) => !isReordered(change));
  const customBefore = objectField(previous, 'custom_fields');
  const customAfter = objectField(after, 'custom_fields');
  const custom = Object.keys(customBefore).map((field) => ({
    field,
    from: customBefore[field] ?? null,
    to: customAfter[field] ?? null,
  }));
  const changes = [...plain, ...custom];
  return changes.length === 0 ? null : { type: 'deal.field_changed', changes };
}

function changedLead(change: Change, after: RecordState): readonly Transition[] {
  const transition = archiveTransition(change, after, ['lead.archived', 'lead.restored']);
  return transition === null ? [] : [transition];
}

/** An activity that is logged as done was created and completed at once. */
function createdActivity(after: RecordState): readonly Transition[] {
  const created: Transition = { type: 'activity.created', changes: [] };
  return flagField(after, 'done') ? [{ type: 'activity.completed', changes: [] }, created] : [created];
}

function changedActivity({ previous }: Change, after: RecordState): readonly Transition[] {
  const [wasDone, isDone] = ['done' in previous ? flagField(previous, 'done') : null, flagField(after, 'done')];
  if (wasDone === false && isDone) return [{ type: 'activity.completed', changes: [{ field: 'done', from: false, to: true }] }];
  const reopened: readonly Transition[] =
    wasDone === true && !isDone ? [{ type: 'activity.reopened', changes: [{ field: 'done', from: true, to: false }] }] : [];
  const due = ['due_date', 'due_time'].map((field) => fieldChange(field, previous, after)).filter((change) => change !== null);
  const isMoved = due.length > 0 && !isDone;
  return isMoved ? [...reopened, { type: 'activity.rescheduled', changes: due }] : reopened;
}

function objectField(state: RecordState, field: string): RecordState {
  const value = state[field];
  return isObject(value) ? value : {};
}
