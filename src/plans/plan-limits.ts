/** What a plan allows. Pure: the subscriptions come in, the limits go out. */

import { AppError } from '../core/errors';

export const PLANS = ['Professional', 'Enterprise'] as const;
export type Plan = (typeof PLANS)[number];

export interface PlanLimits {
  readonly destinations: number;
  readonly activeRules: number;
  readonly apiKeys: number;
  /** Records watched, once for each space. */
  readonly watches: number;
  /** The longest history that the plan allows. */
  readonly retentionDays: number;
}

const LIMITS: Readonly<Record<Plan, PlanLimits>> = {
  Professional: { destinations: 10, activeRules: 25, apiKeys: 5, watches: 200, retentionDays: 90 },
  Enterprise: { destinations: 200, activeRules: 1000, apiKeys: 50, watches: 5000, retentionDays: 365 },
};

/** One row of a tenant's subscriptions. */
export interface Subscription {
  readonly plan: string;
  /** active | cancelled | expired */
  readonly status: string;
  readonly isTrial: boolean;
  readonly startsAt: Date;
  /** Null: open-ended. */
  readonly endsAt: Date | null;
}

export interface CurrentPlan {
  readonly plan: Plan;
  readonly isTrial: boolean;
  /** When the running trial ends; null without one. */
  readonly trialEndsAt: Date | null;
  readonly limits: PlanLimits;
}

/**
 * The plan that counts at `now`: the best running paid subscription, else the plan that a trial's row names, else the
 * installation's default. While a trial runs, Enterprise limits hold whatever the plan.
 */
export function currentPlan(subscriptions: readonly Subscription[], now: Date, defaultPlan: Plan): CurrentPlan {
  const running = subscriptions.filter(
    ({ status, startsAt, endsAt }) => status === 'active' && startsAt <= now && (endsAt === null || endsAt > now),
  );
  const trial = running.find(({ isTrial }) => isTrial);
  const paid = running.filter(({ isTrial }) => !isTrial).map(({ plan }) => planOf(plan, defaultPlan));
  const plan = bestOf(paid) ?? planOf(trial?.plan ?? defaultPlan, defaultPlan);
  const limits = LIMITS[trial === undefined ? plan : 'Enterprise'];
  return { plan, isTrial: trial !== undefined, trialEndsAt: trial?.endsAt ?? null, limits };
}

/** What will be allowed once the running trial ends; null when none runs. */
export function limitsAfterTrial({ plan, isTrial }: CurrentPlan): PlanLimits | null {
  return isTrial ? LIMITS[plan] : null;
}

function bestOf(plans: readonly Plan[]): Plan | null {
  return plans.find((plan) => plan === 'Enterprise') ?? plans[0] ?? null;
}

function planOf(text: string, otherwise: Plan): Plan {
  return PLANS.find((plan) => plan === text) ?? otherwise;
}

/** 403 with words when one more `what` does not fit the plan; `count` is how many there are without it. */
export function refuseOverLimit(
  what: Exclude<keyof PlanLimits, 'retentionDays'>,
  count: number,
  { plan, isTrial, limits }: CurrentPlan,
): void {
  if (count < limits[what]) return;
  const name = isTrial ? 'trial' : `${plan} plan`;
  throw new AppError('plan_limit', `Your ${name} allows ${limits[what]} ${LIMIT_WORDS[what]}, all of which are in use.`, {
    status: 403,
  });
}

/** As the pages say it: a destination is a space to whoever reads this. */
const LIMIT_WORDS = {
  destinations: 'spaces',
  activeRules: 'active rules',
  apiKeys: 'API keys',
  watches: 'watched records',
} as const;
