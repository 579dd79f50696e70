/** AppError: "this request cannot go on", with a code, a sentence for the reader and, for HTTP, a status. */

export interface FieldError {
  /** JSON path of the offending field, dot-separated; empty for the whole body. */
  readonly path: string;
  readonly message: string;
}

interface AppErrorOptions {
  readonly cause?: unknown;
  /** HTTP status to answer with, when the error reaches a route; 500 when absent. */
  readonly status?: number;
  readonly errors?: readonly FieldError[];
}

/** An expected failure with words for its reader. Anything else that is thrown is a bug and goes to Sentry. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: string;
  readonly status: number;
  readonly errors: readonly FieldError[];

  constructor(code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 500;
    this.errors = options.errors ?? [];
  }
}

/** Code of an AppError: what was sealed for the database cannot be opened, by this installation's keys or at all. */
export const SECRET_UNREADABLE = 'secret_unreadable';

/** Whether a failure is that of a secret which cannot be opened. */
export function isUnreadableSecret(error: unknown): boolean {
  return error instanceof AppError && error.code === SECRET_UNREADABLE;
}

/** The message of whatever was thrown, for logs and reasons. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
