/** Takes all of a tenant's webhooks away from Pipedrive, as far as Pipedrive lets us: for a tenant that wants to be forgotten. */

import type { TenantId } from '../core/tenant';
import type { PipedriveWebhookStore } from './pipedrive-webhook.store';
import type { WebhookApi } from './sync-webhooks';

interface Needs<C extends { readonly id: number }> {
  readonly store: Pick<PipedriveWebhookStore, 'listLive' | 'markRemoved' | 'withTenantLock'>;
  readonly listConnections: (tenantId: TenantId) => Promise<readonly C[]>;
  readonly apiOf: (connection: C) => Promise<WebhookApi>;
  readonly clock: () => Date;
}

/** Gives how many Pipedrive did not let go; their events are refused from now on all the same. */
export function makeUnregisterWebhooks<C extends { readonly id: number }>({ store, listConnections, apiOf, clock }: Needs<C>) {
  return (tenantId: TenantId): Promise<number> =>
    store.withTenantLock(tenantId, async () => {
      const connections = await listConnections(tenantId);
      const rows = await store.listLive(tenantId);
      let left = 0;
      for (const { remoteId, connectionId } of rows) {
        const connection = connections.find(({ id }) => id === connectionId);
        if (remoteId === null || connection === undefined) continue;
        const answer = await (await apiOf(connection)).deleteWebhook(remoteId);
        if (!answer.ok && answer.failure.kind !== 'notFound') left++;
      }
      await store.markRemoved(
        tenantId,
        rows.map(({ rowId }) => rowId),
        clock(),
      );
      return left;
    });
}
