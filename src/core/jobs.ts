/** The contracts between the stages: what a bell says. A job holds no fact, only where to look in the ledger. */

import type { TenantId } from './tenant';

/**
 * The bell. Ringing never throws, never waits longer than 250 ms and may be lost: the sweep looks in the ledger
 * for whatever is overdue.
 */
export interface Bell {
  /** This tenant has events to route. */
  ringRoute(tenantId: TenantId): void;
  /** These Google spaces were given messages to send; when absent, any may have been. */
  ringDeliver(spaceIds?: readonly string[]): void;
}
