/** What the overview shows. Pure. */

import { pageUrl } from '../../views/shell';
import type { OverviewView } from '../../views/settings/overview';
import type { EventView } from '../../views/components';
import { counted } from '../core/counted';
import type { TenantProfile } from '../core/tenant';
import type { CurrentPlan } from '../plans/plan-limits';
import type { AttentionItem } from './attention';
import type { WaitingMessages } from './overview.store';
import type { SentDay } from './sent-days';
import { spaceView } from './space-view';
import type { Destination } from '../delivery/read-destination';
import type { StoredRule } from '../rules/rule.store';
import { dayWords } from './words';

export interface OverviewFacts {
  readonly tenant: TenantProfile;
  readonly plan: CurrentPlan;
  readonly isAdmin: boolean;
  readonly attention: readonly AttentionItem[];
  readonly days: readonly SentDay[];
  readonly waiting: readonly WaitingMessages[];
  readonly unused: ReadonlySet<number>;
  readonly now: Date;
  readonly destinations: readonly Destination[];
  readonly rules: readonly StoredRule[];
  readonly latest: readonly EventView[];
}

export function overviewView(facts: OverviewFacts): OverviewView {
  const { days, waiting } = facts;
  const today = days.at(-1)?.count ?? 0;
  const week = days.reduce((sum, { count }) => sum + count, 0);
  const awaited = facts.latest.filter(({ nextLookMs }) => nextLookMs !== null).length;
  const onTheirWay = sumOf(waiting);
  // What is held may wait for days: nobody looks after it every few seconds.
  const leaving = awaited + sumOf(waiting.filter(({ state }) => state !== 'held'));
  return {
    companyName: facts.tenant.companyName,
    plan: planWords(facts.plan, facts.tenant),
    canChange: facts.isAdmin,
    attention: facts.attention,
    figures: [
      { label: 'Today', value: String(today) },
      { label: 'Last 7 days', value: String(week) },
      { label: 'Waiting', value: String(onTheirWay) },
    ],
    isQuiet: week + onTheirWay === 0,
    days,
    daysSummary: `${counted(week, 'message')} sent in the last 7 days, ${today === 0 ? 'none' : today} of them today`,
    spaces: facts.destinations.map((destination) => spaceView(destination, rulesOf(destination.id, facts.rules), facts)),
    latest: facts.latest,
    lookUrl: `${pageUrl('overview', 'news')}?seen=${facts.latest.map(({ id }) => id).join(',')}&waits=${leaving === 0 ? '' : 'yes'}`,
  };
}

function sumOf(waiting: readonly WaitingMessages[]): number {
  return waiting.reduce((sum, { count }) => sum + count, 0);
}

/** How many rules post to a destination. */
export function rulesOf(destinationId: number, rules: readonly StoredRule[]): number {
  return rules.filter(({ targetWebhookIds }) => targetWebhookIds.includes(destinationId)).length;
}

/** "Professional plan", "trial until 7 Dec 2026, then Professional". */
export function planWords({ plan, isTrial, trialEndsAt }: CurrentPlan, tenant: TenantProfile): string {
  if (!isTrial) return `${plan} plan`;
  return trialEndsAt === null ? 'trial' : `trial until ${dayWords(trialEndsAt, tenant)}, then ${plan}`;
}
