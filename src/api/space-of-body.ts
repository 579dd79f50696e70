/** The space that the body of a request names by `chatWebhookId`. */

import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { findDestination } from '../delivery/chat-webhook.store';
import type { Destination } from '../delivery/read-destination';
import { invalid } from './endpoint';

/** Throws a 422 when the tenant has none of this id. */
export async function spaceOfBody(
  client: PrismaClient | Prisma.TransactionClient,
  tenantId: TenantId,
  { chatWebhookId }: { readonly chatWebhookId: number },
): Promise<Destination> {
  const space = await findDestination(client, tenantId, chatWebhookId);
  if (space === null) throw invalid([{ path: 'chatWebhookId', message: 'There is no such space: it may have been deleted.' }]);
  return space;
}
