/**
 * The composition root: from the configuration to everything, built once, in order. Nothing else constructs; nothing here decides.
 * `web` answers HTTP, `worker` routes, delivers and keeps up; both may live in one process.
 */

import { createServer, type Server } from 'node:http';
import type { Logger } from 'pino';
import { makeBell } from './bell';
import type { Config } from './config';
import { makeCheckHealth } from './admin/check-health';
import { makeAdminRouter } from './admin/admin.routes';
import { makeMetrics } from './admin/metrics';
import { countApiKeys } from './api/api-key.store';
import { makeRestApi } from './api/api.routes';
import { makeFetchRecord } from './clients/fetch-record';
import { makeGoogleChat } from './clients/google-chat';
import { makePipedriveApi } from './clients/pipedrive-api';
import { makePipedriveOAuth } from './clients/pipedrive-oauth';
import type { Bell } from './core/jobs';
import { tenantIdSchema } from './core/tenant';
import { makeCheckKeys } from './delivery/check-keys';
import { sealedKeys } from './delivery/chat-webhook.store';
import { makeDeliverDue } from './delivery/deliver-due';
import { makeDeliveryStore } from './delivery/delivery.store';
import { makeDueSpaces } from './delivery/due-spaces.store';
import { makeFoldStore } from './delivery/fold.store';
import { makeHeldStore } from './delivery/held.store';
import { makeHoldStore } from './delivery/hold.store';
import { makeOpenDestination } from './delivery/open-destination';
import { makeReleaseHeld } from './delivery/release-held';
import { makeRenderBodies } from './delivery/render-bodies';
import { makeScreenDue } from './delivery/screen-due';
import { makeSendTest, makeTryUrl } from './delivery/send-test';
import { makeSetAsideStore } from './delivery/set-aside.store';
import { makeMendFold } from './delivery/mend-fold';
import { makeNoticeStore } from './delivery/notice.store';
import { makeSharedWrites } from './delivery/shared-writes.store';
import { makeTellHealth } from './delivery/tell-health';
import { makeTestStore } from './delivery/test-message.store';
import type { ErrorReporter } from './instrument';
import { makeAccessTokens } from './install/access-tokens';
import { makeConnectionApi } from './install/connection-api';
import { makeConnectionStore } from './install/connection.store';
import { makeFailOver } from './install/fail-over';
import { makeForgetTenant } from './install/forget-tenant';
import { makeInstallRoutes } from './install/install.routes';
import { makeInstallTenant } from './install/install-tenant';
import { makeReferenceRecordStore } from './install/reference-record.store';
import { settingsUrlOf } from './install/settings-url';
import { makeTenantStore, SIGNING_SECRET_PURPOSE } from './install/tenant.store';
import { makeUninstallUser } from './install/uninstall-user';
import { makeAcceptEvent } from './intake/accept-event';
import { makeEventStore } from './intake/event.store';
import { isWebhookRequest, makeIntakeHandler, WEBHOOK_PATH } from './intake/intake.routes';
import { makeSenderCache } from './intake/sender-cache';
import { makeGatherFacts } from './messages/gather-facts';
import { makeNameStore } from './messages/name.store';
import { loadPlan } from './plans/subscription.store';
import { databaseTrouble, isConnectionTrouble } from './platform/database-errors';
import { openDatabase } from './platform/database';
import { sendNotice } from './platform/error-pages';
import { makeHttpApp } from './platform/http-app';
import { closeServer, listen, portOf } from './platform/http-server';
import { makeQueueBoard } from './platform/queue-board';
import { makeQueues } from './platform/queues';
import { makeSecretBox } from './platform/secret-box';
import { makeSessions } from './platform/session';
import { makeRightOfWay } from './platform/right-of-way';
import { makeTurnstile } from './platform/turnstile';
import { makePipedriveWebhookStore } from './registration/pipedrive-webhook.store';
import { makeRetryingSync } from './registration/retry-sync';
import { makeSyncWebhooks } from './registration/sync-webhooks';
import { makeUnregisterWebhooks } from './registration/unregister-webhooks';
import { makeKnownRecordStore } from './reconciliation/known-records.store';
import { makeReconcileDue, makeWantReconciliation } from './reconciliation/reconcile-due';
import { makeReconcileTenant } from './reconciliation/reconcile-tenant';
import { makeReconciliationStore } from './reconciliation/reconciliation.store';
import { loadRates, saveRates } from './rules/exchange-rate.store';
import { makeRouteEvents } from './rules/route-events';
import { makeRoutingTurns } from './rules/routing-turns';
import { makeRoutingStore } from './rules/routing.store';
import { loadRules } from './rules/rule.store';
import { makeCountSent } from './settings/overview.store';
import { makePageTokens } from './settings/page-token';
import { makeSettingsRouter } from './settings/settings.routes';
import { makeVerifyIframeToken } from './settings/verify-iframe-token';
import { atMost } from './upkeep/at-most';
import { makeClockWatch } from './upkeep/clock-watch';
import { makeHeartbeat } from './upkeep/heartbeat';
import { makeBeat } from './upkeep/heartbeat.store';
import { makeKeepSchedule } from './upkeep/keep-schedule';
import { makeRefreshRates } from './upkeep/refresh-rates';
import { makeRefreshReferences } from './upkeep/refresh-references';
import { makeRenewTokens } from './upkeep/renew-tokens';
import { makeRepairWebhooks } from './upkeep/repair-webhooks';
import { makeDeleteExpired } from './upkeep/retention';
import { makeRetentionStore } from './upkeep/retention.store';
import { makeSweep } from './upkeep/sweep';
import { z } from 'zod';

