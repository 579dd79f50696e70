/** Destinations that people should look at: broken, in doubt, or not readable, with what waits for them. */

import type { Pool } from 'pg';
import type { TenantId } from '../core/tenant';

export interface TroubledDestination {
  readonly chatWebhookId: number;
  readonly name: string;
  readonly health: string;
  readonly reason: string | null;
  readonly since: Date;
  /** Changes whose messages wait for it to work again. */
  readonly held: number;
  /** Takes its messages meanwhile. */
  readonly fallbackWebhookId: number | null;
}

const TROUBLED = `
  SELECT w.id AS "chatWebhookId", w.name, w.health, w.health_reason AS reason, w.health_since AS since,
         ((SELECT count(DISTINCT d.id) + count(member.id)
            FROM deliveries d LEFT JOIN deliveries member ON member.folded_into = d.id AND member.state = 'folded'
           WHERE d.chat_webhook_id = w.id AND d.state = 'held' AND d.held_because IS NOT NULL)
          + CASE WHEN w.id = ANY ($2::int[])
                 THEN (SELECT count(*) FROM deliveries d WHERE d.state IN ('queued', 'sending') AND d.space_id = w.space_id AND d.chat_webhook_id = w.id)
                 ELSE 0 END)::int AS held,
         w.fallback_webhook_id AS "fallbackWebhookId"
    FROM chat_webhooks w
   WHERE w.tenant_id = $1 AND (NOT w.paused AND w.health IN ('broken', 'doubtful') OR w.id = ANY ($2::int[])) ORDER BY w.id`;

/** By id; `unreadable` are troubled whatever is known of them. What is paused is so by somebody's will. */
export async function troubledDestinations(
  pool: Pool,
  tenantId: TenantId,
  unreadable: readonly number[],
): Promise<readonly TroubledDestination[]> {
  return (await pool.query<TroubledDestination>(TROUBLED, [tenantId, unreadable])).rows;
}
