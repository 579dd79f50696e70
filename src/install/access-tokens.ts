/** Gives a connection's access token, always fresh: however many ask at once, in however many processes, one refresh is made. */

import type { Logger } from 'pino';
import { z } from 'zod';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';
import type { Connection, LockedConnection } from './connection.store';

/** What an OAuth connection's sealed tokens hold. */
export const oauthTokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string() });
export const TOKENS_PURPOSE = 'connection.tokens';

interface TokenGrant {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  readonly expiresInSeconds: number;
}
type RefreshAnswer =
  | { readonly ok: true; readonly grant: TokenGrant }
  | { readonly ok: false; readonly failure: { readonly kind: 'refused' | 'unreachable'; readonly reason: string } };

interface Needs {
  readonly connections: {
    find(tenantId: TenantId, connectionId: number): Promise<Connection | null>;
    withLock<T>(tenantId: TenantId, connectionId: number, work: (locked: LockedConnection) => Promise<T>): Promise<T | null>;
  };
  readonly oauth: { refresh(refreshToken: string): Promise<RefreshAnswer> };
  readonly box: {
    seal(tenantId: number, purpose: string, value: unknown): Promise<string>;
    open<T>(tenantId: number, purpose: string, sealed: string, schema: z.ZodType<T>): Promise<T>;
  };
  /** Told once when Pipedrive refuses the refresh token for good; must not wait for anything long. */
  readonly onRevoked: (tenantId: TenantId, connectionId: number) => void;
  readonly clock: () => Date;
  readonly log: Logger;
}

export interface AccessTokens {
  /**
   * A token that is good for another minute at least. `refused` is a token that Pipedrive has just answered 401 to: a newer one is
   * given. Throws AppError `connection_revoked` (the user must install again) or `pipedrive_unreachable` (nothing changed).
   */
  accessToken(tenantId: TenantId, connectionId: number, refused?: string): Promise<string>;
  /** Refreshes although the access token may still be good: resets the 60 idle days of the refresh token. Throws likewise. */
  renew(tenantId: TenantId, connectionId: number): Promise<void>;
}

/** A token is refreshed this long before its end, so that it does not end on the way. */
const SKEW_MS = 60_000;

type IsGood = (connection: Connection, accessToken: string) => boolean;
type RefreshResult =
  | { readonly kind: 'token'; readonly accessToken: string }
  | { readonly kind: 'revoked'; readonly reason: string; readonly isNew: boolean };

export function makeAccessTokens(needs: Needs): AccessTokens {
  const { connections, box, clock } = needs;
  const underWay = new Map<string, Promise<string>>();
  const isFresh = (connection: Connection) =>
    connection.expiresAt !== null && connection.expiresAt.getTime() - clock().getTime() > SKEW_MS;

  const refreshOnce = (tenantId: TenantId, connectionId: number, isGood: IsGood): Promise<string> => {
    const key = `${tenantId} ${connectionId}`;
    const joined = underWay.get(key);
    if (joined !== undefined) return joined;
    const refreshing = refreshLocked(needs, tenantId, connectionId, isGood).finally(() => underWay.delete(key));
    underWay.set(key, refreshing);
    return refreshing;
  };

  return {
    async accessToken(tenantId, connectionId, refused) {
      const isGood: IsGood = (connection, token) => isFresh(connection) && token !== refused;
      const connection = await connections.find(tenantId, connectionId);
      if (connection === null || connection.state !== 'active') throw revokedError('the connection is no longer active');
      const { accessToken } = await box.open(tenantId, TOKENS_PURPOSE, connection.sealedTokens, oauthTokensSchema);
      return isGood(connection, accessToken) ? accessToken : refreshOnce(tenantId, connectionId, isGood);
    },
    async renew(tenantId, connectionId) {
      await refreshOnce(tenantId, connectionId, () => false);
    },
  };
}

async function refreshLocked(needs: Needs, tenantId: TenantId, connectionId: number, isGood: IsGood): Promise<string> {
  const result = await needs.connections.withLock(tenantId, connectionId, (locked) => refresh(needs, locked, isGood));
  if (result === null) throw revokedError('the connection is gone');
  if (result.kind === 'token') return result.accessToken;
  if (result.isNew) {
    needs.log.warn({ tenantId, connectionId, reason: result.reason }, 'connection revoked');
    needs.onRevoked(tenantId, connectionId);
  }
  throw revokedError(result.reason);
}

/** Runs with the row locked; the row is read anew, since another process may have refreshed while we waited for the lock. */
async function refresh({ oauth, box, clock, log }: Needs, locked: LockedConnection, isGood: IsGood): Promise<RefreshResult> {
  const { id: connectionId, tenantId, state, sealedTokens } = locked.connection;
  if (state !== 'active') return { kind: 'revoked', reason: 'the connection is no longer active', isNew: false };
  const stored = await box.open(tenantId, TOKENS_PURPOSE, sealedTokens, oauthTokensSchema);
  if (isGood(locked.connection, stored.accessToken)) return { kind: 'token', accessToken: stored.accessToken };

  const answer = await oauth.refresh(stored.refreshToken);
  if (!answer.ok && answer.failure.kind === 'refused') {
    await locked.saveRevoked(answer.failure.reason);
    return { kind: 'revoked', reason: answer.failure.reason, isNew: true };
  }
  if (!answer.ok) throw new AppError('pipedrive_unreachable', answer.failure.reason, { status: 502 });

  const { accessToken, refreshToken, scopes, expiresInSeconds } = answer.grant;
  const at = clock();
  await locked.saveRefreshed({
    sealedTokens: await box.seal(tenantId, TOKENS_PURPOSE, { accessToken, refreshToken }),
    expiresAt: new Date(at.getTime() + expiresInSeconds * 1000),
    scopes,
    at,
  });
  log.info({ tenantId, connectionId }, 'access token refreshed');
  return { kind: 'token', accessToken };
}

function revokedError(reason: string): AppError {
  return new AppError('connection_revoked', `This Pipedrive user has to install Dealbell again: ${reason}.`, { status: 409 });
}
