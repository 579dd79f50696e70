/** `/api-keys` and `/audit`: who may use the API, and who changed what. */

import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { refuseOverLimit, type CurrentPlan } from '../plans/plan-limits';
import { countApiKeys, createApiKey, deleteApiKey, pageOfApiKeys } from './api-key.store';
import { pageOfAuditEntries, type RunChange } from './change.store';
import { missing, tenantEndpoint, type Endpoint } from './endpoint';
import { nameField } from './fields';
import { MAX_BIG_ID, pageAnswer, pageFields, readCursor } from './paging';

interface Deps {
  readonly prisma: PrismaClient;
  readonly runChange: RunChange;
  readonly loadPlan: (client: Prisma.TransactionClient, tenantId: TenantId) => Promise<CurrentPlan>;
}

const createBody = z.strictObject({ name: nameField });
const listQuery = z.object(pageFields);

export function apiKeyEndpoints({ prisma, runChange, loadPlan }: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/api-keys', access: 'read', status: 200, summary: 'List the API keys, without their text' },
      query: listQuery,
      handle: async ({ tenantId }, { query: { limit, cursor } }) => {
        const [afterId = 0] = readCursor(cursor, 1);
        const rows = await pageOfApiKeys(prisma, tenantId, { afterId, limit: limit + 1 });
        return pageAnswer(
          rows,
          limit,
          ({ id }) => [id],
          (key) => key,
        );
      },
    }),
    tenantEndpoint({
      ...{
        method: 'post',
        path: '/api-keys',
        access: 'change',
        status: 201,
        summary: 'Make an API key; its text is shown this once',
      },
      body: createBody,
      handle: async (principal, { body: { name } }) => ({
        status: 201,
        body: await runChange(principal, async (client) => {
          const { tenantId } = principal;
          refuseOverLimit('apiKeys', await countApiKeys(client, tenantId), await loadPlan(client, tenantId));
          const result = await createApiKey(client, tenantId, name);
          return { result, note: { action: 'api_key.created', subject: `api key ${result.id}`, changes: { name } } };
        }),
      }),
    }),
    tenantEndpoint({
      ...{ method: 'delete', path: '/api-keys/:id', access: 'change', status: 204, summary: 'Take an API key back' },
      handle: async (principal, { id }) => {
        await runChange(principal, async (client) => {
          const name = await deleteApiKey(client, principal.tenantId, id);
          if (name === null) throw missing('API key');
          return { result: undefined, note: { action: 'api_key.deleted', subject: `api key ${id}`, changes: { name } } };
        });
        return { status: 204 };
      },
    }),
    tenantEndpoint({
      ...{ method: 'get', path: '/audit', access: 'read', status: 200, summary: 'Who changed what, newest first' },
      query: listQuery,
      handle: async ({ tenantId }, { query: { limit, cursor } }) => {
        const [beforeId = null] = readCursor(cursor, 1, MAX_BIG_ID);
        const rows = await pageOfAuditEntries(prisma, tenantId, { beforeId, limit: limit + 1 });
        return pageAnswer(
          rows,
          limit,
          ({ id }) => [id],
          (entry) => entry,
        );
      },
    }),
  ];
}
