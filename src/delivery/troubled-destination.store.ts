/** Destinations that people should look at: broken, or in doubt, with what waits for them. */

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
         (SELECT count(DISTINCT d.id) + count(member.id)
            FROM deliveries d LEFT JOIN deliveries member ON member.folded_into = d.id AND member.state = 'folded'
           WHERE d.chat_webhook_id = w.id AND d.state = 'held' AND d.held_because IS NOT NULL)::int AS held,
         w.fallback_webhook_id AS "fallbackWebhookId"
    FROM chat_webhooks w
   WHERE w.tenant_id = $1 AND NOT w.paused AND w.health IN ('broken', 'doubtful') ORDER BY w.id`;

/** By id. What is paused is so by somebody's will. */
export async function troubledDestinations(pool: Pool, tenantId: TenantId): Promise<readonly TroubledDestination[]> {
  return (await pool.query<TroubledDestination>(TROUBLED, [tenantId])).rows;
}
