/** What no webhook told of a record: Pipedrive's list against the record's shadow and the events in the ledger. Pure. */

import { changedAt, happenedAt, timeField } from '../core/happened-at';
import { flagField, textField, type RecordEntity, type RecordState } from '../core/record';
import type { EventType } from '../core/transition';
import { leadNamedBy } from '../rules/convert-lead';
import { deriveTransitions, netChange } from '../rules/derive-transitions';
import { laidOver, type ListedRecord } from './listed-record';

/**
 * A webhook may still be on its way: Pipedrive tries again 3, 30 and 150 seconds after a failed attempt, each of which may take 10.
 * A record that was changed more recently is looked at again when this is over.
 */
export const GRACE_MS = 240_000;
/** Pipedrive's event comes a moment after the record's own time; clocks are no better than this. */
const SLACK_MS = 60_000;
const LOOK_AGAIN_MS = 60_000;

/** What the ledger has of one record. */
export interface KnownRecord {
  /** Its state by its last event; null when no event ever told of it. */
  readonly shadow: { readonly state: RecordState; readonly occurredAt: Date; readonly isGone: boolean } | null;
  /** Its routed events that told, or could have told, something. */
  readonly events: readonly { readonly transitions: readonly string[]; readonly occurredAt: Date }[];
  /** Some event of it waits to be routed, so nothing can be said yet. */
  readonly isUnsettled: boolean;
}

/** An event to be made, as its body says it. */
export interface FoundEvent {
  readonly entity: RecordEntity;
  readonly entityId: string;
  readonly action: 'create' | 'change' | 'delete';
  readonly occurredAt: Date;
  /** Of what was deleted the last one. */
  readonly state: RecordState;
  readonly previous: RecordState | null;
  readonly missed: readonly EventType[] | null;
  readonly knownAt: Date | null;
}

export interface Finding {
  readonly events: readonly FoundEvent[];
  /** When the record has to be looked at again; null when all is said. */
  readonly againAt: Date | null;
}

export interface Sighting {
  readonly type: EventType;
  readonly happenedAt: Date;
}

const NOTHING: Finding = { events: [], againAt: null };

/** The time that is compared: what happened before `since` is the past, and the list was asked for at `readAt`. */
export interface Gap {
  readonly since: Date;
  readonly readAt: Date;
}

/** What the record itself says has happened in the gap, by its own times; people can set a day of winning that is still to come. */
export function sightingsOf(listed: ListedRecord, known: KnownRecord, { since, readAt }: Gap): readonly Sighting[] {
  const { entity, state, isDeleted } = listed;
  const types = isDeleted ? deletionsOf(entity, known) : typesOf(entity, state);
  return types.flatMap((type) => {
    const at = happenedAt(type, state);
    if (at === null || at < since || at.getTime() > readAt.getTime() + SLACK_MS) return [];
    return [{ type, happenedAt: isStatusType(type) ? closedAt(type, at, listed, known) : at }];
  });
}

/** Judges one record of a list. Events come in the order in which they have to be routed. */
export function findMissed(listed: ListedRecord, known: KnownRecord, gap: Gap): Finding {
  const { readAt } = gap;
  const changed = changedAt(listed.state);
  if (changed === null || known.shadow?.isGone === true) return NOTHING;
  if (listed.isDeleted) return findDeletion(listed, known, changed, readAt);
  const different = difference(listed, known);
  const missed = missedTypes(listed, known, gap).filter(({ type }) => !different.types.has(type));
  if (different.types.size === 0 && missed.length === 0) return NOTHING;
  if (known.isUnsettled) return { events: [], againAt: new Date(readAt.getTime() + LOOK_AGAIN_MS) };

  const isSettled = (at: Date): boolean => at.getTime() + GRACE_MS <= readAt.getTime();
  // An unknown record takes its whole state from the list, so it must be old enough as a whole. A win goes together with the
  // difference that moves the shadow on: its webhook would tell it once more if it came in between.
  const isWhole = known.shadow === null || (different.types.size > 0 && missed.some(({ type }) => isStatusType(type)));
  const ripe = isWhole && !isSettled(changed) ? [] : missed.filter((sighting) => isSettled(sighting.happenedAt));
  const events = [
    ...(ripe.length === 0 ? [] : [missedEvent(listed, known, ripe)]),
    ...(different.types.size > 0 && isSettled(changed) ? [differenceEvent(listed, known, different.state)] : []),
  ];
  const isAllSaid = ripe.length === missed.length && (different.types.size === 0 || isSettled(changed));
  return { events, againAt: isAllSaid ? null : ripeAt(changed, missed) };
}

