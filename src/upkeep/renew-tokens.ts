/** Refreshes connections long before Pipedrive's 60 idle days are over, so that no quiet tenant has to install again. */

import type { Logger } from 'pino';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';

interface Needs {
  /** Active OAuth connections whose last refresh is older than `before`. */
  readonly listIdle: (before: Date, limit: number) => Promise<readonly { readonly id: number; readonly tenantId: TenantId }[]>;
  /** Throws AppError when Pipedrive refuses or cannot be reached. */
  readonly renew: (tenantId: TenantId, connectionId: number) => Promise<void>;
  readonly clock: () => Date;
  readonly log: Logger;
}

const RENEW_AFTER_DAYS = 30;
const MOST_PER_RUN = 500;

/** One run; a connection that fails stays for the next one and does not stop the others. */
export function makeRenewTokens({ listIdle, renew, clock, log }: Needs): () => Promise<{ renewed: number; failed: number }> {
  return async function renewTokens() {
    const before = new Date(clock().getTime() - RENEW_AFTER_DAYS * 86_400_000);
    let renewed = 0;
    let failed = 0;
    for (const { id: connectionId, tenantId } of await listIdle(before, MOST_PER_RUN)) {
      try {
        await renew(tenantId, connectionId);
        renewed++;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        failed++;
        log.warn({ tenantId, connectionId, reason: error.message }, 'connection not renewed');
      }
    }
    log.info({ renewed, failed }, 'connections renewed');
    return { renewed, failed };
  };
}
