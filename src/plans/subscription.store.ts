/** A tenant's subscriptions, read as the plan that counts now. */

import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { currentPlan, type CurrentPlan, type Plan } from './plan-limits';

/** The plan of a tenant at `now`; `defaultPlan` is `DEFAULT_PLAN`. */
export async function loadPlan(
  client: PrismaClient | Prisma.TransactionClient,
  tenantId: TenantId,
  { now, defaultPlan }: { now: Date; defaultPlan: Plan },
): Promise<CurrentPlan> {
  const rows = await client.subscription.findMany({ where: { tenantId }, orderBy: { id: 'desc' } });
  return currentPlan(rows, now, defaultPlan);
}
