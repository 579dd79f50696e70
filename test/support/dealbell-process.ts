/** Dealbell as a process of its own, started from the sources with an environment, to be killed by tests. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { waitUntil } from './wait-until';

const ROOT = resolve(__dirname, '../..');
const START_LIMIT_MS = 60_000;

export type Entry = 'main' | 'web' | 'worker';

export interface DealbellProcess {
  /** What it printed on stdout and stderr. */
  output(): string;
  /** Resolves when it answers HTTP. */
  ready(): Promise<void>;
  /** Sends the signal and waits for the end; gives the exit code, null after a kill. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void;
  /** Waits for an end of its own accord. */
  ended(): Promise<number | null>;
}

/** Starts `src/<entry>.ts` with nothing in its environment but what is needed to run and `environment`. */
export function startProcess(entry: Entry, environment: Readonly<Record<string, string>>): DealbellProcess {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'src', `${entry}.ts`)], {
    ...{ cwd: ROOT, env: { PATH, HOME, ...environment } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString('utf8')));
  const output = (): string => chunks.join('');
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    output,
    async ready() {
      const isUp = async (): Promise<boolean> => {
        if (!isAlive()) throw new Error(`the process ended: ${output()}`);
        return await isAnswering(environment['PORT'] ?? '3000');
      };
      await waitUntil(`the process answers; it printed: ${output()}`, isUp, START_LIMIT_MS);
    },
    async end(signal) {
      if (isAlive()) child.kill(signal);
      return await endOf(child);
    },
    signal: (signal) => void child.kill(signal),
    ended: () => endOf(child),
  };
}

async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function isAnswering(port: string): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health/live`)).ok;
  } catch {
    // Not listening yet.
    return false;
  }
}
