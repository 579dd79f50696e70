/** One log line per request, with its path but never its query, headers or body: those carry tokens and codes. */

import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** Successful look-ups of static files are not told. */
export function makeRequestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    quietReqLogger: true,
    serializers: {
      req: (request: { method: string; url: string }) => ({ method: request.method, path: pathOf(request.url) }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
      // The error handler has told the error already, with its stack.
      err: () => undefined,
    },
    autoLogging: { ignore: (request) => request.url.startsWith('/assets/') },
    customLogLevel: (_request, response, error) => (error !== undefined || response.statusCode >= 500 ? 'error' : 'info'),
    customSuccessMessage: () => 'request answered',
    customErrorMessage: () => 'request failed',
  });
}

function pathOf(url: string): string {
  return url.split('?')[0] ?? '';
}
