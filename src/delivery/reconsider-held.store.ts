/** What waits for a time is looked at anew when that from which the time follows was changed. */

import type { Prisma } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';

/** Whose settings were changed; `companyZone` is for all destinations without a zone of their own. */
export type Reconsidered = { readonly chatWebhookId: number } | { readonly ruleId: number } | 'companyZone';

/** Of a tenant ($1): marked for the next release; what is due already ($2) is released as it is. */
const reconsider = (whose: string): string => `
  UPDATE deliveries d SET held_until = 'epoch'
    FROM chat_webhooks w
   WHERE d.tenant_id = $1::int AND d.state = 'held' AND d.held_for IS NOT NULL AND d.held_until > $2::timestamptz
     AND w.id = coalesce(d.via_webhook_id, d.chat_webhook_id) AND ${whose}`;
const OF_DESTINATION = reconsider('w.id = $3::int');
const OF_RULE = reconsider(`
  (d.rule_id = $3::int OR (d.fold_kind IS NOT NULL AND EXISTS (SELECT FROM deliveries m WHERE m.folded_into = d.id AND m.rule_id = $3::int)))`);
/** For a transaction that changes the zone of the company. */
export const RECONSIDER_COMPANY_ZONE = reconsider('w.time_zone IS NULL');

/** Whatever waits for the end of quiet hours or for a digest waits for the new time, or is told now when there is none any more. */
export async function reconsiderHeld(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  of: Reconsidered,
  now: Date,
): Promise<void> {
  if (of === 'companyZone') await client.$executeRawUnsafe(RECONSIDER_COMPANY_ZONE, tenantId, now);
  else if ('ruleId' in of) await client.$executeRawUnsafe(OF_RULE, tenantId, now, of.ruleId);
  else await client.$executeRawUnsafe(OF_DESTINATION, tenantId, now, of.chatWebhookId);
}
