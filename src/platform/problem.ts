/** Turns whatever was thrown into an answer: an RFC 9457 problem with a status, and whether it is a bug worth reporting. */

import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';
import { z } from 'zod';
import { AppError, type FieldError } from '../core/errors';
import { isConnectionTrouble } from './database-errors';

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  /** True when nobody foresaw it. */
  readonly isBug: boolean;
}

/** Prisma's codes for a database that is away or a pool without a free connection. */
const PRISMA_TROUBLE = /^(P1001|P1002|P1008|P1011|P1017|P2024|P2028|P2037)$/;

/** Never tells more than the reader needs: the words of an unforeseen error stay inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof AppError)
    return problem(error.status, error.message, { errors: error.errors, isBug: error.status === 500 });
  if (error instanceof z.ZodError) {
    return problem(422, 'Some values cannot be accepted.', { errors: fieldErrorsOf(error) });
  }
  if (isStoreTrouble(error)) return problem(503, 'The database cannot be reached just now. Please try again.');
  const status = clientErrorStatus(error);
  if (status !== null) return problem(status, clientErrorDetail(status));
  return problem(500, 'Something went wrong on our side.', { isBug: true });
}

/** Answers with `application/problem+json`. Headers that the status asks for (`WWW-Authenticate`, `Retry-After`) included. */
export function sendProblem(response: Response, { status, title, detail, errors }: Problem): void {
  if (status === 401 && !response.hasHeader('WWW-Authenticate')) response.set('WWW-Authenticate', 'Bearer');
  if (status === 503 && !response.hasHeader('Retry-After')) response.set('Retry-After', '5');
  if (status === 429 && !response.hasHeader('Retry-After')) response.set('Retry-After', '60');
  response.set('Cache-Control', 'no-store');
  response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title, status, detail, errors }));
}

/** One line per field: unknown fields are named one by one. */
export function fieldErrorsOf(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'Unknown field' }));
  });
}

function problem(status: number, detail: string, more: { errors?: readonly FieldError[]; isBug?: boolean } = {}): Problem {
  return { status, title: STATUS_CODES[status] ?? 'Error', detail, errors: more.errors ?? [], isBug: more.isBug ?? false };
}

/** True when the error, or what caused it, says that PostgreSQL is away. */
function isStoreTrouble(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 4) return false;
  if ('code' in error && typeof error.code === 'string' && PRISMA_TROUBLE.test(error.code)) return true;
  return isConnectionTrouble(error) || isStoreTrouble(error.cause, depth + 1);
}

/** The 4xx of an http-errors error, as express and its body parser throw them. */
function clientErrorStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  return error.status >= 400 && error.status < 500 ? error.status : null;
}

function clientErrorDetail(status: number): string {
  if (status === 413) return 'The body is too large.';
  if (status === 415) return 'The body is in an encoding or character set that is not accepted.';
  return 'The request cannot be read: its body must be JSON and its address well-formed.';
}
