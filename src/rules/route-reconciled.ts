/** Routes what the reconciliation found: told like any event, marked as late, and in no order of arrival told twice. Pure. */

import type { Decision } from '../core/decision';
import { changedAt, happenedAt } from '../core/happened-at';
import type { PipedriveEvent, Reconciled } from '../core/pipedrive-event';
import type { RecordEntity } from '../core/record';
import type { EventType, Transition } from '../core/transition';
import { emptyShadow, putShadow, slim, type BatchState, type StoredEvent } from './batch-state';
import { leadNamedBy } from './convert-lead';
import { decideRules, listeners, type Hearing } from './decide-rules';
import { changeOfEvent, deriveTransitions, netChange, type Change } from './derive-transitions';
import { rememberGone } from './late-merge';
import type { RoutingRules } from './measure-rule';
import { recordKey, type RoutedEvent, type Shadow } from './routing-ledger';
import type { Story } from './tell-story';
import { watchersOf } from './watch-rules';

/** What is found later than this is recorded and counted, but no news any more. */
const LATEST_NEWS_MS = 24 * 3_600_000;
/** What a deal that is gone may have become: rules on it stay silent for a reason. */
const MERGE: readonly Transition[] = [{ type: 'deal.merged', changes: [] }];

/**
 * A webhook that came after all, when Pipedrive's list had told its change already. `meta.timestamp` lies up to a second or so after
 * the record's own times, so the two cannot be compared: what counts is that the event's state is no newer than the one read.
 */
export function isKnownFromList(shadow: Shadow, event: PipedriveEvent): boolean {
  if (shadow.reconciledAt === null || event.occurredAt > shadow.reconciledAt) return false;
  // A merge says more than the list does.
  if (event.state === null) return shadow.deletedAt !== null && event.mergedToId === null;
  const [told, read] = [changedAt(event.state), changedAt(shadow.state)];
  return told !== null && read !== null && told <= read;
}

/** Routes one event of the reconciliation. */
export function routeReconciled(
  stored: StoredEvent,
  reconciled: Reconciled,
  entity: RecordEntity,
  state: BatchState,
  rules: RoutingRules,
): RoutedEvent {
  const { event } = stored;
  const shadow = state.shadows.get(recordKey(entity, event.entityId)) ?? null;
  const change = changeFound(entity, event, reconciled, shadow);
  const transitions = deriveTransitions(change).filter(({ type }) => reconciled.missed?.includes(type) ?? true);
  const story = storyOf(event, entity, change, transitions);
  const hearing: Hearing = { rules, watchers: watchersOf(story, state.watches) };
  if (isOvertaken(shadow, event, reconciled)) return silent(stored, transitions, 'outdated', hearing);
  moveShadow(stored, reconciled, change, shadow, state);
  const happened = new Map(transitions.map(({ type }) => [type, happenedAt(type, change.after ?? {}) ?? event.occurredAt]));
  const isNews = ({ type }: Transition): boolean => ageMs(type, happened, reconciled) <= LATEST_NEWS_MS;
  const news = transitions.filter(isNews);
  const tooOld = transitions.filter((transition) => !isNews(transition));
  const old = silent(stored, tooOld, 'foundTooLate', hearing);
  // Without a settle window: it is the net change already, and no edit inside the window of what waits.
  const decisions = decideRules({ ...stored, happened }, { ...story, transitions: news }, [], state, rules);
  const isDeletion = transitions.some(({ type }) => type === 'deal.deleted');
  if (isDeletion) rememberGone(stored, state);
  const merge = silent(stored, isDeletion ? MERGE : [], news.length > 0 ? 'perhapsMerged' : 'foundTooLate', {
    rules,
    watchers: [],
  });
  const all = [...decisions, ...old.decisions, ...merge.decisions];
  return { id: stored.id, transitions: transitions.map(({ type }) => type), decisions: all };
}

/**
 * What the record's webhooks have told since: a difference is measured anew from today's shadow, but what was judged by the ledger is
 * judged again by the next run when the record was heard of meanwhile.
 */
function isOvertaken(shadow: Shadow | null, event: PipedriveEvent, { missed, knownAt }: Reconciled): boolean {
  const heardAt = shadow?.occurredAt ?? null;
  if (missed === null) return heardAt === null || event.occurredAt < heardAt;
  return (heardAt?.getTime() ?? null) !== (knownAt?.getTime() ?? null);
}

function changeFound(entity: RecordEntity, event: PipedriveEvent, { missed }: Reconciled, shadow: Shadow | null): Change {
  if (event.action === 'delete') return changeOfEvent(entity, event, shadow?.state ?? null);
  const read = event.state ?? {};
  if (missed === null) {
    const before = shadow?.state ?? read;
    return netChange(entity, before, { ...before, ...read });
  }
  if (event.action === 'create') {
    const convertedFromLeadId = entity === 'deal' ? leadNamedBy(read) : null;
    return { entity, before: null, after: read, previous: {}, convertedFromLeadId };
  }
  const previous = event.previous ?? {};
  return { entity, before: { ...read, ...previous }, after: read, previous };
}

function storyOf(event: PipedriveEvent, entity: RecordEntity, change: Change, transitions: readonly Transition[]): Story {
  const convertedFrom = change.convertedFromLeadId ?? null;
  return { entity, entityId: event.entityId, change, transitions, state: change.after ?? change.before ?? {}, convertedFrom };
}

/** What the ledger lacks may lie behind what is known of the record: then the shadow stays. */
function moveShadow(
  { event }: StoredEvent,
  { missed, readAt }: Reconciled,
  { after, convertedFromLeadId }: Change,
  shadow: Shadow | null,
  state: BatchState,
): void {
  const isGone = event.action === 'delete';
  if (missed !== null && shadow?.occurredAt != null && !isGone) return;
  const { entity, entityId, occurredAt } = event;
  const known = shadow ?? emptyShadow(entity, entityId);
  const fresh = { occurredAt, deletedAt: isGone ? occurredAt : null, windows: [], reconciledAt: readAt };
  const convertedFrom = convertedFromLeadId ?? known.convertedFrom;
  // Lists know no webhook's custom fields: those that were known stay.
  putShadow(state, { ...known, ...fresh, state: slim({ ...known.state, ...(after ?? event.previous) }), convertedFrom });
  if (convertedFromLeadId == null) return;
  const lead = state.shadows.get(recordKey('lead', convertedFromLeadId)) ?? emptyShadow('lead', convertedFromLeadId);
  putShadow(state, { ...lead, mergedInto: `deal:${entityId}`, conversionKey: null });
}

function silent(
  stored: StoredEvent,
  transitions: readonly Transition[],
  code: 'outdated' | 'foundTooLate' | 'perhapsMerged',
  hearing: Hearing,
): RoutedEvent {
  const decisions = listeners(transitions, hearing).map((rule): Decision => ({ ruleId: rule.id, matched: false, code }));
  return { id: stored.id, transitions: transitions.map(({ type }) => type), decisions };
}

function ageMs(type: EventType, happened: ReadonlyMap<EventType, Date>, { readAt }: Reconciled): number {
  return readAt.getTime() - (happened.get(type)?.getTime() ?? readAt.getTime());
}
