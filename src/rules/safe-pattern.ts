/** Patterns that users write, in RE2's language: they match in linear time whatever is written. */

import { RE2JS } from 're2js';

const patterns = new Map<string, RE2JS | null>();
const MAX_PATTERNS = 1_000;

/** A compiled pattern of RE2's language, which matches in linear time whatever a user writes; null when it is none. */
export function patternOf(source: string): RE2JS | null {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  if (patterns.size >= MAX_PATTERNS) patterns.clear();
  const compiled = compile(source);
  patterns.set(source, compiled);
  return compiled;
}

/** Whether this can be compiled. */
export function isPattern(source: string): boolean {
  return patternOf(source) !== null;
}

function compile(source: string): RE2JS | null {
  try {
    return RE2JS.compile(source, RE2JS.CASE_INSENSITIVE);
  } catch {
    // The API refuses such a pattern; one that is stored all the same matches nothing.
    return null;
  }
}
