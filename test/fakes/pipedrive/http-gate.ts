/** In front of the stand-in's API: who is calling, the request log with its token costs, and faults a test asked for. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { Company, UserRecord } from './crm-records';
import type { Identity, OauthTokens } from './oauth-tokens';
import { apiTokenOf } from './oauth-tokens';

export type Caller = { readonly company: Company; readonly user: UserRecord; readonly via: 'oauth' | 'apiToken' };
export type LoggedRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** 0 until the answer went out. */
  status: number;
  readonly as: (Identity & { readonly via: 'oauth' | 'apiToken' }) | null;
  /** What Pipedrive takes from the company's daily budget for this call. */
  readonly tokenCost: number;
  readonly at: Date;
};
export type FaultRequest = Pick<LoggedRequest, 'method' | 'path' | 'query' | 'as'> & {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
};

/** Without `status` the request is only delayed; a `delayMs` of Infinity never answers. A string `body` is sent as HTML. */
export type Fault = {
  readonly match?: (request: FaultRequest) => boolean;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly times?: number;
  readonly delayMs?: number;
};

export type HttpGate = {
  readonly requests: LoggedRequest[];
  readonly failNext: (fault: Fault) => void;
  clearFaults(): void;
  /** Logs, costs and faults; for every endpoint that servers call. */
  readonly watch: RequestHandler;
  /** 401 unless a living access token or API token came along. */
  readonly authenticate: RequestHandler;
  callerOf(request: Request): Caller;
  close(): void;
};

type Needs = { companies: ReadonlyMap<number, Company>; tokens: OauthTokens; clock: () => Date };

export function makeHttpGate({ companies, tokens, clock }: Needs): HttpGate {
  const requests: LoggedRequest[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let faults: { readonly fault: Fault; left: number }[] = [];

  function findCaller(request: Request): Caller | null {
    const bearer = /^Bearer (.+)$/i.exec(request.get('authorization') ?? '')?.[1];
    if (bearer !== undefined) return callerFor(tokens.whoHas(bearer), 'oauth');
    const apiToken = request.get('x-api-token') ?? queryText(request, 'api_token');
    if (apiToken === undefined) return null;
    const owners = [...companies.values()].flatMap((company) =>
      [...company.users.live.keys()].map((userId) => ({ companyId: company.id, userId })),
    );
    return callerFor(owners.find((owner) => apiTokenOf(owner) === apiToken) ?? null, 'apiToken');
  }

  function callerFor(identity: Identity | null, via: Caller['via']): Caller | null {
    const company = identity === null ? undefined : companies.get(identity.companyId);
    const user = identity === null ? undefined : company?.users.live.get(identity.userId);
    return company === undefined || user === undefined ? null : { company, user, via };
  }

  function takeFault(request: FaultRequest): Fault | undefined {
    const armed = faults.find(({ fault }) => fault.match?.(request) ?? true);
    if (armed === undefined) return undefined;
    armed.left -= 1;
    faults = faults.filter(({ left }) => left > 0);
    return armed.fault;
  }

  return {
    requests,
    failNext: (fault) => {
      faults.push({ fault, left: fault.times ?? 1 });
    },
    clearFaults: () => {
      faults = [];
    },
    watch(request, response, next) {
      const caller = findCaller(request);
      const path = request.originalUrl.split('?')[0] ?? '';
      const as = caller === null ? null : { companyId: caller.company.id, userId: caller.user.id, via: caller.via };
      const entry: LoggedRequest = {
        method: request.method,
        path,
        query: queryTexts(request),
        status: 0,
        as,
        tokenCost: tokenCost(request.method, path),
        at: clock(),
      };
      requests.push(entry);
      response.on('finish', () => {
        entry.status = response.statusCode;
      });
      const body: unknown = request.body;
      const fault = takeFault({ method: entry.method, path, query: entry.query, as, headers: request.headers, body });
      if (fault === undefined) {
        next();
        return;
      }
      const act = (): void => {
        answerFault(fault, response, next);
      };
      if (fault.delayMs === undefined) {
        act();
        return;
      }
      if (!Number.isFinite(fault.delayMs)) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        act();
      }, fault.delayMs);
      timers.add(timer);
    },
    authenticate(request, response, next) {
      if (findCaller(request) !== null) {
        next();
        return;
      }
      const hasBearer = request.get('authorization') !== undefined;
      response.status(401).json({
        success: false,
        error: hasBearer ? 'Invalid token: access_token is invalid' : 'unauthorized access',
        errorCode: 401,
      });
    },
    callerOf(request) {
      const caller = findCaller(request);
      if (caller === null) throw new Error('a route without authenticate asked for its caller');
      return caller;
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

function answerFault(fault: Fault, response: Response, next: () => void): void {
  if (response.destroyed) return;
  if (fault.status === undefined) {
    next();
    return;
  }
  response.status(fault.status).set({ ...fault.headers });
  if (typeof fault.body === 'string') response.type('html').send(fault.body);
  else if (fault.body === undefined) response.end();
  else response.json(fault.body);
}

/** One query parameter as text; undefined when absent or not plain text. */
export function queryText(request: Request, name: string): string | undefined {
  const value = request.query[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** One query parameter as a number; undefined when absent. */
export function queryNumber(request: Request, name: string): number | undefined {
  const value = queryText(request, name);
  return value === undefined ? undefined : Number(value);
}

function queryTexts(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.query).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  );
}

/** Costs by Pipedrive's OpenAPI (`x-token-cost`). */
const TOKEN_COSTS: readonly (readonly [RegExp, number])[] = [
  [/^GET \/api\/v1\/deals\/summary$/, 40],
  [/^GET \/api\/v1\/users\/[^/]+$/, 2],
  [/^DELETE \/api\/v1\/webhooks\//, 6],
  [/^(GET|POST) \/api\/v1\/(webhooks|leadLabels)$/, 10],
  [/^GET \/api\/v1\/(users|leads|notes|activityTypes|currencies)$/, 20],
  [/^GET \/api\/v1\/(leads|notes)\/[^/]+$/, 2],
  [/^GET \/api\/v2\/(pipelines|stages)$/, 5],
  [/^GET \/api\/v2\/deals\/archived$/, 20],
  [/^GET \/api\/v2\/[^/]+$/, 10],
  [/^GET \/api\/v2\/[^/]+\/[^/]+$/, 1],
];

function tokenCost(method: string, path: string): number {
  return TOKEN_COSTS.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1] ?? 0;
}
