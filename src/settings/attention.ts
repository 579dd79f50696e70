/** What waits for a person, in words, each with the one click that mends it. */

import type { AttentionView } from '../../views/attention';
import { pageUrl, type PageKey } from '../../views/shell';
import { attentionNeeds, type AttentionNeed } from '../api/attention';
import { counted } from '../core/counted';
import type { CurrentPlan } from '../plans/plan-limits';
import type { SettingsDeps } from './settings-deps';
import type { Viewer } from './viewer.store';
import { dayWords, sentence } from './words';

/** `page` is where it is mended. */
export interface AttentionItem extends AttentionView {
  readonly page: PageKey;
}

/** Everything, the most urgent first. */
export async function attentionOf(deps: SettingsDeps, viewer: Viewer): Promise<readonly AttentionItem[]> {
  const { tenant } = viewer;
  const plan = await deps.loadPlan(tenant.id);
  const needs = await attentionNeeds({ ...deps.database, checkKeys: deps.checkKeys, clock: deps.clock }, tenant.id, plan);
  const { alike, others } = sameTrouble(needs);
  const beside = { viewer, plan, installUrl: deps.installUrl };
  return [...others.map((need, index) => itemOf(need, index, beside)), ...alike.map(troubledRules)];
}

type RuleNeed = AttentionNeed & { readonly kind: 'rule' };

/** Rules that all need the same are told of at once. */
function sameTrouble(needs: readonly AttentionNeed[]): {
  readonly alike: readonly (readonly RuleNeed[])[];
  readonly others: readonly AttentionNeed[];
} {
  const rules = needs.filter((need) => need.kind === 'rule');
  const reasons = [...new Set(rules.map(({ reason }) => reason))];
  const alike = reasons.map((reason) => rules.filter((rule) => rule.reason === reason)).filter((group) => group.length > 1);
  const grouped = new Set<AttentionNeed>(alike.flat());
  return { alike, others: needs.filter((need) => !grouped.has(need)) };
}

function troubledRules(needs: readonly RuleNeed[], index: number): AttentionItem {
  const names = new Intl.ListFormat('en').format(needs.map(({ name }) => name));
  return {
    ...{ id: `rules-${index}`, page: 'rules', tone: 'warn', title: `${counted(needs.length, 'rule')} need attention` },
    text: `${names}: ${needs[0]?.reason ?? ''}`,
    mend: { kind: 'link', href: pageUrl('rules'), label: 'Review' },
  };
}

interface Beside {
  readonly viewer: Viewer;
  readonly plan: CurrentPlan;
  readonly installUrl: string;
}

function itemOf(need: AttentionNeed, index: number, beside: Beside): AttentionItem {
  switch (need.kind) {
    case 'webhooks':
      return deafness(need);
    case 'noAdmin':
      return {
        ...{ id: 'no-admin', page: 'overview', tone: 'warn', title: 'No admin is connected' },
        text: 'Dealbell hears only what the connected users may see in Pipedrive. An admin who connects makes it hear everything.',
        mend: { kind: 'tab', href: beside.installUrl, label: 'Connect an admin' },
      };
    case 'connection':
      return {
        ...{ id: `connection-${index}`, page: 'overview', tone: 'warn' },
        title: `The connection of ${need.userName} has ended`,
        text: `${need.reason === null ? 'Pipedrive no longer accepts it' : `Pipedrive says: ${need.reason}`}. Other connections keep working; ${need.userName} can connect again with this link.`,
        mend: { kind: 'tab', href: beside.installUrl, label: 'Reconnect' },
      };
    case 'destination':
      return brokenSpace(need);
    case 'quietForEver':
      return {
        ...{ id: `quiet-${need.chatWebhookId}`, page: 'spaces', tone: 'warn', title: `${need.name} is always quiet` },
        text: 'Its quiet hours never end, so that messages wait for ever. Change the hours or the days.',
        mend: { kind: 'link', href: pageUrl('spaces', need.chatWebhookId), label: 'Open settings' },
      };
    case 'rule':
      return {
        ...{ id: `rule-${need.ruleId}`, page: 'rules', tone: 'warn', title: `The rule ${need.name} needs attention` },
        text: sentence(need.reason),
        mend: { kind: 'link', href: pageUrl('rules', need.ruleId), label: 'Fix rule' },
      };
    case 'limit':
      return fullPlan(need, beside.plan);
    case 'trialEnds':
      return {
        ...{ id: 'trial', page: 'account', tone: 'warn' },
        title: `Your trial ends on ${dayWords(need.at, beside.viewer.tenant)}`,
        text: `After that, the limits of the ${beside.plan.plan} plan apply. Nothing is deleted.`,
        mend: SEE_PLAN,
      };
    default:
      return need satisfies never;
  }
}

function deafness({ missing, isDeaf }: AttentionNeed & { kind: 'webhooks' }): AttentionItem {
  return {
    ...{ id: 'webhooks', page: 'overview', tone: 'bad' },
    title: isDeaf ? 'Pipedrive sends Dealbell nothing' : 'Pipedrive sends Dealbell only a part',
    text: isDeaf
      ? 'No webhook is registered in Pipedrive, so no event reaches Dealbell.'
      : `No webhook is registered for: ${missing.join(', ')}.`,
    mend: { kind: 'button', action: pageUrl('overview', 'register'), label: 'Register again' },
  };
}

function brokenSpace(need: AttentionNeed & { kind: 'destination' }): AttentionItem {
  const { chatWebhookId, name, health, reason, held } = need;
  const isBroken = health === 'broken';
  const waiting = held === 0 ? '' : ` ${counted(held, 'message')} will be sent once it works again.`;
  return {
    ...{ id: `space-${chatWebhookId}`, page: 'spaces', tone: isBroken ? 'bad' : 'warn' },
    title: isBroken ? `${name} is not receiving messages` : `Delivery problem in ${name}`,
    text: `${reason === null ? 'Google Chat refuses messages.' : sentence(reason)}${waiting}`,
    mend: need.isMendedByUrl
      ? { kind: 'link', href: pageUrl('spaces', `${chatWebhookId}/url`), label: 'Replace URL' }
      : { kind: 'link', href: pageUrl('spaces', chatWebhookId), label: 'Open settings' },
  };
}

const SEE_PLAN = { kind: 'link', href: pageUrl('account'), label: 'See plan' } as const;

function fullPlan({ limit, allowed }: AttentionNeed & { kind: 'limit' }, { isTrial, plan }: CurrentPlan): AttentionItem {
  const what = limit === 'destinations' ? 'spaces' : 'active rules';
  return {
    ...{ id: `limit-${limit}`, page: 'account', tone: 'warn' },
    title: `All ${allowed} ${what} of your ${isTrial ? 'trial' : `${plan} plan`} are in use`,
    text: 'What you have keeps working. To add more, remove something that you no longer need, or move to a larger plan.',
    mend: SEE_PLAN,
  };
}
