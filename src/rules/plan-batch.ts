/** Plans a batch of events of one tenant: shadows moved on, one decision per rule, messages owed. Pure: no clock, no database. */

import type { Decision } from '../core/decision';
import { RECORD_ENTITIES, type RecordEntity } from '../core/record';
import {
  addPending,
  emptyShadow,
  pendingOf,
  putShadow,
  slim,
  type BatchState,
  type MovedWatch,
  type StoredEvent,
  type Telling,
} from './batch-state';
import { toldAfter } from './corrections';
import { decideRules, listeners } from './decide-rules';
import { changeOfEvent, deriveTransitions } from './derive-transitions';
import type { RoutingRules } from './measure-rule';
import {
  recordKey,
  type Dropping,
  type HeldBack,
  type NewDelivery,
  type PendingDelivery,
  type RoutedEvent,
  type Shadow,
  type ShadowMap,
  type WatchedTelling,
} from './routing-ledger';
import { isKnownFromList, routeReconciled } from './route-reconciled';
import { isSame } from './same-value';
import { clockWith, moveWindows, storedWindows, type WindowNow } from './settle-windows';
import { followRecords, indexWatches } from './follow-records';
import { isGone, tellStory, type Story } from './tell-story';
import { watchersOf, type Watch } from './watch-rules';

/** A waiting delivery with what it tells now. */
export interface Retold extends Telling {
  readonly id: number;
}

/** What the transaction has to write. */
export interface BatchPlan {
  readonly routed: readonly RoutedEvent[];
  readonly shadows: readonly Shadow[];
  readonly created: readonly NewDelivery[];
  /** Waiting deliveries decided anew. */
  readonly retold: readonly Retold[];
  /** Waiting deliveries that have nothing left to tell, with the reason. */
  readonly dropped: readonly (Dropping & { readonly id: number })[];
  readonly moved: readonly (MovedWatch & { readonly id: number })[];
  /** Why rules were silent, as far as nothing says that these watches have not told it. */
  readonly toldByWatches: readonly WatchedTelling[];
}

/** Plans the batch. `shadows` holds every record the events name; `pending` the waiting deliveries of those records. */
export function planBatch(
  events: readonly StoredEvent[],
  shadows: ShadowMap,
  pending: readonly PendingDelivery[],
  rules: RoutingRules,
  untold: ReadonlySet<string> = new Set(),
  watches: readonly Watch[] = [],
  heldBack: readonly HeldBack[] = [],
): BatchPlan {
  const state: BatchState = {
    shadows: new Map(shadows),
    touched: new Set(),
    pending: byRecord(pending),
    created: [],
    retold: new Map(),
    dropped: new Map(),
    untold: new Set(untold),
    heldBack,
    toldByWatches: [],
    watches: indexWatches(watches),
    moved: new Map(),
  };
  const routed = withoutTakenBack(
    events.map((stored) => routeOne(slimmed(stored), state, rules)),
    state.created,
  );
  return {
    routed,
    shadows: [...state.touched].map((key) => state.shadows.get(key)).filter((shadow) => shadow !== undefined),
    created: state.created.filter((delivery) => delivery.dropped === null),
    retold: retoldOf(pending, state),
    dropped: [...state.dropped].map(([id, dropping]) => ({ id, ...dropping })),
    toldByWatches: state.toldByWatches,
    moved: [...state.moved].map(([id, move]) => ({ id, ...move })),
  };
}

/** Once per event, so that all that is made of its state has nothing left to leave out. */
function slimmed(stored: StoredEvent): StoredEvent {
  const { event } = stored;
  const state = event.state === null ? null : slim(event.state);
  return state === event.state ? stored : { ...stored, event: { ...event, state } };
}

function retoldOf(pending: readonly PendingDelivery[], { retold, dropped }: BatchState): readonly Retold[] {
  return pending.flatMap(({ id }) => {
    const telling = id === null || dropped.has(id) ? undefined : retold.get(id);
    return id === null || telling === undefined ? [] : [{ id, ...telling }];
  });
}

