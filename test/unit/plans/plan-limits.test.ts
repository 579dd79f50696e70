/** Which plan counts, and what it refuses. */

import { currentPlan, refuseOverLimit, type Subscription } from '../../../src/plans/plan-limits';

const NOW = new Date('2026-11-23T12:00:00Z');
const LATER = new Date('2026-12-01T00:00:00Z');
const EARLIER = new Date('2026-11-01T00:00:00Z');

function aSubscription(fields: Partial<Subscription>): Subscription {
  return { plan: 'Professional', status: 'active', isTrial: false, startsAt: EARLIER, endsAt: null, ...fields };
}

test('when there is no subscription, then the default plan counts', () => {
  expect(currentPlan([], NOW, 'Professional')).toMatchObject({
    plan: 'Professional',
    isTrial: false,
    limits: { destinations: 10 },
  });
  expect(currentPlan([], NOW, 'Enterprise').limits.activeRules).toBe(1000);
});

test('when a trial runs, then Enterprise limits hold and its end is told', () => {
  const plan = currentPlan([aSubscription({ isTrial: true, endsAt: LATER })], NOW, 'Professional');

  expect(plan).toEqual({
    plan: 'Professional',
    isTrial: true,
    trialEndsAt: LATER,
    limits: { destinations: 200, activeRules: 1000, apiKeys: 50, watches: 5000, retentionDays: 365 },
  });
});

test('when a trial is over, then its limits are too', () => {
  const plan = currentPlan([aSubscription({ isTrial: true, endsAt: NOW })], NOW, 'Professional');

  expect(plan).toMatchObject({ isTrial: false, trialEndsAt: null, limits: { destinations: 10, activeRules: 25, apiKeys: 5 } });
});

test('when a paid plan was cancelled, then only the running one counts', () => {
  const rows = [aSubscription({ plan: 'Enterprise', status: 'cancelled' }), aSubscription({})];

  expect(currentPlan(rows, NOW, 'Professional').plan).toBe('Professional');
});

test('when one more does not fit, then it is refused with 403 in words', () => {
  const plan = currentPlan([], NOW, 'Professional');

  expect(() => refuseOverLimit('destinations', 9, plan)).not.toThrow();
  expect(() => refuseOverLimit('destinations', 10, plan)).toThrow(
    expect.objectContaining({ status: 403, message: 'Your Professional plan allows 10 spaces, all of which are in use.' }),
  );
});
