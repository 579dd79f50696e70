/** Pipedrive's OAuth server: where a user consents, and how codes and refresh tokens become access tokens. Keeps nothing. */

import { AuthorizationCode } from 'simple-oauth2';
import { z } from 'zod';
import { messageOf } from '../core/errors';
import { isObject } from '../core/record';

export interface TokenGrant {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  readonly expiresInSeconds: number;
  /** `https://{company}.pipedrive.com`; null when the answer lacks it (one documented example does). */
  readonly apiDomain: string | null;
}

/** `refused`: the code or refresh token is worth nothing, asking again cannot help. `unreachable`: nothing is known. */
export interface OAuthFailure {
  readonly kind: 'refused' | 'unreachable';
  readonly reason: string;
}

export type TokenAnswer =
  { readonly ok: true; readonly grant: TokenGrant } | { readonly ok: false; readonly failure: OAuthFailure };

export interface PipedriveOAuth {
  /** The consent page. Pipedrive takes no scope and no response type: scopes are set on the app in Developer Hub. */
  authorizeUrl(state: string): string;
  /** A code is worth one exchange within five minutes. */
  exchangeCode(code: string): Promise<TokenAnswer>;
  /** Never loses the refresh token: an answer without one leaves the old one in force. */
  refresh(refreshToken: string): Promise<TokenAnswer>;
  /** Revoking the refresh token marks the app uninstalled at Pipedrive. Null when done, else why not. */
  revoke(refreshToken: string): Promise<OAuthFailure | null>;
}

interface OAuthSettings {
  readonly oauthUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1_000_000;
/** Documented lifetime of an access token, for an answer that does not say. */
const USUAL_LIFETIME_S = 3_599;

const tokenSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish(),
  expires_in: z.coerce.number().positive().catch(USUAL_LIFETIME_S),
  scope: z.string().catch(''),
  api_domain: z
    .url({ protocol: /^https?$/ })
    .nullish()
    .catch(null),
});

const responseErrorSchema = z.object({
  output: z.object({ statusCode: z.number() }),
  data: z.object({ isResponseError: z.literal(true), payload: z.unknown() }),
});

export function makePipedriveOAuth({
  oauthUrl,
  clientId,
  clientSecret,
  redirectUri,
  timeoutMs = TIMEOUT_MS,
}: OAuthSettings): PipedriveOAuth {
  const client = new AuthorizationCode({
    client: { id: clientId, secret: clientSecret },
    auth: { tokenHost: oauthUrl, tokenPath: '/oauth/token', authorizePath: '/oauth/authorize', revokePath: '/oauth/revoke' },
    http: { timeout: timeoutMs, maxBytes: MAX_ANSWER_BYTES, json: true },
    // Pipedrive wants base64(client_id:client_secret) as it is, without form encoding.
    options: { credentialsEncodingMode: 'loose', authorizationMethod: 'header', bodyFormat: 'form' },
  });

  return {
    authorizeUrl(state) {
      const url = new URL(client.authorizeURL({ redirect_uri: redirectUri, state }));
      url.searchParams.delete('response_type');
      return url.toString();
    },
    exchangeCode: (code) => answerOf(client.getToken({ code, redirect_uri: redirectUri }), null, isRefusedCode),
    refresh: (refreshToken) =>
      answerOf(client.createToken({ refresh_token: refreshToken }).refresh(), refreshToken, isRefusedToken),
    async revoke(refreshToken) {
      try {
        await client.createToken({ refresh_token: refreshToken }).revoke('refresh_token');
        return null;
      } catch (error) {
        return failureOf(error, isRefusedToken);
      }
    },
  };
}

async function answerOf(
  request: Promise<{ readonly token: unknown }>,
  oldRefreshToken: string | null,
  isRefused: (status: number) => boolean,
): Promise<TokenAnswer> {
  try {
    const parsed = tokenSchema.safeParse((await request).token);
    if (!parsed.success) return unreachable('Pipedrive answered with something that is no token');
    const refreshToken = parsed.data.refresh_token ?? oldRefreshToken;
    if (refreshToken === null) return unreachable('Pipedrive answered without a refresh token');
    return { ok: true, grant: grantFrom(parsed.data, refreshToken) };
  } catch (error) {
    return { ok: false, failure: failureOf(error, isRefused) };
  }
}

function grantFrom(token: z.infer<typeof tokenSchema>, refreshToken: string): TokenGrant {
  return {
    accessToken: token.access_token,
    refreshToken,
    scopes: token.scope.split(/[\s,]+/).filter((scope) => scope !== ''),
    expiresInSeconds: token.expires_in,
    apiDomain: token.api_domain?.replace(/\/+$/, '') ?? null,
  };
}

/**
 * Only Pipedrive's own 400 about the grant is a refusal. Wrong client credentials (400 `Invalid client`, 401), a block page (403)
 * or an outage say nothing about this user's token, and must not cost a tenant its connection.
 */
function isRefusedToken(status: number): boolean {
  return status === 400 || status === 422;
}

/** A code that was not taken costs nobody anything but a new start, so any "no" is one. */
function isRefusedCode(status: number): boolean {
  return isRefusedToken(status) || status === 401 || status === 404;
}

function failureOf(error: unknown, isRefused: (status: number) => boolean): OAuthFailure {
  const answered = responseErrorSchema.safeParse(error);
  if (!answered.success)
    return { kind: 'unreachable', reason: `Pipedrive’s OAuth server cannot be reached: ${messageOf(error)}` };
  const status = answered.data.output.statusCode;
  const words = wordsOf(answered.data.data.payload);
  const isOurFault = /invalid[ _]client|unsupported|missing parameter|content.type/i.test(words);
  const kind = isRefused(status) && !isOurFault ? 'refused' : 'unreachable';
  return {
    kind,
    reason:
      words === '' ? `Pipedrive’s OAuth server answered ${status}` : `Pipedrive’s OAuth server answered ${status}: ${words}`,
  };
}

function wordsOf(payload: unknown): string {
  if (!isObject(payload)) return '';
  const words = [payload['error'], payload['message'], payload['error_description']].filter((word) => typeof word === 'string');
  return [...new Set(words)].join(', ').slice(0, 300);
}

function unreachable(reason: string): TokenAnswer {
  return { ok: false, failure: { kind: 'unreachable', reason } };
}
