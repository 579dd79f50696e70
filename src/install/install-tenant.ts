/** A user connects Pipedrive: by OAuth code or, self-hosted, by API token. Stores nothing before Pipedrive has said who it is. */

import type { Logger } from 'pino';
import { AppError, messageOf } from '../core/errors';
import type { RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import { TOKENS_PURPOSE } from './access-tokens';
import type { MakeApi } from './connection-api';
import type { Connection, ConnectionStore, NewConnection } from './connection.store';
import type { ReferenceRecordStore } from './reference-record.store';
import type { Tenant, TenantStore } from './tenant.store';

type Answer<T, K extends string = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: { readonly kind: K; readonly reason: string } };

interface TokenGrant {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  readonly expiresInSeconds: number;
  readonly apiDomain: string | null;
}

/** What Pipedrive says of the user who connects. */
interface CurrentUser {
  readonly userId: number;
  readonly userName: string;
  readonly isAdmin: boolean;
  readonly companyId: number;
  readonly companyName: string;
  readonly companyDomain: string;
  readonly locale: string;
  readonly timeZone: string;
  readonly baseCurrency: string;
}

/** Pipedrive's API as far as an install goes. */
export interface InstallApi {
  getCurrentUser(): Promise<Answer<CurrentUser>>;
  listUsers(): Promise<Answer<readonly RecordState[]>>;
  listPipelines(): Promise<Answer<readonly RecordState[]>>;
  listStages(): Promise<Answer<readonly RecordState[]>>;
  listDealFields(): Promise<Answer<readonly RecordState[]>>;
}

interface Needs {
  readonly oauth: {
    exchangeCode(
      code: string,
    ): Promise<
      | { readonly ok: true; readonly grant: TokenGrant }
      | { readonly ok: false; readonly failure: { readonly kind: 'refused' | 'unreachable'; readonly reason: string } }
    >;
  };
  readonly makeApi: MakeApi<InstallApi>;
  readonly apiOf: (connection: Connection) => Promise<InstallApi>;
  readonly tenants: Pick<TenantStore, 'upsert'>;
  readonly connections: Pick<ConnectionStore, 'save'>;
  readonly referenceRecords: ReferenceRecordStore;
  readonly box: { seal(tenantId: number, purpose: string, value: unknown): Promise<string> };
  readonly syncWebhooks: (tenantId: TenantId) => Promise<{ readonly failed: readonly unknown[] }>;
  /** Reads the exchange rates; bounded in time, never throws. */
  readonly refreshRates: (tenantId: TenantId) => Promise<unknown>;
  /** `PIPEDRIVE_API_URL`; null: the token's own domain. */
  readonly apiUrl: string | null;
  readonly clock: () => Date;
  readonly log: Logger;
}

export interface Installed {
  readonly kind: 'installed';
  readonly tenant: Tenant;
  readonly isNew: boolean;
  /** False: some webhooks could not be registered; the hourly repair tries again. */
  readonly hearsEverything: boolean;
}
/** `refused`: the code is wrong or used; `unreachable`: Pipedrive could not be asked. Nothing is stored in either case. */
export type InstallOutcome = Installed | { readonly kind: 'refused' | 'unreachable'; readonly reason: string };

export interface InstallTenant {
  installByCode(code: string): Promise<InstallOutcome>;
  /** Throws AppError 422 when Pipedrive refuses the token, 502 when it cannot be asked. */
  connectByApiToken(request: { apiToken: string }): Promise<Tenant>;
}

/** Pipedrive's common API host knows the company by the token; used where no domain is known yet. */
const COMMON_API_URL = 'https://api.pipedrive.com';
/** What an HTTP header can carry; anything else is no token of Pipedrive's and would only break the request. */
const TOKEN_SHAPE = /^[\x21-\x7e]{1,500}$/;

