/** What people read of who asks for something: the user's own name; a key of the API by its name. */

import type { PrismaClient } from '../../prisma/generated/client';
import type { Principal } from './endpoint';

export async function principalName(prisma: PrismaClient, { tenantId, userId, actor }: Principal): Promise<string> {
  if (userId === null) return actor.replace(/^api key /, 'API key ');
  const connection = await prisma.pipedriveConnection.findFirst({ where: { tenantId, userId }, select: { userName: true } });
  return connection?.userName ?? 'a colleague';
}