/** What came and went unheard of is no news. */
function findDeletion({ entity, entityId, state }: ListedRecord, known: KnownRecord, changed: Date, readAt: Date): Finding {
  const { shadow, isUnsettled } = known;
  const [type] = deletionsOf(entity, known);
  if (shadow === null || type === undefined) return NOTHING;
  if (isUnsettled) return { events: [], againAt: new Date(readAt.getTime() + LOOK_AGAIN_MS) };
  if (changed.getTime() + GRACE_MS > readAt.getTime()) return { events: [], againAt: ripeAt(changed, []) };
  const occurredAt = changed > shadow.occurredAt ? changed : shadow.occurredAt;
  const last = laidOver(shadow.state, state);
  const found = { entity, entityId, action: 'delete' as const, occurredAt, state: last, previous: null };
  return { events: [{ ...found, missed: [type], knownAt: shadow.occurredAt }], againAt: null };
}

/** The deletion that the list shows, if the ledger knew the record as there, or knows of its deletion: a merge is another story. */
function deletionsOf(entity: RecordEntity, { shadow, events }: KnownRecord): readonly EventType[] {
  if (entity !== 'deal' || shadow === null) return [];
  const isTold = events.some(({ transitions }) => transitions.includes('deal.deleted'));
  return isTold || !shadow.isGone ? ['deal.deleted'] : [];
}

function ripeAt(changed: Date, missed: readonly Sighting[]): Date {
  const latest = Math.max(changed.getTime(), ...missed.map((sighting) => sighting.happenedAt.getTime()));
  return new Date(latest + GRACE_MS + 1_000);
}

interface Difference {
  readonly state: RecordState;
  readonly types: ReadonlySet<string>;
}

/** In what the list differs from the shadow of a record of which events have told. */
function difference({ entity, state }: ListedRecord, { shadow }: KnownRecord): Difference {
  if (shadow === null) return { state, types: new Set() };
  const after = laidOver(shadow.state, state);
  const transitions = deriveTransitions(netChange(entity, shadow.state, after));
  return { state: after, types: new Set(transitions.map(({ type }) => type)) };
}

function differenceEvent({ entity, entityId, state }: ListedRecord, { shadow }: KnownRecord, after: RecordState): FoundEvent {
  const changedMs = changedAt(state)?.getTime() ?? 0;
  const occurredAt = new Date(Math.max(changedMs, shadow?.occurredAt.getTime() ?? 0));
  const { previous } = netChange(entity, shadow?.state ?? after, after);
  const knownAt = shadow?.occurredAt ?? null;
  return { entity, entityId, action: 'change', occurredAt, state: after, previous, missed: null, knownAt };
}

function missedEvent(listed: ListedRecord, { shadow }: KnownRecord, missed: readonly Sighting[]): FoundEvent {
  const { entity, entityId, state } = listed;
  const latest = new Date(Math.max(...missed.map((sighting) => sighting.happenedAt.getTime())));
  const isNew = missed.some(({ type }) => BIRTHS.has(type));
  return {
    ...{ entity, entityId, action: isNew ? 'create' : 'change' },
    occurredAt: shadow === null ? (changedAt(state) ?? latest) : latest,
    state: shadow === null ? state : { ...laidOver(shadow.state, state), source_lead_id: state['source_lead_id'] ?? null },
    previous: isNew ? null : Object.fromEntries(missed.flatMap(({ type }) => Object.entries(BEFORE[type] ?? {}))),
    missed: missed.map(({ type }) => type),
    knownAt: shadow?.occurredAt ?? null,
  };
}

const BIRTHS: ReadonlySet<string> = new Set([
  ...['deal.created', 'lead.converted', 'lead.created', 'person.created', 'organization.created', 'activity.created'],
  'note.created',
]);

