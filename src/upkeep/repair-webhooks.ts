/** Makes every tenant's webhooks at Pipedrive what they should be: missing, disabled and banned ones come back. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { TenantId } from '../core/tenant';

interface Needs {
  readonly listInstalledTenants: () => Promise<readonly TenantId[]>;
  readonly syncWebhooks: (
    tenantId: TenantId,
  ) => Promise<{ readonly created: readonly string[]; readonly failed: readonly unknown[] }>;
  readonly log: Logger;
}

export interface RepairReport {
  readonly tenants: number;
  /** Tenants for which at least one webhook had to be made anew. */
  readonly repaired: number;
  readonly failed: number;
}

/** One run over all installed tenants, one after the other: it costs each company 10 tokens of its daily budget. */
export function makeRepairWebhooks({ listInstalledTenants, syncWebhooks, log }: Needs): () => Promise<RepairReport> {
  return async function repairWebhooks() {
    const tenants = await listInstalledTenants();
    let repaired = 0;
    let failed = 0;
    for (const tenantId of tenants) {
      try {
        const report = await syncWebhooks(tenantId);
        if (report.created.length > 0) repaired++;
        if (report.failed.length > 0) failed++;
      } catch (error) {
        failed++;
        log.error({ tenantId, reason: messageOf(error) }, 'webhooks not repaired');
      }
    }
    log.info({ tenants: tenants.length, repaired, failed }, 'webhooks repaired');
    return { tenants: tenants.length, repaired, failed };
  };
}
