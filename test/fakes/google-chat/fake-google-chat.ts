// A stand-in for Google Chat: a real HTTP server that takes webhook posts as chat.googleapis.com does and shows the spaces as pages.
// It imports nothing from src/, so that it cannot share a mistake with the product.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { makeChatLedger, type ChatSpace, type PostedMessage } from './chat-ledger';
import { makeChatPages } from './chat-pages';
import { unknownIconsOf } from './draw-icon';
import { type Fault, faultOutcome, makeFaultPlan } from './fault-plan';
import { type ChatAnswer, errorAnswer, wrongPath } from './google-answers';
import { makeReceiver, type IncomingPost, type Receipt } from './receive-message';
import { makeTally, type ChatCounts, type RequestRecord } from './request-tally';

export interface FakeGoogleChatOptions {
  readonly port?: number;
  /** 127.0.0.1 when absent. */
  readonly host?: string;
  readonly enforceQuota?: boolean;
  readonly quotaPerSecond?: number;
  readonly validate?: boolean;
  /** false for benchmarks: counts only, no messages and no requests are kept. */
  readonly keepBodies?: boolean;
  /** Where a link on the pages leads; as it is written when absent. The sandbox leads Pipedrive's links to its stand-in. */
  readonly leadTo?: (address: string) => string;
  /** Milliseconds since 1970; for the quota and the times shown. */
  readonly clock?: () => number;
}

export interface FakeGoogleChat {
  /** Origin without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
  createSpace(space: { name: string; id?: string; threading?: ChatSpace['threading'] }): ChatSpace;
  /** A token may be given so that a URL outlives a restart of the stand-in. */
  createWebhook(spaceId: string, webhook?: { name?: string; token?: string }): { readonly url: string };
  deleteWebhook(url: string): void;
  spaces(): readonly ChatSpace[];
  /** What people see, in order; repetitions of a request id are not in it. */
  messages(spaceId?: string): readonly PostedMessage[];
  /** Every request to the API, refused ones included. */
  readonly requests: readonly RequestRecord[];
  readonly counts: ChatCounts;
  /** Repetitions of a request id with another body. */
  readonly requestIdMismatch: number;
  /** Material icon names that the pages cannot draw, as posted so far. */
  readonly unknownIcons: readonly string[];
  /** Forgets messages, requests, counts, faults and outages; spaces and webhooks stay. */
  clear(): void;
  /** @throws Error after `timeoutMs`, saying what did arrive */
  waitForMessages(spaceId: string | null, count: number, timeoutMs: number): Promise<readonly PostedMessage[]>;
  /** Calls back at every answered, cut or hanging request; returns how to stop. */
  onRequest(listener: (request: RequestRecord) => void): () => void;
  failNext(fault: Fault): void;
  /** From now on every request to the space (null: any) gets this status; null lifts it. */
  setOutage(spaceId: string | null, status: number | null): void;
}

const MAX_BODY_BYTES = 4_000_000;

