/** What the page of the rules shows beside the rules themselves. */

import { z } from 'zod';
import type { TenantId } from '../core/tenant';
import type { Database } from '../platform/database';

/** Newest messages looked at, so that the page costs the same after a million. */
export const LOOKED_AT = 3000;
/** Range and order are said as the index by tenant says them: by that of all messages the planner would read newer ones of others too. */
const LAST_SENT = `
  SELECT rule_id AS "ruleId", max(finished_at) AS at
    FROM (SELECT rule_id, state, finished_at FROM deliveries
           WHERE (tenant_id, id) > ($1::int, 0::bigint) AND (tenant_id, id) < ($1::int + 1, 0::bigint)
           ORDER BY tenant_id DESC, id DESC LIMIT ${LOOKED_AT}) newest
   WHERE state = 'sent' AND finished_at IS NOT NULL
   GROUP BY 1`;
const lastSentRow = z.object({ ruleId: z.int(), at: z.date() });

/** When each rule last sent something, among the newest messages. */
export async function lastSentByRule({ keyed }: Pick<Database, 'keyed'>, tenantId: TenantId): Promise<ReadonlyMap<number, Date>> {
  const { rows } = await keyed.query({ name: 'last-sent', text: LAST_SENT, values: [tenantId] });
  return new Map(rows.map((row) => lastSentRow.parse(row)).map(({ ruleId, at }) => [ruleId, at]));
}
