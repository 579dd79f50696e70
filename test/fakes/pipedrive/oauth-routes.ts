/** The stand-in's OAuth server: consent page, token and revoke endpoints with Pipedrive's answers and error texts. */
import type { Request, Response } from 'express';
import express, { Router } from 'express';
import { consentPage } from './consent-page';
import type { Company } from './crm-records';
import type { HttpGate } from './http-gate';
import { queryText } from './http-gate';
import type { Identity, OauthTokens, Refusal, TokenPair } from './oauth-tokens';

export const APP_SCOPE = 'base,deals:read,contacts:read,leads:read,activities:read,users:read,webhooks:full';

/** What a test may set on the app and the OAuth server, at any time. */
export type OauthSettings = {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Rotate like a server that gives a new refresh token at each use (Pipedrive documents that it does not). */
  rotateRefreshTokens: boolean;
  /** Leave the refresh token out of the answers to a refresh. */
  omitRefreshToken: boolean;
  /** The registered callback URL; null = any. */
  redirectUri(): string | null;
};

type Needs = {
  settings: OauthSettings;
  tokens: OauthTokens;
  companies: ReadonlyMap<number, Company>;
  gate: HttpGate;
  apiUrl: () => string;
  /** Called when revoking a refresh token ended an install. */
  onRevoked: (identity: Identity) => void;
};

export function makeOauthRoutes({ settings, tokens, companies, gate, apiUrl, onRevoked }: Needs): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false });

  router.get('/authorize', (request, response) => {
    const problem = authorizeProblem(request, settings);
    if (problem === null)
      response.send(
        consentPage({ companies, preselected: queryText(request, 'as') ?? null, query: request.originalUrl.split('?')[1] ?? '' }),
      );
    else response.status(400).json({ error: problem });
  });

  router.post('/authorize', form, (request, response) => {
    const problem = authorizeProblem(request, settings);
    const redirectUri = queryText(request, 'redirect_uri') ?? '';
    if (problem !== null || !URL.canParse(redirectUri)) {
      response.status(400).json({ error: problem ?? 'Invalid redirect URL' });
      return;
    }
    const target = new URL(redirectUri);
    const identity = parseIdentity(formText(request, 'user') ?? '');
    const user = identity === null ? undefined : companies.get(identity.companyId)?.users.live.get(identity.userId);
    if (formText(request, 'decision') !== 'allow' || identity === null || user === undefined)
      target.searchParams.set('error', 'user_denied');
    else target.searchParams.set('code', tokens.issueCode(identity));
    const state = queryText(request, 'state');
    if (state !== undefined) target.searchParams.set('state', state);
    response.redirect(302, target.toString());
  });

  router.post('/token', form, gate.watch, (request, response) => {
    const refusal = clientProblem(request, settings);
    if (refusal !== null) {
      refuse(response, refusal.error, refusal.message);
      return;
    }
    const grantType = formText(request, 'grant_type');
    if (grantType === 'authorization_code') redeem(request, response);
    else if (grantType === 'refresh_token') refresh(request, response);
    else if (grantType === undefined) refuse(response, 'invalid_request', 'Missing parameter: grant_type');
    else refuse(response, 'unsupported_grant_type', `Unsupported grant type: ${grantType} is invalid`);
  });

  function redeem(request: Request, response: Response): void {
    const registered = settings.redirectUri();
    if (registered !== null && formText(request, 'redirect_uri') !== registered) {
      refuse(response, 'invalid_request', 'Invalid request: redirect_uri is not valid');
      return;
    }
    answerPair(response, tokens.redeemCode(formText(request, 'code') ?? ''), false);
  }

  function refresh(request: Request, response: Response): void {
    answerPair(
      response,
      tokens.refresh(formText(request, 'refresh_token') ?? '', settings.rotateRefreshTokens),
      settings.omitRefreshToken,
    );
  }

  function answerPair(response: Response, result: TokenPair | Refusal, omitRefreshToken: boolean): void {
    if ('refused' in result) {
      refuse(response, 'invalid_grant', `Invalid grant: ${result.refused}`);
      return;
    }
    response.json({
      access_token: result.accessToken,
      token_type: 'Bearer',
      expires_in: result.expiresInSeconds,
      ...(omitRefreshToken ? {} : { refresh_token: result.refreshToken }),
      scope: APP_SCOPE,
      api_domain: apiUrl(),
    });
  }

  router.post('/revoke', form, gate.watch, (request, response) => {
    const refusal = clientProblem(request, settings);
    if (refusal !== null) {
      refuse(response, refusal.error, refusal.message);
      return;
    }
    const ended = tokens.revoke(formText(request, 'token') ?? '');
    if (ended !== null) onRevoked(ended);
    response.status(200).json({ success: true });
  });

  return router;
}

function authorizeProblem(request: Request, settings: OauthSettings): string | null {
  if (queryText(request, 'client_id') !== settings.clientId) return 'Invalid client: client_id is invalid';
  const registered = settings.redirectUri();
  const asked = queryText(request, 'redirect_uri');
  return asked === undefined || (registered !== null && asked !== registered) ? 'Invalid redirect URL' : null;
}

function clientProblem(request: Request, settings: OauthSettings): { error: string; message: string } | null {
  if (request.is('application/x-www-form-urlencoded') === false) {
    return { error: 'invalid_request', message: 'Invalid request: content must be application/x-www-form-urlencoded' };
  }
  const basic = /^Basic (.+)$/i.exec(request.get('authorization') ?? '')?.[1];
  const [id, secret] =
    basic === undefined ? [formText(request, 'client_id'), formText(request, 'client_secret')] : credentialsOf(basic);
  const isKnown = id === settings.clientId && secret === settings.clientSecret;
  return isKnown ? null : { error: 'invalid_client', message: 'Invalid client: client is invalid' };
}

function credentialsOf(base64: string): [string, string] {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const parts: [string, string] = [text.slice(0, colon), text.slice(colon + 1)];
  return parts;
}

function refuse(response: Response, error: string, message: string): void {
  response.status(400).json({ success: false, error, message });
}

/** One field of a form body as text. */
export function formText(request: Request, name: string): string | undefined {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null) return undefined;
  const value: unknown = new Map<string, unknown>(Object.entries(body)).get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `7301001-1` as a company and a user. */
export function parseIdentity(text: string): Identity | null {
  const match = /^(\d+)-(\d+)$/.exec(text);
  return match === null ? null : { companyId: Number(match[1]), userId: Number(match[2]) };
}
