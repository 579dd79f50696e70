/** The API's OpenAPI 3.1 document, made from the endpoints that are really routed. Pure. */

import { z } from 'zod';
import { ANSWERS } from './answers';
import type { Endpoint } from './endpoint';

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'errors'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
} as const;

/** `baseUrl` is the server's address. */
export function openApiDocument(endpoints: readonly Endpoint[], baseUrl: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method]: operation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Dealbell',
      version: '1',
      description: 'Pipedrive events as Google Chat messages. Errors are RFC 9457 problems.',
    },
    servers: [{ url: baseUrl }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'An API key (dbk_...) or a page token' } },
      schemas: { Problem: PROBLEM },
    },
  };
}

function operation(endpoint: Endpoint): object {
  const { summary, status, body, access } = endpoint;
  return {
    summary,
    parameters: [...pathParameters(endpoint), ...queryParameters(endpoint), ...headerParameters(endpoint)],
    ...(body === null ? {} : { requestBody: { required: true, content: { 'application/json': { schema: inputSchema(body) } } } }),
    responses: {
      [String(status)]: { description: 'Success', ...(status === 204 ? {} : answerContent(endpoint)) },
      default: {
        description: 'Problem',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
    ...(access === 'open' ? { security: [] } : {}),
  };
}

function answerContent({ method, path }: Endpoint): object {
  const answer = ANSWERS[`${method} ${path}`];
  return { content: { 'application/json': answer === undefined ? {} : { schema: outputSchema(answer) } } };
}

function pathParameters({ path }: Endpoint): object[] {
  return path.includes('/:id') ? [{ name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }] : [];
}

function queryParameters({ query }: Endpoint): object[] {
  if (query === null) return [];
  return Object.entries(inputSchema(query).properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema,
  }));
}

function headerParameters({ isKeyed = false }: Endpoint): object[] {
  const description =
    'Any text of your own: within a day a repeated request of the same key does nothing more, and is answered alike';
  const schema = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' };
  return isKeyed ? [{ name: 'Idempotency-Key', in: 'header', required: false, description, schema }] : [];
}

/** What goes in, before any transformation; refinements that JSON Schema cannot say are left out. */
function inputSchema(schema: z.ZodType) {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  delete described.$schema;
  return described;
}

function outputSchema(schema: z.ZodType) {
  const described = z.toJSONSchema(schema, { io: 'output' });
  delete described.$schema;
  return described;
}
