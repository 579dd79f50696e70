/** For the operator: health for everyone, metrics and the queue board behind `OPERATOR_TOKEN`. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { Router, type RequestHandler } from 'express';
import type { Health } from './check-health';
import type { Metrics } from './metrics';

export interface AdminDependencies {
  readonly checkHealth: () => Promise<Health>;
  readonly metrics: Metrics;
  /** Null: operator pages are off. */
  readonly operatorToken: string | null;
  /** The queue board, mounted below `/admin/queues`; null when there is none. */
  readonly queueBoard: RequestHandler | null;
}

/** `GET /health`, `/health/live`, `/metrics`, `/admin`, `/admin/queues`. Without a token the operator's pages do not exist (404). */
export function makeAdminRouter(dependencies: AdminDependencies): Router {
  const router = Router();
  router.get('/', (_request, response) => {
    response.redirect('/docs');
  });
  router.get('/health/live', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  router.get('/health', async (_request, response) => {
    const health = await dependencies.checkHealth();
    response
      .status(health.status === 'down' ? 503 : 200)
      .set('Cache-Control', 'no-store')
      .json(health);
  });
  const { operatorToken, queueBoard, metrics } = dependencies;
  if (operatorToken === null) return router;
  const operatorOnly = requireOperator(operatorToken);
  router.get('/metrics', operatorOnly, async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });
  router.get('/admin', operatorOnly, (_request, response) => {
    response.redirect('/admin/queues');
  });
  if (queueBoard !== null) router.use('/admin/queues', operatorOnly, queueBoard);
  return router;
}

/** The token as a bearer (metrics), or as the password of Basic sign-in (browsers); compared in constant time. */
function requireOperator(token: string): RequestHandler {
  const expected = digest(token);
  return (request, response, next) => {
    if (timingSafeEqual(digest(givenToken(request.get('authorization') ?? '')), expected)) {
      next();
      return;
    }
    response
      .status(401)
      .set('WWW-Authenticate', 'Basic realm="Dealbell operator", charset="UTF-8"')
      .type('application/problem+json')
      .json({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'The operator’s token is required.',
        errors: [],
      });
  };
}

function givenToken(header: string): string {
  const [scheme = '', value = ''] = header.split(' ');
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return '';
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
