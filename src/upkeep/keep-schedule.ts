/** Keeps what comes by the clock scheduled: a queue that lost all it knew rings for nothing by itself. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';

export interface KeepScheduleDependencies {
  readonly queue: {
    schedule(key: string, pattern: string): Promise<void>;
    isScheduled(key: string): Promise<boolean>;
  };
  /** Cron patterns in UTC by key. */
  readonly schedule: Readonly<Record<string, string>>;
  /** A clock that never jumps. */
  readonly nowMs: () => number;
  readonly log: Logger;
}

/** Neither waits nor fails: the queue may be away. What it has not answered yet it does when it is back. */
export interface KeepSchedule {
  /** Schedules all of it anew. */
  anew(): void;
  /** Schedules what is missing; looks twice a minute at most, however often it is called. */
  mend(): void;
}

const LOOK_EVERY_MS = 30_000;

/** Makes it. */
export function makeKeepSchedule({ queue, schedule, nowMs, log }: KeepScheduleDependencies): KeepSchedule {
  const patterns = Object.entries(schedule);
  let isLooking = false;
  let lookedAtMs = nowMs();

  async function each(work: (key: string, pattern: string) => Promise<void>): Promise<void> {
    await Promise.all(
      patterns.map(async ([key, pattern]) => {
        try {
          await work(key, pattern);
        } catch (error) {
          log.warn({ key, reason: messageOf(error) }, 'upkeep could not be scheduled');
        }
      }),
    );
  }

  return {
    anew: () => void each((key, pattern) => queue.schedule(key, pattern)),
    mend() {
      if (isLooking || nowMs() - lookedAtMs < LOOK_EVERY_MS) return;
      isLooking = true;
      lookedAtMs = nowMs();
      const looked = each(async (key, pattern) => {
        if (await queue.isScheduled(key)) return;
        await queue.schedule(key, pattern);
        log.warn({ key }, 'the queue had forgotten this upkeep; it is scheduled anew');
      });
      void looked.finally(() => (isLooking = false));
    },
  };
}
