/**
 * Finds out which of the messages that one message tells cannot be told, so that they alone have to wait and not the others with them. Those that
 * fail together only are told in fewer and fewer.
 */

import type { Logger } from 'pino';
import { NO_RATES } from '../core/exchange-rates';
import type { RecordChange } from '../core/transition';
import { NO_NAMES } from '../messages/names';
import { foldReferences, renderFold, renderPlainFold } from '../messages/render-fold';
import type { ClaimedDelivery } from './delivery-ledger';
import type { FoldMember } from './fold-rows';
import type { FoldStore } from './fold.store';
import { backoffMs } from './retry-policy';

export interface MendFoldDependencies {
  readonly folds: Pick<FoldStore, 'members' | 'leaveOut' | 'halve'>;
  readonly log: Logger;
}

/**
 * After a claimed message could not be prepared: leaves out what it cannot tell. When it could tell each, it is halved, but not at once, because what
 * its names come from may only be away for a moment. True: it is another one now. False: that would not help, or it tells nothing else.
 * Rejects when the database cannot be reached.
 */
export type MendFold = (delivery: ClaimedDelivery) => Promise<boolean>;

/** So often a message is tried as a whole. */
const WHOLE_ATTEMPTS = 3;

/** Makes the use case. */
export function makeMendFold({ folds, log }: MendFoldDependencies): MendFold {
  return async (delivery) => {
    if (delivery.foldKind === null || delivery.renderedBody !== null) return false;
    const members = await folds.members(delivery.id);
    const untellable = members.flatMap((member) => {
      const error = whyNot(delivery, member);
      return error === null ? [] : [{ id: member.id, error }];
    });
    if (members.length < 2) return false;
    if (untellable.length === 0) {
      if (delivery.attempts < WHOLE_ATTEMPTS) return false;
      log.warn({ tenantId: delivery.tenant.id, deliveryId: delivery.id, count: members.length }, 'message of several is halved');
      await folds.halve(delivery, backoffMs(delivery.attempts - WHOLE_ATTEMPTS, 0));
      return true;
    }
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
