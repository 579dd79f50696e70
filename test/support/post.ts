/** A place for a process of Dealbell, kept as a host keeps it: what ends by itself is remembered, and started again. */

import { setTimeout as pause } from 'node:timers/promises';
import { startProcess, type DealbellProcess, type Entry } from './dealbell-process';

export interface Post {
  readonly entry: Entry;
  /** Kills or ends its process, and starts it anew; the exit code of what ended, null when it had fallen or was killed. */
  replace(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
}

/** A process that ended by itself. */
export interface Fall {
  readonly entry: Entry;
  readonly code: number | null;
  /** Since it was started. */
  readonly afterMs: number;
  readonly output: string;
}

export interface OpenPost extends Post {
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** A host waits a little before it tries again. */
const START_AGAIN_MS = 1_000;

/** Starts the process and keeps it going until the post is closed. */
export function openPost(entry: Entry, environment: Readonly<Record<string, string>>, onFall: (fall: Fall) => void): OpenPost {
  /** Null while it is being replaced, has fallen, or the post is closed. */
  let running: DealbellProcess | null = null;
  let turn = 0;

  function begin(): void {
    const own = (turn += 1);
    const begun = startProcess(entry, environment);
    const startedAtMs = Date.now();
    running = begun;
    void begun.ended().then(async (code) => {
      if (own !== turn) return;
      running = null;
      onFall({ entry, code, afterMs: Date.now() - startedAtMs, output: begun.output() });
      await pause(START_AGAIN_MS);
      if (own === turn) begin();
    });
  }

  async function vacate(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const leaving = running;
    turn += 1;
    running = null;
    return (await leaving?.end(signal)) ?? null;
  }

  begin();
  return {
    entry,
    async replace(signal) {
      const code = await vacate(signal);
      begin();
      return code;
    },
    signal: (signal) => running?.signal(signal),
    ready: async () => await running?.ready(),
    async close() {
      await vacate('SIGKILL');
    },
  };
}
