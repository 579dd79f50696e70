/** Who sent this webhook: the tenant that the verified credentials name, and nobody else. Pure but for the look-up. */

import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { TenantId } from '../core/tenant';

/** A subscription's credential: the Basic user is the look-up key, the password is kept as its SHA-256. */
export interface SenderCredential {
  readonly tenantId: TenantId;
  readonly credentialHash: Uint8Array;
}

/** A tenant's secret for relays that sign instead of sending Basic credentials. */
export interface SigningSecret {
  readonly tenantId: TenantId;
  readonly secret: string;
}

export interface SenderSource {
  findCredential(authUser: string): Promise<SenderCredential | null>;
  findSigningSecret(tenantPublicId: string): Promise<SigningSecret | null>;
}

/** What the headers claim, before anything is believed. */
export type Claim =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'signature'; readonly tenantPublicId: string; readonly signature: Buffer }
  | { readonly kind: 'none' };

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NOBODY = Buffer.alloc(32);

/** Reads Basic credentials, or else a relay's tenant and `sha256=<hex>` signature. */
export function readClaim(headers: Headers): Claim {
  const authorization = headers['authorization'];
  if (typeof authorization === 'string') return readBasic(authorization);
  const tenantPublicId = headers['x-dealbell-tenant'];
  const signature = headers['x-dealbell-signature'];
  if (typeof tenantPublicId !== 'string' || !UUID.test(tenantPublicId) || typeof signature !== 'string') return { kind: 'none' };
  const match = /^sha256=([0-9a-f]{64})$/i.exec(signature);
  return match?.[1] === undefined
    ? { kind: 'none' }
    : { kind: 'signature', tenantPublicId, signature: Buffer.from(match[1], 'hex') };
}

function readBasic(header: string): Claim {
  const match = /^basic ([A-Za-z0-9+/_-]+={0,2})$/i.exec(header.trim());
  const decoded = match?.[1] === undefined ? '' : Buffer.from(match[1], 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 1 || decoded.includes('\0')) return { kind: 'none' };
  return { kind: 'basic', user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** The tenant whose subscription has this user and password; null otherwise. Constant time once the user is looked up. */
export async function verifyBasic(claim: { user: string; password: string }, source: SenderSource): Promise<TenantId | null> {
  const credential = await source.findCredential(claim.user);
  const given = hash('sha256', claim.password, 'buffer');
  const isRight = timingSafeEqual(given, credential?.credentialHash ?? NOBODY);
  return isRight && credential !== null ? credential.tenantId : null;
}

/** The tenant whose signing secret made this HMAC-SHA256 of the raw body; null otherwise. Compared in constant time. */
export async function verifySignature(
  claim: { tenantPublicId: string; signature: Buffer },
  body: Buffer,
  source: SenderSource,
): Promise<TenantId | null> {
  const known = await source.findSigningSecret(claim.tenantPublicId);
  const expected = createHmac('sha256', known?.secret ?? NOBODY)
    .update(body)
    .digest();
  const isRight = timingSafeEqual(expected, claim.signature);
  return isRight && known !== null ? known.tenantId : null;
}
