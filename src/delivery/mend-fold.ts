/** Finds out which of the messages that one message tells cannot be told, so that they alone have to wait and not the others with them. */

import type { Logger } from 'pino';
import { NO_RATES } from '../core/exchange-rates';
import type { RecordChange } from '../core/transition';
import { NO_NAMES } from '../messages/names';
import { foldReferences, renderFold, renderPlainFold } from '../messages/render-fold';
import type { ClaimedDelivery } from './delivery-ledger';
import type { FoldMember } from './fold-rows';
import type { FoldStore } from './fold.store';

export interface MendFoldDependencies {
  readonly folds: Pick<FoldStore, 'members' | 'leaveOut'>;
  readonly log: Logger;
}

/**
 * After a claimed message could not be prepared: leaves out what it cannot tell. True: it is another one now, and due. False: that would
 * not help, or it tells nothing else. Rejects when the database cannot be reached.
 */
export type MendFold = (delivery: ClaimedDelivery) => Promise<boolean>;

/** Makes the use case. */
export function makeMendFold({ folds, log }: MendFoldDependencies): MendFold {
  return async (delivery) => {
    if (delivery.foldKind === null || delivery.renderedBody !== null) return false;
    const members = await folds.members(delivery.id);
    const untellable = members.flatMap((member) => {
      const error = whyNot(delivery, member);
      return error === null ? [] : [{ id: member.id, error }];
    });
    if (untellable.length === 0 || members.length < 2) return false;
    for (const { id, error } of untellable)
      log.error({ err: error, tenantId: delivery.tenant.id, deliveryId: id }, 'delivery cannot be told together with others');
    await folds.leaveOut(
      delivery,
      untellable.map(({ id }) => id),
    );
    return true;
  };
}

/** Null: it can be told. */
function whyNot(delivery: ClaimedDelivery, { change }: FoldMember): unknown {
  if (change instanceof Error) return change;
  try {
    render(delivery, change);
  } catch (error) {
    return error;
  }
  return null;
}

function render({ foldKind, isPlain, tenant, destination }: ClaimedDelivery, change: RecordChange): void {
  if (foldKind === null) return;
  const { locale = null, timeZone = null } = destination ?? {};
  const fold = { kind: foldKind, changes: [change], tenant, rates: NO_RATES, destination: { locale, timeZone } };
  foldReferences(fold.changes, NO_RATES);
  (isPlain ? renderPlainFold : renderFold)(fold, NO_NAMES);
}
