/** What an answer to a POST to Google Chat means. What was said by something on the way (a proxy) says nothing of the message. Pure. */

import { z } from 'zod';
import type { DeliveryOutcome } from '../core/delivery';
import { isObject } from '../core/record';

const MAX_RETRY_AFTER_MS = 600_000;

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | readonly string[] | undefined;
  readonly text: string;
  /** There may be more of it than was read. */
  readonly isCut: boolean;
}

const postedMessage = z.object({ name: z.string().min(1), thread: z.object({ name: z.string() }).partial().optional() });
/** google.rpc.Status, as all of Google's APIs wrap it. */
const googleError = z.object({ error: z.object({ message: z.string().optional(), status: z.string().optional() }) });
type GoogleError = z.infer<typeof googleError>['error'];

/** Never throws; its reasons say nothing of the key. */
export function outcomeOf({ status, retryAfter, text: answer, isCut }: Answer): DeliveryOutcome {
  if (status >= 200 && status < 300) return acceptedOutcome(status, answer, isCut);
  const error = errorOf(parseJson(answer));
  const said = `HTTP ${status}${error === null ? '' : wordsOf(error, ' ')}`;
  const waitMs = retryAfterMs(retryAfter);
  if (status === 429) return { kind: 'busy', httpStatus: status, reason: said, retryAfterMs: waitMs };
  const isNothingSaid = status < 400 || status === 408 || status >= 500;
  if (isNothingSaid) return { kind: 'unreachable', httpStatus: status, reason: said, retryAfterMs: waitMs };
  // A 400 in other words than Google's, or none, still says that the body is wrong; unless it is a page.
  const isForeign = error === null && (status !== 400 || isPage(answer));
  const reason = isForeign ? notOfChat(status, answer) : said;
  // Nobody knows how each of Google's refusals is worded, some are pages, and what is refused is held and not lost.
  if (status === 401 || status === 403 || status === 404) return { kind: 'refused', httpStatus: status, reason };
  if (isForeign) return { kind: 'unreachable', httpStatus: status, reason, retryAfterMs: waitMs };
  // A damaged key is answered with 400, but it is the destination's fault and not the body's.
  if (status === 400 && answer.includes('API_KEY_INVALID')) return { kind: 'refused', httpStatus: status, reason };
  if (status !== 409) return { kind: 'rejected', httpStatus: status, reason };
  // 409 is ABORTED too, which is to be tried again. https://cloud.google.com/apis/design/errors#handling_errors
  if (error?.status === 'ALREADY_EXISTS')
    return { kind: 'sent', httpStatus: status, messageName: 'already posted', threadName: null };
  return { kind: 'unreachable', httpStatus: status, reason, retryAfterMs: waitMs };
}

/**
 * 2xx counts only with a message name, and without an error: one project met a 200 that carried one. Google Chat answers with a JSON object;
 * whatever else comes was said by something on the way (a proxy), and the message may never have come to Chat.
 */
function acceptedOutcome(status: number, answer: string, isCut: boolean): DeliveryOutcome {
  const json = parseJson(answer);
  const isOfChat = isCut ? answer.trimStart().startsWith('{') : isObject(json);
  if (!isOfChat) return { kind: 'unreachable', httpStatus: status, reason: notOfChat(status, answer) };
  if (isObject(json) && json['error'] !== undefined && json['error'] !== null) {
    const error = errorOf(json);
    return {
      kind: 'unreachable',
      httpStatus: status,
      reason: `HTTP ${status} with an error${error === null ? '' : wordsOf(error, ': ')}`,
    };
  }
  const parsed = postedMessage.safeParse(json);
  if (!parsed.success) return { kind: 'unnamed', httpStatus: status, reason: `HTTP ${status} without a message name` };
  return { kind: 'sent', httpStatus: status, messageName: parsed.data.name, threadName: parsed.data.thread?.name ?? null };
}

/** Said by something on the way. */
function notOfChat(status: number, answer: string): string {
  return `HTTP ${status} with ${whatCame(answer)} instead of Google Chat’s answer`;
}

/** In words of our own: a proxy's page may repeat the address, which is a secret. */
function whatCame(answer: string): string {
  const text = answer.trim();
  if (text === '') return 'an empty body';
  return isPage(text) ? 'a web page' : 'some other text';
}

function isPage(answer: string): boolean {
  return answer.trimStart().startsWith('<');
}

/** Null: it is none of Google's. */
function errorOf(json: unknown): GoogleError | null {
  const parsed = googleError.safeParse(json);
  return parsed.success ? parsed.data.error : null;
}

function wordsOf({ status, message }: GoogleError, before: string): string {
  const words = [status, message?.slice(0, 300)].filter((part) => part !== undefined).join(': ');
  return words === '' ? '' : `${before}${words}`;
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
