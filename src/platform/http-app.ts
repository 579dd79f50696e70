/** The HTTP application: the whole order of middleware on one screen. It knows no route of ours and decides nothing for them. */

import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Router } from 'express';
import type { Logger } from 'pino';
import { AppError } from '../core/errors';
import { makeCors } from './cors';
import { sendErrorPage, sendTrouble } from './error-pages';
import { problemOf, sendProblem } from './problem';
import { makeRequestLog } from './request-log';
import { framedHeaders, unframedHeaders } from './security-headers';
import { makeAssets } from './static-assets';

/** Set in `response.locals` by routers whose errors are always problem+json, whatever the caller says to accept. */
export const ANSWERS_PROBLEMS = 'answersProblems';

export interface HttpAppDeps {
  readonly log: Logger;
  /** Tells Sentry (or a test) of an unforeseen error. */
  readonly reportError: (error: unknown) => void;
  /** `FRONTEND_URL`. */
  readonly corsOrigins: readonly string[];
  /** `FRAME_ANCESTORS`: CSP sources parted by spaces. */
  readonly frameAncestors: string;
  /** In order; each parses the bodies it takes. The webhook endpoint is none of them: it is answered before Express. */
  readonly routers: readonly Router[];
}

/** Makes the express application. Unknown paths give 404, thrown errors the answer of `problem.ts`. */
export function makeHttpApp(deps: HttpAppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', 'loopback, linklocal, uniquelocal');

  app.use(makeRequestLog(deps.log));
  app.use('/extension', framedHeaders(deps.frameAncestors));
  app.use(unless('/extension', unframedHeaders()));
  app.use(makeCors(deps.corsOrigins));
  app.use(makeAssets());
  for (const router of deps.routers) app.use(router);
  app.use(notFound);
  app.use(makeErrorHandler(deps));
  return app;
}

function unless(prefix: string, handler: RequestHandler): RequestHandler {
  return (request, response, next) => {
    if (request.path === prefix || request.path.startsWith(`${prefix}/`)) next();
    else handler(request, response, next);
  };
}

const notFound: RequestHandler = () => {
  throw new AppError('not_found', 'There is nothing at this address.', { status: 404 });
};

function makeErrorHandler({ log, reportError }: Pick<HttpAppDeps, 'log' | 'reportError'>): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const problem = problemOf(error);
    if (problem.isBug) reportError(error);
    if (problem.status >= 500)
      log.error({ err: error, method: request.method, path: request.path }, 'request could not be answered');
    if (response.headersSent) next(error);
    else if (isPageScript(request)) sendTrouble(response, problem);
    else if (isFramed(request)) sendErrorPage(response, problem, FRAME);
    else if (wantsPage(request) && response.locals[ANSWERS_PROBLEMS] !== true) sendErrorPage(response, problem);
    else sendProblem(response, problem);
  };
}

/** htmx, on a page inside Pipedrive. */
function isPageScript(request: Request): boolean {
  return isFramed(request) && request.get('hx-request') === 'true';
}

function isFramed(request: Request): boolean {
  return request.path.startsWith('/extension/');
}

/** Pipedrive shows no frame that does not speak to it, so its error pages do too. */
const FRAME = { theme: null, heightPx: 400, maxHeightPx: 750, widthPx: null } as const;

/** A browser that opens an address names text/html; programs say `*` or nothing. */
function wantsPage(request: Request): boolean {
  return /\btext\/html\b/i.test(request.get('accept') ?? '') || /^\/oauth\//.test(request.path);
}