function byRecord(deliveries: readonly PendingDelivery[]): BatchState['pending'] {
  const pending: BatchState['pending'] = new Map();
  for (const delivery of deliveries) addPending(pending, delivery);
  return pending;
}

/** A decision says what came of it: a message that a later event of the same batch took back was never made, and tells no event. */
function withoutTakenBack(routed: readonly RoutedEvent[], created: readonly NewDelivery[]): readonly RoutedEvent[] {
  const takenBack = takenBackEntirely(created);
  if (takenBack.size === 0) return routed;
  return routed.map((event) => {
    const decisions = event.decisions.map((decision): Decision => {
      const tellerId = tellerOf(event, decision);
      const dropped = tellerId === null ? undefined : takenBack.get(`${tellerId}/${decision.ruleId}`);
      return dropped === undefined ? decision : { ruleId: decision.ruleId, matched: false, ...dropped.decision };
    });
    return { ...event, decisions };
  });
}

/** The event whose message tells of this one by that decision; null when none does. */
function tellerOf(event: RoutedEvent, { matched, code, toldByEventId }: Decision): number | null {
  if (code === 'matched') return event.id;
  return matched && code === 'settled' ? (toldByEventId ?? null) : null;
}

/** Why each event and rule (`event/rule`) of which no message is left has none. */
function takenBackEntirely(created: readonly NewDelivery[]): ReadonlyMap<string, Dropping> {
  const takenBack = new Map<string, Dropping>();
  for (const { eventId, rule, dropped } of created) {
    const key = `${eventId}/${rule.id}`;
    if (dropped !== null && !takenBack.has(key)) takenBack.set(key, dropped);
  }
  if (takenBack.size === 0) return takenBack;
  for (const { eventId, rule, dropped } of created) if (dropped === null) takenBack.delete(`${eventId}/${rule.id}`);
  return takenBack;
}

function routeOne(stored: StoredEvent, state: BatchState, rules: RoutingRules): RoutedEvent {
  const { event } = stored;
  const entity = RECORD_ENTITIES.find((known) => known === event.entity);
  if (entity === undefined) return routeReference(stored, state);
  const shadow = state.shadows.get(recordKey(entity, event.entityId)) ?? null;
  if (event.reconciled !== undefined) return routeReconciled(stored, event.reconciled, entity, state, rules);
  if (isOutdated(shadow, stored)) return routeOutdated(stored, entity, shadow, state, rules);
  const story = tellStory(event, entity, shadow, state);
  followRecords(event, story, state);
  const windows = windowsOf(stored, story, shadow, state, rules);
  moveShadow(stored, story, shadow, windows, state);
  const decisions = decideRules(stored, story, windows, state, rules);
  rememberTold(stored, story, state, rules);
  return { id: stored.id, transitions: story.transitions.map((transition) => transition.type), decisions };
}

/** Nothing is remembered where no destination has threads. */
function rememberTold({ receivedAt }: StoredEvent, { entity, entityId }: Story, state: BatchState, rules: RoutingRules): void {
  const shadow = state.shadows.get(recordKey(entity, entityId));
  if (shadow === undefined) return;
  const isThreaded = (id: number): boolean => rules.destinations.get(id)?.isThreaded === true;
  const told = toldAfter(shadow.told, pendingOf(state, entity, entityId), isThreaded, state.untold, receivedAt);
  if (told !== shadow.told) putShadow(state, { ...shadow, told });
}

/**
 * Older than what is known, or the same once more: whether `meta.id` survives a retry, and whether two users' webhooks share it, is
 * nowhere documented, so an event that brings a record to the moment and state in which it is already known tells nothing.
 */
function isOutdated(shadow: Shadow | null, stored: StoredEvent): boolean {
  if (shadow?.occurredAt == null) return false;
  const { occurredAt, action, state } = stored.event;
  if (occurredAt < shadow.occurredAt || isKnownFromList(shadow, stored.event)) return true;
  if (occurredAt.getTime() !== shadow.occurredAt.getTime()) return false;
  return action === 'delete' ? shadow.deletedAt !== null : state !== null && isSame(slim(state), shadow.state);
}