/** What a process does. */
export interface Roles {
  readonly web: boolean;
  readonly worker: boolean;
}

export interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  /** Of the database to use: `DATABASE_URL`, or the embedded one's. */
  readonly databaseUrl: string;
  /** This process alone works on the database, so leases left over by a killed one can be given up at once. */
  readonly isAlone: boolean;
  readonly errors: ErrorReporter;
  readonly version: string;
  /** For tests: silence every bell, so that the sweep alone has to do the work. */
  readonly isSilent?: boolean;
  readonly sweepIntervalMs?: number;
  readonly clock?: () => Date;
}

export interface Dealbell {
  /** Where HTTP is answered; null without the web role. */
  readonly port: number | null;
  /** Works off what is overdue now; for tests. */
  sweep(): Promise<void>;
  /** Stops taking work, finishes what is under way, closes everything. */
  close(): Promise<void>;
}

const SWEEP_INTERVAL_MS = 2_000;
/**
 * Deploys expect a process to be gone within 10 s. As much of it as can be is for what is under way: a message that Chat shows but whose
 * answer is not waited for is posted again.
 */
const DRAIN_LIMIT_MS = 8_000;
/** By then the database is left and reports are sent, as a rule within 10 ms; the embedded PostgreSQL takes up to half a second to stop. */
const CLOSE_LIMIT_MS = 8_750;
const DATABASE_POOL = 16;
const SESSION_LIFE_MS = 10 * 60 * 1000;
/** Jobs of the bell: more, because a job lingers after its work. */
const ROUTE_JOBS = 32;
const DELIVER_JOBS = 4;
/** Cron patterns in UTC; minutes are odd so that not everybody's jobs meet at the full hour. */
const SCHEDULE = {
  'delete-expired': '17 3 * * *',
  'repair-webhooks': '23 * * * *',
  reconcile: '* * * * *',
  'renew-tokens': '41 4 * * *',
  'refresh-rates': '7 2 * * *',
  'refresh-fields': '29 2 * * *',
  // Quiet hours and digests end at full minutes of some zone; the ledger says which, and the sweep catches up.
  'release-held': '* * * * *',
} as const;

const routeJob = z.object({ tenantId: tenantIdSchema });
const upkeepJob = z.object({ key: z.string() });

