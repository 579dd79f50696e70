/** The REST API from within: our own pages change things by the very requests that everybody makes, without HTTP between. */

import { refuseReader, type ApiAnswer, type Endpoint, type Principal } from './endpoint';

export interface ApiCall {
  readonly method: Endpoint['method'];
  /** As the endpoint writes it: `/rules/:id`. */
  readonly path: string;
  /** Where the path has `:id`. */
  readonly id?: number;
  readonly body?: unknown;
  readonly query?: unknown;
  /** As a client's `Idempotency-Key`. */
  readonly idempotencyKey?: string | null;
  readonly signal?: AbortSignal;
}

/** Gives the answer's body (undefined for 204). Throws the AppError that the API would answer with. */
export type CallApi = (principal: Principal, call: ApiCall) => Promise<unknown>;

/** Makes the caller of these endpoints. */
export function makeCallApi(endpoints: readonly Endpoint[]): CallApi {
  return async (principal, { method, path, id = 0, body = {}, query = {}, idempotencyKey = null, signal = neverAborted() }) => {
    const endpoint = endpoints.find((candidate) => candidate.method === method && candidate.path === path);
    if (endpoint === undefined || endpoint.access === 'open') throw new Error(`the API has no ${method} ${path} for a tenant`);
    refuseReader(endpoint, principal);
    return bodyOf(await endpoint.handle(principal, { id, body, query, idempotencyKey, signal }));
  };
}

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

function bodyOf(answer: ApiAnswer): unknown {
  return answer.status === 204 ? undefined : answer.body;
}
