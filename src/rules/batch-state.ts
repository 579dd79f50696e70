/** The working state of one batch while it is planned: shadows touched, waiting deliveries, messages owed. */

import type { PipedriveEvent } from '../core/pipedrive-event';
import { isObject, type RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { EventType, RecordChange } from '../core/transition';
import { toldKey } from './corrections';
import {
  recordKey,
  type Dropping,
  type HeldBack,
  type NewDelivery,
  type PendingDelivery,
  type Shadow,
  type ShadowMap,
  type WatchedTelling,
} from './routing-ledger';

/** An event as it lies in the ledger. */
export interface StoredEvent {
  readonly id: number;
  readonly receivedAt: Date;
  readonly event: PipedriveEvent;
  /** Of an event that the reconciliation made: when each of its transitions really happened. */
  readonly happened?: ReadonlyMap<EventType, Date>;
}

export interface BatchState {
  readonly shadows: ShadowMap;
  readonly touched: Set<string>;
  /** Waiting deliveries by the key of their record. */
  readonly pending: Map<string, PendingDelivery[]>;
  readonly created: NewDelivery[];
  readonly retold: Map<number, Telling>;
  readonly dropped: Map<number, Dropping>;
  /** Messages that were made and never left (`toldKey`). */
  readonly untold: Set<string>;
  /** Messages of watches that were not told, as far as they were asked for. */
  readonly heldBack: readonly HeldBack[];
  /** Why rules were silent: these watches have told it. */
  readonly toldByWatches: WatchedTelling[];
  /** Watches, as rules, by the key of their record. */
  readonly watches: Map<string, readonly Rule[]>;
  /** Watches whose record became another one. */
  readonly moved: Map<number, MovedWatch>;
}

/** What a message tells, and the state from which on. */
export type Telling = Pick<PendingDelivery, 'change' | 'recordBefore'>;

/** Where a watch goes with its record; null: that one is watched in the same place already. */
export interface MovedWatch {
  readonly to: { readonly entity: string; readonly entityId: string } | null;
}

/** A record's new shadow, to be written with the batch. */
export function putShadow(state: BatchState, shadow: Shadow): void {
  const key = recordKey(shadow.entity, shadow.entityId);
  state.shadows.set(key, shadow);
  state.touched.add(key);
}

/** The shadow of a record of which nothing is known. */
export function emptyShadow(entity: string, entityId: string): Shadow {
  return {
    entity,
    entityId,
    state: {},
    occurredAt: null,
    deletedAt: null,
    mergedInto: null,
    conversionKey: null,
    convertedFrom: null,
    told: [],
    windows: [],
    reconciledAt: null,
  };
}

/** Deliveries of a record that still wait for their settle window to close. */
export function pendingOf(state: BatchState, entity: string, entityId: string): readonly PendingDelivery[] {
  return state.pending.get(recordKey(entity, entityId)) ?? [];
}

/** One more delivery waits. */
export function addPending(pending: BatchState['pending'], delivery: PendingDelivery): void {
  const waiting = pending.get(keyOf(delivery));
  if (waiting === undefined) pending.set(keyOf(delivery), [delivery]);
  else waiting.push(delivery);
}

function keyOf({ change }: PendingDelivery): string {
  return recordKey(change.entity, change.entityId);
}

/** A waiting delivery will not be sent; its event's decision will say why. */
export function dropDelivery(
  state: BatchState,
  delivery: PendingDelivery,
  reason: string,
  decision: Dropping['decision'] = { code: 'settled' },
): void {
  state.untold.add(toldKey(delivery));
  if (delivery.id === null) delivery.created.dropped = { reason, decision };
  else state.dropped.set(delivery.id, { reason, decision });
  replacePending(state, delivery, []);
}

/** Drops what waits to tell `type` of a record, because another story tells it. */
export function dropPending(state: BatchState, entity: string, entityId: string, type: string, reason: string): void {
  for (const delivery of pendingOf(state, entity, entityId)) {
    if (delivery.change.transition.type === type) dropDelivery(state, delivery, reason);
  }
}

/** A waiting delivery tells something newer. */
export function retell(
  state: BatchState,
  delivery: PendingDelivery,
  change: RecordChange,
  recordBefore: RecordState | null = delivery.recordBefore,
): void {
  const telling = { change, recordBefore };
  replacePending(state, delivery, [{ ...delivery, ...telling }]);
  if (delivery.id === null) Object.assign(delivery.created, telling);
  else state.retold.set(delivery.id, telling);
}

function replacePending(state: BatchState, delivery: PendingDelivery, by: readonly PendingDelivery[]): void {
  const waiting = state.pending.get(keyOf(delivery)) ?? [];
  state.pending.set(
    keyOf(delivery),
    waiting.flatMap((other) => (other === delivery ? by : [other])),
  );
}

/** Pipedrive sends every custom field of the account, unset ones as null: a real deal had 190 of them. */
export function slim(state: RecordState): RecordState {
  const custom = state['custom_fields'];
  if (!isObject(custom) || !Object.values(custom).includes(null)) return state;
  return { ...state, custom_fields: Object.fromEntries(Object.entries(custom).filter(([, value]) => value !== null)) };
}
