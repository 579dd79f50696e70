/** `/logs` and `/events`: what was sent, what came in, and why each rule told it or stayed silent. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import { pageOfAttempts, type HistoryAttempt } from '../delivery/delivery-history.store';
import { loadDecisionNames, pageOfEvents } from '../rules/event-history.store';
import { listDecisions } from '../rules/list-decisions';
import { listRules } from '../rules/rule.store';
import { deciderOf, ledgerRuleId } from '../rules/watch-rules';
import { loadWatchNames } from '../rules/watch.store';
import { tenantEndpoint, type Endpoint } from './endpoint';
import { deciderFields, fromMoment, isOfOne, MAX_BIG_ID, OF_ONE, pageAnswer, pageFields, readCursor, toMoment } from './paging';

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
}

const logsQuery = z
  .object({
    ...{ ...pageFields, status: z.enum(['success', 'failure']).optional(), ...deciderFields },
    ...{ from: fromMoment.optional(), to: toMoment.optional() },
  })
  .refine(isOfOne, OF_ONE);
const eventsQuery = z.object({
  ...pageFields,
  entity: z.string().min(1).max(50).optional(),
  entityId: z.string().min(1).max(100).optional(),
});

export function historyEndpoints({ prisma, pool }: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/logs', access: 'read', status: 200, summary: 'Attempts to send, newest first' },
      query: logsQuery,
      handle: async ({ tenantId }, { query: { limit, cursor, ...filter } }) => {
        const [beforeId = null] = readCursor(cursor, 1, MAX_BIG_ID);
        const wanted = { ...filter, ruleId: ledgerRuleId(filter) };
        const rows = await pageOfAttempts(pool, tenantId, wanted, { beforeId, limit: limit + 1 });
        return pageAnswer(rows, limit, ({ id }) => [id], shownAttempt);
      },
    }),
    tenantEndpoint({
      ...{ method: 'get', path: '/events', access: 'read', status: 200 },
      summary: 'What came in, newest first, with the decision of every rule in words',
      query: eventsQuery,
      handle: async ({ tenantId }, { query: { limit, cursor, entity, entityId } }) => {
        const [beforeId = null] = readCursor(cursor, 1, MAX_BIG_ID);
        const rows = await pageOfEvents(pool, tenantId, { entity, entityId, beforeId, limit: limit + 1 });
        const rules = new Map((await listRules(prisma, tenantId)).map((rule) => [rule.id, rule]));
        const decisions = rows.flatMap((event) => event.decisions);
        const namesOf = await loadDecisionNames(pool, tenantId, decisions, rules);
        const watches = await loadWatchNames(pool, tenantId, decisions);
        return pageAnswer(
          rows,
          limit,
          ({ id }) => [id],
          (event) => ({
            ...event,
            decisions: listDecisions(event, rules, watches, namesOf),
          }),
        );
      },
    }),
  ];
}

function shownAttempt({ body, ...attempt }: HistoryAttempt): object {
  const payload: unknown = body === null ? null : JSON.parse(body);
  return { ...attempt, ...(attempt.ruleId !== null && deciderOf({ ruleId: attempt.ruleId })), payload };
}
