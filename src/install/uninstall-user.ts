/** A user has uninstalled the app: tokens are erased, webhooks go on under another user, and with the last one the tenant sleeps. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { TenantId } from '../core/tenant';
import type { ConnectionStore } from './connection.store';
import type { TenantStore } from './tenant.store';

interface Needs {
  readonly tenants: Pick<TenantStore, 'findByCompany' | 'sleepIfUnconnected'>;
  readonly connections: Pick<ConnectionStore, 'markUninstalled'>;
  /** Marks the connection's webhook rows as removed: Pipedrive removes the webhooks of a user who uninstalls. */
  readonly removeWebhooksOf: (tenantId: TenantId, connectionId: number, at: Date) => Promise<void>;
  readonly syncWebhooks: (tenantId: TenantId) => Promise<unknown>;
  readonly clock: () => Date;
  readonly log: Logger;
}

export interface UninstallUser {
  /** Does nothing for a company or user that is not known. May be called twice. */
  (request: { readonly companyId: number; readonly userId: number }): Promise<void>;
}

export function makeUninstallUser({ tenants, connections, removeWebhooksOf, syncWebhooks, clock, log }: Needs): UninstallUser {
  return async function uninstallUser({ companyId, userId }) {
    const tenant = await tenants.findByCompany(companyId);
    const connection =
      tenant === null
        ? null
        : await connections.markUninstalled(tenant.id, userId, 'The user uninstalled Dealbell in Pipedrive.');
    if (tenant === null || connection === null) {
      log.info({ companyId, userId }, 'uninstall of an unknown user');
      return;
    }
    await removeWebhooksOf(tenant.id, connection.id, clock());
    const isAsleep = await tenants.sleepIfUnconnected(tenant.id, clock());
    log.info({ tenantId: tenant.id, connectionId: connection.id, isAsleep }, 'uninstalled');
    if (isAsleep) return;
    try {
      await syncWebhooks(tenant.id);
    } catch (error) {
      // The uninstall itself is done; the hourly repair registers the webhooks under the remaining user.
      log.error({ tenantId: tenant.id, reason: messageOf(error) }, 'fail-over failed');
    }
  };
}
