/**
 * What a draft rule would have told: walks stored events in order, each decided by the router's own engine as if it had just come
 * in, with shadows and settle windows rebuilt on the way. Pure: nothing is stored or sent.
 */

import { parseWebhook } from '../core/pipedrive-event';
import type { Rule } from '../core/rule';
import type { RecordChange } from '../core/transition';
import type { StoredEvent } from './batch-state';
import type { RoutingRules } from './measure-rule';
import { planBatch, type BatchPlan } from './plan-batch';
import { correlationIds, wantedRecords, withFound, type RawEvent } from './route-events';
import { recordKey, type PendingDelivery, type Shadow, type ShadowMap } from './routing-ledger';

/** A message that the draft would have owed. */
export interface PreviewedMessage {
  readonly eventId: number;
  readonly chatWebhookId: number;
  /** When it would have been due. */
  readonly dueAt: Date;
  readonly change: RecordChange;
}

export interface Preview {
  /** Walks on by one event; events must come in the order of their ids. */
  take(raw: RawEvent): void;
  /** Every message so far that was not taken back, in the order of their events. */
  messages(): readonly PreviewedMessage[];
  /** Events that the draft matched, whether told by a message of their own or by that of another event. */
  matchedEventIds(): readonly number[];
  /** Rules that tell a destination of the draft instead of it and stop those below, with the number of events; the busiest first. */
  stoppedBy(): readonly StoppingRule[];
}

export interface StoppingRule {
  readonly ruleId: number;
  readonly ruleName: string;
  readonly events: number;
}

/** A draft has no id and no past: it is decided as if it had been on for ever. */
export const DRAFT_ID = 0;

/** Records remembered at once: beyond that the one that was longest silent is forgotten, and known again by its next event. */
const MAX_SHADOWS = 20_000;

/** Makes a rule for the walk out of a draft: behind those that are walked with it. */
export function draftRule(draft: Omit<Rule, 'id' | 'enabledAt'>): Rule {
  return { ...draft, id: DRAFT_ID, position: Number.MAX_SAFE_INTEGER, enabled: true, enabledAt: new Date(0) };
}

/**
 * Those of the tenant's rules, in their order, that keep the draft from telling a destination again what they tell there, as if they had
 * been on for ever too. The draft stands in the place of the rule of this id, else behind all that have its position.
 */
export function stoppingRules(rules: readonly Rule[], draft: Pick<Rule, 'targetWebhookIds'>, place: DraftPlace): readonly Rule[] {
  const own = rules.find(({ id }) => id === place.ruleId);
  const position = place.position ?? own?.position ?? Infinity;
  const isAbove = (rule: Rule): boolean =>
    rule.position < position || (rule.position === position && (own === undefined || rule.id < own.id));
  return rules
    .filter(({ id, enabled, stopAfter }) => enabled && stopAfter && id !== place.ruleId)
    .filter(({ targetWebhookIds }) => targetWebhookIds.some((id) => draft.targetWebhookIds.includes(id)))
    .filter(isAbove)
    .map((rule) => ({ ...rule, enabledAt: new Date(0) }));
}

/** Where a draft stands among the rules; null: behind them all. */
export interface DraftPlace {
  /** The rule that it changes. */
  readonly ruleId: number | null;
  readonly position: number | null;
}

