/** Registers webhooks, and again soon where Pipedrive did not take them all: events meanwhile are lost for good, so an hour is too long. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { TenantId } from '../core/tenant';
import type { SyncReport, SyncWebhooks } from './sync-webhooks';

/** After these the hourly repair goes on. */
const RETRY_DELAYS_MS = [5_000, 30_000, 120_000, 600_000];

export interface RetryingSync {
  readonly syncWebhooks: SyncWebhooks;
  /** Gives up what was still to be tried again; the hourly repair does it. */
  close(): void;
}

/** Makes a `syncWebhooks` that tries again by itself, one chain of retries per tenant. */
export function makeRetryingSync(needs: {
  readonly syncWebhooks: SyncWebhooks;
  /** Some webhook was missing or failing, so events may be missed; must not reject. */
  readonly onGap?: (tenantId: TenantId, because: string) => Promise<void>;
  readonly log: Logger;
  readonly delaysMs?: readonly number[];
}): RetryingSync {
  const { syncWebhooks, log, delaysMs = RETRY_DELAYS_MS } = needs;
  const timers = new Map<TenantId, NodeJS.Timeout>();
  const toldFailures = new Map<TenantId, string>();

  async function attempt(tenantId: TenantId, tries: number): Promise<SyncReport> {
    clearTimeout(timers.get(tenantId));
    timers.delete(tenantId);
    try {
      const report = await syncWebhooks(tenantId);
      if (report.failed.length > 0) retryLater(tenantId, tries);
      const because = reasonOfGap(tenantId, report);
      if (because !== null) await needs.onGap?.(tenantId, because);
      return report;
    } catch (error) {
      retryLater(tenantId, tries);
      throw error;
    }
  }

  /** A failure is told once: in a quiet company it stays the last delivery for long. */
  function reasonOfGap(tenantId: TenantId, { created, failing }: SyncReport): string | null {
    const last = failing.map(({ at }) => at).reduce((latest, at) => (at > latest ? at : latest), '');
    const isNew = last > (toldFailures.get(tenantId) ?? '');
    if (isNew) toldFailures.set(tenantId, last);
    if (created.length > 0) return 'webhooks had to be registered anew';
    const objects = failing.map(({ eventObject }) => eventObject).join(', ');
    return isNew ? `Pipedrive’s last webhooks did not reach Dealbell (${objects})` : null;
  }

  function retryLater(tenantId: TenantId, tries: number): void {
    const delayMs = delaysMs[tries];
    if (delayMs === undefined) return;
    const timer = setTimeout(() => {
      attempt(tenantId, tries + 1).catch((error: unknown) => {
        log.warn({ tenantId, reason: messageOf(error) }, 'webhooks not registered');
      });
    }, delayMs);
    timer.unref();
    timers.set(tenantId, timer);
  }

  return {
    syncWebhooks: (tenantId) => attempt(tenantId, 0),
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
