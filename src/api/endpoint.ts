/** One request of the REST API: its address, who may make it, what it takes, what it does. Routing and OpenAPI both read these. */

import { z } from 'zod';
import { AppError } from '../core/errors';
import { wordIssue } from '../core/issue-words';
import type { TenantId } from '../core/tenant';
import { fieldErrorsOf } from '../platform/problem';
import { unstorableText } from './storable';

/** Who asks, as the credential proved it. */
export interface Principal {
  readonly tenantId: TenantId;
  /** May change settings: API keys and Pipedrive's admins. */
  readonly isAdmin: boolean;
  /** Pipedrive's id of the user; null for an API key. */
  readonly userId: number | null;
  /** For the audit trail: "user 9", "api key CI". */
  readonly actor: string;
  /** What its requests are counted by. */
  readonly rateKey: string;
}

export type ApiAnswer = { readonly status: 200 | 201 | 202; readonly body: object } | { readonly status: 204 };

/** What came in, before it is parsed. */
export interface RawCall {
  /** `:id` of the path; 0 where the path has none. */
  readonly id: number;
  readonly body: unknown;
  readonly query: unknown;
  /** The `Idempotency-Key` header. */
  readonly idempotencyKey: string | null;
  /** Aborted when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
}

interface Described {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** As Express writes it, `:id` being the only parameter. */
  readonly path: string;
  readonly summary: string;
  /** The status of success. */
  readonly status: 200 | 201 | 202 | 204;
  readonly body: z.ZodType | null;
  readonly query: z.ZodType | null;
  /** The largest body in bytes, where it is not the usual one. */
  readonly maxBodyBytes?: number;
  /** Heeds an `Idempotency-Key`: what is asked for twice by one key is done once. */
  readonly isKeyed?: boolean;
}

export type Endpoint = Described &
  (
    | { readonly access: 'open'; readonly handle: (call: RawCall) => Promise<ApiAnswer> }
    /** `read`: everybody of the tenant; `change`: admins and API keys. */
    | { readonly access: 'read' | 'change'; readonly handle: (principal: Principal, call: RawCall) => Promise<ApiAnswer> }
  );

interface Call<Body, Query> {
  readonly id: number;
  readonly idempotencyKey: string | null;
  readonly body: Body;
  readonly query: Query;
  readonly signal: AbortSignal;
}

interface Definition extends Omit<Described, 'body' | 'query'> {
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
}

interface TenantDefinition extends Definition {
  readonly access: 'read' | 'change';
  handle(principal: Principal, call: Call<unknown, unknown>): Promise<ApiAnswer>;
}

/** A request of a tenant's own. The handler gets the parsed body and query; what does not fit is answered 422 before. */
export function tenantEndpoint<Body extends z.ZodType = z.ZodUnknown, Query extends z.ZodType = z.ZodUnknown>(
  definition: Omit<TenantDefinition, 'body' | 'query' | 'handle'> & {
    readonly body?: Body;
    readonly query?: Query;
    handle(principal: Principal, call: Call<z.output<Body>, z.output<Query>>): Promise<ApiAnswer>;
  },
): Endpoint;
export function tenantEndpoint({ handle, body = NO_BODY, query = NOTHING, ...rest }: TenantDefinition): Endpoint {
  return {
    ...rest,
    body: body === NO_BODY ? null : body,
    query: query === NOTHING ? null : query,
    handle: async (principal, raw) =>
      await handle(principal, { ...raw, body: parseInput(body, raw.body), query: parseInput(query, raw.query) }),
  };
}

const NOTHING = z.unknown();
/** No body, or an empty one: a field that is not known is refused here as everywhere. */
const NO_BODY = z.union([z.undefined(), z.null(), z.literal(''), z.strictObject({})]);

/** A request that needs no credential. `guard` may throw before the body is looked at. */
export function openEndpoint<Body extends z.ZodType>(
  definition: Definition & {
    readonly body: Body;
    readonly guard?: () => void;
    readonly handle: (body: z.output<Body>) => Promise<ApiAnswer>;
  },
): Endpoint {
  const { handle, guard, body, query, ...rest } = definition;
  return {
    ...rest,
    access: 'open',
    body,
    query: query ?? null,
    handle: async (raw) => {
      guard?.();
      return await handle(parseInput(body, raw.body));
    },
  };
}

/** Parses a body or query. Throws an AppError (422) that names every field that does not fit. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const unstorable = unstorableText(input);
  if (unstorable !== null) throw invalid([unstorable]);
  const parsed = schema.safeParse(input, { error: wordIssue });
  if (!parsed.success) throw invalid(fieldErrorsOf(parsed.error));
  return parsed.data;
}

/** 422 for fields that only the database, or several of them together, show to be wrong. */
export function invalid(errors: readonly { path: string; message: string }[]): AppError {
  const [first] = errors;
  const detail = first === undefined || first.path === '' ? first?.message : `${first.path}: ${first.message}`;
  return new AppError('invalid', detail ?? 'Some values cannot be accepted.', { status: 422, errors });
}

/** 404 for an id that is not the tenant's. */
export function missing(what: string): AppError {
  return new AppError('not_found', `There is no ${what} of this id.`, { status: 404 });
}

/** 403 when only admins may do this and this is none. */
export function refuseReader({ access }: Pick<Endpoint, 'access'>, { isAdmin }: Pick<Principal, 'isAdmin'>): void {
  if (access !== 'change' || isAdmin) return;
  throw new AppError('forbidden', 'Only admins of your Pipedrive company may change this.', { status: 403 });
}
