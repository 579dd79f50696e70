/** The REST API on Express: every request's way from its credential to its answer, in one place, and the wiring of all resources. */

import express, { Router, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { AppError } from '../core/errors';
import type { Bell } from '../core/jobs';
import type { TenantId } from '../core/tenant';
import type { CheckKeys } from '../delivery/check-keys';
import type { Plan } from '../plans/plan-limits';
import { loadPlan } from '../plans/subscription.store';
import type { Database } from '../platform/database';
import { ANSWERS_PROBLEMS } from '../platform/http-app';
import { makeRateLimit, type RateLimit } from '../platform/rate-limit';
import type { WantReconciliation } from '../reconciliation/reconcile-due';
import type { ReconciliationStatus } from '../reconciliation/reconciliation.store';
import type { PageTokens } from '../settings/page-token';
import type { VerifyIframeToken } from '../settings/verify-iframe-token';
import { accountEndpoints, type ForgetTenant, type OpenSigningSecret } from './account.routes';
import { announcementEndpoints, type FetchState } from './announcements.routes';
import { apiKeyEndpoints } from './api-keys.routes';
import { makeAuthenticate, type Authenticate } from './authenticate';
import { makeRunChange } from './change.store';
import { chatWebhookEndpoints, type Sealer } from './chat-webhooks.routes';
import { deliveryEndpoints } from './deliveries.routes';
import { docsRouter } from './docs.routes';
import { makeCallApi, type CallApi } from './call-api';
import { refuseReader, type ApiAnswer, type Endpoint, type RawCall } from './endpoint';
import { historyEndpoints } from './history.routes';
import { muteEndpoints } from './mutes.routes';
import { presetEndpoints } from './presets.routes';
import type { RefreshReferences } from './rule-attention';
import { reconciliationEndpoints } from './reconciliation.routes';
import { ruleDocumentEndpoints } from './rule-documents.routes';
import { rulePreviewEndpoints } from './rule-preview.routes';
import { ruleEndpoints } from './rules.routes';
import { sessionEndpoints, type ConnectByApiToken } from './session.routes';
import { testMessageEndpoints, type SendTest } from './test-message.routes';
import { makeDraftWalks } from './walk-draft';
import { watchEndpoints } from './watches.routes';

/** What the API needs of the rest of the application. */
export interface ApiDeps {
  readonly database: Database;
  readonly secretBox: Sealer;
  readonly checkKeys: CheckKeys;
  readonly bell: Pick<Bell, 'ringDeliver'>;
  readonly clock: () => Date;
  readonly log: Logger;
  readonly verifyIframeToken: VerifyIframeToken;
  readonly pageTokens: PageTokens;
  /** Sends a sample message at once. */
  readonly sendTest: SendTest;
  /** Installs by API token (self-hosting). */
  readonly connectByApiToken: ConnectByApiToken;
  /** Reads lists of Pipedrive's again when a rule names something that is not known; bounded in time, never throws. */
  readonly refreshReferences: RefreshReferences;
  readonly refreshAged: RefreshReferences;
  readonly findReconciliation: (tenantId: TenantId) => Promise<ReconciliationStatus | null>;
  /** Asks Pipedrive for a record that was never heard of; null when it cannot be had. */
  readonly fetchRecord: FetchState;
  /** Brings the comparison with Pipedrive's own lists forward. */
  readonly wantReconciliation: WantReconciliation;
  /** Says goodbye at Pipedrive before an account is erased; may throw. */
  readonly forgetTenant: ForgetTenant;
  readonly openSigningSecret: OpenSigningSecret;
  /** `BASE_URL`, for the API's description. */
  readonly baseUrl: string;
  readonly googleChatOrigin: string;
  readonly allowApiTokenConnect: boolean;
  readonly defaultPlan: Plan;
  readonly retentionDays: number;
  /** `SETTLE_MS`, for previews of rules without a settle time of their own. */
  readonly settleMs: number;
  /** `API_RATE_LIMIT`: requests a minute per key or tenant. */
  readonly apiRateLimit: number;
}

const MAX_BODY_BYTES = 100 * 1024;
const MAX_INT4 = 2_147_483_647;
/** Wrong credentials a minute from one address; then it has to wait. */
const MAX_REFUSALS_PER_MINUTE = 600;

export interface Api {
  /** Everything below `/session`, `/connect`, `/chat-webhooks`, `/rules`, ... and `/docs`. */
  readonly router: Router;
  /** The same requests from within. */
  readonly call: CallApi;
}

/** Makes the API, for programs and for our own pages. */
export function makeRestApi(deps: ApiDeps): Api {
  const endpoints = makeEndpoints(deps);
  return { router: makeRouter(deps, endpoints), call: makeCallApi(endpoints) };
}

function makeRouter(deps: ApiDeps, endpoints: readonly Endpoint[]): Router {
  const gate: Gate = {
    authenticate: makeAuthenticate({ ...deps.database, ...deps }),
    perCaller: makeRateLimit({ perMinute: deps.apiRateLimit, name: 'api' }),
    refusals: makeRateLimit({ perMinute: MAX_REFUSALS_PER_MINUTE, name: 'refused' }),
  };
  const router = Router({ caseSensitive: true });
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    mount(
      router,
      path,
      endpoints.filter((endpoint) => endpoint.path === path),
      gate,
    );
  }
  router.use(docsRouter(endpoints, deps.baseUrl));
  return router;
}

