/** What waits for a person, each with the one click that mends it. */

import type { AttentionView } from '../../views/attention';
import { pageUrl, type PageKey } from '../../views/shell';
import { attentionOfRules } from '../api/rule-attention';
import { WEBHOOK_ENTITIES } from '../core/record';
import { listDestinations, type Destination } from '../delivery/chat-webhook.store';
import type { CurrentPlan } from '../plans/plan-limits';
import { listRules, type StoredRule } from '../rules/rule.store';
import { connectionHealth, heardObjects, waitingMessages, type WaitingMessages } from './overview.store';
import type { SettingsDeps } from './settings-deps';
import type { Viewer } from './viewer.store';
import { counted, dayWords, sentence } from './words';

/** `page` is where it is mended. */
export interface AttentionItem extends AttentionView {
  readonly page: PageKey;
}

/** Everything, the most urgent first. */
export async function attentionOf(deps: SettingsDeps, viewer: Viewer): Promise<readonly AttentionItem[]> {
  const { prisma, pool } = deps.database;
  const { tenant } = viewer;
  const [destinations, rules, waiting, heard, connections, plan] = await Promise.all([
    listDestinations(prisma, tenant.id),
    listRules(prisma, tenant.id),
    waitingMessages(pool, tenant.id),
    heardObjects(prisma, tenant.id),
    connectionHealth(prisma, tenant.id),
    deps.loadPlan(tenant.id),
  ]);
  const needOf = await attentionOfRules(pool, tenant.id, rules);
  return [
    ...deafness(heard),
    ...lostConnections(connections, deps.installUrl),
    ...destinations.flatMap((destination) => brokenSpace(destination, waiting)),
    ...rules.flatMap((rule) => brokenRule(rule, needOf(rule).attention[0]?.message)),
    ...planLimits(
      plan,
      { destinations: destinations.length, activeRules: rules.filter(({ enabled }) => enabled).length },
      viewer,
      deps.clock(),
    ),
  ];
}

function deafness(heard: ReadonlySet<string>): AttentionItem[] {
  const missing = WEBHOOK_ENTITIES.filter((entity) => !heard.has(entity));
  if (missing.length === 0) return [];
  const isDeaf = missing.length === WEBHOOK_ENTITIES.length;
  return [
    {
      id: 'webhooks',
      page: 'overview',
      tone: 'bad',
      title: isDeaf ? 'Pipedrive does not tell Dealbell anything' : 'Pipedrive tells Dealbell only a part',
      text: isDeaf
        ? 'No webhook is registered at Pipedrive, so no event comes in.'
        : `Nothing is heard of: ${missing.join(', ')}.`,
      mend: { kind: 'button', action: pageUrl('overview', 'register'), label: 'Register again' },
    },
  ];
}

function lostConnections({ ended, hasAdmin }: Awaited<ReturnType<typeof connectionHealth>>, installUrl: string): AttentionItem[] {
  const lost = ended.map(({ userName, reason }, index): AttentionItem => ({
    id: `connection-${index}`,
    page: 'overview',
    tone: 'warn',
    title: `The connection of ${userName} has ended`,
    text: `${reason === null ? 'Pipedrive no longer accepts it' : `Pipedrive says: ${reason}`}. Others go on working; ${userName} can connect again by this link.`,
    mend: { kind: 'tab', href: installUrl, label: 'Reconnect' },
  }));
  if (hasAdmin) return lost;
  const noAdmin: AttentionItem = {
    id: 'no-admin',
    page: 'overview',
    tone: 'warn',
    title: 'No admin is connected',
    text: 'Dealbell hears only what the connected users may see in Pipedrive. An admin who connects makes it hear everything.',
    mend: { kind: 'tab', href: installUrl, label: 'Connect an admin' },
  };
  return [noAdmin, ...lost];
}

function brokenSpace(destination: Destination, waiting: readonly WaitingMessages[]): AttentionItem[] {
  if (destination.paused || (destination.health !== 'broken' && destination.health !== 'doubtful')) return [];
  const held = waiting.filter(({ destinationId }) => destinationId === destination.id).reduce((sum, { count }) => sum + count, 0);
  const isBroken = destination.health === 'broken';
  const reason = destination.healthReason === null ? 'Google Chat refuses messages.' : sentence(destination.healthReason);
  return [
    {
      id: `space-${destination.id}`,
      page: 'spaces',
      tone: isBroken ? 'bad' : 'warn',
      title: isBroken ? `${destination.name} does not take messages` : `${destination.name} refused a message`,
      text: `${reason} ${held === 0 ? 'Nothing waits for it yet.' : `${counted(held, 'message')} ${held === 1 ? 'waits' : 'wait'} and will go out once it works again.`}`,
      mend: { kind: 'link', href: pageUrl('spaces', `${destination.id}/url`), label: 'Replace URL' },
    },
  ];
}

function brokenRule(rule: StoredRule, problem: string | undefined): AttentionItem[] {
  const isSilent = rule.enabled && rule.targetWebhookIds.length === 0;
  if (problem === undefined && !isSilent) return [];
  return [
    {
      id: `rule-${rule.id}`,
      page: 'rules',
      tone: 'warn',
      title: `The rule ${rule.name} needs attention`,
      text: problem === undefined ? 'It has no space to post to.' : sentence(problem),
      mend: { kind: 'link', href: pageUrl('rules', rule.id), label: 'Mend rule' },
    },
  ];
}

const DAY_MS = 86_400_000;
const TRIAL_WARNING_DAYS = 5;

function planLimits(
  plan: CurrentPlan,
  usage: { readonly destinations: number; readonly activeRules: number },
  { tenant }: Viewer,
  now: Date,
): AttentionItem[] {
  const mend = { kind: 'link', href: pageUrl('account'), label: 'See plan' } as const;
  const full = (['destinations', 'activeRules'] as const).filter((what) => usage[what] >= plan.limits[what]);
  const words = { destinations: 'spaces', activeRules: 'active rules' } as const;
  const name = plan.isTrial ? 'trial' : `${plan.plan} plan`;
  const limits = full.map((what): AttentionItem => ({
    id: `limit-${what}`,
    page: 'account',
    tone: 'warn',
    title: `All ${plan.limits[what]} ${words[what]} of your ${name} are in use`,
    text: 'What you have goes on working; more needs a larger plan, or something that you no longer need can go.',
    mend,
  }));
  const { trialEndsAt } = plan;
  if (trialEndsAt === null || trialEndsAt.getTime() - now.getTime() > TRIAL_WARNING_DAYS * DAY_MS) return limits;
  const ending: AttentionItem = {
    id: 'trial',
    page: 'account',
    tone: 'warn',
    title: `Your trial ends on ${dayWords(trialEndsAt, tenant)}`,
    text: `After it the limits of the ${plan.plan} plan hold. Nothing is deleted.`,
    mend,
  };
  return [...limits, ending];
}
