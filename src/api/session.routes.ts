/** The two requests without a credential: a page token for Pipedrive's own, and the self-hosted connection by API token. */

import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';
import type { PageTokens } from '../settings/page-token';
import type { VerifyIframeToken } from '../settings/verify-iframe-token';
import { findViewerByCompany } from '../settings/viewer.store';
import { createApiKey } from './api-key.store';
import type { RunChange } from './change.store';
import { openEndpoint, type ApiAnswer, type Endpoint } from './endpoint';

/** Installs by a user's API token. Throws an AppError: 422 when Pipedrive refuses the token, 502 when it cannot be asked. */
export type ConnectByApiToken = (request: {
  readonly apiToken: string;
}) => Promise<{ readonly id: TenantId; readonly companyName: string }>;

interface Deps {
  readonly prisma: PrismaClient;
  readonly runChange: RunChange;
  readonly verifyIframeToken: VerifyIframeToken;
  readonly pageTokens: PageTokens;
  readonly connectByApiToken: ConnectByApiToken;
  /** `ALLOW_API_TOKEN_CONNECT`. */
  readonly allowApiTokenConnect: boolean;
}

const NOT_ALLOWED = 'Connecting by API token is not allowed here (ALLOW_API_TOKEN_CONNECT).';
const sessionBody = z.strictObject({ token: z.string().min(1).max(8192) });
const connectBody = z.strictObject({ apiToken: z.string().trim().min(1).max(256) });

export function sessionEndpoints(deps: Deps): Endpoint[] {
  return [
    openEndpoint({
      method: 'post',
      path: '/session',
      status: 200,
      summary: 'Exchange Pipedrive’s signed token for a page token of 30 minutes',
      body: sessionBody,
      handle: ({ token }) => openSession(deps, token),
    }),
    openEndpoint({
      method: 'post',
      path: '/connect/pipedrive',
      status: 201,
      summary: 'Self-hosting: connect a company by an API token of Pipedrive; the answer has an API key',
      body: connectBody,
      guard: () => {
        if (!deps.allowApiTokenConnect) throw new AppError('connect_not_allowed', NOT_ALLOWED, { status: 403 });
      },
      handle: ({ apiToken }) => connect(deps, apiToken),
    }),
  ];
}

async function connect({ connectByApiToken, runChange }: Deps, apiToken: string): Promise<ApiAnswer> {
  const { id, companyName } = await connectByApiToken({ apiToken });
  // Beyond the plan's number of keys if need be: without a key the new owner of the connection could do nothing.
  const { key } = await runChange({ tenantId: id, actor: 'API token of Pipedrive' }, async (client) => {
    const result = await createApiKey(client, id, 'first key');
    return { result, note: { action: 'account.connected', subject: 'account' } };
  });
  return { status: 201, body: { tenant: { id, companyName }, apiKey: key } };
}

async function openSession({ prisma, verifyIframeToken, pageTokens }: Deps, token: string) {
  const claims = await verifyIframeToken(token);
  if (claims === null)
    throw new AppError('bad_token', 'The token is not valid or has expired: please reopen the page in Pipedrive.', {
      status: 401,
    });
  const viewer = await findViewerByCompany(prisma, claims);
  if (viewer === null)
    throw new AppError('not_connected', 'Dealbell is not installed for this user and company.', { status: 403 });
  const { id, companyId, companyName, companyDomain } = viewer.tenant;
  const session = await pageTokens.issue({ tenantId: id, userId: viewer.userId });
  return {
    status: 200 as const,
    body: {
      ...session,
      tenant: { id, companyId, companyName, companyDomain },
      user: { id: viewer.userId, isAdmin: viewer.isAdmin },
    },
  };
}
