/** The app's installs: codes, access and refresh tokens of each (company, user), and API tokens. No HTTP here. */
import { createHash } from 'node:crypto';

const CODE_LIFETIME_MS = 5 * 60_000;
const REFRESH_IDLE_LIFETIME_MS = 60 * 86_400_000;

export type Identity = { readonly companyId: number; readonly userId: number };
export type TokenPair = { readonly accessToken: string; readonly refreshToken: string; readonly expiresInSeconds: number };
type Grant = Identity & { readonly expiresAt: number };
export type Refusal = { readonly refused: string };

export type OauthTokens = {
  /** `null`: who is not named by a living token. */
  whoHas(accessToken: string): Identity | null;
  issueCode(identity: Identity): string;
  redeemCode(code: string): TokenPair | Refusal;
  refresh(refreshToken: string, rotate: boolean): TokenPair | Refusal;
  /** Revokes one token; says whose install ended, if it was a refresh token. */
  revoke(token: string): Identity | null;
  removeUser(identity: Identity): boolean;
  expireAccessTokens(): void;
  isInstalled(identity: Identity): boolean;
  installs(): Identity[];
  lifetimeSeconds: number;
};

export function makeOauthTokens({ clock, nextNumber }: { clock: () => Date; nextNumber: (kind: string) => number }): OauthTokens {
  const codes = new Map<string, Grant>();
  const accessTokens = new Map<string, Grant>();
  const refreshTokens = new Map<string, Grant>();
  const nowMs = (): number => clock().getTime();

  const tokens: OauthTokens = {
    lifetimeSeconds: 3599,
    whoHas(accessToken) {
      const grant = accessTokens.get(accessToken);
      return grant === undefined || grant.expiresAt <= nowMs() ? null : identityOf(grant);
    },
    issueCode(identity) {
      const code = `${identity.companyId}.${identity.userId}.${digest(`code ${nextNumber('code')}`)}`;
      codes.set(code, { ...identity, expiresAt: nowMs() + CODE_LIFETIME_MS });
      return code;
    },
    redeemCode(code) {
      const grant = codes.get(code);
      codes.delete(code);
      if (grant === undefined) return { refused: 'authorization_code is invalid' };
      if (grant.expiresAt <= nowMs()) return { refused: 'authorization_code has expired' };
      return pairFor(identityOf(grant), newRefreshToken(grant));
    },
    refresh(refreshToken, rotate) {
      const grant = refreshTokens.get(refreshToken);
      if (grant === undefined || grant.expiresAt <= nowMs()) return { refused: 'refresh_token is invalid' };
      if (!rotate) return pairFor(identityOf(grant), refreshToken);
      refreshTokens.delete(refreshToken);
      return pairFor(identityOf(grant), newRefreshToken(grant));
    },
    revoke(token) {
      accessTokens.delete(token);
      const grant = refreshTokens.get(token);
      return grant === undefined ? null : identityOf(grant);
    },
    removeUser(identity) {
      const removed = [codes, accessTokens, refreshTokens].map((grants) => dropWhere(grants, (grant) => isSame(grant, identity)));
      return removed.some((count) => count > 0);
    },
    expireAccessTokens: () => {
      accessTokens.clear();
    },
    isInstalled: (identity) => [...refreshTokens.values()].some((grant) => isSame(grant, identity)),
    installs: () => [
      ...new Map([...refreshTokens.values()].map((grant) => [`${grant.companyId}:${grant.userId}`, identityOf(grant)])).values(),
    ],
  };

  function newRefreshToken(identity: Identity): string {
    return `${identity.companyId}:${identity.userId}:${digest(`refresh ${nextNumber('refresh')}`)}`;
  }

  function pairFor(identity: Identity, refreshToken: string): TokenPair {
    refreshTokens.set(refreshToken, { ...identity, expiresAt: nowMs() + REFRESH_IDLE_LIFETIME_MS });
    // Real access tokens are opaque and long ("at least varchar(768)").
    const blob = createHash('sha512')
      .update(`access ${nextNumber('access')}`)
      .digest('base64')
      .repeat(9);
    const accessToken = `v1u:AQIBAHj${blob}:RIDn${blob.slice(0, 60)}`;
    accessTokens.set(accessToken, { ...identity, expiresAt: nowMs() + tokens.lifetimeSeconds * 1000 });
    return { accessToken, refreshToken, expiresInSeconds: tokens.lifetimeSeconds };
  }

  return tokens;
}

/** The one API token of a user, 40 hex digits. */
export function apiTokenOf({ companyId, userId }: Identity): string {
  return digest(`api token ${companyId}:${userId}`);
}

function identityOf({ companyId, userId }: Identity): Identity {
  return { companyId, userId };
}

function isSame(left: Identity, right: Identity): boolean {
  return left.companyId === right.companyId && left.userId === right.userId;
}

function dropWhere(grants: Map<string, Grant>, test: (grant: Grant) => boolean): number {
  const dropped = [...grants].filter(([, grant]) => test(grant));
  for (const [token] of dropped) grants.delete(token);
  return dropped.length;
}

function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
