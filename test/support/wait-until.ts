/** Waits for a condition instead of a time: looks again every few milliseconds until it holds. */

import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 15;

/** Resolves when `check` says true. Throws an Error that names `what` after `timeoutMs`. */
export async function waitUntil(what: string, check: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const endsAtMs = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > endsAtMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
