/** Google Chat's incoming webhooks: one POST, and what it came to as a value. Never throws, never follows a redirect. */

import { Pool, type Dispatcher } from 'undici';
import { z } from 'zod';
import { messageOf } from '../core/errors';
import type { DeliveryOutcome } from '../core/delivery';
import { isObject } from '../core/record';
import { buildChatUrl, type ChatUrlParts } from './google-chat-url';

const TIMEOUT_MS = 10_000;
/** Idle connections are closed before Google may close them: a message sent into a closed one would be lost and sent again. */
const IDLE_CONNECTION_MS = 4_000;
const MAX_ANSWER_BYTES = 65_536;
const HEADERS = { 'Content-Type': 'application/json; charset=UTF-8' };
const MAX_RETRY_AFTER_MS = 600_000;

export interface ChatPost {
  readonly url: ChatUrlParts;
  /** The same on every attempt: Chat then shows the message once (spaces.messages.create, `requestId`). */
  readonly requestId: string;
  readonly body: string;
  /** The body names a thread: without the option Chat ignores it, and the option without a thread is an error. */
  readonly isThreaded: boolean;
  /** Called when the whole request was handed to the network. */
  readonly onWritten?: () => void;
}

export type PostMessage = (post: ChatPost) => Promise<DeliveryOutcome>;

const postedMessage = z.object({ name: z.string().min(1), thread: z.object({ name: z.string() }).partial().optional() });
const googleError = z.object({ error: z.object({ message: z.string().optional(), status: z.string().optional() }) });

/** Makes the client. `origin` is the only place it ever posts to. */
export function makeGoogleChat(origin: string, timeoutMs = TIMEOUT_MS): PostMessage {
  const send = makeSend(origin, timeoutMs);
  return async (post) => {
    try {
      return outcomeOf(await send(pathOf(origin, post), post.body, post.onWritten));
    } catch (error) {
      return { kind: 'unreachable', httpStatus: null, reason: transportReason(error, timeoutMs) };
    }
  };
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | readonly string[] | undefined;
  readonly text: string;
  /** There may be more of it than was read. */
  readonly isCut: boolean;
}

type Send = (path: string, body: string, onWritten?: () => void) => Promise<Answer>;

