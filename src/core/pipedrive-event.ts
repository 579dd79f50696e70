/** One webhook v2 delivery of Pipedrive, parsed: what happened to which record, with both states of it. */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isObject, type RecordState } from './record';

export const EVENT_ACTIONS = ['create', 'change', 'delete'] as const;
export type EventAction = (typeof EVENT_ACTIONS)[number];

export interface PipedriveEvent {
  /** Pipedrive's object name; one of `WEBHOOK_ENTITIES`, or another one of no interest. */
  readonly entity: string;
  /** A number as text, for leads a UUID. */
  readonly entityId: string;
  readonly action: EventAction;
  /** `meta.id`: the event's UUID; for `user` events, where it is only the user's id, with a digest of the state. */
  readonly metaId: string;
  /** `meta.timestamp`, to the millisecond. */
  readonly occurredAt: Date;
  /** Who did it (`meta.user_id`); null when Pipedrive names nobody. */
  readonly actorUserId: number | null;
  readonly correlationId: string | null;
  readonly isBulkEdit: boolean;
  /** `app`, `api`, or whatever Pipedrive invents next. */
  readonly changeSource: string | null;
  readonly mergedToId: string | null;
  readonly mergedFromId: string | null;
  /** The state after the event; null for a deletion. */
  readonly state: RecordState | null;
  /** On change only the fields that changed, on delete the last state, on create null. */
  readonly previous: RecordState | null;
  /** Present on an event that no webhook brought: Dealbell made it of what Pipedrive's own list showed. */
  readonly reconciled?: Reconciled;
}

/** On what an event of the reconciliation rests. */
export interface Reconciled {
  /** When Pipedrive's list was asked: what happened before is in the state. */
  readonly readAt: Date;
  /** The transitions that are missing in the ledger; null: whatever differs from the record's shadow. */
  readonly missed: readonly string[] | null;
  /** Until when the record's shadow had heard of it when that was judged; null: never by an event. */
  readonly knownAt: Date | null;
}

/** What a webhook body turned out to be. */
export type ParsedWebhook =
  | { readonly kind: 'event'; readonly event: PipedriveEvent }
  /** A webhook, but none to route; `event` names it as far as it can be named. */
  | { readonly kind: 'ignored'; readonly reason: string; readonly event: PipedriveEvent | null }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Ids come as numbers and as strings; kept as text without anything PostgreSQL or a URL would choke on. */
const anyId = z.union([z.string().regex(/^[\w.:-]{1,100}$/), z.number().int().nonnegative().transform(String)]);
const optionalId = anyId.nullish().catch(null);
const looseText = z.string().max(200).nullish().catch(null);

/** ISO text, or seconds since 1970 as `user` events have it; only years that every store can hold. */
const timestamp = z
  .union([z.string(), z.number()])
  .transform((value) => (typeof value === 'number' || /^\d{9,13}$/.test(value) ? sinceEpoch(Number(value)) : new Date(value)))
  .refine((date) => date.getTime() >= 0 && date.getUTCFullYear() <= 9999, 'is no point in time');

/** How `reconciledBody` writes down what an event of the reconciliation rests on. */
const reconciledSchema = z
  .object({ read_at: timestamp, missed: z.array(z.string()).nullable(), known_at: timestamp.nullable() })
  .transform((meta): Reconciled => ({ readAt: meta.read_at, missed: meta.missed, knownAt: meta.known_at }));

const metaSchema = z.object({
  action: z.string().regex(/^[a-z_]{1,30}$/),
  entity: z.string().regex(/^[A-Za-z_]{1,40}$/),
  entity_id: anyId,
  id: optionalId,
  timestamp,
  user_id: optionalId,
  correlation_id: looseText,
  is_bulk_edit: z.boolean().nullish().catch(null),
  change_source: looseText,
  merged_to_id: optionalId,
  merged_from_id: optionalId,
  dealbell_reconciled: reconciledSchema.optional().catch(undefined),
});

/** Both states are read by `stateOf`: a schema of them would copy every field. */
const webhookSchema = z.object({ meta: metaSchema, data: z.unknown().optional(), previous: z.unknown().optional() });

/** The v1 format (`current`/`previous`, `meta.v = 1`), which still runs in parallel at Pipedrive. */
const v1Schema = z.object({
  meta: z.object({
    action: z.string().regex(/^[a-z_]{1,30}$/),
    object: z.string().regex(/^[A-Za-z_]{1,40}$/),
    id: anyId.catch('0'),
    timestamp: timestamp.catch(new Date(0)),
  }),
});

/** Seconds; a number that long can only be milliseconds. */
function sinceEpoch(value: number): Date {
  return new Date(value >= 1e11 ? value : value * 1000);
}

