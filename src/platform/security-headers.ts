/** The header profiles: pages that stand framed inside Pipedrive, everything else, which nobody may frame, and the queue board's exceptions. */

import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Everything from ourselves, no inline script or style; Pico draws its small marks as data: images. */
const OWN_SOURCES_ONLY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'form-action': ["'self'"],
  'base-uri': ["'none'"],
};

/**
 * For `/extension/*`: framed by `frameAncestors` alone (CSP sources parted by spaces). No X-Frame-Options, which cannot name
 * a wildcard and would forbid the frame in browsers that prefer it.
 */
export function framedHeaders(frameAncestors: string): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { ...OWN_SOURCES_ONLY, 'frame-ancestors': frameAncestors.trim().split(/\s+/) },
    },
    frameguard: false,
    crossOriginOpenerPolicy: false,
    // The page's address carries Pipedrive's signed token: no link may take it along.
    referrerPolicy: { policy: 'no-referrer' },
  });
}

/** For everything else: never framed. */
export function unframedHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { ...OWN_SOURCES_ONLY, 'frame-ancestors': ["'none'"] } },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}

/** For the operator's queue board, whose styles stand in its markup and whose addresses hang on a `<base>`; still no foreign source. */
export function queueBoardHeaders(): RequestHandler {
  const exceptions = { 'base-uri': ["'self'"], 'style-src': ["'self'", "'unsafe-inline'"] };
  return helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: { ...OWN_SOURCES_ONLY, ...exceptions, 'frame-ancestors': ["'none'"] },
  });
}