/** Every request of the API, for routing and for its description. `/rules/export` and the like stand before `/rules/:id`. */
function makeEndpoints(deps: ApiDeps): Endpoint[] {
  const { prisma, pool } = deps.database;
  const { clock, defaultPlan } = deps;
  const shared = {
    ...deps,
    prisma,
    pool,
    draftWalks: makeDraftWalks({ ...deps, prisma, pool }),
    runChange: makeRunChange(prisma),
    loadPlan: (client: PrismaClient | Prisma.TransactionClient, tenantId: TenantId) =>
      loadPlan(client, tenantId, { now: clock(), defaultPlan }),
  };
  return [
    ...sessionEndpoints(shared),
    ...chatWebhookEndpoints(shared),
    ...presetEndpoints(shared),
    ...rulePreviewEndpoints(shared),
    ...ruleDocumentEndpoints(shared),
    ...ruleEndpoints(shared),
    ...testMessageEndpoints(shared),
    ...historyEndpoints(shared),
    ...deliveryEndpoints(shared),
    ...reconciliationEndpoints(shared),
    ...muteEndpoints(shared),
    ...watchEndpoints(shared),
    ...announcementEndpoints(shared),
    ...accountEndpoints(shared),
    ...apiKeyEndpoints(shared),
  ];
}

interface Gate {
  readonly authenticate: Authenticate;
  readonly perCaller: RateLimit;
  readonly refusals: RateLimit;
}

/** All methods of one path: problems as answers, 405 for the other methods. */
function mount(router: Router, path: string, endpoints: readonly Endpoint[], gate: Gate): void {
  const limit = Math.max(MAX_BODY_BYTES, ...endpoints.map(({ maxBodyBytes }) => maxBodyBytes ?? 0));
  const parseJson = express.json({ limit, type: () => true });
  router.all(path, (_request, response, next) => {
    response.locals[ANSWERS_PROBLEMS] = true;
    response.set('Cache-Control', 'no-store');
    next();
  });
  for (const endpoint of endpoints) {
    router[endpoint.method](path, async (request, response) => {
      send(response, await answer(endpoint, request, response, gate, () => parsed(parseJson, request, response)));
    });
  }
  const methods = endpoints.map((endpoint) => endpoint.method.toUpperCase());
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  router.all(path, (request, response) => {
    response.set('Allow', allow);
    if (request.method !== 'OPTIONS')
      throw new AppError('method_not_allowed', `Here only ${allow} can be used.`, { status: 405 });
    response.status(204).end();
  });
}

/** Credential, quota, right, path, body: in this order, so that a stranger learns nothing. */
async function answer(
  endpoint: Endpoint,
  request: Request,
  response: Response,
  gate: Gate,
  readBody: () => Promise<unknown>,
): Promise<ApiAnswer> {
  if (endpoint.access === 'open') {
    return await refusalsCounted(
      gate,
      request,
      response,
      async () => await endpoint.handle(await callOf(request, response, readBody)),
    );
  }
  const principal = await refusalsCounted(gate, request, response, async () => {
    const found = await gate.authenticate(request.get('authorization'));
    if (found === null) throw new AppError('unauthorized', 'An API key or a page token is required.', { status: 401 });
    return found;
  });
  await gate.perCaller.take(principal.rateKey, response);
  refuseReader(endpoint, principal);
  return await endpoint.handle(principal, await callOf(request, response, readBody));
}

/** Counts 401s by address, and refuses an address that has had too many. */
async function refusalsCounted<Result>(
  { refusals }: Gate,
  request: Request,
  response: Response,
  work: () => Promise<Result>,
): Promise<Result> {
  const address = request.ip ?? 'unknown';
  await refusals.check(address, response);
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.status === 401) await refusals.count(address);
    throw error;
  }
}

async function callOf(request: Request, response: Response, readBody: () => Promise<unknown>): Promise<RawCall> {
  const id = pathId(request);
  const idempotencyKey = keyOf(request);
  const body = (await readBody()) ?? {};
  return { id, body, query: { ...request.query }, idempotencyKey, signal: departureOf(response) };
}

/** The Idempotency-Key, where a request bears one. Throws an AppError (422) on one that can be no key. */
function keyOf(request: Request): string | null {
  const key = request.get('idempotency-key') ?? null;
  if (key === null || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = 'must have 1 to 255 visible ASCII characters';
  throw new AppError('invalid', `Idempotency-Key: ${message}`, { status: 422, errors: [{ path: 'Idempotency-Key', message }] });
}

/** Aborted when the connection closes before the answer is out. */
function departureOf(response: Response): AbortSignal {
  const departure = new AbortController();
  if (response.destroyed) departure.abort();
  else response.once('close', () => departure.abort());
  return departure.signal;
}

/** 404 for what can be no id of ours, before any query: a number beyond the column would be an error of the database. */
function pathId(request: Request): number {
  const text = request.params['id'];
  if (text === undefined) return 0;
  const id = typeof text === 'string' && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0;
  const max = request.path.startsWith('/deliveries/') ? Number.MAX_SAFE_INTEGER : MAX_INT4;
  if (id === 0 || id > max) throw new AppError('not_found', 'There is nothing of this id.', { status: 404 });
  return id;
}

function parsed(parseJson: express.RequestHandler, request: Request, response: Response): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => {
      if (error === undefined) resolve(request.body);
      else reject(error instanceof Error ? error : new Error('the body could not be read', { cause: error }));
    };
    void parseJson(request, response, done);
  });
}

function send(response: Response, answered: ApiAnswer): void {
  if (answered.status === 204) response.status(204).end();
  else response.status(answered.status).json(answered.body);
}
