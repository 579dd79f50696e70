/**
 * Deletes what is older than the plan keeps: events, deliveries and logs, in bounded chunks, so that no statement blocks the others;
 * and what erased tenants have left behind.
 */

import type { Logger } from 'pino';
import type { RetentionStore } from './retention.store';

export interface RetentionDependencies {
  readonly store: RetentionStore;
  readonly log: Logger;
  readonly retentionDays: number;
  readonly chunkSize?: number;
}

/** Deletes everything over age, and what erased tenants left behind, and says how many rows of each went. A message that is still owed is never deleted. */
export type DeleteExpired = () => Promise<Readonly<Record<string, number>>>;

/** Makes the nightly job. */
export function makeDeleteExpired({ store, log, retentionDays, chunkSize = 2_000 }: RetentionDependencies): DeleteExpired {
  return async () => {
    const deleted: Record<string, number> = { leftBehind: await store.deleteLeftBehind(chunkSize) };
    for (const table of store.tables) {
      deleted[table] = 0;
      let count = chunkSize;
      while (count === chunkSize) {
        count = await store.deleteChunk(table, retentionDays, chunkSize);
        deleted[table] += count;
      }
    }
    log.info({ deleted, retentionDays }, 'expired rows deleted');
    return deleted;
  };
}
