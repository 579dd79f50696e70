/** The list of the rules: switch, order, delete. Every change is a request of the API. */

import type { Refusal } from '../../views/form';
import { Rules } from '../../views/settings/rules';
import { attentionOfRules } from '../api/rule-attention';
import { missing } from '../api/endpoint';
import { listDestinations } from '../delivery/chat-webhook.store';
import { referencesOfRules } from '../rules/check-references';
import { loadReferences } from '../rules/reference.store';
import { listRules, type StoredRule } from '../rules/rule.store';
import { attempt } from './attempt';
import { inOrder, moved, newPositions } from './rule-order';
import { ruleRow } from './rule-rows';
import { lastSentByRule } from './rules.store';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';

export function rulesPages(deps: SettingsDeps): PageRoute[] {
  const page = (path: string, handle: (deps: SettingsDeps, visit: Visit) => Promise<PageAnswer>): PageRoute => ({
    ...{ method: 'post', path, access: 'change' },
    handle: (visit) => handle(deps, visit),
  });
  return [
    { method: 'get', path: 'rules', access: 'see', handle: (visit) => rulesPage(deps, visit) },
    page('rules/order', order),
    page('rules/:id/enabled', enable),
    page('rules/:id/move', move),
    page('rules/:id/delete', remove),
  ];
}

/** The list, also as what follows from a change. */
export async function rulesPage(
  deps: SettingsDeps,
  visit: Visit,
  { message, refusal = null }: { readonly message?: string; readonly refusal?: Refusal | null } = {},
): Promise<PageAnswer> {
  const { prisma, pool } = deps.database;
  const { tenant, isAdmin } = visit.viewer;
  const [rules, destinations, lastSent, plan] = await Promise.all([
    listRules(prisma, tenant.id),
    listDestinations(prisma, tenant.id),
    lastSentByRule(deps.database, tenant.id),
    deps.loadPlan(tenant.id),
  ]);
  const [known, attentionOf] = await Promise.all([
    loadReferences(pool, tenant.id, referencesOfRules(rules)),
    attentionOfRules(pool, tenant.id, rules),
  ]);
  const facts = {
    tenant,
    destinations,
    known,
    lastSent,
    problemOf: (rule: StoredRule) => attentionOf(rule).attention[0]?.message,
  };
  const active = rules.filter(({ enabled }) => enabled).length;
  const content = Rules({
    rules: rules.map((rule) => ruleRow(rule, facts)),
    usage: `${active} of ${plan.limits.activeRules.toLocaleString('en')} active`,
    isFull: active >= plan.limits.activeRules,
    hasSpace: destinations.length > 0,
    canChange: isAdmin,
    refusal,
  });
  return {
    ...{ kind: 'page', page: 'rules', title: 'Rules', content, status: refusal === null ? 200 : 422 },
    ...(message === undefined ? {} : { message }),
  };
}

async function enable(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const enabled = visit.form.has('enabled');
  const { name } = await ruleOf(deps, visit);
  const call = { method: 'put', path: '/rules/:id', id: visit.id, body: { enabled } } as const;
  const tried = await attempt(() => deps.callApi(visit.principal, call));
  if (!tried.done) return await rulesPage(deps, visit, { refusal: aboutRule(name, tried.refusal) });
  return await rulesPage(deps, visit, { message: `${name} is ${enabled ? 'on' : 'off'}` });
}

async function move(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const way = visit.form.text('way') === 'up' ? 'up' : 'down';
  const rules = await listRules(deps.database.prisma, visit.viewer.tenant.id);
  return await place(deps, visit, moved(rules, visit.id, way));
}

async function order(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const wanted = visit.form.text('order').split(',').map(Number);
  const rules = await listRules(deps.database.prisma, visit.viewer.tenant.id);
  return await place(deps, visit, inOrder(rules, wanted));
}

async function place(deps: SettingsDeps, visit: Visit, ordered: readonly StoredRule[]): Promise<PageAnswer> {
  const tried = await attempt(async () => {
    for (const { id, position } of newPositions(ordered)) {
      await deps.callApi(visit.principal, { method: 'put', path: '/rules/:id', id, body: { position } });
    }
  });
  return await rulesPage(deps, visit, tried.done ? {} : { refusal: tried.refusal });
}

async function remove(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await ruleOf(deps, visit);
  await deps.callApi(visit.principal, { method: 'delete', path: '/rules/:id', id: visit.id });
  return await rulesPage(deps, visit, { message: `${name} was deleted` });
}

async function ruleOf({ database: { prisma } }: SettingsDeps, { viewer, id }: Visit): Promise<StoredRule> {
  const rule = (await listRules(prisma, viewer.tenant.id)).find((candidate) => candidate.id === id);
  if (rule === undefined) throw missing('rule');
  return rule;
}

/** On a list it has to be said of which rule it is the matter. */
function aboutRule(name: string, { message, errors }: Refusal): Refusal {
  const [first] = errors;
  return { message: `${name}: ${first === undefined ? message : first.message}`, errors: [] };
}