/** Starts the stand-in on loopback; without a port on one that is free. */
export async function startFakeGoogleChat(options: FakeGoogleChatOptions = {}): Promise<FakeGoogleChat> {
  const { port = 0, host = '127.0.0.1', clock = Date.now, keepBodies = true } = options;
  const { enforceQuota = true, quotaPerSecond = 1, validate = true } = options;
  let url = '';
  const ledger = makeChatLedger({ origin: () => url });
  const faults = makeFaultPlan();
  const tally = makeTally({ keepBodies });
  const unknownIcons = new Set<string>();
  const receiveNow = makeReceiver({ ledger, settings: { enforceQuota, quotaPerSecond, validate, keepBodies } });
  const pages = makeChatPages({ ledger, leadTo: options.leadTo ?? ((address) => address) });

  const receive = (post: IncomingPost): Receipt => {
    const receipt = receiveNow(post);
    tally.receipt(receipt);
    if (receipt.kind === 'posted') {
      unknownIconsOf(ledger.lastMessage()?.message).forEach((name) => unknownIcons.add(name));
      tally.wake();
    }
    return receipt;
  };

  const server = createServer((request, response) => {
    const address = new URL(`http://stand-in${request.url ?? '/'}`);
    const handling = address.pathname.startsWith('/v1/')
      ? handleApi({ request, response, address, receive, faults, tally, clock })
      : pages.handle(request, response, address);
    handling.catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.keepAliveTimeout = 65_000;
  server.listen(port, host);
  await once(server, 'listening');
  const bound = server.address();
  url = `http://${host}:${typeof bound === 'object' && bound !== null ? bound.port : port}`;

  return {
    url,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    createSpace: (space) => ledger.createSpace(space),
    createWebhook: (spaceId, webhook) => ({ url: ledger.createWebhook(spaceId, webhook).url }),
    deleteWebhook: (webhookUrl) => {
      ledger.deleteWebhook(webhookUrl);
    },
    spaces: () => ledger.spaces(),
    messages: (spaceId) => ledger.messages(spaceId),
    get requests() {
      return tally.requests();
    },
    get counts() {
      return tally.counts();
    },
    get requestIdMismatch() {
      return tally.counts().requestIdMismatch;
    },
    get unknownIcons() {
      return [...unknownIcons].sort();
    },
    clear: () => {
      ledger.clear();
      faults.clear();
      tally.clear();
      unknownIcons.clear();
    },
    waitForMessages: async (spaceId, count, timeoutMs) => {
      await tally.waitUntil(
        () => ledger.postedCount(spaceId) >= count,
        timeoutMs,
        () => `${count} message(s) expected in ${spaceId ?? 'all spaces'}, ${ledger.postedCount(spaceId)} came`,
      );
      return ledger.messages(spaceId ?? undefined);
    },
    onRequest: (listener) => tally.onRequest(listener),
    failNext: (fault) => {
      faults.failNext(fault);
    },
    setOutage: (spaceId, status) => {
      faults.setOutage(spaceId, status);
    },
  };
}

interface ApiCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: URL;
  readonly receive: (post: IncomingPost) => Receipt;
  readonly faults: ReturnType<typeof makeFaultPlan>;
  readonly tally: ReturnType<typeof makeTally>;
  readonly clock: () => number;
}

async function handleApi({ request, response, address, receive, faults, tally, clock }: ApiCall): Promise<void> {
  const spaceId = /^\/v1\/spaces\/([^/]+)\/messages$/.exec(address.pathname)?.[1] ?? null;
  const rawBody = await readBody(request);
  const record = makeRecorder({ at: clock(), spaceId, rawBody, query: address.searchParams, headers: request.headers, tally });
  const fault = faults.take(spaceId);
  if (fault?.delayMs !== undefined && !fault.afterPosting) {
    await pause(fault.delayMs);
  }
  const answerNormally = (): ChatAnswer => {
    if (spaceId === null) {
      return wrongPath();
    }
    if (request.method !== 'POST') {
      return errorAnswer(401); // reading, changing and deleting need OAuth
    }
    return receive({
      spaceId,
      query: address.searchParams,
      contentType: request.headers['content-type'] ?? '',
      rawBody,
      atMs: clock(),
    }).answer;
  };
  const outcome = fault ? faultOutcome(fault) : { kind: 'none' as const };
  const early = fault?.afterPosting ? answerNormally() : undefined;
  if (fault?.delayMs !== undefined && fault.afterPosting) {
    await pause(fault.delayMs);
  }
  switch (outcome.kind) {
    case 'hang':
      record(null);
      return;
    case 'reset':
      record(null);
      request.socket.destroy();
      return;
    case 'answer':
      record(outcome.answer.status);
      send(response, outcome.answer);
      return;
    case 'none': {
      const answer = early ?? answerNormally();
      record(answer.status);
      send(response, answer);
      return;
    }
    default:
      outcome satisfies never;
  }
}

function makeRecorder(call: {
  at: number;
  spaceId: string | null;
  rawBody: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  tally: ApiCall['tally'];
}) {
  const { at, spaceId, rawBody, query, headers, tally } = call;
  return (status: number | null): void => {
    tally.record({
      at,
      spaceId,
      status,
      requestId: query.get('requestId') ?? undefined,
      rawBody,
      query: Object.fromEntries(query),
      headers,
    });
  };
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) {
        reject(new Error('The body is longer than the stand-in reads.'));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    request.on('error', reject);
  });
}

function send(response: ServerResponse, { status, headers, body }: ChatAnswer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
