/** A tenant's row and the records known of it, for tests of stores that need nothing else of an install. */

import { tenantId, type TenantId } from '../../src/core/tenant';
import type { RecordState } from '../../src/core/record';
import type { Database } from '../../src/platform/database';

let companies = 500_000;

export async function addTenant({ prisma }: Database): Promise<TenantId> {
  companies += 1;
  const tenant = await prisma.tenant.create({
    data: {
      publicId: crypto.randomUUID(),
      ...{ companyId: companies, companyName: 'Acme', companyDomain: 'acme', locale: 'en_US', timeZone: 'UTC' },
      ...{ baseCurrency: 'EUR', sealedSigningSecret: 'sealed' },
    },
  });
  return tenantId(tenant.id);
}

/** As an event (`occurredAt`) or a reading of the API (none) left it. */
export async function addRecord(
  { pool }: Database,
  tenant: TenantId,
  { entity, id, state = {}, deletedAt = null, occurredAt = null }: GivenRecord,
): Promise<void> {
  await pool.query(
    `INSERT INTO records (tenant_id, entity, entity_id, state, deleted_at, occurred_at) VALUES ($1, $2, $3, $4, $5, $6)`,
    [tenant, entity, String(id), JSON.stringify(state), deletedAt, occurredAt],
  );
}

interface GivenRecord {
  readonly entity: string;
  readonly id: number | string;
  readonly state?: RecordState;
  readonly deletedAt?: Date | null;
  readonly occurredAt?: Date | null;
}
