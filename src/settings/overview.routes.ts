/** The overview, and the first run as long as nothing is set up. */

import { Overview } from '../../views/settings/overview';
import { listDestinations } from '../delivery/chat-webhook.store';
import { listRules } from '../rules/rule.store';
import { overviewView } from './overview-view';
import { sentQuarters, waitingMessages } from './overview.store';
import { sentDays } from './sent-days';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';
import { AppError } from '../core/errors';

const DAYS_SHOWN = 7;
const DAY_MS = 86_400_000;

export function overviewPages(deps: SettingsDeps): PageRoute[] {
  return [
    { method: 'get', path: 'overview', access: 'see', handle: (visit) => overview(deps, visit) },
    { method: 'post', path: 'overview/register', access: 'change', handle: (visit) => register(deps, visit) },
  ];
}

async function overview(deps: SettingsDeps, visit: Visit, message?: string): Promise<PageAnswer> {
  const { prisma, pool } = deps.database;
  const { tenant, isAdmin } = visit.viewer;
  const now = deps.clock();
  const since = new Date(now.getTime() - (DAYS_SHOWN + 1) * DAY_MS);
  const [plan, attention, quarters, waiting, destinations, rules] = await Promise.all([
    deps.loadPlan(tenant.id),
    visit.attention(),
    sentQuarters(pool, tenant.id, since),
    waitingMessages(pool, tenant.id),
    listDestinations(prisma, tenant.id),
    listRules(prisma, tenant.id),
  ]);
  const days = sentDays(quarters, tenant, now, DAYS_SHOWN);
  const view = overviewView({ tenant, isAdmin, plan, attention, days, waiting, destinations, rules });
  return {
    ...{ kind: 'page', page: 'overview', title: 'Overview', content: Overview({ view, setUp: null }) },
    ...(message === undefined ? {} : { message }),
  };
}

async function register(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { ownerConnectionId, failed } = await deps.syncWebhooks(visit.viewer.tenant.id);
  const reason = failed[0]?.reason ?? (ownerConnectionId === null ? 'no connected user is left' : null);
  if (reason !== null) {
    const words = `Pipedrive did not take the registration: ${reason}. Dealbell goes on trying by itself; you can try again too.`;
    throw new AppError('not_registered', words, { status: 502 });
  }
  return await overview(deps, visit, 'Registered: Pipedrive tells Dealbell what happens');
}