/** One POST within `timeoutMs`, answer included; it follows no redirect. By undici's dispatch, which costs half of what node:http does. */
function makeSend(origin: string, timeoutMs: number): Send {
  const pool = new Pool(origin, {
    keepAliveTimeout: IDLE_CONNECTION_MS,
    keepAliveMaxTimeout: IDLE_CONNECTION_MS,
    // One limit holds for all of it, connecting included.
    connect: { timeout: timeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return (path, body, onWritten) =>
    new Promise((resolve, reject) => {
      pool.dispatch({ path, method: 'POST', headers: HEADERS, body }, makeExchange({ timeoutMs, onWritten, resolve, reject }));
    });
}

interface Exchange {
  readonly timeoutMs: number;
  readonly onWritten: (() => void) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** Hears how the exchange goes; of the answer it keeps at most 64 kB. An answer that is cut off before is an error. */
function makeExchange({ timeoutMs, onWritten, resolve, reject }: Exchange): Dispatcher.DispatchHandler {
  let call: Dispatcher.DispatchController | undefined;
  let over: Error | null = null;
  let status = 0;
  let retryAfter: Answer['retryAfter'];
  const chunks: Buffer[] = [];
  let length = 0;
  const limit = setTimeout(() => fail(new TimeoutError()), timeoutMs);

  function fail(error: Error): void {
    clearTimeout(limit);
    over = error;
    reject(error);
    call?.abort(error);
  }

  function finish(): void {
    clearTimeout(limit);
    resolve({ status, retryAfter, text: Buffer.concat(chunks).toString('utf8'), isCut: length >= MAX_ANSWER_BYTES });
  }

  return {
    onRequestStart(controller) {
      call = controller;
      // Connected too late.
      if (over !== null) controller.abort(over);
      // A request so small is handed to the network in one piece, now.
      else onWritten?.();
    },
    onResponseStart(_controller, statusCode, headers) {
      status = statusCode;
      retryAfter = headers['retry-after'];
    },
    onResponseData(controller, chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (length < MAX_ANSWER_BYTES) return;
      finish();
      controller.abort(new Error('an answer of more than 64 kB'));
    },
    onResponseEnd: finish,
    onResponseError: (_controller, error) => fail(error),
  };
}

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

function pathOf(origin: string, post: ChatPost): string {
  const threading = post.isThreaded ? { messageReplyOption: 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD' } : {};
  return buildChatUrl(origin, post.url, { requestId: post.requestId, ...threading }).slice(origin.length);
}

/** The error's name and code only: its message may carry the address, which is a secret. */
function transportReason(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `Google Chat did not answer within ${timeoutMs / 1000} s.`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const words = messageOf(cause).split(/[:(]/)[0]?.trim();
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'UND_ERR';
  // undici's own codes say less than its words.
  return `Google Chat could not be reached (${code.startsWith('UND_ERR') ? (words ?? 'unknown reason') : code}).`;
}

function outcomeOf({ status, retryAfter, text: answer, isCut }: Answer): DeliveryOutcome {
  if (status >= 200 && status < 300) return acceptedOutcome(status, answer, isCut);
  const reason = `HTTP ${status}${wordsOf(answer)}`;
  if (status === 429) return { kind: 'busy', httpStatus: status, reason, retryAfterMs: retryAfterMs(retryAfter) };
  if (status === 401 || status === 403 || status === 404) return { kind: 'refused', httpStatus: status, reason };
  // A damaged key is answered with 400, but it is the destination's fault and not the body's.
  if (status === 400 && answer.includes('API_KEY_INVALID')) return { kind: 'refused', httpStatus: status, reason };
  if (status === 409) return { kind: 'sent', httpStatus: status, messageName: 'already posted', threadName: null };
  if (status >= 400 && status < 500 && status !== 408) return { kind: 'rejected', httpStatus: status, reason };
  return { kind: 'unreachable', httpStatus: status, reason, retryAfterMs: retryAfterMs(retryAfter) };
}

/**
 * 2xx counts only with a message name: one project met a 200 that carried an error. Google Chat answers with a JSON object; whatever else is
 * wholly there was said by something on the way (a proxy), and the message may never have come to Chat.
 */
function acceptedOutcome(status: number, answer: string, isCut: boolean): DeliveryOutcome {
  const json = parseJson(answer);
  if (!isCut && !isObject(json))
    return {
      kind: 'unreachable',
      httpStatus: status,
      reason: `HTTP ${status} with ${whatCame(answer)} instead of Google Chat’s answer`,
    };
  const parsed = postedMessage.safeParse(json);
  if (!parsed.success) return { kind: 'unnamed', httpStatus: status, reason: `HTTP ${status} without a message name` };
  return { kind: 'sent', httpStatus: status, messageName: parsed.data.name, threadName: parsed.data.thread?.name ?? null };
}

/** In words of our own: a proxy's page may repeat the address, which is a secret. */
function whatCame(answer: string): string {
  const text = answer.trim();
  if (text === '') return 'an empty body';
  return text.startsWith('<') ? 'a web page' : 'some other text';
}

function wordsOf(answer: string): string {
  const parsed = googleError.safeParse(parseJson(answer));
  if (!parsed.success) return '';
  const { status, message } = parsed.data.error;
  const words = [status, message?.slice(0, 300)].filter((part) => part !== undefined).join(': ');
  return words === '' ? '' : ` ${words}`;
}

/** Chat documents no Retry-After; it is honoured when there is one (seconds, or a date). */
function retryAfterMs(header: Answer['retryAfter']): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // HTML or a cut body: an answer without words.
    return null;
  }
}
