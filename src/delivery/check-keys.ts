/** Finds the destinations whose sealed key cannot be opened, as when the installation's secret was changed: they are shown, and say so. */

import type { TenantId } from '../core/tenant';
import { openIfReadable, type OpenDestination } from './open-destination';
import type { Destination } from './read-destination';

/** The same destinations of a tenant, in the same order. */
export type CheckKeys = (tenantId: TenantId, destinations: readonly Destination[]) => Promise<readonly Destination[]>;

/** Makes the use case. It rejects when the database cannot be reached. */
export function makeCheckKeys({
  sealedKeys,
  openDestination,
}: {
  readonly sealedKeys: (tenantId: TenantId) => Promise<ReadonlyMap<number, string>>;
  readonly openDestination: OpenDestination;
}): CheckKeys {
  return async (tenantId, destinations) => {
    if (destinations.length === 0) return destinations;
    const sealed = await sealedKeys(tenantId);
    return await Promise.all(
      destinations.map(async (destination): Promise<Destination> => {
        const key = sealed.get(destination.id);
        // Removed meanwhile, else.
        if (key === undefined || (await openIfReadable(() => openDestination(tenantId, key))) !== null) return destination;
        return { ...destination, unreadable: ['url', ...destination.unreadable] };
      }),
    );
  };
}
