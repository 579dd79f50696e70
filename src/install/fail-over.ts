/** When a connection is lost, the webhooks go on under another one: in the background, since whoever noticed must not wait. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { TenantId } from '../core/tenant';

export interface FailOver {
  /** Begins to register the tenant's webhooks anew; a failure is logged and left to the hourly repair. */
  start(tenantId: TenantId): void;
  /** Resolves when nothing is under way: for shutdown and tests. */
  settled(): Promise<void>;
}

interface Needs {
  readonly syncWebhooks: (tenantId: TenantId) => Promise<unknown>;
  readonly log: Logger;
}

export function makeFailOver({ syncWebhooks, log }: Needs): FailOver {
  const underWay = new Set<Promise<void>>();

  return {
    start(tenantId) {
      const run = syncWebhooks(tenantId)
        .then(
          () => undefined,
          (error: unknown) => {
            log.error({ tenantId, reason: messageOf(error) }, 'fail-over failed');
          },
        )
        .finally(() => underWay.delete(run));
      underWay.add(run);
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