/** `rules` is the draft with the rules that stop it, compiled. */
export function previewRule(rules: RoutingRules): Preview {
  const targets = new Set(rules.byId.get(DRAFT_ID)?.targetWebhookIds);
  const memory = makeMemory();
  const waiting = new Map<string, readonly PendingDelivery[]>();
  const messages = new Map<number, PreviewedMessage & { readonly ruleId: number }>();
  const matched: number[] = [];
  /** Events that the draft told, or would have told if no other rule had. */
  const heard = new Set<number>();
  let lastId = 0;

  function pendingFor(stored: StoredEvent, shadows: ShadowMap): readonly PendingDelivery[] {
    if (rules.clocks.size === 0) return [];
    return withFound(wantedRecords([stored]), shadows)
      .flatMap(({ entity, entityId }) => waiting.get(recordKey(entity, entityId)) ?? [])
      .filter((delivery) => delivery.notBefore >= stored.receivedAt);
  }

  function apply(plan: BatchPlan, stored: StoredEvent, pending: readonly PendingDelivery[]): void {
    const retold = new Map(plan.retold.map(({ id, change }) => [id, change]));
    const dropped = new Set(plan.dropped.map(({ id }) => id));
    for (const id of dropped) messages.delete(id);
    for (const [id, change] of retold) retell(id, change);
    const stillWaiting = pending
      .filter(({ id }) => id === null || !dropped.has(id))
      .map((delivery) => ({ ...delivery, change: retold.get(delivery.id ?? 0) ?? delivery.change }));
    for (const key of new Set(pending.map(keyOf))) waiting.delete(key);
    for (const delivery of [...stillWaiting, ...plan.created.map((created) => owe(created, stored))]) {
      const key = keyOf(delivery);
      waiting.set(key, [...(waiting.get(key) ?? []), delivery]);
    }
  }

  function retell(id: number, change: RecordChange): void {
    const message = messages.get(id);
    if (message !== undefined) messages.set(id, { ...message, change });
  }

  function owe(created: BatchPlan['created'][number], { receivedAt }: StoredEvent): PendingDelivery {
    const id = (lastId += 1);
    const { eventId, change, notBefore, recordBefore, destination, rule } = created;
    messages.set(id, { ruleId: rule.id, eventId, chatWebhookId: destination.id, dueAt: notBefore, change });
    const address = { ruleId: rule.id, chatWebhookId: destination.id, spaceId: destination.spaceId };
    return { id, created: null, eventId, receivedAt, change, recordBefore, notBefore, ...address };
  }

  function stoppedBy(): readonly StoppingRule[] {
    const events = new Map<number, Set<number>>();
    for (const { ruleId, eventId, chatWebhookId } of messages.values()) {
      const isInstead = ruleId !== DRAFT_ID && heard.has(eventId) && targets.has(chatWebhookId);
      if (isInstead) events.set(ruleId, (events.get(ruleId) ?? new Set()).add(eventId));
    }
    return [...events]
      .map(([ruleId, { size }]) => ({ ruleId, ruleName: rules.byId.get(ruleId)?.name ?? '', events: size }))
      .sort((left, right) => right.events - left.events || left.ruleId - right.ruleId);
  }

  return {
    take({ id, receivedAt, payload }) {
      const parsed = parseWebhook(payload);
      if (parsed.kind !== 'event') return;
      const stored: StoredEvent = { id, receivedAt, event: parsed.event };
      const shadows = memory.recall(stored);
      const pending = pendingFor(stored, shadows);
      const plan = planBatch([stored], shadows, pending, rules);
      plan.shadows.forEach(memory.keep);
      apply(plan, stored, pending);
      const decision = plan.routed.flatMap(({ decisions }) => decisions).find(({ ruleId }) => ruleId === DRAFT_ID);
      if (decision?.matched === true) matched.push(id);
      if (decision?.matched === true || decision?.code === 'alreadyTold') heard.add(id);
    },
    messages: () => [...messages.values()].filter(({ ruleId }) => ruleId === DRAFT_ID),
    matchedEventIds: () => matched,
    stoppedBy,
  };
}

function keyOf({ change }: PendingDelivery): string {
  return recordKey(change.entity, change.entityId);
}

/** The shadows of the walk: found by record, or as the other half of a lead conversion. */
function makeMemory() {
  const shadows = new Map<string, Shadow>();
  const halves = new Map<string, string>();

  return {
    /** Those that deciding this event may look at. */
    recall(stored: StoredEvent): ShadowMap {
      const wanted = wantedRecords([stored]).map(({ entity, entityId }) => recordKey(entity, entityId));
      const found = correlationIds([stored])
        .map((id) => halves.get(id))
        .filter((key) => key !== undefined);
      const known = [...wanted, ...found].map((key) => [key, shadows.get(key)] as const);
      return new Map(known.flatMap(([key, shadow]) => (shadow === undefined ? [] : [[key, shadow] as const])));
    },
    keep(shadow: Shadow): void {
      const key = recordKey(shadow.entity, shadow.entityId);
      shadows.delete(key);
      shadows.set(key, shadow);
      if (shadow.conversionKey !== null) halves.set(shadow.conversionKey, key);
      const [oldest] = shadows.size > MAX_SHADOWS ? shadows.keys() : [];
      if (oldest !== undefined) shadows.delete(oldest);
    },
  };
}