/** What the fields must have been before, as far as the record's own times say so. */
const BEFORE: Partial<Record<EventType, RecordState>> = {
  'deal.won': { status: 'open', won_time: null, close_time: null },
  'deal.lost': { status: 'open', lost_time: null, lost_reason: null, close_time: null },
  'activity.completed': { done: false },
};

/** The transitions whose time Pipedrive keeps in the record. */
function typesOf(entity: RecordEntity, state: RecordState): readonly EventType[] {
  switch (entity) {
    case 'deal': {
      const birth = leadNamedBy(state) === null ? 'deal.created' : 'lead.converted';
      const status = textField(state, 'status');
      return [birth, ...(status === 'won' ? (['deal.won'] as const) : status === 'lost' ? (['deal.lost'] as const) : [])];
    }
    case 'activity':
      return ['activity.created', ...(isCompletedLater(state) ? (['activity.completed'] as const) : [])];
    default:
      return [`${entity}.created`];
  }
}

function isCompletedLater(state: RecordState): boolean {
  return flagField(state, 'done') && timeField(state, 'marked_as_done_time') !== null;
}

function missedTypes(listed: ListedRecord, known: KnownRecord, gap: Gap): readonly Sighting[] {
  return sightingsOf(listed, known, gap).filter((sighting) => !isInLedger(sighting, known.events));
}

const SAME_BIRTH: Partial<Record<string, readonly string[]>> = {
  'deal.created': ['deal.created', 'lead.converted'],
  'lead.converted': ['deal.created', 'lead.converted'],
};

/** A birth is told once; all else is told by an event of its time or later. */
function isInLedger({ type, happenedAt: at }: Sighting, events: KnownRecord['events']): boolean {
  const isBirth = BIRTHS.has(type);
  const same = isBirth ? (SAME_BIRTH[type] ?? [type]) : [type];
  return events.some(
    ({ transitions, occurredAt }) =>
      transitions.some((item) => same.includes(item)) && (isBirth || occurredAt.getTime() >= at.getTime() - SLACK_MS),
  );
}

const STATUS_TYPES: readonly string[] = ['deal.won', 'deal.lost', 'deal.reopened'];

function isStatusType(type: string): boolean {
  return STATUS_TYPES.includes(type);
}

/**
 * When the deal was won or lost. People correct the time of a win, which makes no second win of it: unless the list shows that it is
 * another one, it is the one that the ledger told last, at the time of that event. What was dated ahead happened when it was written.
 */
function closedAt(type: EventType, at: Date, listed: ListedRecord, { shadow, events }: KnownRecord): Date {
  const changed = changedAt(listed.state);
  const closed = changed !== null && changed < at ? changed : at;
  const statuses = events.filter(({ transitions }) => transitions.some(isStatusType));
  const last = statuses.reduce<(typeof statuses)[number] | null>(
    (newest, event) => (newest === null || event.occurredAt > newest.occurredAt ? event : newest),
    null,
  );
  if (last?.transitions.includes(type) !== true || last.occurredAt.getTime() >= closed.getTime() - SLACK_MS) return closed;
  return shadow !== null && isClosedAgain(type, at, listed.state, shadow.state) ? closed : last.occurredAt;
}

/**
 * Whether the deal was reopened and closed anew, unheard: a time of which no event knows, at which it was changed last and which is its
 * `close_time` too, since Pipedrive sets the three together. In doubt the time of the told one was corrected: nothing is told twice.
 */
function isClosedAgain(type: EventType, at: Date, listed: RecordState, known: RecordState): boolean {
  const status = textField(known, 'status');
  if (status !== null && status !== textField(listed, 'status')) return true;
  const [heardOf, changedBefore] = [happenedAt(type, known), changedAt(known)];
  if (heardOf === null || changedBefore === null || at <= changedBefore) return false;
  return isNear(at, changedAt(listed)) && isNear(at, timeField(listed, 'close_time')) && !isNear(at, heardOf);
}

function isNear(one: Date, other: Date | null): boolean {
  return other !== null && Math.abs(one.getTime() - other.getTime()) <= SLACK_MS;
}
