/** The ledger as the sender uses it: due messages claimed per space, bodies frozen, attempts recorded; a few statements for many spaces. */

import type { Database } from '../platform/database';
import { makeClaimDue } from './claim.store';
import type { DeliveryStore } from './delivery-ledger';
import { makeFreeze } from './freeze.store';
import { LEASE_MS } from './lease';
import { makeRecord } from './record.store';

/** Nothing was sent; whoever changes the messages meanwhile is given a moment. */
const RELEASE = `
  UPDATE google_spaces SET lease_until = NULL, next_slot_at = greatest(next_slot_at, now() + interval '20 milliseconds')
   WHERE space_id = $1 AND lease_until = $2::timestamptz`;

/**
 * A lease that ran out and was taken by nobody is still whose it was; not for a message that is on another way since its destination
 * moved.
 */
const RENEW = `
  WITH renewed AS (
    UPDATE google_spaces SET lease_until = now() + $4 * interval '1 millisecond'
     WHERE space_id = $2 AND lease_until = $3::timestamptz AND EXISTS (SELECT FROM deliveries WHERE id = $1 AND space_id = $2)
    RETURNING lease_until::text AS lease
  ), taken_back AS (
    UPDATE deliveries SET attempts = attempts - 1, uncertain = uncertain - 1 WHERE id = $1 AND NOT EXISTS (SELECT FROM renewed)
  )
  SELECT lease FROM renewed`;

/** Makes the sender's store. */
export function makeDeliveryStore(database: Pick<Database, 'pool' | 'keyed' | 'transaction'>): DeliveryStore {
  const { pool, keyed } = database;
  return {
    claimDue: makeClaimDue(database),
    freeze: makeFreeze(keyed),
    async renew({ id, spaceId }, lease) {
      const { rows } = await pool.query<{ lease: string }>(RENEW, [id, spaceId, lease, LEASE_MS]);
      return rows[0]?.lease ?? null;
    },
    async release({ spaceId, lease }) {
      await pool.query(RELEASE, [spaceId, lease]);
    },
    record: makeRecord(database),
    async dropLeases() {
      await pool.query('UPDATE google_spaces SET lease_until = NULL WHERE lease_until IS NOT NULL');
    },
  };
}
