/** What routing reads and writes: shadows, waiting deliveries, destinations. Types only. */

import type { Decision } from '../core/decision';
import type { RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { EventType, FieldChange, RecordChange, Transition } from '../core/transition';
import type { SettleWindow } from './settle-windows';

/** The last known state of a record. */
export interface Shadow {
  readonly entity: string;
  readonly entityId: string;
  readonly state: RecordState;
  /** Null: known from the API only. */
  readonly occurredAt: Date | null;
  readonly deletedAt: Date | null;
  /** The record that this one became: a deal's id after a merge, `deal:<id>` for a converted lead. */
  readonly mergedInto: string | null;
  /** `correlation_id` while this record may be half of a lead conversion. */
  readonly conversionKey: string | null;
  readonly convertedFrom: string | null;
  /** What was told of it lately, the oldest first. */
  readonly told: readonly ToldChange[];
  /** Its settle windows, of which some may be over. */
  readonly windows: readonly SettleWindow[];
  /** The state was read from Pipedrive's list at that moment, and no event came since; null for the state of an event. */
  readonly reconciledAt: Date | null;
}

/** A message about a record, remembered for the time in which taking its change back would be a correction. */
export interface ToldChange {
  readonly eventId: number;
  readonly ruleId: number;
  readonly chatWebhookId: number;
  readonly type: EventType;
  readonly changes: readonly FieldChange[];
  /** It corrected an earlier one: nothing is left to take back. */
  readonly isCorrection: boolean;
  readonly at: Date;
}

export type ShadowMap = Map<string, Shadow>;

/** What was made of one event. */
export interface RoutedEvent {
  readonly id: number;
  readonly transitions: readonly string[];
  readonly decisions: readonly Decision[];
}

/** The key of a record within a tenant. */
export function recordKey(entity: string, entityId: string): string {
  return `${entity}/${entityId}`;
}

export interface Destination {
  readonly id: number;
  readonly spaceId: string;
  /** Messages about one record share a thread there. */
  readonly isThreaded?: boolean;
}

/** Why a message that was owed will not be sent. */
export interface Dropping {
  readonly reason: string;
  readonly decision: Pick<Decision, 'code' | 'actual'>;
}

/** A message that this batch owes; it may still be retold by a later event of the same batch. */
export interface NewDelivery {
  readonly eventId: number;
  readonly rule: Rule;
  readonly destination: Destination;
  change: RecordChange;
  recordBefore: RecordState | null;
  readonly notBefore: Date;
  /** Why it will not be sent after all, and what its event's decision says then; null while it is owed. */
  dropped: Dropping | null;
}

interface Waiting {
  readonly eventId: number;
  /** When the event that it is owed for came in. */
  readonly receivedAt: Date;
  readonly ruleId: number;
  readonly chatWebhookId: number;
  readonly spaceId: string;
  readonly change: RecordChange;
  readonly recordBefore: RecordState | null;
  readonly notBefore: Date;
}

/** What a watch is said to have told of a record. */
export interface WatchedTelling {
  readonly watchId: number;
  readonly entity: string;
  readonly entityId: string;
}

/** A message of a watch that was owed and not told, or not yet. */
export interface HeldBack {
  readonly id: number;
  readonly ruleId: number;
  readonly transition: Pick<Transition, 'type' | 'changes'>;
  /** When the event that it is owed for came in. */
  readonly receivedAt: Date;
  /** It waits for the end of quiet hours; false: it was dropped or given up. */
  readonly isHeld: boolean;
  /** No body was made of it, and it tells no other message. */
  readonly isAlone: boolean;
}

/** A delivery in its settle window: in the ledger (with its id), or made by this batch. */
export type PendingDelivery =
  (Waiting & { readonly id: number; readonly created: null }) | (Waiting & { readonly id: null; readonly created: NewDelivery });
