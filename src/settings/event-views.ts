/** What came in and what was made of it, in words and ready to print. Pure. */

import type { EventView, MessageView } from '../../views/components';
import { counted } from '../core/counted';
import { UNFINISHED_STATES } from '../core/delivery';
import { EVENT_TYPES, type EventType } from '../core/transition';
import type { TenantProfile } from '../core/tenant';
import { ANNOUNCE, type PastAnnouncement } from '../delivery/announcement.store';
import type { Destination } from '../delivery/read-destination';
import type { HistoryDelivery } from '../delivery/delivery-history.store';
import { NEVER_END } from '../delivery/judge-due';
import type { HistoryEvent } from '../rules/event-history.store';
import { recordUrl, type LinkedEntity } from '../messages/links';
import { RECORD_ENTITIES } from '../core/record';
import { asAnother, EVENT_NAMES } from '../rules/explain';
import { listDecisions, type NamesOf } from '../rules/list-decisions';
import { watchIdOf, type WatchNames } from '../rules/watch-rules';
import type { StoredRule } from '../rules/rule.store';
import { capitalized, momentWords, wordsOf } from './words';

type Tone = MessageView['tone'];

/** Everything the pages are made of. */
export interface PageFacts {
  readonly tenant: TenantProfile;
  readonly destinations: readonly Destination[];
  readonly rules: readonly StoredRule[];
  readonly events: readonly HistoryEvent[];
  readonly deliveries: readonly HistoryDelivery[];
  readonly namesOf: NamesOf;
  /** By the id of their event. */
  readonly announcements: ReadonlyMap<number, PastAnnouncement>;
  readonly watches: WatchNames;
  readonly now: Date;
}

const STATE_WORDS: Readonly<Record<string, { readonly text: string; readonly tone: Tone }>> = {
  queued: { text: 'waiting', tone: 'neutral' },
  sending: { text: 'being sent', tone: 'neutral' },
  sent: { text: 'sent', tone: 'good' },
  held: { text: 'held back', tone: 'neutral' },
  folded: { text: 'combined', tone: 'neutral' },
  dropped: { text: 'not sent', tone: 'neutral' },
  failed: { text: 'failed', tone: 'bad' },
};

/** Each event with its decisions and messages. */
export function eventViews(facts: PageFacts): EventView[] {
  const rules = new Map(facts.rules.map((rule) => [rule.id, rule]));
  const destinations = new Map(facts.destinations.map((destination) => [destination.id, destination]));
  return facts.events.map((event) => {
    const all = listDecisions(event, rules, facts.watches, facts.namesOf, asAnother);
    // The stored ones come first.
    const decisions = all.slice(0, event.decisions.length);
    const others = all.length - decisions.length;
    const ofRules = all.filter(({ ruleId }) => ruleId !== null);
    const byWatches = decisions.some(({ ruleId, matched }) => ruleId === null && matched);
    const messages = facts.deliveries.filter((delivery) => delivery.eventId === event.id);
    return {
      id: event.id,
      what: whatHappened(event),
      record: event.recordTitle ?? facts.announcements.get(event.id)?.title ?? '',
      link: linkOf(event, facts.tenant),
      announcement: facts.announcements.get(event.id) ?? null,
      when: momentWords(event.occurredAt, facts.tenant),
      whenIso: event.occurredAt.toISOString(),
      outcome: outcomeOf(event, ofRules, byWatches),
      decisions: decisions.map((decision) => ({ ...decision, reason: besideBadge(decision.reason) })),
      others: others === 0 ? null : `${counted(others, 'other rule')} ${others === 1 ? 'listens' : 'listen'} to something else`,
      nextLookMs: nextLook(event, messages, facts.now),
      messages: messages.map((delivery) => ({
        ...messageView(delivery, facts, destinations, ruleWords(event, delivery, rules, facts.watches)),
        ...(messages.some((other) => isLaterTelling(other, delivery)) && { canReplay: false }),
      })),
    };
  });
}

function whatHappened(event: HistoryEvent): string {
  const told = toldTransitions(event).map(eventName).join(', ');
  return capitalized(told || `${event.entity} ${ACTION_WORDS[event.action] ?? event.action}`);
}

/** Activities and notes have no page of their own in Pipedrive. */
function linkOf({ entity, entityId, action }: HistoryEvent, { companyDomain }: TenantProfile): string | null {
  const linked: LinkedEntity | undefined = RECORD_ENTITIES.find((known) => known === entity);
  if (linked === undefined || linked === 'activity' || linked === 'note' || action === 'delete') return null;
  return recordUrl(companyDomain, { entity: linked, id: entityId });
}

function ruleWords(
  { action }: HistoryEvent,
  { ruleId }: HistoryDelivery,
  rules: ReadonlyMap<number, StoredRule>,
  watches: WatchNames,
): string {
  const watchId = watchIdOf(ruleId);
  if (watchId !== null) return `watched by ${watches.get(watchId)?.author ?? 'somebody until they stopped'}`;
  return action === ANNOUNCE ? 'by hand' : byRule(rules.get(ruleId));
}

function byRule(rule: StoredRule | undefined): string {
  return rule === undefined ? 'by a rule that was removed' : `by “${rule.name}”`;
}

