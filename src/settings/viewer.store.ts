/** Who looks at our pages: a user of Pipedrive whose company and own authorization are connected. */

import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { tenantId as brandTenantId, type TenantId, type TenantProfile } from '../core/tenant';
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

/** Why somebody is no viewer: what a page has to say, and what would help. */
export type Stranger =
  | { readonly kind: 'notInstalled' }
  /** The company removed Dealbell. */
  | { readonly kind: 'uninstalled'; readonly at: Date; readonly companyName: string }
  /** Colleagues use it; this user never connected. */
  | { readonly kind: 'notConnected'; readonly companyName: string }
  /** This user's own connection has ended. */
  | { readonly kind: 'ended'; readonly companyName: string };

/** By the same claims as `findViewerByCompany`, when that gave null. */
export async function findStranger(
  prisma: PrismaClient,
  { companyId, userId }: { companyId: number; userId: number },
): Promise<Stranger> {
  const tenant = await prisma.tenant.findUnique({
    where: { companyId },
    select: { companyName: true, uninstalledAt: true, connections: { where: { userId }, select: { state: true } } },
  });
  if (tenant === null) return { kind: 'notInstalled' };
  const { companyName, uninstalledAt, connections } = tenant;
  if (uninstalledAt !== null) return { kind: 'uninstalled', at: uninstalledAt, companyName };
  return { kind: connections[0]?.state === 'revoked' ? 'ended' : 'notConnected', companyName };
}

/** Names of the company's admins who are connected, in the order of their connection. */
export async function listAdmins(prisma: PrismaClient, tenantId: TenantId): Promise<readonly string[]> {
  const rows = await prisma.pipedriveConnection.findMany({
    where: { tenantId, isAdmin: true, state: 'active' },
    select: { userName: true },
    orderBy: { id: 'asc' },
    take: 5,
  });
  return rows.map(({ userName }) => userName);
}

/** Names of everybody who ever connected, by Pipedrive's id. */
export async function listUserNames(prisma: PrismaClient, tenantId: TenantId): Promise<ReadonlyMap<string, string>> {
  const rows = await prisma.pipedriveConnection.findMany({ where: { tenantId }, select: { userId: true, userName: true } });
  return new Map(rows.map(({ userId, userName }) => [String(userId), userName]));
}

/** What an admin chose instead of what Pipedrive says of the company. */
const chosenSchema = z.object({ locale: z.string().nullish(), timeZone: z.string().nullish() }).catch({});

async function findViewer(prisma: PrismaClient, where: Prisma.PipedriveConnectionWhereInput): Promise<Viewer | null> {
  const row = await prisma.pipedriveConnection.findFirst({ where: { ...where, state: 'active' }, include: WITH_TENANT });
  if (row === null) return null;
  const { tenant } = row;
  const chosen = chosenSchema.parse(tenant.settings);
  return {
    tenant: {
      id: brandTenantId(tenant.id),
      companyId: Number(tenant.companyId),
      companyName: tenant.companyName,
      companyDomain: tenant.companyDomain,
      locale: chosen.locale ?? tenant.locale,
      timeZone: chosen.timeZone ?? tenant.timeZone,
      baseCurrency: tenant.baseCurrency,
    },
    userId: Number(row.userId),
    userName: row.userName,
    isAdmin: row.isAdmin,
  };
}
