/** Serves `/assets/*` from our own origin (no CDN: strict CSP), compressed, and for ever where the address names the content. */

import { Router, type Request } from 'express';
import { findAsset } from './asset-files';

const A_YEAR = 'public, max-age=31536000, immutable';
const A_DAY = 'public, max-age=86400';

/** 404 for unknown files is left to whoever comes next. */
export function makeAssets(): Router {
  const router = Router();
  router.get(/^\/assets\/(.+)$/, (request, response, next) => {
    const file = findAsset(request.path.slice('/assets/'.length));
    if (file === undefined) {
      next();
      return;
    }
    response.set({
      'Cache-Control': request.query['v'] === file.version ? A_YEAR : A_DAY,
      'Content-Type': file.contentType,
      ETag: `"${file.version}"`,
      Vary: 'Accept-Encoding',
    });
    if (request.fresh) response.status(304).end();
    else if (file.gzipped !== null && takesGzip(request)) response.set('Content-Encoding', 'gzip').end(file.gzipped);
    else response.end(file.body);
  });
  return router;
}

function takesGzip(request: Request): boolean {
  return request.acceptsEncodings('gzip') === 'gzip';
}
