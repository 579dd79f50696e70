/** Whether anything may be told of a record: neither it nor the deal that it belongs to is muted. Pure. */

import { idField, type RecordState } from '../core/record';
import { recordKey } from './routing-ledger';

/** What is told of; activities and notes name their deal in `state`. */
export interface ToldRecord {
  readonly entity: string;
  readonly entityId: string;
  readonly state: RecordState;
}

/** `muted` holds `recordKey`s. */
export function isMuted({ entity, entityId, state }: ToldRecord, muted: ReadonlySet<string>): boolean {
  if (muted.size === 0) return false;
  if (muted.has(recordKey(entity, entityId))) return true;
  if (entity !== 'activity' && entity !== 'note') return false;
  const dealId = idField(state, 'deal_id');
  return dealId !== null && muted.has(recordKey('deal', String(dealId)));
}
