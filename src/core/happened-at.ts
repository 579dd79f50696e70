/** When something happened, by the times that Pipedrive keeps in the record itself. Pure. */

import { textField, type RecordState } from './record';
import type { EventType } from './transition';

/** The field of the record that says when a transition of this type happened; absent: the time of its last change. */
const TIME_FIELDS: Partial<Record<EventType, string>> = {
  'deal.created': 'add_time',
  'deal.won': 'won_time',
  'deal.lost': 'lost_time',
  'deal.stage_changed': 'stage_change_time',
  'deal.pipeline_changed': 'stage_change_time',
  'lead.created': 'add_time',
  'lead.converted': 'add_time',
  'person.created': 'add_time',
  'organization.created': 'add_time',
  'activity.created': 'add_time',
  'activity.completed': 'marked_as_done_time',
  'note.created': 'add_time',
};

/** When the transition happened; null when the record does not say. */
export function happenedAt(type: EventType, state: RecordState): Date | null {
  const field = TIME_FIELDS[type];
  return (field === undefined ? null : timeField(state, field)) ?? changedAt(state);
}

/** When the record was changed last: `update_time`, which webhooks leave empty for a new deal; then `add_time`. */
export function changedAt(state: RecordState): Date | null {
  return timeField(state, 'update_time') ?? timeField(state, 'add_time');
}

/** A moment out of a field: ISO, or `YYYY-MM-DD HH:MM:SS` in UTC as API v1 writes it; null for anything else. */
export function timeField(state: RecordState, field: string): Date | null {
  const text = textField(state, field);
  if (text === null || !/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)) return null;
  const iso = text.replace(' ', 'T');
  const date = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(date.getTime()) ? null : date;
}
