/** The install part of the app on a real port, wired as compose does it, against a stand-in Pipedrive and a real database. */

import http from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import { pino } from 'pino';
import { makeFetchRecord } from '../../src/clients/fetch-record';
import { makePipedriveApi } from '../../src/clients/pipedrive-api';
import { makePipedriveOAuth } from '../../src/clients/pipedrive-oauth';
import { AppError } from '../../src/core/errors';
import { makeAccessTokens } from '../../src/install/access-tokens';
import { makeConnectionApi, type ConnectionAccess } from '../../src/install/connection-api';
import { makeConnectionStore, type Connection } from '../../src/install/connection.store';
import { makeFailOver } from '../../src/install/fail-over';
import { makeForgetTenant } from '../../src/install/forget-tenant';
import { makeInstallTenant } from '../../src/install/install-tenant';
import { settingsUrlOf } from '../../src/install/settings-url';
import { makeInstallRoutes } from '../../src/install/install.routes';
import { makeReferenceRecordStore } from '../../src/install/reference-record.store';
import { makeTenantStore } from '../../src/install/tenant.store';
import { makeUninstallUser } from '../../src/install/uninstall-user';
import type { Database } from '../../src/platform/database';
import { makeSecretBox } from '../../src/platform/secret-box';
import { makeSessions } from '../../src/platform/session';
import { makePipedriveWebhookStore } from '../../src/registration/pipedrive-webhook.store';
import { makeSyncWebhooks } from '../../src/registration/sync-webhooks';
import { makeUnregisterWebhooks } from '../../src/registration/unregister-webhooks';
import type { FakePipedrive } from '../fakes/pipedrive/fake-pipedrive';

export type InstallStack = Awaited<ReturnType<typeof startInstallStack>>;

interface Options {
  readonly fake: FakePipedrive;
  readonly database: Database;
  /** The public address; by default the app's own (http). */
  readonly baseUrl?: string;
  readonly clock?: () => Date;
}

const TIMEOUT_MS = 4_000;

/** Starts it; `close` ends what was started here. */
export async function startInstallStack({ fake, database, baseUrl: publicUrl, clock = () => new Date() }: Options) {
  const log = pino({ level: 'silent' });
  const app = express();
  const server = http.createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const baseUrl = publicUrl ?? url;
  fake.setAppUrl(baseUrl);

  const box = makeSecretBox([{ id: 'test', key: new Uint8Array(32).fill(7) }]);
  const { clientId, clientSecret } = fake;
  const oauth = makePipedriveOAuth({
    oauthUrl: fake.url,
    clientId,
    clientSecret,
    redirectUri: `${baseUrl}/oauth/callback`,
    timeoutMs: TIMEOUT_MS,
  });
  const tenants = makeTenantStore({ database, box, clock, defaultPlan: 'Professional' });
  const connections = makeConnectionStore(database);
  const webhookStore = makePipedriveWebhookStore(database);
  const referenceRecords = makeReferenceRecordStore(database);
  const accessTokens = makeAccessTokens({
    connections,
    oauth,
    box,
    clock,
    log,
    onRevoked: (tenantId) => {
      failOver.start(tenantId);
    },
  });
  const makeApi = (access: ConnectionAccess) => makePipedriveApi({ ...access, log, timeoutMs: TIMEOUT_MS });
  const connectionApi = makeConnectionApi({ makeApi, accessTokens, box, listActive: connections.listActive, apiUrl: fake.url });
  const registration = {
    store: webhookStore,
    listConnections: connections.listActive,
    apiOf: (connection: Connection) => connectionApi.apiOf(connection, 'background'),
    subscriptionUrl: `${baseUrl}/webhook/pipedrive`,
    clock,
    log,
  };
  const syncWebhooks = makeSyncWebhooks(registration);
  const failOver = makeFailOver({ syncWebhooks, log });
  const install = makeInstallTenant({
    oauth,
    makeApi,
    apiOf: registration.apiOf,
    tenants,
    connections,
    referenceRecords,
    box,
    syncWebhooks,
    refreshRates: () => Promise.resolve(false),
    apiUrl: fake.url,
    clock,
    log,
  });
  const uninstallUser = makeUninstallUser({
    tenants,
    connections,
    removeWebhooksOf: webhookStore.markRemovedOf,
    syncWebhooks,
    clock,
    log,
  });
  const forgetTenant = makeForgetTenant({
    listActive: connections.listActive,
    unregisterWebhooks: makeUnregisterWebhooks(registration),
    revoke: oauth.revoke,
    box,
    log,
  });
  const fetchRecord = makeFetchRecord({
    apiOf: (tenantId) => connectionApi.bestApiOf(tenantId, 'lookUp'),
    keepAll: (tenantId, entity, states) => referenceRecords.saveAll(tenantId, entity, states, clock()),
    clock,
    log,
  });
  const sessions = makeSessions({
    pool: database.pool,
    secret: 'a secret of the tests',
    cookieName: 'dealbell.install',
    path: '/oauth',
    lifeMs: 600_000,
    isSecure: baseUrl.startsWith('https:'),
    log,
  });
  app.use(
    makeInstallRoutes({
      oauth,
      install,
      uninstallUser,
      showPage: (response, page) => {
        response.status(page.status).type('html').send(`<h1>${page.title}</h1><p>${page.message}</p>`);
      },
      session: sessions.middleware,
      clientId,
      clientSecret,
      baseUrl,
      settingsUrl: (companyDomain) =>
        settingsUrlOf(companyDomain, { clientId, baseUrl, oauthUrl: 'https://oauth.pipedrive.com' }),
      log,
    }),
  );
  const onError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
    if (response.headersSent) next(error);
    else response.status(error instanceof AppError ? error.status : 500).send(String(error));
  };
  app.use(onError);

  return {
    url,
    tenants,
    connections,
    webhookStore,
    accessTokens,
    syncWebhooks,
    failOver,
    install,
    forgetTenant,
    fetchRecord,
    box,
    async close() {
      await failOver.settled();
      sessions.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
