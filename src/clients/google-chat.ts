/** Google Chat's incoming webhooks: one POST, and what it came to as a value. Never throws, never follows a redirect. */

import { Pool, type Dispatcher } from 'undici';
import { messageOf } from '../core/errors';
import type { DeliveryOutcome } from '../core/delivery';
import { outcomeOf, type Answer } from './google-chat-answer';
import { buildChatUrl, type ChatUrlParts } from './google-chat-url';

const TIMEOUT_MS = 10_000;
/** Idle connections are closed before Google may close them: a message sent into a closed one would be lost and sent again. */
const IDLE_CONNECTION_MS = 4_000;
/** Chat gives back what it was sent, at most 32,000 bytes, more widely written: escaped and indented. */
const MAX_ANSWER_BYTES = 1_048_576;
const HEADERS = { 'Content-Type': 'application/json; charset=UTF-8' };

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

/** Hears how the exchange goes; of the answer it keeps at most 1 MB. An answer that is cut off before is an error. */
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
      controller.abort(new Error('an answer of more than 1 MB'));
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
