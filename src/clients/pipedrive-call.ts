/** One call of Pipedrive's API through the official SDK: bounded in time, with its status, headers and body kept, told as a value. */

import { setTimeout as sleep } from 'node:timers/promises';
import * as v1 from 'pipedrive/v1';
import * as v2 from 'pipedrive/v2';
import type { Logger } from 'pino';
import { z, type ZodType } from 'zod';
import { AppError, messageOf } from '../core/errors';
import { failureOfAnswer, type ApiFailure, type ApiResult } from './pipedrive-failure';

/** How a connection shows who it is. `accessToken(refused)` gets the token that Pipedrive has just refused, and gives a newer one. */
export type ApiCredential =
  | { readonly kind: 'oauth'; readonly accessToken: (refused?: string) => Promise<string> }
  | { readonly kind: 'apiToken'; readonly apiToken: string };

export interface ApiAccess {
  /** Origin without a path, such as `https://example.pipedrive.com`. */
  readonly apiOrigin: string;
  readonly credential: ApiCredential;
  /** `background` waits out one burst limit and asks again; `lookUp` never waits. */
  readonly patience: 'background' | 'lookUp';
  readonly log: Logger;
  readonly timeoutMs?: number;
}

export interface ApiCall<T> {
  readonly operation: string;
  /** What the call takes from the company's daily budget. */
  readonly tokenCost: number;
  readonly answer: ZodType<T>;
  readonly send: (sdk: Sdk) => Promise<unknown>;
}

/** What a call's `send` makes its SDK interface from: `v1.UsersApiFactory(sdk.v1, undefined, sdk.http)`. */
export interface Sdk {
  readonly v1: v1.Configuration;
  readonly v2: v2.Configuration;
  readonly http: SdkHttp;
}
type SdkHttp = Exclude<Parameters<typeof v1.UsersApiFactory>[2], undefined>;

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 20_000_000;
/** The burst window is two seconds; whatever asks for much more is the daily budget and not worth waiting for. */
const LONGEST_WAIT_MS = 5_000;

const answerSchema = z.object({ status: z.number(), headers: z.unknown(), data: z.unknown() });

/** Makes the function that does calls for one connection. It never throws; a 401 is tried once more with a newer token. */
export function makePipedriveCall(access: ApiAccess): <T>(call: ApiCall<T>) => Promise<ApiResult<T>> {
  const http = new ReachableHttp(new v1.Configuration({})).withoutInterceptors();

  return async function callPipedrive(call) {
    const first = await attempt(access, http, call);
    const second = await secondTry(first, access, http, call);
    return second.result;
  };
}

interface Attempt<T> {
  readonly result: ApiResult<T>;
  readonly usedToken: string | null;
}

async function secondTry<T>(first: Attempt<T>, access: ApiAccess, http: SdkHttp, call: ApiCall<T>): Promise<Attempt<T>> {
  if (first.result.ok) return first;
  const { failure } = first.result;
  if (failure.kind === 'unauthorized' && first.usedToken !== null) return attempt(access, http, call, first.usedToken);
  if (failure.kind === 'rateLimited' && access.patience === 'background' && failure.retryAfterMs <= LONGEST_WAIT_MS) {
    await sleep(failure.retryAfterMs);
    return attempt(access, http, call);
  }
  return first;
}

async function attempt<T>(access: ApiAccess, http: SdkHttp, call: ApiCall<T>, refusedToken?: string): Promise<Attempt<T>> {
  const startedAt = performance.now();
  let usedToken: string | null = null;
  const sdk = sdkFor(access, http, async (oauthToken) => {
    usedToken = await oauthToken(refusedToken);
    return usedToken;
  });
  const result = await resultOf(call, sdk);
  access.log.debug(
    {
      operation: call.operation,
      tokenCost: call.tokenCost,
      outcome: result.ok ? 'ok' : result.failure.kind,
      durationMs: Math.round(performance.now() - startedAt),
    },
    'pipedrive asked',
  );
  return { result, usedToken };
}

async function resultOf<T>(call: ApiCall<T>, sdk: Sdk): Promise<ApiResult<T>> {
  try {
    const answer = answerSchema.parse(await call.send(sdk));
    const failure = failureOfAnswer(answer.status, answer.headers, answer.data);
    if (failure !== null) return { ok: false, failure };
    const parsed = call.answer.safeParse(answer.data);
    if (parsed.success) return { ok: true, value: parsed.data };
    return {
      ok: false,
      failure: { kind: 'unreachable', reason: `Pipedrive’s answer to ${call.operation} has an unknown shape` },
    };
  } catch (error) {
    return { ok: false, failure: failureOfError(error) };
  }
}

/** What was thrown on the way: our own token function (AppError), or the network. */
function failureOfError(error: unknown): ApiFailure {
  if (error instanceof AppError && error.code === 'connection_revoked') return { kind: 'unauthorized', reason: error.message };
  return { kind: 'unreachable', reason: messageOf(error) };
}

type GiveToken = (oauthToken: (refused?: string) => Promise<string>) => Promise<string>;

function sdkFor(access: ApiAccess, http: SdkHttp, giveToken: GiveToken): Sdk {
  const { credential } = access;
  const secret =
    credential.kind === 'apiToken' ? { apiKey: credential.apiToken } : { accessToken: () => giveToken(credential.accessToken) };
  const timeoutMs = access.timeoutMs ?? TIMEOUT_MS;
  const baseOptions = {
    timeout: timeoutMs,
    // axios' own limit counts silence only; a trickling answer ends here.
    signal: AbortSignal.timeout(timeoutMs + 1_000),
    maxRedirects: 0,
    maxContentLength: MAX_ANSWER_BYTES,
    proxy: false,
    // Every status is an answer: judged in `failureOfAnswer`, not thrown.
    validateStatus: () => true,
  };
  const configured = <C extends { baseOptions?: unknown }>(configuration: C): C => Object.assign(configuration, { baseOptions });
  return {
    v1: configured(new v1.Configuration({ ...secret, basePath: `${access.apiOrigin}/api/v1` })),
    v2: configured(new v2.Configuration({ ...secret, basePath: `${access.apiOrigin}/api/v2` })),
    http,
  };
}

/** The SDK's interceptors give the bare body on success and on failure, losing status and headers; a subclass reaches its axios. */
class ReachableHttp extends v1.UsersApi {
  withoutInterceptors(): SdkHttp {
    this.axios.interceptors.response.clear();
    return this.axios;
  }
}