export function makeInstallTenant(needs: Needs): InstallTenant {
  const { oauth, makeApi, apiUrl, clock } = needs;

  return {
    async installByCode(code) {
      const answer = await oauth.exchangeCode(code);
      if (!answer.ok) return answer.failure;
      const { grant } = answer;
      const apiOrigin = apiUrl ?? grant.apiDomain ?? COMMON_API_URL;
      const api = makeApi({
        apiOrigin,
        credential: { kind: 'oauth', accessToken: () => Promise.resolve(grant.accessToken) },
        patience: 'background',
      });
      const me = await api.getCurrentUser();
      if (!me.ok) return { kind: 'unreachable', reason: me.failure.reason };
      return install(needs, me.value, {
        kind: 'oauth',
        secret: { accessToken: grant.accessToken, refreshToken: grant.refreshToken },
        scopes: grant.scopes,
        apiDomain: grant.apiDomain ?? domainOf(me.value),
        expiresAt: new Date(clock().getTime() + grant.expiresInSeconds * 1000),
      });
    },

    async connectByApiToken({ apiToken }) {
      const refused = new AppError('api_token_refused', 'Pipedrive does not accept this API token.', {
        status: 422,
        errors: [{ path: 'apiToken', message: 'is not accepted by Pipedrive' }],
      });
      if (!TOKEN_SHAPE.test(apiToken)) throw refused;
      const api = makeApi({
        apiOrigin: apiUrl ?? COMMON_API_URL,
        credential: { kind: 'apiToken', apiToken },
        patience: 'background',
      });
      const me = await api.getCurrentUser();
      if (!me.ok && (me.failure.kind === 'unauthorized' || me.failure.kind === 'forbidden')) throw refused;
      if (!me.ok)
        throw new AppError('pipedrive_unreachable', `Pipedrive could not be asked: ${me.failure.reason}.`, { status: 502 });
      const access = {
        kind: 'apiToken' as const,
        secret: { apiToken },
        scopes: [],
        apiDomain: domainOf(me.value),
        expiresAt: null,
      };
      return (await install(needs, me.value, access)).tenant;
    },
  };
}

type NewAccess = Pick<NewConnection, 'kind' | 'scopes' | 'apiDomain' | 'expiresAt'> & { readonly secret: object };

async function install(needs: Needs, user: CurrentUser, { secret, ...access }: NewAccess): Promise<Installed> {
  const { tenants, connections, box, apiOf, clock, log } = needs;
  const { userId, userName, isAdmin, ...company } = user;
  const { tenant, isNew } = await tenants.upsert(company);
  const sealedTokens = await box.seal(tenant.id, TOKENS_PURPOSE, secret);
  const connection = await connections.save(tenant.id, { ...access, userId, userName, isAdmin, sealedTokens, at: clock() });
  const [hearsEverything] = await Promise.all([
    registerWebhooks(needs, tenant.id),
    prefetch(needs, tenant.id, await apiOf(connection)),
  ]);
  log.info({ tenantId: tenant.id, connectionId: connection.id, kind: access.kind, isNew, isAdmin, hearsEverything }, 'installed');
  return { kind: 'installed', tenant, isNew, hearsEverything };
}

/** The install stands whatever happens here; the hourly repair registers what is missing. */
async function registerWebhooks({ syncWebhooks, log }: Needs, tenantId: TenantId): Promise<boolean> {
  try {
    return (await syncWebhooks(tenantId)).failed.length === 0;
  } catch (error) {
    log.error({ tenantId, reason: messageOf(error) }, 'webhooks not registered');
    return false;
  }
}

/** What nearly every message and rule needs, so that the first one is complete; what fails is asked for when needed. */
async function prefetch(needs: Needs, tenantId: TenantId, api: InstallApi): Promise<void> {
  const { referenceRecords, refreshRates, clock, log } = needs;
  const lists = {
    user: () => api.listUsers(),
    pipeline: () => api.listPipelines(),
    stage: () => api.listStages(),
    dealField: () => api.listDealFields(),
  };
  const readings = Object.entries(lists).map(async ([entity, list]) => {
    const readAt = clock();
    const answer = await list();
    if (answer.ok) await referenceRecords.saveAll(tenantId, entity, answer.value, readAt);
    else log.warn({ tenantId, entity, reason: answer.failure.reason }, 'names not prefetched');
  });
  for (const reading of await Promise.allSettled(readings)) {
    if (reading.status === 'rejected') log.warn({ tenantId, reason: messageOf(reading.reason) }, 'names not prefetched');
  }
  await refreshRates(tenantId);
}

function domainOf({ companyDomain }: CurrentUser): string {
  return `https://${companyDomain}.pipedrive.com`;
}
