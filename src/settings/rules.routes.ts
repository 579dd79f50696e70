/** The pages of the rules. */

import { Rules } from '../../views/settings/rules';
import { listDestinations } from '../delivery/chat-webhook.store';
import { EVENT_NAMES } from '../rules/explain';
import { listRules } from '../rules/rule.store';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';
import { capitalized } from './words';

export function rulesPages(deps: SettingsDeps): PageRoute[] {
  return [{ method: 'get', path: 'rules', access: 'see', handle: (visit) => list(deps, visit) }];
}

async function list({ database: { prisma } }: SettingsDeps, { viewer }: Visit): Promise<PageAnswer> {
  const [rules, destinations] = await Promise.all([
    listRules(prisma, viewer.tenant.id),
    listDestinations(prisma, viewer.tenant.id),
  ]);
  const names = new Map(destinations.map(({ id, name }) => [id, name]));
  const content = Rules({
    rules: rules.map(({ id, name, eventType, targetWebhookIds, enabled }) => ({
      ...{ id, name, listensTo: capitalized(EVENT_NAMES[eventType]), isOn: enabled },
      targets: targetWebhookIds.flatMap((target) => names.get(target) ?? []).join(', ') || 'no space',
    })),
  });
  return { kind: 'page', page: 'rules', title: 'Rules', content };
}