/** A badge says already whether the rule matched. */
function besideBadge(reason: string): string {
  return capitalized(reason.replace(/^(?:Matched\.$|Not matched: |Not told: )/, ''));
}

function messageView(
  delivery: HistoryDelivery,
  facts: PageFacts,
  destinations: ReadonlyMap<number, Destination>,
  why: string,
): MessageView {
  const { text, tone } = STATE_WORDS[delivery.state] ?? { text: delivery.state, tone: 'neutral' };
  const isUnfinished = UNFINISHED_STATES.some((state) => state === delivery.state);
  return {
    id: delivery.id,
    destination: wayWords(delivery, destinations),
    why: delivery.replay === 0 ? why : `${why}, sent again`,
    state: text,
    tone,
    when: timeOf(delivery, facts, destinations.get(delivery.chatWebhookId)),
    reason: delivery.reason,
    canReplay: !isUnfinished && destinations.has(delivery.chatWebhookId),
  };
}

/** Where it goes or went: another space takes it while its own is broken. */
function wayWords({ chatWebhookId, viaWebhookId }: HistoryDelivery, destinations: ReadonlyMap<number, Destination>): string {
  const nameOf = (id: number): string => destinations.get(id)?.name ?? 'a space that was removed';
  return viaWebhookId === null ? nameOf(chatWebhookId) : `${nameOf(viaWebhookId)}, in place of ${nameOf(chatWebhookId)}`;
}

/** What was sent again is sent again by its last telling alone. */
function isLaterTelling(other: HistoryDelivery, { ruleId, chatWebhookId, replay }: HistoryDelivery): boolean {
  return other.ruleId === ruleId && other.chatWebhookId === chatWebhookId && other.replay > replay;
}

/** When it was sent or given up, or until when it waits and for what. */
function timeOf(delivery: HistoryDelivery, { tenant, now }: PageFacts, space: Destination | undefined): string | null {
  const { finishedAt, heldUntil, notBefore, state, attempts, reason, replay, eventType } = delivery;
  const isForEver = reason?.endsWith(NEVER_END) === true;
  if (state === 'held') return heldUntil === null || isForEver ? null : `until ${momentWords(heldUntil, tenant)}`;
  if (state === 'queued' && notBefore > now) {
    const moment = wordsOf(notBefore, tenant, { timeStyle: 'medium' });
    if (attempts > 0) return `next try at ${moment}`;
    const settles = replay === 0 && eventType !== null && space?.health !== 'throttled';
    return settles ? `until ${moment} for later edits` : `until ${moment}`;
  }
  return finishedAt === null ? null : wordsOf(finishedAt, tenant, { timeStyle: 'short' });
}

const LEAST_LOOK_MS = 2000;
const MOST_LOOK_MS = 600_000;

/** In how many milliseconds something new can be told of an event; the longer it is due already, the later. Null: nothing is awaited. */
function nextLook(event: HistoryEvent, deliveries: readonly HistoryDelivery[], now: Date): number | null {
  const isOpen = event.routedAt === null && event.ignoredReason === null;
  const due = [
    ...(isOpen ? [event.receivedAt] : []),
    ...deliveries.filter(({ state }) => state === 'queued' || state === 'sending').map(({ notBefore }) => notBefore),
  ].map((moment) => {
    const aheadMs = moment.getTime() - now.getTime();
    return Math.max(aheadMs > 0 ? aheadMs + 1500 : -aheadMs / 2, LEAST_LOOK_MS);
  });
  const soonest = due.length === 0 ? MOST_LOOK_MS : Math.round(Math.min(...due));
  return soonest >= MOST_LOOK_MS ? null : soonest;
}

function outcomeOf(event: HistoryEvent, ofRules: readonly { readonly matched: boolean }[], byWatches: boolean): string {
  if (event.ignoredReason !== null) return `Ignored: ${event.ignoredReason}`;
  if (event.routedAt === null) return 'Processing…';
  if (event.action === ANNOUNCE) return 'Announced by hand';
  if (event.decisions.length > 0 && event.decisions.every(({ code }) => code === 'muted')) return 'Muted: nothing was posted';
  const matched = ofRules.filter((decision) => decision.matched).length;
  const told = matchedWords(matched, ofRules.length);
  return byWatches ? `Posted because it is watched; ${told.charAt(0).toLowerCase()}${told.slice(1)}` : told;
}

function matchedWords(matched: number, rules: number): string {
  if (rules === 0) return 'No rule was on';
  if (rules === 1) return matched === 0 ? 'The only rule did not match' : 'The only rule matched';
  return `${matched === 0 ? 'None' : matched} of ${rules} rules matched`;
}

/** Every change changes a field: that is said only when there is nothing more telling. */
function toldTransitions({ transitions }: HistoryEvent): readonly string[] {
  const telling = transitions.filter((type) => type !== 'deal.field_changed');
  return telling.length === 0 ? transitions : telling;
}

const ACTION_WORDS: Readonly<Record<string, string>> = {
  create: 'created',
  change: 'changed',
  delete: 'deleted',
  [ANNOUNCE]: 'announced',
};

function eventName(type: string): string {
  const known = EVENT_TYPES.find((candidate): candidate is EventType => candidate === type);
  return known === undefined ? type : EVENT_NAMES[known];
}
