/** Ends a process in order: on SIGTERM or SIGINT everything is closed once, bounded in time. */

import type { Logger } from 'pino';

/** Hosts send SIGKILL some time after SIGTERM; deploys expect a worker to be gone within 10 s. */
const LIMIT_MS = 10_000;
/** npm hands on a Ctrl-C that the terminal has sent to us already: a signal so soon after the first is the same one. */
const SAME_SIGNAL_MS = 1_000;

/** Closes on the first signal and exits with 0; when closing fails or takes too long, with 1. A later second signal exits at once. */
export function closeOnSignal(close: () => Promise<void>, log: Logger): void {
  let closingSinceMs: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closingSinceMs !== null) {
      if (performance.now() - closingSinceMs > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    closingSinceMs = performance.now();
    log.info({ signal }, 'closing');
    const limit = setTimeout(() => {
      log.error({ limitMs: LIMIT_MS }, 'closing took too long');
      process.exit(1);
    }, LIMIT_MS);
    limit.unref();
    close().then(
      () => {
        log.info('closed');
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ err: error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
