/** What many spaces write and ask at once, in statements that they share. */

import { shareStatement } from '../platform/share-statement';
import type { AttemptRecord, DeliveryStore } from './delivery-ledger';
import type { FoldStore, Head, SpaceBacklog } from './fold.store';

/** What was sent is told to nobody: it is recorded a moment later, together. */
const RECORD_SPACING_MS = 20;

export interface SharedWrites {
  readonly freeze: DeliveryStore['freeze'];
  record(attempt: AttemptRecord): Promise<void>;
  /** Null: the message or its destination is gone. */
  backlogOf(head: Head): Promise<SpaceBacklog | null>;
}

/** Makes it over the stores that write many at once. */
export function makeSharedWrites({
  ledger,
  folds,
}: {
  readonly ledger: Pick<DeliveryStore, 'freeze' | 'record'>;
  readonly folds: Pick<FoldStore, 'backlogs'>;
}): SharedWrites {
  const freeze = shareStatement(ledger.freeze);
  const record = shareStatement(
    async (attempts: readonly AttemptRecord[]) => {
      await ledger.record(attempts);
      return attempts.map(() => true);
    },
    { spacingMs: RECORD_SPACING_MS },
  );
  const backlogOf = shareStatement(async (heads: readonly Head[]) => {
    const backlogs = await folds.backlogs(heads);
    return heads.map(({ delivery }) => backlogs.get(delivery.id) ?? null);
  });
  return {
    freeze: (bodies) => Promise.all(bodies.map(freeze)),
    async record(attempt) {
      await record(attempt);
    },
    backlogOf,
  };
}
