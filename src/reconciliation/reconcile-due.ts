/** Compares the tenants whose turn it is, a few at a time, each by one worker of the fleet alone. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { TenantId } from '../core/tenant';
import type { ReconcileTenant } from './reconcile-tenant';
import type { DueTenant, ReconciliationStore } from './reconciliation.store';

interface Needs {
  readonly store: ReconciliationStore;
  readonly reconcileTenant: ReconcileTenant;
  readonly clock: () => Date;
  readonly log: Logger;
}

export interface ReconcileDue {
  /** Compares whoever is due, for no longer than a job may take; the rest waits for the next call. */
  run(): Promise<{ readonly compared: number }>;
}

/** Tenants at once: their calls go to different companies. */
const AT_ONCE = 4;
const LONGEST_JOB_MS = 45_000;
/** Renewed with every page, and longer than the slowest page: the turn of a killed worker is soon another's. */
const LEASE_MS = 60_000;
const AFTER_A_BUG_MS = 10 * 60_000;

export function makeReconcileDue({ store, reconcileTenant, clock, log }: Needs): ReconcileDue {
  async function compare(due: DueTenant): Promise<void> {
    try {
      const stillHere = () => store.renew(due.tenantId, LEASE_MS);
      await store.finish(due.tenantId, await reconcileTenant(due, stillHere));
    } catch (error) {
      log.error({ tenantId: due.tenantId, err: error }, 'not reconciled');
      const nextRunAt = new Date(clock().getTime() + AFTER_A_BUG_MS);
      const { tenantId, comparedUntil, wantedBecause: stillWantedBecause } = due;
      await store.finish(tenantId, { comparedUntil, trouble: messageOf(error), nextRunAt, stillWantedBecause });
    }
  }

  async function compareUntil(endsAtMs: number): Promise<number> {
    let compared = 0;
    while (clock().getTime() < endsAtMs) {
      const due = await store.claim(LEASE_MS);
      if (due === null) break;
      await compare(due);
      compared++;
    }
    return compared;
  }

  return {
    async run() {
      await store.enrol();
      const endsAtMs = clock().getTime() + LONGEST_JOB_MS;
      const counts = await Promise.all(Array.from({ length: AT_ONCE }, () => compareUntil(endsAtMs)));
      return { compared: counts.reduce((sum, count) => sum + count, 0) };
    },
  };
}

/** Brings a tenant's next run forward because webhooks may have been missed; never throws, because whoever noticed goes on. */
export type WantReconciliation = (tenantId: TenantId | null, because: string) => Promise<void>;

/** `ring` tells a worker; without it the minutely job finds the wish. */
export function makeWantReconciliation(needs: {
  readonly store: Pick<ReconciliationStore, 'want'>;
  readonly ring: () => void;
  readonly log: Logger;
}): WantReconciliation {
  return async (tenantId, because) => {
    try {
      const tenants = await needs.store.want(tenantId, because);
      needs.log.info({ tenantId, because, tenants }, 'reconciliation wanted');
      needs.ring();
    } catch (error) {
      needs.log.warn(
        { tenantId, because, reason: messageOf(error) },
        'reconciliation could not be brought forward; it comes within the hour',
      );
    }
  };
}
