/** Reads Pipedrive's uninstall notice: whose credentials it bears, and a body that may be anything without harm. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { text, type RequestHandler } from 'express';

const MOST_BODY = '16kb';

/** Leaves in `request.body` what the body says as JSON, or undefined: a notice is answered 200 whatever it holds. */
export const uninstallBody: readonly RequestHandler[] = [
  text({ type: () => true, limit: MOST_BODY }),
  (request, _response, next) => {
    if (typeof request.body === 'string') request.body = parseOrUndefined(request.body);
    next();
  },
];

/** Whether an `Authorization` header bears the app's own client id and secret; compared in constant time. */
export function hasClientCredentials(header: string | undefined, clientId: string, clientSecret: string): boolean {
  const encoded = /^basic\s+(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(sha256(Buffer.from(encoded, 'base64')), sha256(Buffer.from(`${clientId}:${clientSecret}`)));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function parseOrUndefined(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Not JSON: nothing to uninstall, and the route says so in the log.
    return undefined;
  }
}
