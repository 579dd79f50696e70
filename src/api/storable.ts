/** Finds what JSON may say but PostgreSQL cannot keep, before any of it reaches a query. */

import type { FieldError } from '../core/errors';

const MAX_DEPTH = 40;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The first text (or key) with a NUL character or half a surrogate pair, or the place where the nesting is too deep;
 * null when all is well. Walks without recursion: the input is hostile.
 */
export function unstorableText(input: unknown): FieldError | null {
  const todo: { value: unknown; path: readonly string[] }[] = [{ value: input, path: [] }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { value, path } = next;
    if (typeof value === 'string' && isUnstorable(value)) return at(path, 'has a character that cannot be stored');
    if (typeof value !== 'object' || value === null) continue;
    if (path.length >= MAX_DEPTH) return at(path, `is nested deeper than ${MAX_DEPTH} levels`);
    for (const [key, inner] of Object.entries(value)) {
      if (isUnstorable(key)) return at(path, 'has a field name that cannot be stored');
      todo.push({ value: inner, path: [...path, key] });
    }
  }
  return null;
}

function isUnstorable(text: string): boolean {
  return text.includes('\0') || LONE_SURROGATE.test(text);
}

function at(path: readonly string[], message: string): FieldError {
  return { path: path.slice(0, 10).join('.'), message };
}
