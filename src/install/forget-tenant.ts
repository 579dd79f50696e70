/** A tenant wants to be erased: our webhooks leave Pipedrive and our tokens are revoked there, before the rows are deleted. */

import type { Logger } from 'pino';
import type { ZodType } from 'zod';
import { messageOf } from '../core/errors';
import type { TenantId } from '../core/tenant';
import { oauthTokensSchema, TOKENS_PURPOSE } from './access-tokens';
import type { Connection } from './connection.store';

interface Needs {
  readonly listActive: (tenantId: TenantId) => Promise<readonly Connection[]>;
  /** Gives how many webhooks Pipedrive did not let go. */
  readonly unregisterWebhooks: (tenantId: TenantId) => Promise<number>;
  /** Null when done, else why not. */
  readonly revoke: (refreshToken: string) => Promise<{ readonly reason: string } | null>;
  readonly box: { open<T>(tenantId: number, purpose: string, sealed: string, schema: ZodType<T>): Promise<T> };
  readonly log: Logger;
}

/** Never throws because of Pipedrive: what it does not let us do is logged, and ends by itself after 60 idle days. */
export function makeForgetTenant({
  listActive,
  unregisterWebhooks,
  revoke,
  box,
  log,
}: Needs): (tenantId: TenantId) => Promise<void> {
  return async function forgetTenant(tenantId) {
    try {
      const left = await unregisterWebhooks(tenantId);
      if (left > 0) log.warn({ tenantId, left }, 'webhooks left at Pipedrive');
    } catch (error) {
      log.warn({ tenantId, reason: messageOf(error) }, 'webhooks left at Pipedrive');
    }
    for (const { id: connectionId, kind, sealedTokens } of await listActive(tenantId)) {
      if (kind === 'apiToken') continue;
      const { refreshToken } = await box.open(tenantId, TOKENS_PURPOSE, sealedTokens, oauthTokensSchema);
      const failure = await revoke(refreshToken);
      if (failure !== null) log.warn({ tenantId, connectionId, reason: failure.reason }, 'token not revoked');
    }
  };
}
