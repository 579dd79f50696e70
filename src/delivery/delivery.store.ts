/** The ledger as the sender uses it: due messages claimed per space, bodies frozen, attempts recorded; a few statements for many spaces. */

import type { Database } from '../platform/database';
import { makeClaimDue } from './claim.store';
import type { DeliveryStore } from './delivery-ledger';
import { makeFreeze } from './freeze.store';
import { makeRecord } from './record.store';

/** Nothing was sent; whoever changes the messages meanwhile is given a moment. */
const RELEASE = `
  UPDATE google_spaces SET lease_until = NULL, next_slot_at = greatest(next_slot_at, now() + interval '20 milliseconds')
   WHERE space_id = ANY ($1::text[])`;

/** Makes the sender's store. */
export function makeDeliveryStore(database: Pick<Database, 'pool' | 'transaction'>): DeliveryStore {
  const { pool } = database;
  return {
    claimDue: makeClaimDue(pool),
    freeze: makeFreeze(pool),
    async release(spaceIds) {
      await pool.query(RELEASE, [spaceIds]);
    },
    record: makeRecord(database),
    async dropLeases() {
      await pool.query('UPDATE google_spaces SET lease_until = NULL WHERE lease_until IS NOT NULL');
    },
  };
}
