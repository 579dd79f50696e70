/** A sign of life in the ledger every few seconds: who comes back, or sees the database again, knows how long nobody could take webhooks in. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';

interface Needs {
  /** Writes the sign; gives how long ago the last one was, in milliseconds, or null for the very first. */
  readonly beat: () => Promise<number | null>;
  /** Nobody gave a sign for so long; never rejects. */
  readonly onGap: (gapMs: number) => Promise<void>;
  readonly log: Logger;
  readonly intervalMs?: number;
}

export interface Heartbeat {
  /** Beats at once, then every interval until closed. */
  start(): void;
  /** One beat; never rejects. */
  beat(): Promise<void>;
  close(): Promise<void>;
}

const INTERVAL_MS = 15_000;
/** So many beats have to be missing: a restart is shorter, and Pipedrive tries again for three minutes. */
const MISSED_BEATS = 4;

export function makeHeartbeat({ beat, onGap, log, intervalMs = INTERVAL_MS }: Needs): Heartbeat {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let isClosed = false;

  async function beatOnce(): Promise<void> {
    try {
      const gapMs = await beat();
      if (gapMs === null || gapMs < MISSED_BEATS * intervalMs) return;
      log.warn({ gapMs }, 'no webhook could be taken in for a while');
      await onGap(gapMs);
    } catch (error) {
      // The database is away: the next beat that gets through finds the gap.
      log.warn({ reason: messageOf(error) }, 'no sign of life could be written');
    }
  }

  function next(): void {
    if (isClosed) return;
    timer = setTimeout(go, intervalMs);
    timer.unref();
  }

  function go(): void {
    running = beatOnce().then(next);
  }

  return {
    start: go,
    beat: beatOnce,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
