/** `/reconciliation`: whether everything that Pipedrive says has happened was told, and the wish to compare now. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import { AppError } from '../core/errors';
import type { TenantId } from '../core/tenant';
import { recordUrl } from '../messages/links';
import type { WantReconciliation } from '../reconciliation/reconcile-due';
import type { ReconciliationStatus } from '../reconciliation/reconciliation.store';
import { loadReport } from '../reconciliation/report.store';
import { figuresOf, sentenceOf } from '../reconciliation/summarize-report';
import { invalid, tenantEndpoint, type Endpoint } from './endpoint';
import { fromMoment, toMoment } from './paging';

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly clock: () => Date;
  readonly findReconciliation: (tenantId: TenantId) => Promise<ReconciliationStatus | null>;
  readonly wantReconciliation: WantReconciliation;
}

const DAY_MS = 86_400_000;
const LONGEST_PERIOD_DAYS = 92;
/** Each run costs the company's budget at Pipedrive 10 tokens or more. */
const LEAST_BETWEEN_MS = 60_000;

const reportQuery = z.object({ since: fromMoment.optional(), until: toMoment.optional() });

export function reconciliationEndpoints(deps: Deps): Endpoint[] {
  const { clock, findReconciliation } = deps;

  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/reconciliation', access: 'change', status: 200 },
      summary:
        'What Pipedrive’s own lists say has happened (by default in the last 24 hours) against what was told, left out on purpose (by quiet hours, a mute, a removed rule) or given up',
      query: reportQuery,
      handle: async ({ tenantId }, { query }) => {
        const until = query.until ?? clock();
        const since = query.since ?? new Date(until.getTime() - DAY_MS);
        if (since > until) throw invalid([{ path: 'since', message: 'must not be later than until' }]);
        if (until.getTime() - since.getTime() > LONGEST_PERIOD_DAYS * DAY_MS)
          throw invalid([{ path: 'since', message: `must not be more than ${LONGEST_PERIOD_DAYS} days before until` }]);
        return { status: 200, body: { ...(await periodOf(deps, tenantId, since, until)), ...(await stateOf(deps, tenantId)) } };
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/reconciliation', access: 'change', status: 202 },
      summary: 'Compare with Pipedrive’s own lists now, at most once a minute',
      handle: async ({ tenantId, actor }) => {
        const status = await findReconciliation(tenantId);
        const sinceLastMs = clock().getTime() - (status?.lastStartedAt?.getTime() ?? 0);
        if (sinceLastMs < LEAST_BETWEEN_MS) {
          const seconds = Math.max(1, Math.ceil((LEAST_BETWEEN_MS - sinceLastMs) / 1000));
          const sentence = `This was checked a moment ago: please try again in ${seconds} s.`;
          throw new AppError('too_many_requests', sentence, { status: 429 });
        }
        await deps.wantReconciliation(tenantId, `asked for by ${actor}`);
        return { status: 202, body: await stateOf(deps, tenantId) };
      },
    }),
  ];
}

async function periodOf({ prisma, pool }: Deps, tenantId: TenantId, since: Date, until: Date): Promise<object> {
  const { counts, missing } = await loadReport(pool, tenantId, since, until);
  const byType = figuresOf(counts);
  const { companyDomain } = await prisma.tenant.findUniqueOrThrow({ where: { id: tenantId }, select: { companyDomain: true } });
  return {
    summary: sentenceOf(byType),
    since,
    until,
    counts: byType,
    missing: missing.map((row) => ({ ...row, link: recordUrl(companyDomain, { entity: row.entity, id: row.entityId }) })),
  };
}

async function stateOf({ clock, findReconciliation }: Deps, tenantId: TenantId): Promise<object> {
  const status = await findReconciliation(tenantId);
  if (status === null)
    return { state: 'waiting', reason: null, comparedUntil: null, lastRunAt: null, nextRunAt: null, comparesSince: null };
  const now = clock();
  const { trouble, isRunning, lastStartedAt, lastFinishedAt, nextRunAt, comparedUntil, since, wantedBecause } = status;
  const state = isRunning ? 'running' : trouble !== null ? 'failed' : lastStartedAt === null ? 'waiting' : 'ok';
  return {
    state,
    reason: trouble === null ? wantedBecause : `Pipedrive could not be asked: ${trouble}`,
    comparedUntil: comparedUntil !== null && comparedUntil > now ? now : comparedUntil,
    lastRunAt: lastFinishedAt,
    nextRunAt,
    comparesSince: since,
  };
}
