/** Who looks at our pages: a user of Pipedrive whose company and own authorization are connected. */

import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { tenantId as brandTenantId, type TenantProfile } from '../core/tenant';
import type { PageUser } from './page-token';

export interface Viewer {
  readonly tenant: TenantProfile;
  readonly userId: number;
  readonly userName: string;
  readonly isAdmin: boolean;
}

const WITH_TENANT = { tenant: true } as const;

/** By the claims of Pipedrive's token; null when the user or the company is not connected. */
export async function findViewerByCompany(
  prisma: PrismaClient,
  { companyId, userId }: { companyId: number; userId: number },
): Promise<Viewer | null> {
  return await findViewer(prisma, { userId, tenant: { companyId, uninstalledAt: null } });
}

/** By our own page token; null when the authorization has ended since. */
export async function findViewerByPageToken(prisma: PrismaClient, { tenantId, userId }: PageUser): Promise<Viewer | null> {
  return await findViewer(prisma, { userId, tenantId, tenant: { uninstalledAt: null } });
}

async function findViewer(prisma: PrismaClient, where: Prisma.PipedriveConnectionWhereInput): Promise<Viewer | null> {
  const row = await prisma.pipedriveConnection.findFirst({ where: { ...where, state: 'active' }, include: WITH_TENANT });
  if (row === null) return null;
  const { tenant } = row;
  return {
    tenant: {
      id: brandTenantId(tenant.id),
      companyId: Number(tenant.companyId),
      companyName: tenant.companyName,
      companyDomain: tenant.companyDomain,
      locale: tenant.locale,
      timeZone: tenant.timeZone,
      baseCurrency: tenant.baseCurrency,
    },
    userId: Number(row.userId),
    userName: row.userName,
    isAdmin: row.isAdmin,
  };
}
