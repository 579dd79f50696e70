/** `/deliveries`: what is owed, what became of it, and again. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { AppError } from '../core/errors';
import { DELIVERY_STATES } from '../core/delivery';
import type { Bell } from '../core/jobs';
import { pageOfDeliveries } from '../delivery/delivery-history.store';
import { judgeReplay, replay, type ReplayRequest, type ReplayTarget } from '../delivery/replay.store';
import type { Database } from '../platform/database';
import { deciderOf, ledgerRuleId } from '../rules/watch-rules';
import type { RunChange } from './change.store';
import { missing, tenantEndpoint, type Endpoint, type Principal } from './endpoint';
import { idField } from './fields';
import {
  deciderFields,
  fromMoment,
  isOfOne,
  MAX_BIG_ID,
  OF_ONE,
  pageAnswer,
  pageFields,
  queryId,
  readCursor,
  toMoment,
} from './paging';

interface Deps {
  readonly pool: Pool;
  readonly database: Pick<Database, 'pool' | 'transaction'>;
  readonly runChange: RunChange;
  readonly bell: Pick<Bell, 'ringDeliver'>;
}

const state = z.enum(DELIVERY_STATES);
/** Of when a delivery became what it is: what was given up today has failed today, whenever it came. */
const WHEN = 'When it ended: was sent, folded, dropped or given up; when it came, while it has not';
const moments = { from: fromMoment.optional().describe(WHEN), to: toMoment.optional().describe(WHEN) };
const listQuery = z
  .object({ ...pageFields, ...moments, state: state.optional(), ...deciderFields, chatWebhookId: queryId.optional() })
  .refine(isOfOne, OF_ONE);
const dryRun = z.boolean().default(false);
const replayOneBody = z.strictObject({ dryRun });
const replayBody = z.strictObject({
  dryRun,
  filter: z
    .strictObject({
      ...{ ...moments, state: state.optional(), ruleId: idField.optional(), watchId: idField.optional() },
      chatWebhookId: idField.optional(),
    })
    .refine(isOfOne, OF_ONE)
    .refine((filter) => Object.values(filter).some((value) => value !== undefined), 'must have at least one condition'),
});

export function deliveryEndpoints(deps: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/deliveries', access: 'read', status: 200, summary: 'Messages owed and sent, newest first' },
      query: listQuery,
      handle: async ({ tenantId }, { query: { limit, cursor, ...filter } }) => {
        const [beforeId = null] = readCursor(cursor, 1, MAX_BIG_ID);
        const wanted = { ...filter, ruleId: ledgerRuleId(filter) };
        const rows = await pageOfDeliveries(deps.pool, tenantId, wanted, { beforeId, limit: limit + 1 });
        return pageAnswer(
          rows,
          limit,
          ({ id }) => [id],
          (delivery) => ({ ...delivery, ...deciderOf(delivery) }),
        );
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/deliveries/replay', access: 'change', status: 202, isKeyed: true },
      summary:
        'Send again what the filter finds, at most 1,000 messages; none that is on its way or was sent again since. An Idempotency-Key makes a repeated request harmless; dryRun only counts',
      body: replayBody,
      handle: async (principal, { body: { filter, dryRun: isDryRun }, idempotencyKey }) => {
        const target = { filter: { ...filter, ruleId: ledgerRuleId(filter) } };
        return await replayed(deps, principal, { target, isDryRun, idempotencyKey });
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/deliveries/:id/replay', access: 'change', status: 202, isKeyed: true },
      summary:
        'Send one message again, as a new one; not while it is on its way. An Idempotency-Key makes a repeated request harmless',
      body: replayOneBody,
      handle: async (principal, { id, body, idempotencyKey }) => {
        const verdict = await judgeReplay(deps.database, principal.tenantId, id);
        if (verdict === 'missing') throw missing('delivery');
        if (verdict === 'noDestination')
          throw new AppError('no_destination', 'The destination of this message was removed.', { status: 409 });
        return await replayed(deps, principal, { target: { id }, isDryRun: body.dryRun, idempotencyKey });
      },
    }),
  ];
}

async function replayed({ database, runChange, bell }: Deps, principal: Principal, request: ReplayRequest) {
  const { isNew, ...answer } = await replay(database, principal.tenantId, request);
  if (isNew && answer.queued > 0) {
    const changes = { queued: answer.queued };
    const subject = subjectOf(request.target);
    await runChange(principal, () =>
      Promise.resolve({ result: undefined, note: { action: 'delivery.replayed', subject, changes } }),
    );
    bell.ringDeliver();
  }
  return { status: 202 as const, body: answer };
}

function subjectOf(target: ReplayTarget): string {
  return 'id' in target ? `delivery ${target.id}` : 'deliveries by filter';
}
