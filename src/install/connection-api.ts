/** From a connection to Pipedrive's API: the right origin, the right kind of secret, the tokens kept fresh. */

import { z } from 'zod';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';
import { TOKENS_PURPOSE, type AccessTokens } from './access-tokens';
import type { Connection } from './connection.store';

/** What an API-token connection's sealed tokens hold. */
export const apiTokenSchema = z.object({ apiToken: z.string() });

export type Credential =
  | { readonly kind: 'oauth'; readonly accessToken: (refused?: string) => Promise<string> }
  | { readonly kind: 'apiToken'; readonly apiToken: string };
export type Patience = 'background' | 'lookUp';

/** What an API client is made from. */
export interface ConnectionAccess {
  readonly apiOrigin: string;
  readonly credential: Credential;
  readonly patience: Patience;
}

/** Makes an API client; `Api` is the client's own type, of no interest here. */
export type MakeApi<Api> = (access: ConnectionAccess) => Api;

interface Needs<Api> {
  readonly makeApi: MakeApi<Api>;
  readonly accessTokens: AccessTokens;
  readonly box: { open<T>(tenantId: number, purpose: string, sealed: string, schema: z.ZodType<T>): Promise<T> };
  readonly listActive: (tenantId: TenantId) => Promise<readonly Connection[]>;
  /** `PIPEDRIVE_API_URL`; null: each connection's own domain. */
  readonly apiUrl: string | null;
}

export interface ConnectionApi<Api> {
  /** Throws AppError when the connection's secret cannot be opened or is gone. */
  apiOf(connection: Connection, patience: Patience): Promise<Api>;
  /** Over the tenant's best active connection; null when it has none. */
  bestApiOf(tenantId: TenantId, patience: Patience): Promise<Api | null>;
}

export function makeConnectionApi<Api>({ makeApi, accessTokens, box, listActive, apiUrl }: Needs<Api>): ConnectionApi<Api> {
  const credentialOf = async ({ id, tenantId, kind, sealedTokens, state }: Connection): Promise<Credential> => {
    if (state !== 'active')
      throw new AppError('connection_revoked', 'This Pipedrive connection is no longer active.', { status: 409 });
    switch (kind) {
      case 'oauth':
        return { kind, accessToken: (refused) => accessTokens.accessToken(tenantId, id, refused) };
      case 'apiToken':
        return { kind, apiToken: (await box.open(tenantId, TOKENS_PURPOSE, sealedTokens, apiTokenSchema)).apiToken };
      default:
        return kind satisfies never;
    }
  };
  const apiOf = async (connection: Connection, patience: Patience) =>
    makeApi({ apiOrigin: apiUrl ?? connection.apiDomain, credential: await credentialOf(connection), patience });

  return {
    apiOf,
    async bestApiOf(tenantId, patience) {
      const [best] = await listActive(tenantId);
      return best === undefined ? null : apiOf(best, patience);
    },
  };
}
