/** What came in and what was made of it, in words and ready to print. Pure. */

import type { EventView, MessageView } from '../../views/components';
import { EVENT_TYPES, type EventType } from '../core/transition';
import type { TenantProfile } from '../core/tenant';
import { ANNOUNCE } from '../delivery/announcement.store';
import type { Destination } from '../delivery/chat-webhook.store';
import type { HistoryDelivery } from '../delivery/delivery-history.store';
import type { HistoryEvent } from '../rules/event-history.store';
import { EVENT_NAMES } from '../rules/explain';
import { listDecisions, type NamesOf } from '../rules/list-decisions';
import type { StoredRule } from '../rules/rule.store';
import { capitalized, counted, momentWords } from './words';

type Tone = MessageView['tone'];

/** Everything the pages are made of. */
export interface PageFacts {
  readonly tenant: TenantProfile;
  readonly destinations: readonly Destination[];
  readonly rules: readonly StoredRule[];
  readonly events: readonly HistoryEvent[];
  readonly deliveries: readonly HistoryDelivery[];
  readonly namesOf: NamesOf;
}

const STATE_WORDS: Readonly<Record<string, { readonly text: string; readonly tone: Tone }>> = {
  queued: { text: 'waiting', tone: 'neutral' },
  sending: { text: 'being sent', tone: 'neutral' },
  sent: { text: 'sent', tone: 'good' },
  held: { text: 'held back', tone: 'neutral' },
  folded: { text: 'told in another message', tone: 'neutral' },
  dropped: { text: 'not sent', tone: 'neutral' },
  failed: { text: 'failed', tone: 'bad' },
};

/** Each event with its decisions and messages. */
export function eventViews(facts: PageFacts): EventView[] {
  const rules = new Map(facts.rules.map((rule) => [rule.id, rule]));
  const destinations = new Map(facts.destinations.map(({ id, name }) => [id, name]));
  return facts.events.map((event) => {
    const decided = new Set(event.decisions.map((decision) => decision.ruleId));
    const all = listDecisions(event, rules, facts.namesOf);
    const others = all.filter((decision) => !decided.has(decision.ruleId)).length;
    const messages = facts.deliveries.filter((delivery) => delivery.eventId === event.id);
    return {
      what: capitalized(
        toldTransitions(event).map(eventName).join(', ') || `${event.entity} ${ACTION_WORDS[event.action] ?? event.action}`,
      ),
      record: event.recordTitle ?? '',
      when: momentWords(event.occurredAt, facts.tenant),
      whenIso: event.occurredAt.toISOString(),
      outcome: outcomeOf(event, all.filter((decision) => decision.matched).length, all.length),
      decisions: all.filter((decision) => decided.has(decision.ruleId)),
      others: others === 0 ? null : `${counted(others, 'rule')} listening to something else`,
      messages: messages.map((delivery) => messageView(delivery, destinations, rules)),
    };
  });
}

function messageView(
  delivery: HistoryDelivery,
  destinations: ReadonlyMap<number, string>,
  rules: ReadonlyMap<number, StoredRule>,
): MessageView {
  const { text, tone } = STATE_WORDS[delivery.state] ?? { text: delivery.state, tone: 'neutral' };
  return {
    destination: destinations.get(delivery.chatWebhookId) ?? 'removed destination',
    ruleName: rules.get(delivery.ruleId)?.name ?? 'removed rule',
    state: text,
    tone,
    reason: delivery.reason,
  };
}

function outcomeOf(event: HistoryEvent, matched: number, asked: number): string {
  if (event.ignoredReason !== null) return `Ignored: ${event.ignoredReason}`;
  if (event.routedAt === null) return 'Being looked at: reload in a moment';
  if (event.action === ANNOUNCE) return 'Announced by hand';
  if (asked === 0) return 'No rule was on';
  return `${matched === 0 ? 'None' : matched} of ${counted(asked, 'rule')} matched`;
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
