/** Tenants in the database: made by the first install of a company, put to sleep by the last uninstall. */

import { randomBytes, randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { z } from 'zod';
import { tenantId as brandTenantId, tenantIdSchema, type TenantId, type TenantProfile } from '../core/tenant';
import { RECONSIDER_COMPANY_ZONE } from '../delivery/reconsider-held.store';
import type { Database } from '../platform/database';
import type { SecretBox } from '../platform/secret-box';

/** What Pipedrive says of a company. */
export type Company = Omit<TenantProfile, 'id'>;

export interface Tenant extends TenantProfile {
  /** Names the tenant to a relay. */
  readonly publicId: string;
  readonly uninstalledAt: Date | null;
}

export interface TenantStore {
  /** Makes the tenant of a company (with its trial), or refreshes what is known of it and wakes it when it was uninstalled. */
  upsert(company: Company): Promise<{ readonly tenant: Tenant; readonly isNew: boolean }>;
  find(tenantId: TenantId): Promise<Tenant | null>;
  findByCompany(companyId: number): Promise<Tenant | null>;
  /** Every tenant that is not uninstalled, by id. */
  listInstalled(): Promise<TenantId[]>;
  /** Marks it uninstalled unless some connection is still active; says whether it is asleep now. */
  sleepIfUnconnected(tenantId: TenantId, at: Date): Promise<boolean>;
  /** The secret by which a relay signs; null for an unknown or uninstalled tenant. */
  findSigningSecret(publicId: string): Promise<{ readonly tenantId: TenantId; readonly secret: string } | null>;
}

interface Needs {
  readonly database: Database;
  readonly box: SecretBox;
  readonly clock: () => Date;
  readonly defaultPlan: string;
}

/** What the signing secret is sealed for. */
export const SIGNING_SECRET_PURPOSE = 'tenant.signing-secret';
const SIGNING_SECRET_BYTES = 32;
const TRIAL_DAYS = 14;

const rowSchema = z
  .object({
    id: tenantIdSchema,
    public_id: z.string(),
    company_id: z.coerce.number(),
    company_name: z.string(),
    company_domain: z.string(),
    locale: z.string(),
    time_zone: z.string(),
    base_currency: z.string(),
    uninstalled_at: z.date().nullable(),
  })
  .transform((row): Tenant => ({
    id: row.id,
    publicId: row.public_id,
    companyId: row.company_id,
    companyName: row.company_name,
    companyDomain: row.company_domain,
    locale: row.locale,
    timeZone: row.time_zone,
    baseCurrency: row.base_currency,
    uninstalledAt: row.uninstalled_at,
  }));
const COLUMNS = 'id, public_id, company_id, company_name, company_domain, locale, time_zone, base_currency, uninstalled_at';

// Prisma's upsert with a nested create reads first and then inserts: two users of one company that install at once would collide.
const UPSERT = `
  INSERT INTO tenants (public_id, company_id, company_name, company_domain, locale, time_zone, base_currency, sealed_signing_secret)
  VALUES ($1, $2, $3, $4, $5, $6, $7, '')
  ON CONFLICT (company_id) DO UPDATE SET
    company_name = excluded.company_name, company_domain = excluded.company_domain, locale = excluded.locale,
    time_zone = excluded.time_zone, base_currency = excluded.base_currency, uninstalled_at = NULL
  RETURNING ${COLUMNS}, sealed_signing_secret = '' AS is_new`;
/** By which waits are reckoned, held still until it is written. */
const ZONE_BEFORE = `SELECT coalesce(settings ->> 'timeZone', time_zone) AS zone FROM tenants WHERE company_id = $1 FOR NO KEY UPDATE`;
/** What was reckoned by another zone ($2) is written no more. */
const RAISE_IF_MOVED = `
  UPDATE tenants SET rules_version = rules_version + 1 WHERE id = $1 AND coalesce(settings ->> 'timeZone', time_zone) <> $2`;

export function makeTenantStore({ database, box, clock, defaultPlan }: Needs): TenantStore {
  const { prisma, pool } = database;

  return {
    upsert: (company) =>
      database.transaction(async (client) => {
        const before = await client.query<{ zone: string }>(ZONE_BEFORE, [company.companyId]);
        const { rows } = await client.query(UPSERT, [randomUUID(), ...valuesOf(company)]);
        const tenant = rowSchema.parse(rows[0]);
        const { is_new: isNew } = z.object({ is_new: z.boolean() }).parse(rows[0]);
        if (isNew) await equip(client, box, tenant.id, defaultPlan, clock());
        for (const { zone } of before.rows) await followZone(client, tenant.id, zone, clock());
        return { tenant, isNew };
      }),

    find: (tenantId) => findOne(pool, 'id', tenantId),
    findByCompany: (companyId) => findOne(pool, 'company_id', companyId),

    async listInstalled() {
      const tenants = await prisma.tenant.findMany({
        where: { uninstalledAt: null },
        select: { id: true },
        orderBy: { id: 'asc' },
      });
      return tenants.map(({ id }) => brandTenantId(id));
    },

    async sleepIfUnconnected(tenantId, at) {
      await prisma.tenant.updateMany({
        where: { id: tenantId, uninstalledAt: null, connections: { none: { state: 'active' } } },
        data: { uninstalledAt: at },
      });
      return (await prisma.tenant.count({ where: { id: tenantId, uninstalledAt: null } })) === 0;
    },

    async findSigningSecret(publicId) {
      const row = await prisma.tenant.findFirst({
        where: { publicId, uninstalledAt: null },
        select: { id: true, sealedSigningSecret: true },
      });
      if (row === null) return null;
      const secret = await box.open(row.id, SIGNING_SECRET_PURPOSE, row.sealedSigningSecret, z.string());
      return { tenantId: brandTenantId(row.id), secret };
    },
  };
}

function valuesOf(company: Company): readonly (string | number)[] {
  const { companyId, companyName, companyDomain, locale, timeZone, baseCurrency } = company;
  return [companyId, companyName, companyDomain, locale, timeZone, baseCurrency];
}

/** A user in another zone has connected: what waits for an hour of the company waits for that of the new zone. */
async function followZone(client: PoolClient, tenantId: TenantId, zoneBefore: string, now: Date): Promise<void> {
  const { rowCount } = await client.query(RAISE_IF_MOVED, [tenantId, zoneBefore]);
  if (rowCount === 1) await client.query(RECONSIDER_COMPANY_ZONE, [tenantId, now]);
}

/** What a new tenant gets: a signing secret (it can be sealed only once the id is known) and the trial. */
async function equip(client: PoolClient, box: SecretBox, tenantId: TenantId, plan: string, now: Date): Promise<void> {
  const sealed = await box.seal(tenantId, SIGNING_SECRET_PURPOSE, randomBytes(SIGNING_SECRET_BYTES).toString('base64url'));
  await client.query('UPDATE tenants SET sealed_signing_secret = $2 WHERE id = $1', [tenantId, sealed]);
  const endsAt = new Date(now.getTime() + TRIAL_DAYS * 86_400_000);
  await client.query('INSERT INTO subscriptions (tenant_id, plan, is_trial, starts_at, ends_at) VALUES ($1, $2, true, $3, $4)', [
    tenantId,
    plan,
    now,
    endsAt,
  ]);
}

async function findOne(pool: Database['pool'], column: 'id' | 'company_id', value: number): Promise<Tenant | null> {
  const { rows } = await pool.query(`SELECT ${COLUMNS} FROM tenants WHERE ${column} = $1`, [value]);
  return rows.length === 0 ? null : rowSchema.parse(rows[0]);
}
