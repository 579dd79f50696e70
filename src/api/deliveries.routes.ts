/** `/deliveries`: what is owed, what became of it, and again. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { AppError } from '../core/errors';
import { DELIVERY_STATES } from '../core/delivery';
import type { Bell } from '../core/jobs';
import { pageOfDeliveries, replayDeliveries, replayDelivery } from '../delivery/delivery-history.store';
import type { RunChange } from './change.store';
import { missing, tenantEndpoint, type Endpoint, type Principal } from './endpoint';
import { idField } from './fields';
import { fromMoment, MAX_BIG_ID, pageAnswer, pageFields, queryId, readCursor, toMoment } from './paging';

interface Deps {
  readonly pool: Pool;
  readonly runChange: RunChange;
  readonly bell: Pick<Bell, 'ringDeliver'>;
}

const state = z.enum(DELIVERY_STATES);
const moments = { from: fromMoment.optional(), to: toMoment.optional() };
const listQuery = z.object({
  ...pageFields,
  ...moments,
  state: state.optional(),
  ruleId: queryId.optional(),
  chatWebhookId: queryId.optional(),
});
const replayBody = z.strictObject({
  filter: z
    .strictObject({ ...moments, state: state.optional(), ruleId: idField.optional(), chatWebhookId: idField.optional() })
    .refine((filter) => Object.values(filter).some((value) => value !== undefined), 'must have at least one condition'),
});

export function deliveryEndpoints(deps: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/deliveries', access: 'read', status: 200, summary: 'Messages owed and sent, newest first' },
      query: listQuery,
      handle: async ({ tenantId }, { query: { limit, cursor, ...filter } }) => {
        const [beforeId = null] = readCursor(cursor, 1, MAX_BIG_ID);
        const rows = await pageOfDeliveries(deps.pool, tenantId, filter, { beforeId, limit: limit + 1 });
        return pageAnswer(
          rows,
          limit,
          ({ id }) => [id],
          (delivery) => delivery,
        );
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/deliveries/replay', access: 'change', status: 202 },
      summary: 'Send again what the filter finds, at most 1,000 messages; none that is still on its way',
      body: replayBody,
      handle: async (principal, { body: { filter } }) => {
        const queued = await replayDeliveries(deps.pool, principal.tenantId, filter);
        return await replayed(deps, principal, queued, 'deliveries by filter');
      },
    }),
    tenantEndpoint({
      ...{
        method: 'post',
        path: '/deliveries/:id/replay',
        access: 'change',
        status: 202,
        summary: 'Send one message again, as a new one',
      },
      handle: async (principal, { id }) => {
        const outcome = await replayDelivery(deps.pool, principal.tenantId, id);
        if (outcome === 'missing') throw missing('delivery');
        if (outcome === 'noDestination')
          throw new AppError('no_destination', 'The destination of this message was removed.', { status: 409 });
        return await replayed(deps, principal, outcome === 'queued' ? 1 : 0, `delivery ${id}`);
      },
    }),
  ];
}

async function replayed({ runChange, bell }: Deps, principal: Principal, queued: number, subject: string) {
  if (queued > 0) {
    await runChange(principal, () =>
      Promise.resolve({ result: undefined, note: { action: 'delivery.replayed', subject, changes: { queued } } }),
    );
    bell.ringDeliver();
  }
  return { status: 202 as const, body: { queued } };
}
