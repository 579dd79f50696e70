/** Connections in the database: one user's authorization in a tenant, its tokens sealed. */

import type { PoolClient } from 'pg';
import { z } from 'zod';
import { tenantIdSchema, type TenantId } from '../core/tenant';
import type { Database } from '../platform/database';
import { makeTurnstile } from '../platform/turnstile';

const CONNECTION_KINDS = ['oauth', 'apiToken'] as const;
export type ConnectionKind = (typeof CONNECTION_KINDS)[number];
const CONNECTION_STATES = ['active', 'revoked', 'uninstalled'] as const;

export interface Connection {
  readonly id: number;
  readonly tenantId: TenantId;
  /** Pipedrive's user id. */
  readonly userId: number;
  readonly kind: ConnectionKind;
  /** JWE of `OAuthTokens` or `ApiTokenSecret`; empty once revoked or uninstalled. */
  readonly sealedTokens: string;
  readonly apiDomain: string;
  /** When the access token ends; null for an API token. */
  readonly expiresAt: Date | null;
  readonly isAdmin: boolean;
  readonly state: (typeof CONNECTION_STATES)[number];
}

/** What an install knows of the user. */
export interface NewConnection {
  readonly userId: number;
  readonly userName: string;
  readonly kind: ConnectionKind;
  readonly sealedTokens: string;
  readonly scopes: readonly string[];
  readonly apiDomain: string;
  readonly expiresAt: Date | null;
  readonly isAdmin: boolean;
  readonly at: Date;
}

/** What a refresh changes. */
export interface RefreshedTokens {
  readonly sealedTokens: string;
  readonly expiresAt: Date;
  /** Empty: the answer named none, so the known ones stay. */
  readonly scopes: readonly string[];
  readonly at: Date;
}

/** The row while it is locked; the changes are made in the locking transaction, on its own database connection. */
export interface LockedConnection {
  readonly connection: Connection;
  saveRefreshed(tokens: RefreshedTokens): Promise<void>;
  /** Erases the tokens; `reason` is for people. */
  saveRevoked(reason: string): Promise<void>;
}

export interface ConnectionStore {
  /** Writes the connection of (tenant, user), over an earlier one of the same user. */
  save(tenantId: TenantId, connection: NewConnection): Promise<Connection>;
  find(tenantId: TenantId, connectionId: number): Promise<Connection | null>;
  /** Best first: admins see everything, then whoever was heard of last. */
  listActive(tenantId: TenantId): Promise<Connection[]>;
  /** Runs `work` with the row locked against every other process; gives null when there is no such row. */
  withLock<T>(tenantId: TenantId, connectionId: number, work: (locked: LockedConnection) => Promise<T>): Promise<T | null>;
  /** Erases the tokens of a user who uninstalled; null when that user has no connection. */
  markUninstalled(tenantId: TenantId, userId: number, reason: string): Promise<Connection | null>;
  /** Active OAuth connections whose last refresh is older than `before`, longest ago first. */
  listIdle(before: Date, limit: number): Promise<Connection[]>;
}

/**
 * A refresh keeps a database connection while Pipedrive answers (10 s at worst): only so many at once, or a hanging OAuth server
 * would take the whole pool away from intake.
 */
const LOCKS_AT_ONCE = 2;

const rowSchema = z
  .object({
    id: z.number(),
    tenant_id: tenantIdSchema,
    user_id: z.coerce.number(),
    kind: z.enum(CONNECTION_KINDS),
    sealed_tokens: z.string(),
    api_domain: z.string(),
    expires_at: z.date().nullable(),
    is_admin: z.boolean(),
    state: z.enum(CONNECTION_STATES),
  })
  .transform((row): Connection => ({
    id: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    kind: row.kind,
    sealedTokens: row.sealed_tokens,
    apiDomain: row.api_domain,
    expiresAt: row.expires_at,
    isAdmin: row.is_admin,
    state: row.state,
  }));
const COLUMNS = 'id, tenant_id, user_id, kind, sealed_tokens, api_domain, expires_at, is_admin, state';

