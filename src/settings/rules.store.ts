/** What the page of the rules shows beside the rules themselves. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { TenantId } from '../core/tenant';

/** Newest messages looked at, so that the page costs the same after a million. */
const LOOKED_AT = 3000;
const LAST_SENT = `
  SELECT rule_id AS "ruleId", max(finished_at) AS at
    FROM (SELECT rule_id, state, finished_at FROM deliveries WHERE tenant_id = $1 ORDER BY id DESC LIMIT ${LOOKED_AT}) newest
   WHERE state = 'sent' AND finished_at IS NOT NULL
   GROUP BY 1`;
const lastSentRow = z.object({ ruleId: z.int(), at: z.date() });

/** When each rule last sent something, among the newest messages. */
export async function lastSentByRule(pool: Pool, tenantId: TenantId): Promise<ReadonlyMap<number, Date>> {
  const { rows } = await pool.query(LAST_SENT, [tenantId]);
  return new Map(rows.map((row) => lastSentRow.parse(row)).map(({ ruleId, at }) => [ruleId, at]));
}
