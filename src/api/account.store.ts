/** A tenant's own row: its account as the API shows it, its settings, and its end. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';
import { ROUTE_LOCK } from '../rules/routing.store';

const GROWING_TABLES = ['logs', 'deliveries', 'events', 'records'] as const;
const ROWS_AT_ONCE = 5000;
/** With everything that names it as its parent. What is just being routed is written before; what comes later finds no tenant. */
const END = `
  WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(${ROUTE_LOCK}, $1))
  DELETE FROM tenants USING turn WHERE id = $1`;

/** What people set over what Pipedrive says of their company; null: as Pipedrive says. */
export const accountSettingsSchema = z.object({
  locale: z.string().nullable().default(null),
  timeZone: z.string().nullable().default(null),
});
export type AccountSettings = z.infer<typeof accountSettingsSchema>;

export interface Account {
  readonly publicId: string;
  readonly companyId: number;
  readonly companyName: string;
  readonly companyDomain: string;
  readonly locale: string;
  readonly timeZone: string;
  readonly baseCurrency: string;
  readonly sealedSigningSecret: string;
  readonly settings: AccountSettings;
  readonly createdAt: Date;
}

type Client = PrismaClient | Prisma.TransactionClient;

/** Null when the tenant was erased. */
export async function findAccount(client: Client, tenantId: TenantId): Promise<Account | null> {
  const row = await client.tenant.findUnique({ where: { id: tenantId } });
  if (row === null) return null;
  return { ...row, companyId: Number(row.companyId), settings: accountSettingsSchema.parse(row.settings) };
}

/** The same; throws an AppError (401) when the tenant was erased. */
export async function accountOf(client: Client, tenantId: TenantId): Promise<Account> {
  const account = await findAccount(client, tenantId);
  if (account === null) throw new AppError('unknown_tenant', 'This account was erased.', { status: 401 });
  return account;
}

/** Overwrites the settings. */
export async function saveSettings(client: Client, tenantId: TenantId, settings: AccountSettings): Promise<void> {
  const row = await client.tenant.findUniqueOrThrow({ where: { id: tenantId }, select: { settings: true } });
  const others = z.record(z.string(), z.json()).parse(row.settings);
  await client.tenant.update({ where: { id: tenantId }, data: { settings: { ...others, ...settings } } });
}

/**
 * Erases everything of this tenant. The tables that grow with events go first, a bounded number of rows at a time; the rest
 * goes with the tenant's own row. Those tables do not name it as their parent: what was written to them meanwhile goes last.
 */
export async function eraseTenant(pool: Pool, tenantId: TenantId): Promise<void> {
  for (const table of GROWING_TABLES) await eraseRows(pool, table, tenantId);
  await pool.query(END, [tenantId]);
  for (const table of GROWING_TABLES) await eraseRows(pool, table, tenantId);
}

async function eraseRows(pool: Pool, table: string, tenantId: TenantId): Promise<void> {
  const statement = `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE tenant_id = $1 LIMIT ${ROWS_AT_ONCE}))`;
  for (let erased: number | null = ROWS_AT_ONCE; erased !== null && erased > 0;) {
    ({ rowCount: erased } = await pool.query(statement, [tenantId]));
  }
}
