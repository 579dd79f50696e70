/** The audit trail and the comparison in words. */

import { currentPlan, limitsAfterTrial } from '../../../src/plans/plan-limits';
import { afterTrialWords, auditViews, comparisonOf, type AuditEntry } from '../../../src/settings/account-view';
import { aTenant } from '../../fixtures/record-changes';

const NOW = new Date('2026-11-23T12:00:00Z');
const NAMES = { users: new Map([['1', 'Ana Fischer']]), subjects: new Map([['rule 7', 'Big wins']]) };

const anEntry = (given: Partial<AuditEntry>): AuditEntry => ({
  ...{ id: 1, actor: 'user 1', action: 'rule.updated', subject: 'rule 7', changes: null, createdAt: NOW },
  ...given,
});
const told = (...entries: AuditEntry[]) => auditViews(entries, NAMES, aTenant()).map(({ what }) => what);

test.each([
  [{ fields: ['targetWebhookIds', 'settleMs'] }, 'changed the rule Big wins (spaces, waiting time)'],
  [{ fields: ['enabled'], enabled: false }, 'turned off Big wins'],
  [{ fields: ['enabled'], enabled: true }, 'turned on Big wins'],
  [{ fields: ['paused'], paused: true }, 'paused Big wins'],
  [{ fields: ['paused'], paused: false }, 'resumed Big wins'],
  [{ fields: ['paused'] }, 'changed the rule Big wins (paused)'],
  [{ fields: ['position'] }, 'changed the order of rules'],
  [{ created: 9 }, 'added 9 rules'],
  [{ queued: 1 }, 'sent 1 message again'],
])('when %j was changed, then the trail says what was done', (changes, words) => {
  expect(told(anEntry({ changes }))).toEqual([words]);
});

test('when a trial runs, then the account says what will be allowed after it', () => {
  const trial = { plan: 'Professional', status: 'active', isTrial: true, startsAt: NOW, endsAt: null };

  expect(afterTrialWords(limitsAfterTrial(currentPlan([trial], NOW, 'Professional')))).toBe(
    ' After the trial: 10 spaces, 25 active rules, 5 API keys, 200 watched records.',
  );
  expect(afterTrialWords(limitsAfterTrial(currentPlan([], NOW, 'Professional')))).toBe('');
});

test('when an API key did it, then it is named as people write it', () => {
  expect(auditViews([anEntry({ actor: 'api key CI' })], NAMES, aTenant())[0]?.who).toBe('API key CI');
});

test('when one move changed the place of several rules, then it is told once; another person’s or a later one again', () => {
  const move = (given: Partial<AuditEntry> = {}) => anEntry({ changes: { fields: ['position'] }, ...given });
  const before = (ms: number) => new Date(NOW.getTime() - ms);

  const views = told(
    move(),
    move({ createdAt: before(20) }),
    move({ createdAt: before(40), actor: 'api key CI' }),
    anEntry({ createdAt: before(50), changes: { fields: ['name'] } }),
    move({ createdAt: before(60_000) }),
  );

  expect(views).toEqual([
    'changed the order of rules',
    'changed the order of rules',
    'changed the rule Big wins (name)',
    'changed the order of rules',
  ]);
});

test.each([
  ['its turn has come', { nextRunAt: NOW }, { isUnderWay: true, state: 'Checking now…', isTrouble: false }],
  ['it runs', { state: 'running' as const }, { isUnderWay: true, state: 'Checking now…' }],
  ['it failed', { state: 'failed' as const, reason: 'No answer' }, { isUnderWay: false, state: 'No answer.', isTrouble: true }],
  ['it failed and is tried again', { state: 'failed' as const, nextRunAt: NOW }, { isUnderWay: true, isTrouble: false }],
  ['it never ran', { comparedUntil: null }, { isUnderWay: false, state: 'Not checked yet.' }],
])('when %s, then the account says so', (_name, given, view) => {
  const nextRunAt = new Date(NOW.getTime() + 3_600_000);
  const answer = { state: 'ok' as const, reason: null, comparedUntil: NOW, nextRunAt, ...given };

  expect(comparisonOf(answer, aTenant(), NOW)).toMatchObject(view);
});
