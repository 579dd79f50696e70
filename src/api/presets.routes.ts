/** `/presets`: ready-made rules, with this company's currency where they speak of money. */

import type { PrismaClient } from '../../prisma/generated/client';
import { presetsFor } from '../rules/presets';
import { accountOf } from './account.store';
import { tenantEndpoint, type Endpoint } from './endpoint';

export function presetEndpoints({ prisma }: { readonly prisma: PrismaClient }): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/presets', access: 'read', status: 200 },
      summary: 'Ready-made rules, and what has to be asked before each can be made',
      handle: async ({ tenantId }) => {
        const { baseCurrency } = await accountOf(prisma, tenantId);
        return { status: 200, body: { items: presetsFor(baseCurrency), nextCursor: null } };
      },
    }),
  ];
}