/** Builds and starts the process. Rejects when the port is taken; an absent queue or database is a matter of later. */
export async function compose(surroundings: Surroundings, roles: Roles): Promise<Dealbell> {
  const { config, log, errors } = surroundings;
  const clock = surroundings.clock ?? (() => new Date());
  // For what lasts: a clock that never jumps.
  const nowMs = () => performance.now();

  // Platform
  const database = openDatabase({ connectionString: surroundings.databaseUrl, log, poolSize: DATABASE_POOL });
  const box = makeSecretBox(config.encryptionKeys);
  const metrics = makeMetrics();
  const queues = makeQueues({
    redisUrl: config.redisUrl,
    databaseUrl: surroundings.databaseUrl,
    log,
    isAlone: surroundings.isAlone,
  });
  const routeQueue = queues.queue('route');
  const deliverQueue = queues.queue('deliver');
  const upkeepQueue = queues.queue('upkeep');
  const isSilent = surroundings.isSilent === true;
  const dueSpaces = makeDueSpaces(database);
  const bell = isSilent ? SILENT_BELL : makeBell({ routeQueue, deliverQueue, dueSpaces, log });

  const ringReconcile = () => (isSilent ? undefined : upkeepQueue.ring('reconcile', { key: 'reconcile' }));

  // What no webhook told is found in Pipedrive's own lists
  const reconciliations = makeReconciliationStore(database.pool);
  const wantReconciliation = makeWantReconciliation({ store: reconciliations, ring: ringReconcile, log });

  // Installation: who is connected, by which tokens, hearing what
  const tenants = makeTenantStore({ database, box, clock, defaultPlan: config.defaultPlan });
  const connections = makeConnectionStore(database);
  const webhookStore = makePipedriveWebhookStore(database);
  const oauth = makePipedriveOAuth({ ...config.pipedrive, redirectUri: `${config.baseUrl}/oauth/callback` });
  const failOver = makeFailOver({ syncWebhooks: (id) => syncWebhooks(id), log });
  const accessTokens = makeAccessTokens({ connections, oauth, box, onRevoked: (id) => failOver.start(id), clock, log });
  const makeApi = (access: Omit<Parameters<typeof makePipedriveApi>[0], 'log'>) => makePipedriveApi({ ...access, log });
  const listActive = connections.listActive;
  const apis = makeConnectionApi({ makeApi, accessTokens, box, listActive, apiUrl: config.pipedrive.apiUrl });
  const apiOf = (connection: Parameters<typeof apis.apiOf>[0]) => apis.apiOf(connection, 'background');
  const subscriptionUrl = `${config.baseUrl}${WEBHOOK_PATH}`;
  const registration = makeRetryingSync({
    syncWebhooks: makeSyncWebhooks({ store: webhookStore, listConnections: listActive, apiOf, subscriptionUrl, clock, log }),
    onGap: wantReconciliation,
    log,
  });
  const { syncWebhooks } = registration;
  const unregisterWebhooks = makeUnregisterWebhooks({ store: webhookStore, listConnections: listActive, apiOf, clock });
  const forgetTenant = makeForgetTenant({ listActive, unregisterWebhooks, revoke: (token) => oauth.revoke(token), box, log });
  const referenceRecords = makeReferenceRecordStore(database);
  const listInstalledTenants = () => tenants.listInstalled();
  const rates = makeRefreshRates({
    listInstalledTenants,
    findBaseCurrency: async (id) => (await tenants.find(id))?.baseCurrency ?? null,
    getDealsSummary: async (id) => (await apis.bestApiOf(id, 'lookUp'))?.getDealsSummary() ?? null,
    loadRates: (id, baseCurrency) => loadRates(database.pool, id, baseCurrency),
    saveRates: (id, read) => saveRates(database.pool, id, read),
    clock,
    log,
  });
  const references = makeRefreshReferences({
    listInstalledTenants,
    apiOf: (id) => apis.bestApiOf(id, 'lookUp'),
    saveAll: referenceRecords.saveAll,
    listsRead: referenceRecords.listsRead,
    clock,
    log,
  });
  const installNeeds = { oauth, makeApi, apiOf, tenants, connections, referenceRecords, box, syncWebhooks, clock, log };
  const install = makeInstallTenant({ ...installNeeds, refreshRates: rates.refresh, apiUrl: config.pipedrive.apiUrl });
  const settingsUrl = (companyDomain: string) => settingsUrlOf(companyDomain, { ...config.pipedrive, baseUrl: config.baseUrl });
  const removeWebhooksOf = webhookStore.markRemovedOf;
  const uninstallUser = makeUninstallUser({ tenants, connections, removeWebhooksOf, syncWebhooks, clock, log });

  // 1 event in
  const { findWebhookCredential } = webhookStore;
  const senders = makeSenderCache(
    { findCredential: findWebhookCredential, findSigningSecret: (publicId) => tenants.findSigningSecret(publicId) },
    nowMs,
  );
  const rightOfWay = makeRightOfWay(nowMs);
  const acceptEvent = makeAcceptEvent({ insert: makeEventStore(database.pool).insert, bell });
  const intake = makeIntakeHandler({ acceptEvent, senders, log, arrive: rightOfWay.arrive, onAnswer: metrics.countWebhook });

  // 2 who hears
  const routingStore = makeRoutingStore(database, loadRules);
  const inTurn = makeRoutingTurns({ makeTurnstile, giveWay: rightOfWay.giveWay });
  const routeEvents = makeRouteEvents({
    store: { ...routingStore, inTransaction: (work) => inTurn(() => routingStore.inTransaction(work)) },
    bell,
    log,
    settleMs: config.settleMs,
    nowMs,
    refreshRates: rates.refreshLacking,
    refreshStages: (id) => references.refresh(id, ['stage']),
  });

  // 3 what is said
  const fetchRecord = makeFetchRecord({
    apiOf: (id) => apis.bestApiOf(id, 'lookUp'),
    keepAll: (id, entity, states) => referenceRecords.saveAll(id, entity, states, clock()),
    clock,
    log,
  });
  const gatherFacts = makeGatherFacts({ store: makeNameStore(database), fetchRecord, clock, nowMs, log });

  // 4 Chat out
  const openDestination = makeOpenDestination(box);
  const checkKeys = makeCheckKeys({ sealedKeys: (id) => sealedKeys(database.prisma, id), openDestination });
  const post = makeGoogleChat(config.googleChatOrigin);
  const deliveryStore = makeDeliveryStore(database);
  const holdStore = makeHoldStore({ pool: database.pool, clock, log });
  const { spaceIntervalMs, refusalConfirmMs, firstProbeMs } = config;
  const attemptSettings = { spaceIntervalMs, refusalConfirmMs, firstProbeMs };
  const foldStore = makeFoldStore(database);
  const shared = makeSharedWrites({ ledger: deliveryStore, folds: foldStore });
  const folds = { ...foldStore, backlogOf: shared.backlogOf };
  const aside = makeSetAsideStore(database.pool);
  const releaseHeld = makeReleaseHeld({ store: makeHeldStore(database), bell, clock, log });
  const deliverDue = makeDeliverDue({
    store: { ...deliveryStore, freeze: shared.freeze },
    record: shared.record,
    giveWay: rightOfWay.giveWay,
    screenDue: makeScreenDue({ folds, aside, releaseHeld, spaceIntervalMs: config.spaceIntervalMs, clock }),
    renderBodies: makeRenderBodies({
      gatherFacts,
      loadFolds: folds.loadFolds,
      loadRates: (id, baseCurrency) => loadRates(database.pool, id, baseCurrency),
    }),
    mendFold: makeMendFold({ folds, log }),
    postBody: async (delivery, body, isThreaded, onWritten) => {
      const sealed = delivery.destination?.sealedCredentials ?? '';
      const credentials = await openDestination(delivery.tenant.id, sealed);
      return post({
        url: { spaceId: delivery.spaceId, ...credentials },
        requestId: delivery.requestId,
        body,
        isThreaded,
        onWritten,
      });
    },
    databaseTrouble,
    log,
    concurrency: config.workerConcurrency,
    makeTurnstile,
    settings: attemptSettings,
    nowMs,
    jitter: Math.random,
    onAttempt(outcome, delivery) {
      metrics.countAttempt(outcome.kind);
      if (outcome.kind === 'sent') metrics.observeDeliveryAge(delivery.ageMs / 1000);
    },
  });
  const testStore = makeTestStore(database);
  const onFreed = (spaceId: string): void => bell.ringDeliver([spaceId]);
  const tellHealth = makeTellHealth({
    store: makeNoticeStore(database),
    slots: testStore,
    openDestination,
    post: ({ spaceId, requestId, body }, credentials) =>
      post({ url: { spaceId, ...credentials }, requestId, body, isThreaded: false }),
    settings: attemptSettings,
    settingsUrl,
    onFreed,
    clock,
    log,
  });
  const testing: Parameters<typeof makeSendTest>[0] = {
    store: testStore,
    openDestination,
    post: (recipient, credentials, requestId, body) =>
      post({ url: { spaceId: recipient.spaceId, ...credentials }, requestId, body, isThreaded: false }),
    settings: attemptSettings,
    onHealed: () => bell.ringDeliver(),
    onFreed,
    clock,
  };
  const sendTest = makeSendTest(testing);

  // Upkeep
  const deleteExpired = makeDeleteExpired({ store: makeRetentionStore(database.pool), log, retentionDays: config.retentionDays });
  const repairWebhooks = makeRepairWebhooks({ listInstalledTenants, syncWebhooks, log });
  const reconcileTenant = makeReconcileTenant({
    apiOf: (id) => apis.bestApiOf(id, 'background'),
    store: makeKnownRecordStore(database.pool),
    acceptEvent,
    clock,
    log,
  });
  const reconcileDue = makeReconcileDue({ store: reconciliations, reconcileTenant, clock, log });
  const heartbeat = makeHeartbeat({
    beat: makeBeat(database.pool, 'web'),
    onGap: (gapMs) => wantReconciliation(null, `no webhook could be taken in for ${Math.round(gapMs / 60_000)} minutes`),
    log,
  });
  const renewTokens = makeRenewTokens({ listIdle: connections.listIdle, renew: accessTokens.renew, clock, log });
  const upkeepJobs: Readonly<Record<string, () => Promise<unknown>>> = {
    'delete-expired': deleteExpired,
    'repair-webhooks': repairWebhooks,
    reconcile: () => reconcileDue.run(),
    'renew-tokens': renewTokens,
    'refresh-rates': rates.refreshAll,
    'refresh-fields': references.refreshAll,
    'release-held': releaseHeld,
  };
  const upkeepSchedule = makeKeepSchedule({ queue: upkeepQueue, schedule: SCHEDULE, nowMs, log });
  const watchClock = makeClockWatch({
    clock,
    nowMs,
    onSetBack: (byMs) => {
      log.warn({ byMs }, 'the clock was set back; upkeep is scheduled anew');
      upkeepSchedule.anew();
    },
  });
  const sweep = makeSweep({
    tenantsWithWork: () => routingStore.tenantsWithWork(),
    routeEvents,
    async deliverDue() {
      await dueSpaces.markForgotten();
      await deliverDue.wake();
    },
    tidy: async () => {
      watchClock();
      upkeepSchedule.mend();
      await holdStore.tidy();
      await foldStore.failUntold();
      await tellHealth.run();
    },
    releaseHeld,
    log,
    intervalMs: surroundings.sweepIntervalMs ?? SWEEP_INTERVAL_MS,
  });

  // On top: pages, API, operator
  const sessions = makeSessions({
    pool: database.pool,
    secret: config.sessionSecret,
    cookieName: 'dealbell.install',
    path: '/oauth',
    lifeMs: SESSION_LIFE_MS,
    isSecure: config.baseUrl.startsWith('https:'),
    log,
  });
  const verifyIframeToken = makeVerifyIframeToken({ secret: config.pipedrive.jwtSecret, clock });
  const isDatabaseReachable = database.isReachable;
  const checkHealth = makeCheckHealth({
    isDatabaseReachable,
    pingQueue: (timeoutMs) => queues.ping(timeoutMs),
    queueBackend: queues.backend,
    version: surroundings.version,
    nowMs,
  });
  const pageTokens = makePageTokens({ sessionSecret: config.sessionSecret, clock });
  const api = makeRestApi({
    database,
    secretBox: box,
    checkKeys,
    bell,
    clock,
    log,
    verifyIframeToken,
    pageTokens,
    sendTest,
    connectByApiToken: (request) => install.connectByApiToken(request),
    refreshReferences: references.refresh,
    fetchRecord,
    refreshAged: references.refreshAged,
    findReconciliation: (id) => reconciliations.status(id),
    wantReconciliation: async (id, because) => {
      await reconciliations.enrol();
      await wantReconciliation(id, because);
    },
    forgetTenant,
    openSigningSecret: (id, sealed) => box.open(id, SIGNING_SECRET_PURPOSE, sealed, z.string()),
    baseUrl: config.baseUrl,
    googleChatOrigin: config.googleChatOrigin,
    allowApiTokenConnect: config.pipedrive.allowApiTokenConnect,
    defaultPlan: config.defaultPlan,
    retentionDays: config.retentionDays,
    settleMs: config.settleMs,
    apiRateLimit: config.apiRateLimit,
  });
  const makeRouters = () => [
    makeAdminRouter({
      checkHealth,
      metrics,
      operatorToken: config.operatorToken,
      queueBoard: config.operatorToken === null ? null : makeQueueBoard(queues.boardQueues(), '/admin/queues'),
    }),
    makeInstallRoutes({
      oauth,
      install,
      uninstallUser,
      showPage: (response, page) =>
        sendNotice(response, {
          status: page.status,
          title: page.title,
          lines: [page.message],
          ...(page.link === undefined ? {} : { link: { href: page.link.href, label: page.link.text } }),
        }),
      session: sessions.middleware,
      clientId: config.pipedrive.clientId,
      clientSecret: config.pipedrive.clientSecret,
      ...{ baseUrl: config.baseUrl, settingsUrl, log },
    }),
    makeSettingsRouter({
      ...{ database, verifyIframeToken, pageTokens, callApi: api.call, checkKeys, syncWebhooks, fetchRecord, clock },
      loadPlan: (id) => loadPlan(database.prisma, id, { now: clock(), defaultPlan: config.defaultPlan }),
      countApiKeys: (id) => countApiKeys(database.prisma, id),
      countSent: makeCountSent(database.pool, clock),
      tryUrl: makeTryUrl(testing),
      refreshReferences: references.refresh,
      ...{ googleChatOrigin: config.googleChatOrigin, settleMs: config.settleMs },
      webhookUrl: `${config.baseUrl}/webhook/pipedrive`,
      installUrl: `${config.baseUrl}/oauth/install`,
      settingsUrl,
    }),
    api.router,
  ];

  const server = roles.web ? await listen(makeServer(), config) : null;
  if (roles.worker) await startWorker();
  if (roles.web) heartbeat.start();

  function makeServer(): Server {
    const { corsOrigins, frameAncestors } = config;
    const app = makeHttpApp({
      log,
      reportError: (error) => errors.report(error),
      corsOrigins,
      frameAncestors,
      routers: makeRouters(),
    });
    return createServer((request, response) => {
      if (isWebhookRequest(request)) intake(request, response);
      else app(request, response);
    });
  }

  async function startWorker(): Promise<void> {
    if (surroundings.isAlone) await deliveryStore.dropLeases();
    routeQueue.hear(
      reporting((payload) => routeEvents(routeJob.parse(payload).tenantId)),
      ROUTE_JOBS,
    );
    deliverQueue.hear(
      reporting(() => deliverDue.wake()),
      DELIVER_JOBS,
    );
    upkeepQueue.hear(
      reporting(async (payload) => {
        await upkeepJobs[upkeepJob.parse(payload).key]?.();
      }),
      1,
    );
    upkeepSchedule.anew();
    sweep.start();
  }

  function reporting(work: (payload: unknown) => Promise<void>): (payload: unknown) => Promise<void> {
    return async (payload) => {
      try {
        await work(payload);
      } catch (error) {
        if (!isConnectionTrouble(error)) errors.report(error);
        throw error;
      }
    };
  }

  return {
    port: server === null ? null : portOf(server),
    sweep: () => sweep.run(),
    async close() {
      const endsAtMs = nowMs() + CLOSE_LIMIT_MS;
      registration.close();
      sessions.close();
      const parts = [
        sweep.close(),
        queues.close(),
        deliverDue.close(),
        tellHealth.close(),
        heartbeat.close(),
        failOver.settled(),
      ];
      const drained = Promise.all([...parts, server === null ? null : closeServer(server)]).then(() => true);
      // What is cut off then (Chat or Pipedrive hangs) is in the ledger, and the next process goes on with it.
      if (!(await atMost(DRAIN_LIMIT_MS, drained, false)))
        log.warn({ limitMs: DRAIN_LIMIT_MS }, 'not all that was under way has ended');
      await atMost(endsAtMs - nowMs(), Promise.all([database.close(), errors.close(2_000)]), null);
    },
  };
}

const SILENT_BELL: Bell = { ringRoute: () => undefined, ringDeliver: () => undefined };
