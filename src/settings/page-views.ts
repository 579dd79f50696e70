/** What the pages inside Pipedrive show, in words and ready to print. Pure. */

import type { EventView, MessageView } from '../../views/components';
import type { RecordView } from '../../views/record';
import type { SettingsView } from '../../views/settings';
import { EVENT_TYPES, type EventType } from '../core/transition';
import type { TenantProfile } from '../core/tenant';
import { shownHealth, type Destination } from '../delivery/chat-webhook.store';
import type { HistoryDelivery } from '../delivery/delivery-history.store';
import type { CurrentPlan } from '../plans/plan-limits';
import type { HistoryEvent } from '../rules/event-history.store';
import { EVENT_NAMES } from '../rules/explain';
import { listDecisions, type NamesOf } from '../rules/list-decisions';
import type { StoredRule } from '../rules/rule.store';

type Frame = SettingsView['frame'];
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

const HEALTH_WORDS: Readonly<Record<Destination['health'], { readonly text: string; readonly tone: Tone }>> = {
  healthy: { text: 'works', tone: 'good' },
  throttled: { text: 'slowed down by Google', tone: 'neutral' },
  doubtful: { text: 'refused lately', tone: 'bad' },
  broken: { text: 'broken', tone: 'bad' },
  paused: { text: 'paused', tone: 'neutral' },
};
const STATE_WORDS: Readonly<Record<string, { readonly text: string; readonly tone: Tone }>> = {
  queued: { text: 'waiting', tone: 'neutral' },
  sending: { text: 'being sent', tone: 'neutral' },
  sent: { text: 'sent', tone: 'good' },
  held: { text: 'held back', tone: 'neutral' },
  folded: { text: 'told in another message', tone: 'neutral' },
  dropped: { text: 'not sent', tone: 'neutral' },
  failed: { text: 'failed', tone: 'bad' },
};

/** The settings page. */
export function settingsView(facts: PageFacts, plan: CurrentPlan, apiKeys: number, frame: Frame): SettingsView {
  const { tenant, destinations, rules } = facts;
  const names = new Map(destinations.map(({ id, name }) => [id, name]));
  const activeRules = rules.filter((rule) => rule.enabled).length;
  return {
    frame,
    companyName: tenant.companyName,
    plan: planWords(plan, tenant),
    usage: [
      { label: 'Spaces', value: `${destinations.length} of ${plan.limits.destinations}` },
      { label: 'Active rules', value: `${activeRules} of ${plan.limits.activeRules}` },
      { label: 'API keys', value: `${apiKeys} of ${plan.limits.apiKeys}` },
    ],
    destinations: destinations.map((destination) => {
      const { text, tone } = HEALTH_WORDS[shownHealth(destination)];
      return {
        name: destination.name,
        space: `spaces/${destination.spaceId}`,
        health: text,
        tone,
        reason: destination.healthReason,
      };
    }),
    rules: rules.map(({ name, eventType, targetWebhookIds, enabled }) => ({
      name,
      listensTo: capitalized(EVENT_NAMES[eventType]),
      targets: targetWebhookIds.map((id) => names.get(id) ?? `destination ${id}`).join(', ') || 'no destination',
      isOn: enabled,
    })),
    events: eventViews(facts),
  };
}

/** The panel or modal of one record. `record` null: the page was opened without one. */
export function recordView(
  facts: PageFacts,
  record: { readonly entity: string; readonly entityId: string } | null,
  frame: Frame,
): RecordView {
  const sent = facts.deliveries.filter((delivery) => delivery.state === 'sent').length;
  const title = facts.events.find((event) => event.recordTitle !== null)?.recordTitle;
  return {
    frame,
    heading: title ?? (record === null ? 'Dealbell' : `This ${record.entity}`),
    summary:
      facts.events.length === 0
        ? ''
        : `${sent === 0 ? 'No message' : counted(sent, 'message')} sent about ${counted(facts.events.length, 'event')}.`,
    // The heading names the record already.
    events: eventViews(facts).map((event) => (event.record === title ? { ...event, record: '' } : event)),
    empty:
      record === null ? 'Open this from a deal, person or organization.' : `Nothing has come in about this ${record.entity} yet.`,
  };
}

function eventViews(facts: PageFacts): EventView[] {
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
  if (asked === 0) return 'No rule was on';
  return `${matched === 0 ? 'None' : matched} of ${counted(asked, 'rule')} matched`;
}

/** Every change changes a field: that is said only when there is nothing more telling. */
function toldTransitions({ transitions }: HistoryEvent): readonly string[] {
  const telling = transitions.filter((type) => type !== 'deal.field_changed');
  return telling.length === 0 ? transitions : telling;
}

const ACTION_WORDS: Readonly<Record<string, string>> = { create: 'created', change: 'changed', delete: 'deleted' };

function eventName(type: string): string {
  const known = EVENT_TYPES.find((candidate): candidate is EventType => candidate === type);
  return known === undefined ? type : EVENT_NAMES[known];
}

function planWords({ plan, isTrial, trialEndsAt }: CurrentPlan, tenant: TenantProfile): string {
  if (!isTrial) return `${plan} plan`;
  return trialEndsAt === null ? 'trial' : `trial until ${wordsOf(trialEndsAt, tenant, { dateStyle: 'medium' })}, then ${plan}`;
}

function momentWords(moment: Date, tenant: TenantProfile): string {
  return wordsOf(moment, tenant, { dateStyle: 'medium', timeStyle: 'short' });
}

/** The pages are in English; the zone is the company's, and so is the order of day and month. */
function wordsOf(moment: Date, { locale, timeZone }: TenantProfile, style: Intl.DateTimeFormatOptions): string {
  const region = /[_-]([A-Z]{2})$/.exec(locale)?.[1];
  try {
    return new Intl.DateTimeFormat(region === undefined ? 'en' : `en-${region}`, { ...style, timeZone }).format(moment);
  } catch (error) {
    // A zone that this runtime does not know: UTC, and it says so.
    if (error instanceof RangeError) return `${new Intl.DateTimeFormat('en', { ...style, timeZone: 'UTC' }).format(moment)} UTC`;
    throw error;
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
