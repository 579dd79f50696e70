/** Takes one verified webhook into the ledger: durable before it is answered, several requests per INSERT. */

import type { Bell } from '../core/jobs';
import { parseWebhook, type PipedriveEvent } from '../core/pipedrive-event';
import { WEBHOOK_ENTITIES } from '../core/record';
import type { TenantId } from '../core/tenant';

/** An event as it is written. */
export interface NewEvent {
  readonly tenantId: TenantId;
  readonly event: PipedriveEvent;
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
  return async (tenantId, body) => {
    const parsed = parseWebhook(body);
    switch (parsed.kind) {
      case 'invalid':
        return { status: 'invalid', reason: parsed.reason };
      case 'ignored': {
        if (parsed.event !== null) await insert({ tenantId, event: parsed.event, payload: body, ignoredReason: parsed.reason });
        return { status: 'ignored', reason: parsed.reason };
      }
      case 'event': {
        if (!INTERESTING.has(parsed.event.entity))
          return { status: 'ignored', reason: `Dealbell tells nothing of "${parsed.event.entity}".` };
        const status = await insert({ tenantId, event: parsed.event, payload: body, ignoredReason: null });
        if (status === 'accepted') bell.ringRoute(tenantId);
        return { status };
      }
      default:
        return parsed satisfies never;
    }
  };
}
