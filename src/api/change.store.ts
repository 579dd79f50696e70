/** A change of a tenant's settings: one transaction, one at a time per tenant, with its trace in the audit trail. */

import { isDeepStrictEqual } from 'node:util';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';

/** What was done, for the audit trail. Never with secrets. */
export interface AuditNote {
  /** `rule.created`, `chat_webhook.updated`, ... */
  readonly action: string;
  /** `rule 7`. */
  readonly subject: string;
  readonly changes?: Prisma.InputJsonObject;
}

export interface Changed<Result> {
  readonly result: Result;
  /** Null: nothing was changed after all. */
  readonly note: AuditNote | null;
}

export type RunChange = <Result>(
  principal: { readonly tenantId: TenantId; readonly actor: string },
  work: (client: Prisma.TransactionClient) => Promise<Changed<Result>>,
) => Promise<Result>;

export interface AuditEntry {
  readonly id: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly changes: unknown;
  readonly createdAt: Date;
}

/** The fields of `after` whose values are others than before, for the audit trail. */
export function changedFields(before: object, after: object): string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(after).flatMap(([field, value]) => (isDeepStrictEqual(old.get(field), value) ? [] : [field]));
}

/** Milliseconds to wait for a connection, and for the work. */
const PATIENCE = { maxWait: 10_000, timeout: 15_000 } as const;

/**
 * Makes the runner of changes. Raising the tenant's rules version first locks its row, so that limits are counted by one
 * change at a time, and tells routers to read the rules anew: what they planned by those before, and have not written, is not written.
 */
export function makeRunChange(prisma: PrismaClient): RunChange {
  return (principal, work) =>
    prisma.$transaction(async (client) => {
      const { tenantId, actor } = principal;
      const raised = await client.tenant.updateMany({ where: { id: tenantId }, data: { rulesVersion: { increment: 1 } } });
      if (raised.count === 0) throw new AppError('unknown_tenant', 'This account was erased.', { status: 401 });
      const { result, note } = await work(client);
      if (note !== null) await client.auditEntry.create({ data: { tenantId, actor, ...note } });
      return result;
    }, PATIENCE);
}

/** One page of the audit trail, newest first. */
export async function pageOfAuditEntries(
  prisma: PrismaClient,
  tenantId: TenantId,
  { beforeId, limit }: { beforeId: number | null; limit: number },
): Promise<AuditEntry[]> {
  const rows = await prisma.auditEntry.findMany({
    where: { tenantId, ...(beforeId === null ? {} : { id: { lt: beforeId } }) },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return rows.map(({ id, actor, action, subject, changes, createdAt }) => ({
    id: Number(id),
    actor,
    action,
    subject,
    changes,
    createdAt,
  }));
}
