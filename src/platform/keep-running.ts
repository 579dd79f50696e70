/** Keeps a server process running: one that ends without being asked to is started again, until it is stopped. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../core/errors';

const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;

export interface KeepRunningLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface Needs {
  readonly first: ChildProcess;
  /** Starts it anew where it was; rejects when it does not start, and is asked again later. */
  readonly startAgain: () => Promise<ChildProcess>;
  readonly stopServer: (server: ChildProcess) => Promise<void>;
  readonly log: KeepRunningLog | undefined;
}

/** The returned `stop` ends the server for good. A server whose parent exits without it is told to shut down too. */
export function keepRunning({ first, startAgain, stopServer, log }: Needs): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let current = first;
  let restarting = Promise.resolve();

  /** The only hook into our process; removed when the server is stopped. */
  const endWithUs = (): void => {
    current.kill('SIGINT');
  };

  function watch(server: ChildProcess): void {
    current = server;
    const onEnd = (): void => {
      if (stopping.signal.aborted) return;
      log?.error(
        { code: server.exitCode, signal: server.signalCode },
        'embedded postgres ended unexpectedly; it is started again',
      );
      restarting = restart();
    };
    server.on('error', (error) => log?.error({ err: error }, 'embedded postgres could not be signalled'));
    if (server.exitCode === null && server.signalCode === null) server.once('exit', onEnd);
    else onEnd();
  }

  async function restart(): Promise<void> {
    for (let restMs = FIRST_REST_MS; !stopping.signal.aborted; restMs = Math.min(2 * restMs, LONGEST_REST_MS)) {
      try {
        watch(await startAgain());
        log?.info({ pid: current.pid }, 'embedded postgres started again');
        return;
      } catch (error) {
        log?.error({ reason: messageOf(error), restMs }, 'embedded postgres could not be started again; it is tried on');
        await restUnlessStopping(restMs);
      }
    }
  }

  async function restUnlessStopping(restMs: number): Promise<void> {
    try {
      await delay(restMs, undefined, { ref: false, signal: stopping.signal });
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    }
  }

  process.once('exit', endWithUs);
  watch(first);
  return {
    async stop() {
      stopping.abort();
      await restarting;
      process.off('exit', endWithUs);
      await stopServer(current);
    },
  };
}
