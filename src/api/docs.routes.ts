/** `/openapi.json` and `/docs`: the API's description, for programs and for people. */

import { Router } from 'express';
import { docsPage, type DocsView, type OperationView } from '../../views/docs';
import { renderPage } from '../platform/render-page';
import type { Endpoint } from './endpoint';
import { openApiDocument } from './openapi';
import { z } from 'zod';

/** Both are made once: they change with the code only. */
export function docsRouter(endpoints: readonly Endpoint[], baseUrl: string): Router {
  const document = openApiDocument(endpoints, baseUrl);
  const page = renderPage(docsPage({ topics: topicsOf(endpoints) }));
  const router = Router();
  router.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  router.get('/docs', (_request, response) => {
    response.type('html').send(page);
  });
  return router;
}

/** Of whatever begins with these words after the first slash, in this order. */
const TOPICS: readonly (readonly [heading: string, beginnings: readonly string[]])[] = [
  ['Spaces', ['chat-webhooks', 'test']],
  ['Rules', ['rules', 'presets']],
  ['Single records', ['watches', 'mutes', 'announcements']],
  ['What came in and went out', ['events', 'deliveries', 'logs', 'reconciliation']],
  ['Company', ['account', 'api-keys', 'audit']],
  ['Signing in', ['session', 'connect']],
];

/** Throws when a request belongs nowhere: a description that leaves something out is wrong. */
function topicsOf(endpoints: readonly Endpoint[]): DocsView['topics'] {
  const beginningOf = ({ path }: Endpoint): string => path.split('/')[1] ?? '';
  const known = TOPICS.flatMap(([, beginnings]) => beginnings);
  const forgotten = endpoints.find((endpoint) => !known.includes(beginningOf(endpoint)));
  if (forgotten !== undefined) throw new Error(`${forgotten.path} has no topic in /docs`);
  return TOPICS.map(([heading, beginnings]) => ({
    heading,
    operations: endpoints.filter((endpoint) => beginnings.includes(beginningOf(endpoint))).map(operationView),
  }));
}

function operationView(endpoint: Endpoint): OperationView {
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
