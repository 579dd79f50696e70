/** Checks the token with which Pipedrive loads our pages; only its claims count, never the ids in the query. */

import { errors, jwtVerify } from 'jose';
import { z } from 'zod';

/** Pipedrive's live for five minutes; one that claims to live much longer was not made for a page. */
const MAX_LIFETIME_S = 86_400;
const CLOCK_TOLERANCE_S = 5;

const claimsSchema = z.object({
  userId: z.int().positive(),
  companyId: z.int().positive(),
  exp: z.number().nullish(),
  iat: z.number().nullish(),
});

export interface IframeClaims {
  readonly userId: number;
  readonly companyId: number;
}

export type VerifyIframeToken = (token: string) => Promise<IframeClaims | null>;

/**
 * Makes the check: HS256 alone, signed with `PIPEDRIVE_JWT_SECRET`, not expired; null for anything else.
 * Source: pipedrive.readme.io/docs/custom-ui-extensions, devcommunity.pipedrive.com/t/7668.
 */
export function makeVerifyIframeToken({ secret, clock }: { secret: string; clock: () => Date }): VerifyIframeToken {
  const key = new TextEncoder().encode(secret);
  return async (token) => {
    const now = clock();
    const claims = await claimsOf(token, key, now);
    if (claims === null || !isTimely(claims, now.getTime() / 1000)) return null;
    return { userId: claims.userId, companyId: claims.companyId };
  };
}

/** Whether the first token of a page bears `exp` is not documented; without it, its age by `iat` is what counts. */
function isTimely({ exp, iat }: z.infer<typeof claimsSchema>, nowS: number): boolean {
  if (exp != null) return exp - nowS <= MAX_LIFETIME_S;
  return iat == null || nowS - iat <= MAX_LIFETIME_S;
}

async function claimsOf(token: string, key: Uint8Array, now: Date): Promise<z.infer<typeof claimsSchema> | null> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: now,
    });
    return claimsSchema.safeParse(payload).data ?? null;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
