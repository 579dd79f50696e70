/** The real HTTP application with the REST API and the pages on a test database, and tenants to call it with. */

import { createHmac } from 'node:crypto';
import type { Express } from 'express';
import { pino } from 'pino';
import { makeRestApi, type ApiDeps } from '../../src/api/api.routes';
import { countApiKeys, createApiKey } from '../../src/api/api-key.store';
import { tenantId as brandTenantId, type TenantId } from '../../src/core/tenant';
import { makeCheckKeys } from '../../src/delivery/check-keys';
import { sealedKeys } from '../../src/delivery/chat-webhook.store';
import { makeOpenDestination } from '../../src/delivery/open-destination';
import { loadPlan } from '../../src/plans/subscription.store';
import type { Database } from '../../src/platform/database';
import { makeHttpApp } from '../../src/platform/http-app';
import { makeSecretBox } from '../../src/platform/secret-box';
import { makeReconciliationStore } from '../../src/reconciliation/reconciliation.store';
import { makeCountSent } from '../../src/settings/overview.store';
import { makePageTokens } from '../../src/settings/page-token';
import { makeSettingsRouter } from '../../src/settings/settings.routes';
import { makeVerifyIframeToken } from '../../src/settings/verify-iframe-token';

const JWT_SECRET = 'a client secret of the test';

export interface TestTenant {
  readonly id: TenantId;
  readonly companyId: number;
  /** A key of the REST API. */
  readonly key: string;
}

export interface ApiFixture {
  readonly app: Express;
  /** What was reported as a bug. */
  readonly reported: unknown[];
  /** How often the bell was rung. */
  readonly rings: { count: number };
  /** A company with one admin (user 1), one user without rights (user 2), a trial and an API key. */
  addTenant(options?: { trial?: boolean }): Promise<TestTenant>;
}

let companies = 1000;

/** `database` is asked for at the first request, so that a fixture can be made before the database is. */
export function makeApiFixture(
  database: Database,
  changed: Partial<ApiDeps> & { corsOrigins?: readonly string[] } = {},
): ApiFixture {
  const reported: unknown[] = [];
  const rings = { count: 0 };
  const clock = () => new Date();
  const log = pino({ level: 'silent' });
  const secretBox = makeSecretBox([{ id: 'test', key: new Uint8Array(32).fill(7) }]);
  const checkKeys = makeCheckKeys({
    sealedKeys: (id) => sealedKeys(database.prisma, id),
    openDestination: makeOpenDestination(secretBox),
  });
  const verifyIframeToken = makeVerifyIframeToken({ secret: JWT_SECRET, clock });
  const pageTokens = makePageTokens({ sessionSecret: 'a session secret of the test', clock });
  const api = makeRestApi({
    ...{ database, secretBox, checkKeys, clock, log, verifyIframeToken },
    bell: { ringDeliver: () => void (rings.count += 1) },
    pageTokens,
    sendTest: () => Promise.resolve({ status: 'success', httpStatus: 200 }),
    connectByApiToken: () => Promise.reject(new Error('not part of this test')),
    forgetTenant: () => Promise.resolve(),
    fetchRecord: () => Promise.resolve(null),
    refreshReferences: () => Promise.resolve(false),
    refreshAged: () => Promise.resolve(false),
    findReconciliation: (id) => makeReconciliationStore(database.pool).status(id),
    wantReconciliation: () => Promise.resolve(),
    openSigningSecret: () => Promise.resolve('a signing secret'),
    ...{ baseUrl: 'http://localhost:3000', googleChatOrigin: 'https://chat.googleapis.com', allowApiTokenConnect: false },
    ...{ defaultPlan: 'Professional', retentionDays: 90, settleMs: 1500, apiRateLimit: 1_000_000 },
    ...changed,
  });
  const pages = makeSettingsRouter({
    ...{ database, verifyIframeToken, pageTokens, callApi: api.call, checkKeys, clock },
    fetchRecord: () => Promise.resolve(null),
    webhookUrl: 'http://localhost:3000/webhook/pipedrive',
    ...{ settleMs: 1500, installUrl: 'http://localhost:3000/oauth/install', googleChatOrigin: 'https://chat.googleapis.com' },
    countSent: (tenantId, since) => makeCountSent(database.pool, clock)(tenantId, since),
    settingsUrl: (companyDomain) =>
      `https://${companyDomain}.pipedrive.com/settings/marketplace/app/client-of-the-test/app-settings`,
    refreshReferences: () => Promise.resolve(false),
    syncWebhooks: () => Promise.resolve({ ownerConnectionId: 1, failed: [] }),
    tryUrl: () => Promise.resolve({ status: 'success', httpStatus: 200 }),
    loadPlan: (id) => loadPlan(database.prisma, id, { now: clock(), defaultPlan: 'Professional' }),
    countApiKeys: (id) => countApiKeys(database.prisma, id),
  });
  const app = makeHttpApp({
    ...{ log, corsOrigins: changed.corsOrigins ?? [], frameAncestors: 'https://*.pipedrive.com', routers: [api.router, pages] },
    reportError: (error) => reported.push(error),
  });
  return { app, reported, rings, addTenant: (options) => addTenant(database, options) };
}

/** A token as Pipedrive signs it for a frame. */
export function iframeToken(
  claims: Readonly<Record<string, unknown>>,
  { secret = JWT_SECRET, algorithm = 'HS256' } = {},
): string {
  const inFiveMinutes = Math.floor(Date.now() / 1000) + 300;
  const parts = [
    { alg: algorithm, typ: 'JWT' },
    { exp: inFiveMinutes, ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signature =
    algorithm === 'none'
      ? ''
      : createHmac(algorithm === 'HS512' ? 'sha512' : 'sha256', secret)
          .update(parts.join('.'))
          .digest('base64url');
  return [...parts, signature].join('.');
}

async function addTenant({ prisma }: Database, { trial = true } = {}): Promise<TestTenant> {
  const companyId = (companies += 1);
  const shared = { kind: 'oauth', sealedTokens: 'sealed', scopes: [], apiDomain: 'https://acme.pipedrive.com' };
  const tenant = await prisma.tenant.create({
    data: {
      publicId: crypto.randomUUID(),
      ...{ companyId, companyName: `Company ${companyId}`, companyDomain: 'acme', locale: 'en_GB', timeZone: 'Europe/Berlin' },
      ...{ baseCurrency: 'EUR', sealedSigningSecret: 'sealed' },
      connections: {
        create: [
          { ...shared, userId: 1, userName: 'Admin', isAdmin: true },
          { ...shared, userId: 2, userName: 'Reader', isAdmin: false },
        ],
      },
      subscriptions: {
        create: trial ? [{ plan: 'Professional', isTrial: true, endsAt: new Date(Date.now() + 86_400_000) }] : [],
      },
    },
  });
  const id = brandTenantId(tenant.id);
  const { key } = await createApiKey(prisma, id, 'test key');
  return { id, companyId, key };
}
