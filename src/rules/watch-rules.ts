/** The watch of a record decides like a rule that hears of every meaningful change of that record alone. Pure. */

import { idField, textField, type RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { EventType, Transition } from '../core/transition';
import { recordKey } from './routing-ledger';

/** Records that can be watched: of persons and organizations too little is told to be worth it. */
export const WATCHED_ENTITIES = ['deal', 'lead'] as const;

/** A record of which every meaningful change is told to one destination. */
export interface Watch {
  readonly id: number;
  readonly entity: string;
  readonly entityId: string;
  readonly chatWebhookId: number;
  /** Who watches, in words. */
  readonly author: string;
  readonly createdAt: Date;
}

/** What happened as a whole: told by itself, with the record as it is now. */
const MOMENTS: ReadonlySet<EventType> = new Set<EventType>([
  ...(['deal.won', 'deal.lost', 'deal.reopened', 'deal.merged', 'deal.created', 'deal.deleted', 'deal.archived'] as const),
  ...(['deal.restored', 'lead.converted', 'lead.archived', 'lead.restored', 'lead.deleted'] as const),
  ...(['activity.completed', 'note.created'] as const),
]);

/** Whether this is told as a whole, and not as a field that changed. */
export const isMoment = ({ type }: Transition): boolean => MOMENTS.has(type);

/** Everything that a watch tells. Other edits of fields are none of it. */
const HEARD: ReadonlySet<EventType> = new Set<EventType>([
  ...MOMENTS,
  ...(['deal.stage_changed', 'deal.pipeline_changed', 'deal.owner_changed', 'deal.value_changed'] as const),
  ...(['deal.close_date_changed', 'deal.label_added', 'deal.label_removed'] as const),
]);

/** Behind every rule, whose position is a 32-bit number, so that it tells what is left. */
const BEHIND_RULES = 2 ** 31;

/** The rule that a watch is decided as. Its id is the watch's, below zero. */
export function watchRule({ id, entity, chatWebhookId, author, createdAt }: Watch): Rule {
  return {
    id: -id,
    name: `Watched by ${author}`,
    // A lead that goes may be half of a conversion: it waits for the deal.
    eventType: entity === 'lead' ? 'lead.archived' : 'deal.field_changed',
    filters: {},
    targetWebhookIds: [chatWebhookId],
    templateMode: 'compact',
    template: null,
    settleMs: null,
    position: BEHIND_RULES + id,
    stopAfter: false,
    urgent: false,
    digest: null,
    enabled: true,
    enabledAt: createdAt,
    hears: HEARD,
  };
}

/** The id of the watch that decides or tells under this rule id; null for a rule. */
export function watchIdOf(ruleId: number): number | null {
  return ruleId < 0 ? -ruleId : null;
}

export interface Decider {
  readonly ruleId: number | null;
  /** Absent for a rule, and for what was announced by hand. */
  readonly watchId?: number;
}

/** Which rule or watch a decision or message is of, as people see it. */
export function deciderOf({ ruleId }: { readonly ruleId: number }): Decider {
  const watchId = watchIdOf(ruleId);
  return { ruleId: ruleId > 0 ? ruleId : null, ...(watchId !== null && { watchId }) };
}

/** The rule id in the ledger by which people look for what a rule or a watch made; undefined: of any. */
export function ledgerRuleId({ ruleId, watchId }: Partial<Record<'ruleId' | 'watchId', number | undefined>>): number | undefined {
  return watchId === undefined ? ruleId : -watchId;
}

/** Who watches in which place, by the id of the watch; those that have ended are left out. */
export type WatchNames = ReadonlyMap<number, { readonly author: string; readonly spaceName: string }>;

/** What a watch is called where decisions are listed. */
export function watchName(id: number, names: WatchNames): string {
  const found = names.get(id);
  return found === undefined ? 'Watched until somebody stopped it' : `Watched by ${found.author} in ${found.spaceName}`;
}

/** Watches by the key of their record. */
export type WatchIndex = ReadonlyMap<string, readonly Rule[]>;

interface ToldRecord {
  readonly entity: string;
  readonly entityId: string;
  readonly state: RecordState;
}

/** Who watches the record, or the deal or lead that it belongs to. */
export function watchersOf(record: ToldRecord, watches: WatchIndex): readonly Rule[] {
  if (watches.size === 0) return [];
  return watchedKeys(record).flatMap((key) => watches.get(key) ?? []);
}

/** Keys of the records whose watches hear of this one: activities and notes name their deal or lead. */
export function watchedKeys({ entity, entityId, state }: ToldRecord): readonly string[] {
  if (WATCHED_ENTITIES.some((known) => known === entity)) return [recordKey(entity, entityId)];
  if (entity !== 'activity' && entity !== 'note') return [];
  const [dealId, leadId] = [idField(state, 'deal_id'), textField(state, 'lead_id')];
  return [
    ...(dealId === null ? [] : [recordKey('deal', String(dealId))]),
    ...(leadId === null ? [] : [recordKey('lead', leadId)]),
  ];
}

/** Whether the watch tells any of these. */
export function hearsAny({ hears }: Rule, transitions: readonly Transition[]): boolean {
  return hears !== undefined && transitions.some(({ type }) => hears.has(type));
}

/**
 * What a watch tells of one change, in one message: what happened as a whole and what changed with it, else the one thing that changed,
 * else all that changed together. Null when it hears of nothing.
 */
export function heardBy(hears: ReadonlySet<EventType>, transitions: readonly Transition[]): Transition | null {
  const heard = transitions.filter(({ type }) => hears.has(type));
  const [first, second] = heard;
  if (first === undefined || second === undefined) return first ?? null;
  const moment = heard.find(isMoment);
  const fields = new Set(heard.flatMap(({ changes }) => changes.map(({ field }) => field)));
  if (fields.has('value')) fields.add('currency');
  const edits = transitions.find(({ type }) => type === 'deal.field_changed')?.changes ?? [];
  const changes = edits.filter(({ field }) => fields.has(field));
  if (moment === undefined) return changes.length === 0 ? first : { type: 'deal.field_changed', changes };
  const own = new Set(moment.changes.map(({ field }) => field));
  return { ...moment, changes: [...moment.changes, ...changes.filter(({ field }) => !own.has(field))] };
}
