/** `/watches`: records of which every meaningful change is told to a destination, also where no rule tells it. */

import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { dropWaiting } from '../delivery/drop-waiting.store';
import { refuseOverLimit, type CurrentPlan } from '../plans/plan-limits';
import { WATCHED_ENTITIES, type Watch } from '../rules/watch-rules';
import { addWatch, countWatches, findWatch, holdWatches, pageOfWatches, removeWatch } from '../rules/watch.store';
import type { RunChange } from './change.store';
import { missing, tenantEndpoint, type Endpoint, type Principal } from './endpoint';
import { idField, recordIdField } from './fields';
import { pageAnswer, pageFields, queryId, readCursor } from './paging';
import { principalName } from './principal-name';
import { spaceOfBody } from './space-of-body';

interface Deps {
  readonly prisma: PrismaClient;
  readonly runChange: RunChange;
  readonly loadPlan: (client: Prisma.TransactionClient, tenantId: TenantId) => Promise<CurrentPlan>;
  readonly clock: () => Date;
}

const MAX_INT4 = 2_147_483_647;
const entity = z.enum(WATCHED_ENTITIES, { error: 'must be deal or lead' });
const watchBody = z.strictObject({ entity, entityId: recordIdField, chatWebhookId: idField });

export function watchEndpoints(deps: Deps): Endpoint[] {
  const { prisma, runChange } = deps;
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/watches', access: 'read', status: 200, summary: 'Records that are watched, newest first' },
      query: z.object({
        ...pageFields,
        ...{ entity: entity.optional(), entityId: recordIdField.optional(), chatWebhookId: queryId.optional() },
      }),
      handle: async ({ tenantId }, { query: { limit, cursor, ...wanted } }) => {
        const [beforeId = null] = readCursor(cursor, 1, MAX_INT4);
        const rows = await pageOfWatches(prisma, tenantId, wanted, { beforeId, limit: limit + 1 });
        return pageAnswer(
          rows,
          limit,
          ({ id }) => [id],
          (watch) => watch,
        );
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/watches', access: 'change', status: 201 },
      summary:
        'Watch a deal or lead: from now on every meaningful change of it is told to the destination, also where no rule tells it, and never twice where one does. A deal’s watch tells its completed activities and new notes too; it follows a lead into its deal and a merged deal into the surviving one; a muted record stays silent',
      body: watchBody,
      handle: async (principal, { body }) => ({ status: 201, body: await watch(deps, principal, body) }),
    }),
    tenantEndpoint({
      ...{ method: 'delete', path: '/watches/:id', access: 'change', status: 204 },
      summary: 'Stop watching: what still waits to be told there is dropped, unless a rule tells it',
      handle: async (principal, { id }) => {
        await runChange(principal, async (client) => {
          const { tenantId } = principal;
          const removed = await removeWatch(client, tenantId, id);
          if (removed === null) throw missing('watch');
          const dropped = await dropWaiting(client, tenantId, { ruleId: -id }, 'Nobody watches this record there any more.');
          const changes = { chatWebhookId: removed.chatWebhookId, dropped };
          return {
            result: undefined,
            note: { action: 'record.unwatched', subject: `${removed.entity} ${removed.entityId}`, changes },
          };
        });
        return { status: 204 };
      },
    }),
  ];
}

/** A record that is watched there already stays as it is. */
async function watch(
  { prisma, runChange, loadPlan, clock }: Deps,
  principal: Principal,
  wanted: z.output<typeof watchBody>,
): Promise<Watch> {
  const { tenantId } = principal;
  const author = await principalName(prisma, principal);
  return await runChange(principal, async (client) => {
    const destination = await spaceOfBody(client, tenantId, wanted);
    await holdWatches(client, tenantId);
    const known = await findWatch(client, tenantId, wanted);
    if (known !== null) return { result: known, note: null };
    refuseOverLimit('watches', await countWatches(client, tenantId), await loadPlan(client, tenantId));
    const added = await addWatch(client, tenantId, { ...wanted, author, createdAt: clock() });
    const subject = `${wanted.entity} ${wanted.entityId}`;
    return { result: added, note: { action: 'record.watched', subject, changes: { chatWebhookId: destination.id } } };
  });
}
