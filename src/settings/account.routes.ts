/** The page of the account. */

import { Account } from '../../views/settings/account';
import { countDestinations } from '../delivery/chat-webhook.store';
import { countRules } from '../rules/rule.store';
import { planWords } from './overview-view';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';

export function accountPages(deps: SettingsDeps): PageRoute[] {
  return [{ method: 'get', path: 'account', access: 'see', handle: (visit) => show(deps, visit) }];
}

async function show(deps: SettingsDeps, { viewer: { tenant } }: Visit): Promise<PageAnswer> {
  const { prisma } = deps.database;
  const [plan, spaces, rules, keys] = await Promise.all([
    deps.loadPlan(tenant.id),
    countDestinations(prisma, tenant.id),
    countRules(prisma, tenant.id),
    deps.countApiKeys(tenant.id),
  ]);
  const content = Account({
    companyName: tenant.companyName,
    plan: planWords(plan, tenant),
    usage: [
      { label: 'Spaces', value: `${spaces} of ${plan.limits.destinations}` },
      { label: 'Active rules', value: `${rules.active} of ${plan.limits.activeRules}` },
      { label: 'API keys', value: `${keys} of ${plan.limits.apiKeys}` },
    ],
  });
  return { kind: 'page', page: 'account', title: 'Account', content };
}