const SAVE = `
  INSERT INTO pipedrive_connections
    (tenant_id, user_id, user_name, kind, sealed_tokens, scopes, api_domain, expires_at, is_admin, state, last_refreshed_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10, $10)
  ON CONFLICT (tenant_id, user_id) DO UPDATE SET
    user_name = excluded.user_name, kind = excluded.kind, sealed_tokens = excluded.sealed_tokens, scopes = excluded.scopes,
    api_domain = excluded.api_domain, expires_at = excluded.expires_at, is_admin = excluded.is_admin, state = 'active',
    state_reason = NULL, last_refreshed_at = excluded.last_refreshed_at, updated_at = excluded.updated_at
  RETURNING ${COLUMNS}`;

export function makeConnectionStore(database: Database): ConnectionStore {
  const { pool } = database;
  const lockTurn = makeTurnstile(LOCKS_AT_ONCE);
  const select = async (rest: string, values: readonly unknown[]): Promise<Connection[]> => {
    const { rows } = await pool.query(`SELECT ${COLUMNS} FROM pipedrive_connections ${rest}`, [...values]);
    return rows.map((row) => rowSchema.parse(row));
  };

  return {
    async save(tenantId, { userId, userName, kind, sealedTokens, scopes, apiDomain, expiresAt, isAdmin, at }) {
      const values = [tenantId, userId, userName, kind, sealedTokens, scopes, apiDomain, expiresAt, isAdmin, at];
      return rowSchema.parse((await pool.query(SAVE, values)).rows[0]);
    },
    find: async (tenantId, connectionId) =>
      (await select('WHERE tenant_id = $1 AND id = $2', [tenantId, connectionId]))[0] ?? null,
    listActive: (tenantId) =>
      select(`WHERE tenant_id = $1 AND state = 'active' ORDER BY is_admin DESC, last_refreshed_at DESC NULLS LAST, id`, [
        tenantId,
      ]),

    withLock: (tenantId, connectionId, work) =>
      lockTurn(() =>
        database.transaction(async (client) => {
          const { rows } = await client.query(
            `SELECT ${COLUMNS} FROM pipedrive_connections WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
            [tenantId, connectionId],
          );
          return rows.length === 0 ? null : work(lockedRow(client, rowSchema.parse(rows[0])));
        }),
      ),

    async markUninstalled(tenantId, userId, reason) {
      const { rows } = await pool.query(
        `UPDATE pipedrive_connections SET state = 'uninstalled', state_reason = $3, sealed_tokens = '', expires_at = NULL, updated_at = now()
         WHERE tenant_id = $1 AND user_id = $2 RETURNING ${COLUMNS}`,
        [tenantId, userId, reason],
      );
      return rows.length === 0 ? null : rowSchema.parse(rows[0]);
    },
    listIdle: (before, limit) =>
      select(
        `WHERE state = 'active' AND kind = 'oauth' AND (last_refreshed_at IS NULL OR last_refreshed_at < $1)
         ORDER BY last_refreshed_at NULLS FIRST, id LIMIT $2`,
        [before, limit],
      ),
  };
}

function lockedRow(client: PoolClient, connection: Connection): LockedConnection {
  return {
    connection,
    async saveRefreshed({ sealedTokens, expiresAt, scopes, at }) {
      await client.query(
        `UPDATE pipedrive_connections SET sealed_tokens = $2, expires_at = $3, last_refreshed_at = $4, updated_at = $4,
           scopes = CASE WHEN cardinality($5::text[]) = 0 THEN scopes ELSE $5 END
         WHERE id = $1`,
        [connection.id, sealedTokens, expiresAt, at, scopes],
      );
    },
    async saveRevoked(reason) {
      await client.query(
        `UPDATE pipedrive_connections SET state = 'revoked', state_reason = $2, sealed_tokens = '', expires_at = NULL, updated_at = now()
         WHERE id = $1`,
        [connection.id, reason],
      );
    },
  };
}
