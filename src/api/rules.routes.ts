/** `/rules`: what a tenant wants to hear of. */

import { isDeepStrictEqual } from 'node:util';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import type { EventType } from '../core/transition';
import { dropWaiting } from '../delivery/drop-waiting.store';
import { reconsiderHeld } from '../delivery/reconsider-held.store';
import { refuseOverLimit, type CurrentPlan } from '../plans/plan-limits';
import { countRules, deleteRule, findRule, insertRule, pageOfRules, updateRule, type StoredRule } from '../rules/rule.store';
import { changedFields, type RunChange } from './change.store';
import { nameFilters } from './name-filters';
import { invalid, missing, tenantEndpoint, type Endpoint } from './endpoint';
import { pageAnswer, pageFields, readCursor } from './paging';
import { attentionOfNewRule, attentionOfShownRules, type Attention, type RefreshReferences } from './rule-attention';
import {
  createRuleBody,
  draftProblems,
  MAX_POSITION,
  merged,
  newDraft,
  updateRuleBody,
  type ChangeBody,
  type GivenChange,
  type GivenRule,
  type RuleDraft,
} from './rule-draft';

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly refreshReferences: RefreshReferences;
  /** The same for who only looks on. */
  readonly refreshAged: RefreshReferences;
  readonly runChange: RunChange;
  readonly loadPlan: (client: Prisma.TransactionClient, tenantId: TenantId) => Promise<CurrentPlan>;
  readonly clock: () => Date;
}

const listQuery = z.object(pageFields);

export function ruleEndpoints(deps: Deps): Endpoint[] {
  const { prisma } = deps;
  const written = async (tenantId: TenantId, rule: StoredRule) => shown(rule, await attentionOfNewRule(deps, tenantId, rule));
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/rules', access: 'read', status: 200, summary: 'List the rules in the order of their position' },
      query: listQuery,
      handle: async ({ tenantId }, { query: { limit, cursor } }) => {
        const [position, id] = readCursor(cursor, 2);
        const after = position === undefined || id === undefined ? null : { position, id };
        const rows = await pageOfRules(prisma, tenantId, { after, limit: limit + 1 });
        const attentionOf = await attentionOfShownRules(deps, tenantId, rows);
        return pageAnswer(
          rows,
          limit,
          (rule) => [rule.position, rule.id],
          (rule) => shown(rule, attentionOf(rule)),
        );
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/rules', access: 'change', status: 201, summary: 'Make a rule; it never announces the past' },
      body: createRuleBody,
      handle: async (principal, { body }) => {
        const rule = await create(deps, principal, await named(deps, principal.tenantId, body.eventType, body));
        return { status: 201, body: await written(principal.tenantId, rule) };
      },
    }),
    tenantEndpoint({
      ...{ method: 'get', path: '/rules/:id', access: 'read', status: 200, summary: 'One rule' },
      handle: async ({ tenantId }, { id }) => {
        const rule = await findRule(prisma, tenantId, id);
        if (rule === null) throw missing('rule');
        const attentionOf = await attentionOfShownRules(deps, tenantId, [rule]);
        return { status: 200, body: shown(rule, attentionOf(rule)) };
      },
    }),
    tenantEndpoint({
      ...{
        method: 'put',
        path: '/rules/:id',
        access: 'change',
        status: 200,
        summary: 'Change a rule; filters are replaced as a whole',
      },
      body: updateRuleBody,
      handle: async (principal, { id, body }) => {
        const before = await findRule(prisma, principal.tenantId, id);
        if (before === null) throw missing('rule');
        // Filters that stay have to suit the new event type too.
        const filters = body.filters ?? (body.eventType === undefined ? undefined : before.filters);
        const eventType = body.eventType ?? before.eventType;
        const change = await named(deps, principal.tenantId, eventType, { ...body, filters });
        const rule = await update(deps, principal, id, change);
        return { status: 200, body: await written(principal.tenantId, rule) };
      },
    }),
    tenantEndpoint({
      ...{
        method: 'delete',
        path: '/rules/:id',
        access: 'change',
        status: 204,
        summary: 'Remove a rule; what waits because of it is dropped',
      },
      handle: async (principal, { id }) => {
        await remove(deps, principal, id);
        return { status: 204 };
      },
    }),
  ];
}

