/** `POST /webhook/pipedrive`: verify the sender, store, ring, answer. A plain node:http handler, because it carries the load. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { TenantId } from '../core/tenant';
import type { AcceptEvent, Acceptance } from './accept-event';
import { readClaim, verifyBasic, verifySignature, type Claim, type SenderSource } from './verify-sender';

export const WEBHOOK_PATH = '/webhook/pipedrive';
export const MAX_BODY_BYTES = 1_048_576;
/** Pipedrive gives up after 10 s: when the sender is slow, or the database hangs, it is answered before. */
const ANSWER_LIMIT_MS = 8_000;

export interface IntakeDependencies {
  readonly acceptEvent: AcceptEvent;
  readonly senders: SenderSource;
  readonly log: Logger;
  /** From the head of the request to our answer; 8 s when absent. */
  readonly answerLimitMs?: number;
  /** Told of every webhook; what it gives back is called when nothing more happens to it. */
  readonly arrive?: () => () => void;
  /** Told of every answer: HTTP status and what was made of the body. */
  readonly onAnswer?: (status: number, outcome: string) => void;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** True for requests that this handler answers; all others go to Express. */
export function isWebhookRequest(request: IncomingMessage): boolean {
  const url = request.url ?? '';
  return request.method === 'POST' && (url === WEBHOOK_PATH || url.startsWith(`${WEBHOOK_PATH}?`));
}

/** Makes the handler. It answers every request: 200, 400, 401, 413 or 503. */
export function makeIntakeHandler(
  dependencies: IntakeDependencies,
): (request: IncomingMessage, response: ServerResponse) => void {
  const limitMs = dependencies.answerLimitMs ?? ANSWER_LIMIT_MS;
  return (request, response) => {
    const leave = dependencies.arrive?.();
    const limit = setTimeout(() => {
      // What is stored after that is found there when it is sent again.
      dependencies.log.error({ limitMs }, 'webhook could not be stored in time');
      send(request, response, TRY_AGAIN, dependencies);
    }, limitMs);
    answerFor(request, dependencies)
      .then(
        (answer) => {
          send(request, response, answer, dependencies);
        },
        (error: unknown) => {
          dependencies.log.error({ err: error }, 'webhook could not be stored');
          send(request, response, TRY_AGAIN, dependencies);
        },
      )
      .finally(() => {
        clearTimeout(limit);
        leave?.();
      });
  };
}

async function answerFor(request: IncomingMessage, dependencies: IntakeDependencies): Promise<Answer> {
  const claim = readClaim(request.headers);
  if (claim.kind === 'none') return problem(401, 'The credentials of a registered webhook are required.');
  // Basic credentials are checked before a byte of the body is read; a signature needs the body.
  const early = claim.kind === 'basic' ? await verifyBasic(claim, dependencies.senders) : null;
  if (claim.kind === 'basic' && early === null) return problem(401, 'The credentials are not those of a registered webhook.');
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return TOO_LARGE;
  const body = await readBody(request);
  if (body === null) return TOO_LARGE;
  const tenantId = early ?? (await lateTenant(claim, body, dependencies.senders));
  if (tenantId === null) return problem(401, 'The signature does not fit the body.');
  return toAnswer(await dependencies.acceptEvent(tenantId, body));
}

async function lateTenant(claim: Claim, body: Buffer, senders: SenderSource): Promise<TenantId | null> {
  return claim.kind === 'signature' ? verifySignature(claim, body, senders) : null;
}

function toAnswer(acceptance: Acceptance): Answer {
  switch (acceptance.status) {
    case 'accepted':
    case 'duplicate':
      return { status: 200, body: { status: acceptance.status } };
    case 'ignored':
      return { status: 200, body: { status: 'ignored', reason: acceptance.reason } };
    case 'orphan':
      return problem(401, 'The tenant of these credentials is gone.');
    case 'invalid':
      return problem(400, acceptance.reason);
    default:
      return acceptance satisfies never;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  413: 'Content Too Large',
  503: 'Service Unavailable',
};

function problem(status: number, detail: string): Answer {
  return { status, body: { type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, errors: [] } };
}

const TOO_LARGE = problem(413, 'A webhook may have at most 1 MB.');
const TRY_AGAIN = problem(503, 'The event could not be stored now; please send it again.');

function send(request: IncomingMessage, response: ServerResponse, answer: Answer, dependencies: IntakeDependencies): void {
  if (response.headersSent) return;
  dependencies.onAnswer?.(answer.status, String(answer.body['status']));
  if (response.destroyed) return;
  const isProblem = answer.status >= 400;
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'Content-Type': isProblem ? 'application/problem+json' : 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(answer.status === 401 ? { 'WWW-Authenticate': 'Basic realm="Dealbell webhook"' } : {}),
    // What was not read of a refused body must not be taken for the next request.
    ...(request.complete ? {} : { Connection: 'close' }),
  });
  response.end(text);
}

/** The whole body, or null when it is larger than allowed. Rejects when the sender goes away, or has before. */
function readBody(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const gone = new Error('the sender went away');
    // Of one that went before this, nothing is told any more.
    if (request.destroyed) reject(gone);
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
      else resolve(null);
    });
    request.on('end', () => {
      const [first] = chunks;
      resolve(first?.length === length ? first : Buffer.concat(chunks, Math.min(length, MAX_BODY_BYTES)));
    });
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(gone);
    });
  });
}
