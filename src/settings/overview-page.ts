/** The overview with what it counts, and with the step of the first run that is next. */

import type { VNode } from 'preact';
import { FirstSpace, Questions, WaitingForAdmin } from '../../views/settings/first-run';
import { Overview } from '../../views/settings/overview';
import { EMPTY_FORM } from './connect-space';
import { eventViews } from './event-views';
import { questionsView } from './first-run-view';
import { gatherFacts } from './gather-facts';
import { overviewView } from './overview-view';
import { unusedDestinations, waitingMessages } from './overview.store';
import { sentDays } from './sent-days';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, Visit } from './visit';

const DAYS_SHOWN = 7;
export const EVENTS_SHOWN = 5;
const DAY_MS = 86_400_000;

/** `setUp`: what the first run shows instead of its next step; `status` 422 when that is a form which was refused. */
export async function overviewPage(
  deps: SettingsDeps,
  visit: Visit,
  more: { readonly message?: string; readonly setUp?: VNode; readonly status?: 200 | 422 } = {},
): Promise<PageAnswer> {
  const { database } = deps;
  const { tenant, isAdmin } = visit.viewer;
  const now = deps.clock();
  const since = new Date(now.getTime() - (DAYS_SHOWN + 1) * DAY_MS);
  const [plan, attention, quarters, waiting, unused, facts] = await Promise.all([
    deps.loadPlan(tenant.id),
    visit.attention(),
    deps.countSent(tenant.id, since),
    waitingMessages(database.pool, tenant.id),
    unusedDestinations(database, tenant.id),
    gatherFacts(deps, visit.viewer, { beforeId: null, limit: EVENTS_SHOWN }),
  ]);
  const { destinations, rules } = facts;
  const latest = eventViews(facts);
  const days = sentDays(quarters, tenant, now, DAYS_SHOWN);
  const view = overviewView({ tenant, isAdmin, plan, attention, days, waiting, unused, now, destinations, rules, latest });
  const { setUp, ...rest } = more;
  const content = Overview({ view, setUp: setUp ?? nextStep() });
  return { kind: 'page', page: 'overview', title: 'Overview', content, ...rest };

  function nextStep(): VNode | null {
    if (destinations.length > 0 && rules.length > 0) return null;
    if (!isAdmin) return WaitingForAdmin();
    if (destinations.length === 0) return FirstSpace({ view: EMPTY_FORM });
    return Questions({ view: questionsView(destinations, tenant.baseCurrency, null) });
  }
}
