/** Who may call the API from a browser on another origin: exact origins, or one wildcard label. Never with credentials. */

import type { RequestHandler } from 'express';

const ALLOWED_HEADERS = 'Authorization, Content-Type';
const EXPOSED_HEADERS = 'RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After';
const DAY_S = 86_400;

/**
 * Tells whether an `Origin` header is one of `patterns`. A pattern is an origin (`https://app.example.com`), or one whose
 * first label is `*` (`https://*.example.app`), which stands for exactly one label. Scheme and port must be equal.
 */
export function makeOriginMatcher(patterns: readonly string[]): (origin: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')).map(normalOrigin));
  const wildcards = patterns.filter((pattern) => pattern.includes('://*.')).map(wildcardOf);
  return (origin) => {
    const normal = normalOrigin(origin);
    if (normal === null) return false;
    return exact.has(normal) || wildcards.some((wildcard) => wildcard(new URL(normal)));
  };
}

/** Answers preflights with 204 and names the origin when it is allowed; every answer varies by `Origin`. */
export function makeCors(patterns: readonly string[]): RequestHandler {
  const isAllowed = makeOriginMatcher(patterns);
  return (request, response, next) => {
    response.vary('Origin');
    const origin = request.get('origin');
    const allowed = origin !== undefined && isAllowed(origin);
    if (allowed) response.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED_HEADERS });
    const isPreflight =
      request.method === 'OPTIONS' && origin !== undefined && request.get('access-control-request-method') !== undefined;
    if (!isPreflight) {
      next();
      return;
    }
    if (allowed) {
      response.set({
        'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
        'Access-Control-Allow-Headers': ALLOWED_HEADERS,
        'Access-Control-Max-Age': String(DAY_S),
      });
    }
    response.status(204).end();
  };
}

/** Lower-cased scheme, host and port without a default port; null for what is no http(s) origin (`null`, paths, user names). */
function normalOrigin(text: string): string | null {
  if (!/^https?:\/\/[^/?#@\\\s]+$/i.test(text) || !URL.canParse(text)) return null;
  return new URL(text).origin;
}

function wildcardOf(pattern: string): (origin: URL) => boolean {
  const wanted = new URL(pattern.replace('://*.', '://'));
  return (origin) => {
    const [label = '', ...rest] = origin.hostname.split('.');
    const isSameKind = origin.protocol === wanted.protocol && origin.port === wanted.port;
    return isSameKind && /^[a-z0-9_-]+$/.test(label) && rest.join('.') === wanted.hostname;
  };
}
