/** What waits for a time is looked at anew when that from which the time follows was changed. */

import type { Prisma } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';

/** Whose settings were changed; `companyZone` is for all destinations without a zone of their own. */
export type Reconsidered = { readonly chatWebhookId: number } | { readonly ruleId: number } | 'companyZone';

/** Marked for the next release; what is due already is released as it is. */
const RECONSIDER = `
  UPDATE deliveries d SET held_until = 'epoch'
    FROM chat_webhooks w
   WHERE d.tenant_id = $1::int AND d.state = 'held' AND d.held_for IS NOT NULL AND d.held_until > $4::timestamptz
     AND w.id = coalesce(d.via_webhook_id, d.chat_webhook_id)
     AND CASE WHEN $2::int IS NOT NULL THEN w.id = $2::int
              WHEN $3::int IS NOT NULL THEN d.rule_id = $3::int
                OR (d.fold_kind IS NOT NULL AND EXISTS (SELECT FROM deliveries m WHERE m.folded_into = d.id AND m.rule_id = $3::int))
              ELSE w.time_zone IS NULL END`;

/** Whatever waits for the end of quiet hours or for a digest waits for the new time, or is told now when there is none any more. */
export async function reconsiderHeld(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  of: Reconsidered,
  now: Date,
): Promise<void> {
  const chatWebhookId = typeof of === 'object' && 'chatWebhookId' in of ? of.chatWebhookId : null;
  const ruleId = typeof of === 'object' && 'ruleId' in of ? of.ruleId : null;
  await client.$executeRawUnsafe(RECONSIDER, tenantId, chatWebhookId, ruleId, now);
}
