/** Our own short token for pages inside Pipedrive, where cookies are not to be relied on. It goes into the Authorization header. */

import { hkdfSync } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { tenantIdSchema, type TenantId } from '../core/tenant';

const LIFETIME_MS = 30 * 60_000;
const AUDIENCE = 'page';
const ISSUER = 'dealbell';

const claimsSchema = z.object({ tenantId: tenantIdSchema, userId: z.int().positive() });

/** A Pipedrive user of a tenant. */
export interface PageUser {
  readonly tenantId: TenantId;
  readonly userId: number;
}

export interface PageTokens {
  issue(user: PageUser): Promise<{ token: string; expiresAt: Date }>;
  /** Null for a token that is not ours, not for pages, or expired. */
  verify(token: string): Promise<PageUser | null>;
}

/** Makes both ends; the key is derived from `SESSION_SECRET`. */
export function makePageTokens({ sessionSecret, clock }: { sessionSecret: string; clock: () => Date }): PageTokens {
  const key = new Uint8Array(hkdfSync('sha256', sessionSecret, '', 'dealbell page token', 32));
  return {
    async issue({ tenantId, userId }) {
      const now = clock();
      const expiresAt = new Date(Math.floor((now.getTime() + LIFETIME_MS) / 1000) * 1000);
      const token = await new SignJWT({ tenantId, userId })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(now)
        .setExpirationTime(expiresAt)
        .sign(key);
      return { token, expiresAt };
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['HS256'],
          audience: AUDIENCE,
          issuer: ISSUER,
          requiredClaims: ['exp'],
          currentDate: clock(),
        });
        return claimsSchema.safeParse(payload).data ?? null;
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
  };
}