/** A clock that runs ahead must not silence a record until it is caught up with. */
const MAX_AHEAD_MS = 10 * 60_000;

function knownSince({ event, receivedAt }: StoredEvent): Date {
  return new Date(Math.min(event.occurredAt.getTime(), receivedAt.getTime() + MAX_AHEAD_MS));
}

/** Users, pipelines and stages only give names. */
function routeReference(stored: StoredEvent, state: BatchState): RoutedEvent {
  const { event } = stored;
  const shadow = state.shadows.get(recordKey(event.entity, event.entityId)) ?? null;
  const newState = event.state ?? event.previous ?? shadow?.state;
  if (!isOutdated(shadow, stored) && newState !== undefined) {
    const deletedAt = event.action === 'delete' ? event.occurredAt : null;
    putShadow(state, {
      ...emptyShadow(event.entity, event.entityId),
      ...shadow,
      state: newState,
      occurredAt: knownSince(stored),
      deletedAt,
    });
  }
  return { id: stored.id, transitions: [], decisions: [] };
}

function routeOutdated(
  stored: StoredEvent,
  entity: RecordEntity,
  shadow: Shadow | null,
  state: BatchState,
  rules: RoutingRules,
): RoutedEvent {
  const { entityId, state: now } = stored.event;
  const watchers = watchersOf({ entity, entityId, state: now ?? {} }, state.watches);
  const transitions = deriveTransitions(changeOfEvent(entity, stored.event, shadow?.state ?? null));
  const decisions = listeners(transitions, { rules, watchers }).map((rule): Decision => ({
    ruleId: rule.id,
    matched: false,
    code: 'outdated',
  }));
  return { id: stored.id, transitions: transitions.map((transition) => transition.type), decisions };
}

/** The settle windows of the record that the event names, unless the story is another record's. */
function windowsOf(
  stored: StoredEvent,
  story: Story,
  shadow: Shadow | null,
  { watches }: BatchState,
  rules: RoutingRules,
): readonly WindowNow[] {
  const isOwn = story.entity === stored.event.entity && story.entityId === stored.event.entityId;
  if (!isOwn) return [];
  const { change, transitions } = story;
  const types = transitions.map(({ type }) => type);
  const event = { receivedAt: stored.receivedAt, change, types, known: shadow?.state ?? null };
  const clock = clockWith(watchersOf(story, watches), rules.clocks.get(story.entity), rules.defaultSettleMs);
  return moveWindows(event, shadow?.windows ?? [], clock);
}

/** The record that the event names takes its new state; a deletion keeps the last one. */
function moveShadow(
  stored: StoredEvent,
  story: Story,
  before: Shadow | null,
  windows: readonly WindowNow[],
  state: BatchState,
): void {
  const { event } = stored;
  const current = state.shadows.get(recordKey(event.entity, event.entityId)) ?? emptyShadow(event.entity, event.entityId);
  putShadow(state, {
    ...current,
    state: slim(event.state ?? { ...current.state, ...event.previous }),
    occurredAt: knownSince(stored),
    deletedAt: event.action === 'delete' ? event.occurredAt : null,
    mergedInto: event.mergedToId ?? current.mergedInto,
    conversionKey: isHalfOfConversion(stored, story, before, current) ? event.correlationId : current.conversionKey,
    convertedFrom: event.entity === 'deal' ? (story.convertedFrom ?? current.convertedFrom) : null,
    windows: storedWindows(windows),
    reconciledAt: null,
  });
}

/** A deal that came and a lead that went may have their other half still on the way. */
function isHalfOfConversion(stored: StoredEvent, story: Story, before: Shadow | null, current: Shadow): boolean {
  const { event } = stored;
  if (event.entity === 'deal') return event.action === 'create' && story.convertedFrom === null;
  if (event.entity !== 'lead' || current.mergedInto !== null) return false;
  const change = changeOfEvent('lead', event, before?.state ?? null);
  return isGone({ change, transitions: deriveTransitions(change) });
}
