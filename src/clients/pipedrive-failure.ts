/** What a Pipedrive API answer that is no success means. Pure. */

import { isObject } from '../core/record';

/** `reason` is a sentence for logs and pages; for `invalid` Pipedrive's own words. */
export type ApiFailure =
  | {
      readonly kind:
        /** The token is worth nothing, also after a refresh. */
        | 'unauthorized'
        /** The user or the app's scopes do not allow it, or the company's account is closed. */
        | 'forbidden'
        | 'notFound'
        /** Pipedrive does not accept what was asked. */
        | 'invalid'
        /** Nobody knows: timeout, reset, 5xx, a block page, a cut or unknown body. */
        | 'unreachable';
      readonly reason: string;
    }
  | { readonly kind: 'rateLimited'; readonly reason: string; readonly retryAfterMs: number };

export type ApiResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: ApiFailure };

/** The rolling burst window is two seconds (Pipedrive's rate limiting page). */
const BURST_WINDOW_MS = 2_000;
const SHORTEST_WAIT_MS = 250;
/** The daily budget is refilled at an unnamed midnight: look again every hour. */
const BUDGET_WAIT_MS = 3_600_000;
const EPOCH_SECONDS_FROM = 1_000_000_000;

/** Judges an HTTP answer; null for a success. `headers` are named in lower case. */
export function failureOfAnswer(status: number, headers: unknown, body: unknown): ApiFailure | null {
  if (status >= 200 && status < 300) return null;
  const words = wordsOf(body);
  const reason = words === '' ? `Pipedrive answered ${status}` : `Pipedrive answered ${status}: ${words}`;
  if (status === 401) return { kind: 'unauthorized', reason };
  // Cloudflare's block page is HTML and says nothing about permissions.
  if (status === 402 || (status === 403 && isObject(body))) return { kind: 'forbidden', reason };
  if (status === 404 || status === 410) return { kind: 'notFound', reason };
  if (status === 429) return { kind: 'rateLimited', reason, retryAfterMs: retryAfterMs(headers) };
  if (status >= 400 && status < 500 && status !== 403 && status !== 408)
    return { kind: 'invalid', reason: words === '' ? reason : words };
  return { kind: 'unreachable', reason };
}

/**
 * `Retry-After` is not documented but honoured; `x-ratelimit-reset` has no documented unit (seconds or a Unix time), so the wait
 * is clamped to the burst window. A 429 with requests left in the window is taken for the daily budget.
 */
function retryAfterMs(headers: unknown): number {
  const named = secondsOf(headers, 'retry-after');
  if (named !== null) return clamp(named * 1000, SHORTEST_WAIT_MS, BUDGET_WAIT_MS);
  const remaining = secondsOf(headers, 'x-ratelimit-remaining');
  if (remaining !== null && remaining > 0) return BUDGET_WAIT_MS;
  const reset = secondsOf(headers, 'x-ratelimit-reset');
  if (reset === null) return BURST_WINDOW_MS;
  const resetMs = reset > EPOCH_SECONDS_FROM ? reset * 1000 - Date.now() : reset * 1000;
  return clamp(resetMs, SHORTEST_WAIT_MS, BURST_WINDOW_MS);
}

function secondsOf(headers: unknown, name: string): number | null {
  const value = isObject(headers) ? headers[name] : undefined;
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : null;
}

function wordsOf(body: unknown): string {
  if (!isObject(body)) return '';
  const { error, message, errors } = body;
  const fieldErrors = isObject(errors) ? Object.entries(errors).map(([field, words]) => `${field}: ${String(words)}`) : [];
  const words = [error, message].filter((word) => typeof word === 'string');
  return [...new Set([...words, ...fieldErrors])].join(', ').slice(0, 300);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
