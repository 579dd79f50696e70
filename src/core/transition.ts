/** A transition is what an event means to a sales team: won, moved to another stage, owner changed. */

import { RECORD_ENTITIES, type RecordEntity, type RecordState } from './record';

/** Every event type a rule can listen to: first those that Dealbell always had, then the finer ones. */
export const EVENT_TYPES = [
  'deal.created',
  'deal.won',
  'deal.lost',
  'deal.reopened',
  'deal.stage_changed',
  'deal.pipeline_changed',
  'deal.owner_changed',
  'deal.value_changed',
  'deal.close_date_changed',
  'deal.label_added',
  'deal.field_changed',
  'deal.merged',
  'deal.deleted',
  'lead.created',
  'lead.converted',
  'lead.archived',
  'person.created',
  'organization.created',
  'activity.created',
  'activity.completed',
  'note.created',
  'deal.label_removed',
  'deal.archived',
  'deal.restored',
  'lead.restored',
  'lead.deleted',
  'person.deleted',
  'organization.deleted',
  'activity.reopened',
  'activity.rescheduled',
  'activity.deleted',
  'note.deleted',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** The kind of record whose fields a rule on this event type asks for: a converted lead is told of as its deal. */
export function recordEntityOf(eventType: EventType): RecordEntity {
  if (eventType === 'lead.converted') return 'deal';
  return RECORD_ENTITIES.find((entity) => eventType.startsWith(`${entity}.`)) ?? 'deal';
}

/** Finer kinds of some transitions, by which a rule may choose (`filters.kinds`). */
export const TRANSITION_KINDS = {
  'deal.won': ['first', 'again'],
  'deal.reopened': ['fromWon', 'fromLost'],
  'deal.stage_changed': ['forward', 'back', 'skipped'],
  'deal.value_changed': ['up', 'down', 'set', 'cleared', 'currency'],
  'deal.close_date_changed': ['slipped', 'pulledIn', 'set', 'cleared'],
  'activity.rescheduled': ['later', 'earlier', 'set', 'cleared'],
} as const;
export type TransitionKind = (typeof TRANSITION_KINDS)[keyof typeof TRANSITION_KINDS][number];

/** The kinds that a rule on this event type may ask for; none for most. */
export function kindsKnownFor(eventType: EventType): readonly TransitionKind[] {
  return Object.entries(TRANSITION_KINDS).find(([type]) => type === eventType)?.[1] ?? [];
}

/** One field's way from one value to another; custom fields are named by their 40-character key. */
export interface FieldChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface Transition {
  readonly type: EventType;
  /** Fields that this transition is about (`stage_id`, `owner_id`, ...); empty for a creation or deletion. */
  readonly changes: readonly FieldChange[];
  /** Won before already (`first_won_time` earlier than `won_time`). */
  readonly again?: boolean;
  /** The other record of the story: the lead of a conversion, the deal that a merge swallowed. */
  readonly relatedId?: string;
  /** Nothing happened: somebody announces the record as it is. */
  readonly announcement?: Announcement;
  /** It takes back what the message of this event had told. */
  readonly corrects?: number;
  /** How it came about, on the transition of a message: the facts of the event that began it. */
  readonly cause?: Cause;
}

export interface Announcement {
  /** Who announces, in words: a user's name, "API key CI". */
  readonly by: string;
  /** What they add; plain text. */
  readonly note: string | null;
}

export interface Cause {
  /** `app`, `api`, or whatever Pipedrive invents next. */
  readonly changeSource: string | null;
  readonly isBulkEdit: boolean;
  /** Common to the events of one operation; absent when Pipedrive names none. */
  readonly correlationId?: string;
  /** No webhook told of it in time: the reconciliation found it afterwards. */
  readonly isLate?: boolean;
}

/** A transition with the record that it happened to; what a delivery tells. */
export interface RecordChange {
  readonly entity: RecordEntity;
  readonly entityId: string;
  readonly transition: Transition;
  /** The record after the change (for a deletion: its last known state). */
  readonly state: RecordState;
  /** Pipedrive user who did it. */
  readonly actorUserId: number | null;
  readonly occurredAt: Date;
}
