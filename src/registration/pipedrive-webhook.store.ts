/** Our webhooks at Pipedrive in the database: written before Pipedrive is asked, so that no delivery ever meets an unknown password. */

import { z } from 'zod';
import type { WebhookEntity } from '../core/record';
import { tenantIdSchema, type TenantId } from '../core/tenant';
import type { Database } from '../platform/database';
import { makeTurnstile } from '../platform/turnstile';
import type { RegisteredWebhook } from './wanted-webhooks';

export interface NewRow {
  readonly connectionId: number;
  readonly eventObject: WebhookEntity;
  readonly subscriptionUrl: string;
  readonly authUser: string;
  /** SHA-256 of the password. */
  readonly credentialHash: Uint8Array<ArrayBuffer>;
}

export interface WebhookCredential {
  readonly tenantId: TenantId;
  readonly webhookId: number;
  readonly credentialHash: Buffer;
}

export interface PipedriveWebhookStore {
  /** The tenant's rows that are creating or active. */
  listLive(tenantId: TenantId): Promise<RegisteredWebhook[]>;
  /** Writes a row in state `creating`; gives its id. */
  insert(tenantId: TenantId, row: NewRow): Promise<number>;
  markActive(tenantId: TenantId, rowId: number, remoteId: number): Promise<void>;
  markRemoved(tenantId: TenantId, rowIds: readonly number[], at: Date): Promise<void>;
  /** Marks every live row of a connection as removed (Pipedrive drops them with the user's uninstall). */
  markRemovedOf(tenantId: TenantId, connectionId: number, at: Date): Promise<void>;
  /**
   * Whose webhook bears this Basic user; null for an unknown one, for an uninstalled tenant, and for one removed more than five
   * minutes ago (Pipedrive's last retry comes about three minutes after the first try).
   */
  findWebhookCredential(authUser: string): Promise<WebhookCredential | null>;
  /** Runs `work` while no other process registers webhooks for this tenant. */
  withTenantLock<T>(tenantId: TenantId, work: () => Promise<T>): Promise<T>;
}

/** First half of the advisory lock's key: tells this use from any other. */
const LOCK_CLASS = 7_301;
/** A registration keeps one database connection while Pipedrive answers: only so many at once in this process. */
const REGISTRATIONS_AT_ONCE = 2;

const LIVE = { state: { in: ['creating', 'active'] } };

const FIND_CREDENTIAL = `
  SELECT w.id, w.tenant_id, w.credential_hash
  FROM pipedrive_webhooks w JOIN tenants t ON t.id = w.tenant_id
  WHERE w.auth_user = $1 AND t.uninstalled_at IS NULL
    AND (w.state IN ('creating', 'active') OR w.removed_at > now() - interval '5 minutes')`;
const credentialSchema = z
  .object({ id: z.number(), tenant_id: tenantIdSchema, credential_hash: z.instanceof(Buffer) })
  .transform((row): WebhookCredential => ({ tenantId: row.tenant_id, webhookId: row.id, credentialHash: row.credential_hash }));

export function makePipedriveWebhookStore(database: Database): PipedriveWebhookStore {
  const { prisma, pool } = database;
  const turn = makeTurnstile(REGISTRATIONS_AT_ONCE);

  return {
    async listLive(tenantId) {
      const rows = await prisma.pipedriveWebhook.findMany({ where: { tenantId, ...LIVE }, orderBy: { id: 'asc' } });
      return rows.map(({ id, connectionId, remoteId, eventObject }) => ({
        rowId: id,
        connectionId,
        remoteId: remoteId === null ? null : Number(remoteId),
        eventObject,
      }));
    },
    async insert(tenantId, row) {
      const { id } = await prisma.pipedriveWebhook.create({ data: { tenantId, eventAction: '*', ...row }, select: { id: true } });
      return id;
    },
    async markActive(tenantId, rowId, remoteId) {
      await prisma.pipedriveWebhook.updateMany({
        where: { tenantId, id: rowId },
        data: { state: 'active', remoteId: BigInt(remoteId) },
      });
    },
    async markRemoved(tenantId, rowIds, at) {
      await prisma.pipedriveWebhook.updateMany({
        where: { tenantId, id: { in: [...rowIds] }, ...LIVE },
        data: { state: 'removed', removedAt: at },
      });
    },
    async markRemovedOf(tenantId, connectionId, at) {
      await prisma.pipedriveWebhook.updateMany({
        where: { tenantId, connectionId, ...LIVE },
        data: { state: 'removed', removedAt: at },
      });
    },
    async findWebhookCredential(authUser) {
      const { rows } = await pool.query(FIND_CREDENTIAL, [authUser]);
      return rows.length === 0 ? null : credentialSchema.parse(rows[0]);
    },
    withTenantLock: (tenantId, work) =>
      turn(() =>
        database.transaction(async (client) => {
          await client.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, tenantId]);
          return work();
        }),
      ),
  };
}
