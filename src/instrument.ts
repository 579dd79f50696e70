/** Sentry, first import of every entry. Without SENTRY_DSN nothing of it is loaded. */

import { redactText } from './platform/logger';

export interface ErrorReporter {
  /** Reports a bug; expected failures are not reported. */
  report(error: unknown): void;
  /** Sends what is waiting, for at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

const SILENT: ErrorReporter = { report: () => undefined, close: () => Promise.resolve() };

/** Starts error reporting for `service` (web, worker). No request bodies, headers, cookies, addresses or user data leave the process. */
export async function startErrorReporting(dsn: string | null, service: string, environment: string): Promise<ErrorReporter> {
  if (dsn === null) return SILENT;
  const sentry = await import('@sentry/node');
  sentry.init({
    dsn,
    environment,
    serverName: service,
    initialScope: { tags: { service } },
    beforeBreadcrumb: (breadcrumb) => (breadcrumb.category === 'console' ? null : scrub(breadcrumb)),
    beforeSend: (event) => {
      delete event.request;
      delete event.user;
      return scrub(event);
    },
  });
  return {
    report: (error) => {
      sentry.captureException(error);
    },
    close: async (timeoutMs) => {
      await sentry.close(timeoutMs);
    },
  };
}

/** Every string of the report with its credentials taken out, in place: the report keeps its type. */
function scrub<T extends object>(report: T): T {
  for (const [key, value] of Object.entries(report)) {
    if (typeof value === 'string') Reflect.set(report, key, redactText(value));
    else if (typeof value === 'object' && value !== null) scrub(value);
  }
  return report;
}
