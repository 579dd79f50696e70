/** Walks a tenant's stored events page by page, bounded in number and time, stopping when nobody waits for the answer any more. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TenantId } from '../core/tenant';
import type { RawEvent } from './route-events';

export const MAX_WALKED_EVENTS = 50_000;
export const MAX_WALK_MS = 10_000;
/** Small enough that deciding a page never holds up the process for long. */
const PAGE_SIZE = 200;

export interface WalkStore {
  /** The id of the last event that came in before `from`; 0 when there is none. */
  lastEventBefore(tenantId: TenantId, from: Date): Promise<number>;
  /** The event before the newest `count`; null when there are no more than these. */
  eventBeforeNewest(tenantId: TenantId, count: number): Promise<Pick<RawEvent, 'id' | 'receivedAt'> | null>;
  /** The next events after this id that came in until `until`, by id. */
  nextEvents(
    tenantId: TenantId,
    after: { readonly id: number; readonly until: Date },
    limit: number,
  ): Promise<readonly RawEvent[]>;
}

export interface Walk {
  readonly events: number;
  /** False: a bound was reached, or the client left, before the end. */
  readonly complete: boolean;
  /** When the first event that was walked came in; null without any. */
  readonly beganAt: Date | null;
  /** When the last one did. */
  readonly reachedAt: Date | null;
}

interface Dependencies {
  readonly store: WalkStore;
  /** A steady clock in milliseconds. */
  readonly nowMs: () => number;
  readonly maxEvents?: number;
}

export interface WalkRequest {
  readonly tenantId: TenantId;
  readonly from: Date;
  readonly until: Date;
  /** No more than so many, the newest; null: all. */
  readonly newest: number | null;
  readonly signal: AbortSignal;
  readonly visit: (event: RawEvent) => void;
}

/** Makes the walk. It rejects when the database cannot be reached. */
export function makeWalkEvents({ store, nowMs, maxEvents = MAX_WALKED_EVENTS }: Dependencies) {
  return async ({ tenantId, from, until, newest, signal, visit }: WalkRequest): Promise<Walk> => {
    const endsAtMs = nowMs() + MAX_WALK_MS;
    let id = signal.aborted ? 0 : await startOf(store, { tenantId, from, newest });
    let events = 0;
    let beganAt: Date | null = null;
    let reachedAt: Date | null = null;
    while (!signal.aborted && nowMs() < endsAtMs) {
      const page = await store.nextEvents(tenantId, { id, until }, PAGE_SIZE);
      if (page.length === 0) return { events, complete: true, beganAt, reachedAt };
      if (events === maxEvents) break;
      for (const event of page.slice(0, maxEvents - events)) {
        visit(event);
        ({ id, receivedAt: reachedAt } = event);
        beganAt ??= reachedAt;
        events += 1;
      }
      await nextTurn();
    }
    return { events, complete: false, beganAt, reachedAt };
  };
}

async function startOf(
  store: WalkStore,
  { tenantId, from, newest }: Pick<WalkRequest, 'tenantId' | 'from' | 'newest'>,
): Promise<number> {
  const before = newest === null ? null : await store.eventBeforeNewest(tenantId, newest);
  return before !== null && before.receivedAt >= from ? before.id : await store.lastEventBefore(tenantId, from);
}
