/** A stand-in Pipedrive on a loopback port: OAuth, REST API, CRM with pages, and webhooks that behave like the real ones. */
import http from 'node:http';
import type { Express } from 'express';
import express from 'express';
import { makeApiV1Routes } from './api-v1-routes';
import { makeApiV2Routes } from './api-v2-routes';
import type { FakePipedrive } from './control-api';
import { makeControlApi } from './control-api';
import type { Crm } from './crm';
import { makeCrm } from './crm';
import { makeCrmRoutes } from './crm-routes';
import type { HttpGate } from './http-gate';
import { makeHttpGate } from './http-gate';
import type { Ids } from './ids';
import { makeIds } from './ids';
import type { Installs } from './installs';
import { makeInstalls } from './installs';
import type { OauthSettings } from './oauth-routes';
import { makeOauthRoutes } from './oauth-routes';
import type { OauthTokens } from './oauth-tokens';
import { makeOauthTokens } from './oauth-tokens';
import { makeWebhookPoster } from './post-webhook';
import { emptyCompanies, seedCrm } from './seed-crm';
import type { WebhookRegistration } from './webhook-envelope';
import { makeWebhookRoutes } from './webhook-routes';
import { makeWebhookSender } from './webhook-sender';

export type { FakePipedrive } from './control-api';

export type FakePipedriveOptions = {
  readonly port?: number;
  readonly host?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Signs the frames' tokens; the client secret unless said otherwise. */
  readonly jwtSecret?: string;
  /** The registered callback URL; by default `{appUrl}/oauth/callback`, and any while the app's address is unknown. */
  readonly redirectUri?: string;
  readonly appUrl?: string;
  readonly clock?: () => Date;
  readonly retryDelaysMs?: readonly number[];
  readonly banMs?: number;
  readonly deliveryTimeoutMs?: number;
  /** Webhook posts at the same time, over all receivers. */
  readonly maxParallelDeliveries?: number;
};

const DEFAULTS = {
  clientId: 'dealbell-sandbox-client',
  clientSecret: 'dealbell-sandbox-secret-of-the-stand-in',
  retryDelaysMs: [3_000, 30_000, 150_000],
  banMs: 30 * 60_000,
  deliveryTimeoutMs: 10_000,
} as const;

/** Starts the server (port 0 = any free one); resolves when it listens. */
export async function startFakePipedrive(options: FakePipedriveOptions = {}): Promise<FakePipedrive> {
  const settings = { ...DEFAULTS, ...options };
  const { clientId, clientSecret, clock = (): Date => new Date() } = settings;
  const ids = idsOfTheSeed();
  const companies = emptyCompanies();
  const webhooks = new Map<number, WebhookRegistration>();
  const tokens = makeOauthTokens({ clock, nextNumber: ids.next });
  const gate = makeHttpGate({ companies, tokens, clock });
  const poster = makeWebhookPoster(options.maxParallelDeliveries);
  const sender = makeWebhookSender({ webhooks, poster, clock, newUuid: ids.uuid, settings });
  const crm = makeCrm({ companies, clock, ids, emit: sender.send });
  seedCrm(crm, clock());

  const address = { appUrl: options.appUrl ?? null, redirectUri: options.redirectUri ?? null };
  const jwtSecret = options.jwtSecret ?? clientSecret;
  const installs = makeInstalls({
    address,
    client: { clientId, clientSecret },
    jwtSecret,
    tokens,
    webhooks,
    forgetWebhook: sender.forget,
    clock,
  });
  const oauth: OauthSettings = {
    clientId,
    clientSecret,
    rotateRefreshTokens: false,
    omitRefreshToken: false,
    redirectUri: installs.redirectUri,
  };
  const web = makeWeb({
    oauth,
    tokens,
    gate,
    crm,
    installs,
    webhooks,
    ids,
    clock,
    forgetWebhook: sender.forget,
    apiUrl: () => url,
  });
  const server = http.createServer(web);
  // Longer than any client keeps an idle connection.
  server.keepAliveTimeout = 65_000;
  const url = await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');

  const close = async (): Promise<void> => {
    sender.close();
    gate.close();
    await closeServer(server);
  };
  return makeControlApi({ url, oauth, tokens, gate, sender, webhooks, crm, installs, close });
}

/** Big ids, so that a number shown in place of a name is noticed. */
function idsOfTheSeed(): Ids {
  const ids = makeIds();
  ids.startAt('user', 12415001);
  ids.startAt('organization', 2001);
  ids.startAt('person', 3001);
  ids.startAt('stage', 11);
  ids.startAt('webhook', 1828448);
  return ids;
}

type WebNeeds = {
  oauth: OauthSettings;
  tokens: OauthTokens;
  gate: HttpGate;
  crm: Crm;
  installs: Installs;
  webhooks: Map<number, WebhookRegistration>;
  ids: Ids;
  clock: () => Date;
  forgetWebhook: (webhookId: number) => void;
  apiUrl: () => string;
};

function makeWeb({ oauth, tokens, gate, crm, installs, webhooks, ids, clock, forgetWebhook, apiUrl }: WebNeeds): Express {
  const { clientId } = oauth;
  const consentUrl = (as: string): string | null => {
    const target = installs.redirectUri();
    return target === null
      ? null
      : `/oauth/authorize?${new URLSearchParams({ client_id: clientId, redirect_uri: target, as }).toString()}`;
  };
  const web = express();
  web.disable('x-powered-by');
  web.use(
    '/oauth',
    makeOauthRoutes({ settings: oauth, tokens, companies: crm.companies, gate, apiUrl, onRevoked: installs.end }),
  );
  web.use('/api', express.json({ limit: '1mb' }), gate.watch, gate.authenticate);
  web.use('/api/v1/webhooks', makeWebhookRoutes({ gate, webhooks, ids, clock, onRemoved: forgetWebhook }));
  web.use('/api/v1', makeApiV1Routes({ gate }));
  web.use('/api/v2', makeApiV2Routes({ gate }));
  web.use('/api', (_request, response) => {
    response.status(404).json({ success: false, error: 'Unknown method .', errorCode: 404 });
  });
  web.use(makeCrmRoutes({ crm, app: { clientId, consentUrl, isInstalled: tokens.isInstalled, ...installs } }));
  return web;
}

function listen(server: http.Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      const actualPort = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host}:${actualPort}`);
    });
  });
}

function closeServer(server: http.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
    server.closeAllConnections();
  });
}
