/** Moves what is in a ledger into the past, for stories of what was missed since. */

import type { Pool } from 'pg';

/** The tenant and its rules are some hours old, and were compared with Pipedrive last four hours ago. */
export async function installedLongAgo(pool: Pool): Promise<void> {
  await pool.query(`UPDATE tenants SET created_at = created_at - interval '5 hours', rules_version = rules_version + 1`);
  await pool.query(`UPDATE rules SET enabled_at = enabled_at - interval '5 hours'`);
  await pool.query(`UPDATE reconciliations SET since = since - interval '5 hours',
    compared_until = jsonb_build_object('deal', now() - interval '4 hours')`);
}

/** What is known of records was heard hours ago. */
export async function pastShadows(pool: Pool): Promise<void> {
  await pool.query(`UPDATE records SET occurred_at = occurred_at - interval '2 hours' WHERE occurred_at IS NOT NULL`);
  await pool.query(`UPDATE events SET occurred_at = occurred_at - interval '2 hours'`);
}
