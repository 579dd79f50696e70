/** Whose Pipedrive hangs: for a while no message waits for it, then one tries for all, rarer the longer it lasts. Known to this process alone. */

import type { Logger } from 'pino';
import type { TenantId } from '../core/tenant';

export interface ApiHangs {
  has(tenantId: TenantId): boolean;
  /** Whether the caller may ask; while its Pipedrive hangs, one alone after each while. It says what came of it. */
  letsAsk(tenantId: TenantId): boolean;
  answered(tenantId: TenantId): void;
  unanswered(tenantId: TenantId): void;
}

interface Hang {
  readonly lastsMs: number;
  readonly untilMs: number;
}

const FIRST_MS = 5_000;
const LONGEST_MS = 60_000;

/** `nowMs`: a clock that never jumps. */
export function makeApiHangs({ nowMs, log }: { readonly nowMs: () => number; readonly log: Logger }): ApiHangs {
  const hangs = new Map<TenantId, Hang>();
  const last = (tenantId: TenantId, lastsMs: number) => hangs.set(tenantId, { lastsMs, untilMs: nowMs() + lastsMs });

  return {
    has: (tenantId) => hangs.has(tenantId),
    letsAsk(tenantId) {
      const hang = hangs.get(tenantId);
      if (hang === undefined) return true;
      if (hang.untilMs > nowMs()) return false;
      // Taken to fail until it is answered: so the others go on without.
      last(tenantId, Math.min(2 * hang.lastsMs, LONGEST_MS));
      return true;
    },
    answered(tenantId) {
      if (hangs.delete(tenantId)) log.info({ tenantId }, 'pipedrive answers in time again');
    },
    unanswered(tenantId) {
      if (hangs.has(tenantId)) return;
      last(tenantId, FIRST_MS);
      log.warn({ tenantId }, 'pipedrive does not answer in time: messages go out with the names that are known');
    },
  };
}
