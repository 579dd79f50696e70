/** What of the connection with Pipedrive needs a person: kinds of records that nobody tells of, users whose authorization has ended. */

import type { PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';

/** For which kinds of records Pipedrive tells us what happens. */
export async function heardObjects(prisma: PrismaClient, tenantId: TenantId): Promise<ReadonlySet<string>> {
  const rows = await prisma.pipedriveWebhook.findMany({
    where: { tenantId, state: 'active' },
    select: { eventObject: true },
    distinct: ['eventObject'],
  });
  return new Set(rows.map(({ eventObject }) => eventObject));
}

export interface EndedConnection {
  readonly userName: string;
  readonly reason: string | null;
}

/** Connections that Pipedrive no longer accepts, and whether an admin's still works. */
export async function connectionHealth(
  prisma: PrismaClient,
  tenantId: TenantId,
): Promise<{ readonly ended: readonly EndedConnection[]; readonly hasAdmin: boolean }> {
  const rows = await prisma.pipedriveConnection.findMany({
    where: { tenantId, state: { in: ['active', 'revoked'] } },
    select: { userName: true, stateReason: true, state: true, isAdmin: true },
    orderBy: { id: 'asc' },
  });
  return {
    ended: rows
      .filter(({ state }) => state === 'revoked')
      .map(({ userName, stateReason }) => ({ userName, reason: stateReason })),
    hasAdmin: rows.some(({ state, isAdmin }) => state === 'active' && isAdmin),
  };
}
