/** Takes one verified webhook into the ledger: durable before it is answered, several requests per INSERT. */

import type { Bell } from '../core/jobs';
import { parseWebhook, type ParsedWebhook, type PipedriveEvent } from '../core/pipedrive-event';
import { WEBHOOK_ENTITIES } from '../core/record';
import type { TenantId } from '../core/tenant';

/** By what an event is known again. */
export type EventIdentity = Pick<PipedriveEvent, 'entity' | 'entityId' | 'action' | 'occurredAt' | 'metaId'>;

/** An event as it is written. */
export interface NewEvent {
  readonly tenantId: TenantId;
  readonly event: EventIdentity;
  /** The raw body, kept as it came. */
  readonly payload: Buffer;
  /** Null for an event that will be routed. */
  readonly ignoredReason: string | null;
}

/** Whether the event was new; an event of a tenant that is gone is an `orphan`. */
export type InsertEvent = (event: NewEvent) => Promise<'accepted' | 'duplicate' | 'orphan'>;

export type Acceptance =
  | { readonly status: 'accepted' }
  | { readonly status: 'duplicate' }
  | { readonly status: 'ignored'; readonly reason: string }
  | { readonly status: 'orphan' }
  | { readonly status: 'invalid'; readonly reason: string };

export type AcceptEvent = (tenantId: TenantId, body: Buffer) => Promise<Acceptance>;

const INTERESTING: ReadonlySet<string> = new Set(WEBHOOK_ENTITIES);

/** Makes the use case. It rejects only when the event could not be stored. */
export function makeAcceptEvent(dependencies: {
  insert: (event: NewEvent) => Promise<'accepted' | 'duplicate' | 'orphan'>;
  bell: Bell;
}): AcceptEvent {
  const { insert, bell } = dependencies;
  return async (tenantId, payload) => {
    const read = readIdentity(payload);
    switch (read.kind) {
      case 'invalid':
        return { status: 'invalid', reason: read.reason };
      case 'ignored': {
        if (read.event !== null) await insert({ tenantId, event: read.event, payload, ignoredReason: read.reason });
        return { status: 'ignored', reason: read.reason };
      }
      case 'event': {
        if (!INTERESTING.has(read.event.entity))
          return { status: 'ignored', reason: `Dealbell tells nothing of “${read.event.entity}”.` };
        const status = await insert({ tenantId, event: read.event, payload, ignoredReason: null });
        if (status === 'accepted') bell.ringRoute(tenantId);
        return { status };
      }
      default:
        return read satisfies never;
    }
  };
}

type Read =
  | { readonly kind: 'event'; readonly event: EventIdentity }
  | { readonly kind: 'ignored'; readonly reason: string; readonly event: EventIdentity | null }
  | Extract<ParsedWebhook, { kind: 'invalid' }>;

/** Only what is written: the states would stay in memory, and be moved about in it, until the event is durable. */
function readIdentity(body: Buffer): Read {
  const parsed = parseWebhook(body);
  if (parsed.kind === 'invalid' || parsed.event === null) return parsed;
  const { entity, entityId, action, occurredAt, metaId } = parsed.event;
  return { ...parsed, event: { entity, entityId, action, occurredAt, metaId } };
}
