/** Who a request's `Authorization: Bearer` is: the holder of an API key, or a user on one of our pages. */

import type { PrismaClient } from '../../prisma/generated/client';
import type { PageTokens } from '../settings/page-token';
import { findViewerByPageToken, type Viewer } from '../settings/viewer.store';
import { findApiKey } from './api-key.store';
import type { Principal } from './endpoint';

export type Authenticate = (authorization: string | undefined) => Promise<Principal | null>;

const BEARER = /^Bearer +([\w.~+/=-]{1,4096})$/i;

interface Deps {
  readonly prisma: PrismaClient;
  readonly pageTokens: PageTokens;
  readonly clock: () => Date;
}

/** Makes the check; null for no, a wrong or an expired credential. */
export function makeAuthenticate(deps: Deps): Authenticate {
  return async (authorization) => {
    const token = BEARER.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    return token.startsWith('dbk_') ? await byApiKey(deps, token) : await byPageToken(deps, token);
  };
}

async function byApiKey({ prisma, clock }: Deps, token: string): Promise<Principal | null> {
  const key = await findApiKey(prisma, token, clock());
  if (key === null) return null;
  return { tenantId: key.tenantId, isAdmin: true, userId: null, actor: `api key ${key.name}`, rateKey: `key ${key.id}` };
}

async function byPageToken({ prisma, pageTokens }: Deps, token: string): Promise<Principal | null> {
  const user = await pageTokens.verify(token);
  const viewer = user === null ? null : await findViewerByPageToken(prisma, user);
  return viewer === null ? null : principalOf(viewer);
}

/** A user on one of our pages. */
export function principalOf({ tenant, isAdmin, userId }: Viewer): Principal {
  return { tenantId: tenant.id, isAdmin, userId, actor: `user ${userId}`, rateKey: `tenant ${tenant.id}` };
}
