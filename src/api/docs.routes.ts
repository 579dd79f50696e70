/** `/openapi.json` and `/docs`: the API's description, for programs and for people. */

import { Router } from 'express';
import { docsPage } from '../../views/docs';
import { renderPage } from '../platform/render-page';
import type { Endpoint } from './endpoint';
import { openApiDocument } from './openapi';
import { z } from 'zod';

/** Both are made once: they change with the code only. */
export function docsRouter(endpoints: readonly Endpoint[], baseUrl: string): Router {
  const document = openApiDocument(endpoints, baseUrl);
  const page = renderPage(docsPage({ operations: endpoints.map(operationView) }));
  const router = Router();
  router.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  router.get('/docs', (_request, response) => {
    response.type('html').send(page);
  });
  return router;
}

function operationView(endpoint: Endpoint) {
  const { method, path, summary, access, body, query, status } = endpoint;
  return {
    request: `${method.toUpperCase()} ${path}`,
    summary,
    who: WHO[access],
    success: String(status),
    query: query === null ? [] : Object.keys(z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }).properties ?? {}),
    body: body === null ? null : JSON.stringify(z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }), null, 2),
  };
}

const WHO = { open: 'no credential', read: 'everybody of the company', change: 'admins and API keys' } as const;