/** Parses a raw body. Never throws: what is no webhook comes back as `invalid` with the reason. */
export function parseWebhook(body: Buffer): ParsedWebhook {
  const json = parseJson(body);
  if (!isObject(json) || !isObject(json['meta']))
    return { kind: 'invalid', reason: 'The body is not a Pipedrive webhook in JSON.' };
  if (isDeeperThan(json, MAX_DEPTH))
    return { kind: 'ignored', reason: 'The webhook is nested too deeply to be read.', event: null };
  if (isV1(json, json['meta'])) return parseV1(json);
  const parsed = webhookSchema.safeParse(json);
  if (!parsed.success) return { kind: 'invalid', reason: `The body is not a Pipedrive webhook: ${issueText(parsed.error)}.` };
  const action = EVENT_ACTIONS.find((known) => known === parsed.data.meta.action);
  if (action === undefined)
    return { kind: 'ignored', reason: `The action “${parsed.data.meta.action}” is not known.`, event: null };
  return withState(toEvent(parsed.data, action));
}

/** Pipedrive nests six levels; thousands would exhaust the stack of whatever compares or stores them later. */
const MAX_DEPTH = 50;

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  // Without a list of the values: this walks through every field of every webhook.
  for (const key in value) if (isDeeperThan(Reflect.get(value, key), levels - 1)) return true;
  return false;
}

function withState(event: PipedriveEvent): ParsedWebhook {
  if (event.action !== 'delete' && event.state === null) {
    return { kind: 'ignored', reason: `A ${event.action} event without data tells nothing.`, event };
  }
  return { kind: 'event', event };
}

/** Tolerant: an empty object may come as `[]`, and refusing a webhook would count towards Pipedrive's ban of ours. */
function stateOf(value: unknown): RecordState | null {
  return isObject(value) ? value : null;
}

function toEvent(webhook: z.infer<typeof webhookSchema>, action: EventAction): PipedriveEvent {
  const { meta } = webhook;
  const state = stateOf(webhook.data);
  return {
    entity: meta.entity,
    entityId: meta.entity_id,
    action,
    metaId: meta.entity === 'user' ? `${meta.id ?? ''}.${digest(state)}` : (meta.id ?? ''),
    occurredAt: meta.timestamp,
    actorUserId: userId(meta.user_id),
    correlationId: meta.correlation_id ?? null,
    isBulkEdit: meta.is_bulk_edit ?? false,
    changeSource: meta.change_source ?? null,
    mergedToId: meta.merged_to_id ?? null,
    mergedFromId: meta.merged_from_id ?? null,
    state: action === 'delete' ? null : state,
    previous: stateOf(webhook.previous),
    ...(meta.dealbell_reconciled === undefined ? {} : { reconciled: meta.dealbell_reconciled }),
  };
}

/**
 * Of a `user` event `meta.id` is the user and the time is in seconds: two changes within one second are told apart by what they say.
 */
function digest(state: RecordState | null): string {
  return createHash('sha256').update(JSON.stringify(state)).digest('hex').slice(0, 16);
}

function userId(text: string | null | undefined): number | null {
  return text != null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function isV1(json: Readonly<Record<string, unknown>>, meta: Readonly<Record<string, unknown>>): boolean {
  return json['v'] === 1 || meta['v'] === 1 || meta['version'] === '1.0' || ('current' in json && 'object' in meta);
}

function parseV1(json: unknown): ParsedWebhook {
  const parsed = v1Schema.safeParse(json);
  const reason = 'The webhook has the old v1 format; Dealbell reads version 2.0.';
  if (!parsed.success) return { kind: 'ignored', reason, event: null };
  const { meta } = parsed.data;
  const event = {
    entity: meta.object,
    entityId: meta.id,
    action: 'change' as const,
    metaId: `v1.${meta.action}`,
    occurredAt: meta.timestamp,
  };
  return { kind: 'ignored', reason, event: { ...EMPTY_EVENT, ...event } };
}

const EMPTY_EVENT = {
  actorUserId: null,
  correlationId: null,
  isBulkEdit: false,
  changeSource: null,
  mergedToId: null,
  mergedFromId: null,
  state: null,
  previous: null,
} as const;

function issueText(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'malformed' : `${issue.path.join('.')} ${issue.message}`;
}

/** Escapes of NUL and of surrogates: PostgreSQL's JSON can hold neither a NUL nor half a pair. */
const AWKWARD_ESCAPE = /\\u(0000|d[89a-f])/i;

function parseJson(body: Buffer): unknown {
  const text = body.toString('utf8');
  try {
    const json: unknown = JSON.parse(text);
    return AWKWARD_ESCAPE.test(text) ? storable(json) : json;
  } catch {
    // Not JSON (or nested beyond the parser's stack): the caller refuses it by name.
    return null;
  }
}

/** The same JSON with NULs removed and halves of surrogate pairs replaced, in keys and values. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storableText(key), storable(item)]));
}

function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
