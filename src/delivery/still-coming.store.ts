/** Whether something that a digest is to tell is still on its way to it. */

import { cameAt } from './came-at.store';
import { IS_GATHERED } from './let-go.store';

/** What came before others is among the first of those that wait in its space. */
const LOOKED_AT = 500;

/**
 * Of the tenant ($5): something that came before the time of what is gathered here ($1, by the way $2, for $3) and due now ($4), and
 * is not routed yet, or waits for its settle time or for its turn in the space to be gathered too. When it came is told by the clock of the
 * database: counted back from now. Nothing comes to what its rule gathers no more.
 */
export const IS_STILL_COMING = `
  SELECT FROM (SELECT now() - ($4::timestamptz - max(d.held_until)) AS at FROM deliveries d
                WHERE d.state = 'held' AND d.chat_webhook_id = $1 AND d.via_webhook_id IS NOT DISTINCT FROM $2::int AND d.held_for = $3
                  AND d.held_until <= $4 AND d.held_until <> 'epoch' AND ${IS_GATHERED}) gathered
    JOIN chat_webhooks w ON w.id = coalesce($2::int, $1)
   WHERE coalesce((SELECT e.received_at FROM events e WHERE e.tenant_id + 0 = $5 AND e.routed_at IS NULL ORDER BY e.id + 0 LIMIT 1) < gathered.at, false)
      OR EXISTS (SELECT FROM (SELECT * FROM deliveries WHERE state IN ('queued', 'sending') AND space_id = w.space_id
                                ORDER BY not_before, id LIMIT ${String(LOOKED_AT)}) d
                    JOIN rules r ON r.id = d.rule_id AND r.tenant_id = d.tenant_id
                   WHERE d.chat_webhook_id = $1 AND d.via_webhook_id IS NOT DISTINCT FROM $2::int AND d.attempts = 0 AND d.fold_kind IS NULL AND d.replay = 0
                     AND r.enabled AND NOT r.urgent AND r.digest ->> 'every' = CASE $3 WHEN 'daily' THEN 'day' ELSE 'week' END
                     AND ${cameAt('d')} < gathered.at)`;