/** The body with ids and keys in the place of names. */
async function named<Body extends ChangeBody>(deps: Deps, tenantId: TenantId, eventType: EventType, body: Body) {
  const { filters, ...rest } = body;
  return filters === undefined ? rest : { ...rest, filters: await nameFilters(deps, tenantId, eventType, filters) };
}

type Actor = { readonly tenantId: TenantId; readonly actor: string };

async function create(deps: Deps, principal: Actor, body: GivenRule): Promise<StoredRule> {
  const { tenantId, actor } = principal;
  return await deps.runChange(principal, async (client) => {
    const { active, lastPosition } = await countRules(client, tenantId);
    const position = Math.min(lastPosition + 1, MAX_POSITION);
    const draft = newDraft(body, position);
    await refuseBadDraft(client, tenantId, draft, body, true);
    if (draft.enabled) refuseOverLimit('activeRules', active, await deps.loadPlan(client, tenantId));
    const result = await insertRule(client, tenantId, { ...draft, author: actor, enabledAt: deps.clock() });
    return { result, note: { action: 'rule.created', subject: `rule ${result.id}`, changes: { name: result.name } } };
  });
}

async function update(deps: Deps, principal: Actor, id: number, body: GivenChange): Promise<StoredRule> {
  const { tenantId } = principal;
  return await deps.runChange(principal, async (client) => {
    const before = await findRule(client, tenantId, id);
    if (before === null) throw missing('rule');
    const draft = merged(before, body);
    const isSwitchedOn = draft.enabled && !before.enabled;
    await refuseBadDraft(client, tenantId, draft, body, isSwitchedOn);
    if (isUnchanged(before, draft)) return { result: before, note: null };
    if (isSwitchedOn) {
      refuseOverLimit('activeRules', (await countRules(client, tenantId)).active, await deps.loadPlan(client, tenantId));
    }
    const result = await updateRule(client, tenantId, id, { ...draft, enabledAt: isSwitchedOn ? deps.clock() : null });
    const fields = changedFields(merged(before, {}), draft);
    if (fields.some((field) => DECIDES_WHEN.has(field))) await reconsiderHeld(client, tenantId, { ruleId: id }, deps.clock());
    const changes = { fields, ...(fields.includes('enabled') && { enabled: result.enabled }) };
    return { result, note: { action: 'rule.updated', subject: `rule ${id}`, changes } };
  });
}

/** What the rule gathered waits for its new time, or is told now. */
const DECIDES_WHEN: ReadonlySet<string> = new Set(['digest', 'urgent', 'enabled']);

/** What changes nothing is no new version. */
function isUnchanged(before: StoredRule, draft: RuleDraft): boolean {
  return isDeepStrictEqual(merged(before, {}), draft);
}

async function refuseBadDraft(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  draft: RuleDraft,
  given: GivenChange,
  needsTargets: boolean,
): Promise<void> {
  const problems = await draftProblems(client, tenantId, draft, given, needsTargets);
  if (problems.length > 0) throw invalid(problems);
}

async function remove(deps: Deps, principal: Actor, id: number): Promise<void> {
  await deps.runChange(principal, async (client) => {
    if (!(await deleteRule(client, principal.tenantId, id))) throw missing('rule');
    await dropWaiting(client, principal.tenantId, { ruleId: id }, 'the rule was removed');
    return { result: undefined, note: { action: 'rule.deleted', subject: `rule ${id}` } };
  });
}

function shown(rule: StoredRule, attention: Attention): object {
  const { id, name, eventType, filters, targetWebhookIds, templateMode, template, settleMs, position, stopAfter, enabled } = rule;
  const { urgent, digest, enabledAt, author, version, createdAt, updatedAt } = rule;
  return {
    ...{ id, name, eventType, filters, targetWebhookIds, templateMode, template, settleMs, position, stopAfter, enabled },
    ...{ urgent, digest, enabledAt, author, version, createdAt, updatedAt },
    ...attention,
  };
}
