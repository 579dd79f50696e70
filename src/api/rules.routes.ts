/** `/rules`: what a tenant wants to hear of. */

import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { FieldError } from '../core/errors';
import { eventTypeSchema, ruleFiltersSchema, TEMPLATE_MODES } from '../core/rule';
import type { TenantId } from '../core/tenant';
import { dropWaiting, ownDestinationIds } from '../delivery/chat-webhook.store';
import { templateProblem } from '../messages/text-template';
import { refuseOverLimit, type CurrentPlan } from '../plans/plan-limits';
import {
  countRules,
  deleteRule,
  findRule,
  insertRule,
  pageOfRules,
  updateRule,
  type RuleFields,
  type StoredRule,
} from '../rules/rule.store';
import type { RunChange } from './change.store';
import { invalid, missing, tenantEndpoint, type Endpoint } from './endpoint';
import { idField, nameField } from './fields';
import { pageAnswer, pageFields, readCursor } from './paging';

interface Deps {
  readonly prisma: PrismaClient;
  readonly runChange: RunChange;
  readonly loadPlan: (client: Prisma.TransactionClient, tenantId: TenantId) => Promise<CurrentPlan>;
  readonly clock: () => Date;
}

const MAX_SETTLE_MS = 120_000;
const MAX_POSITION = 1_000_000;
const MAX_TARGETS = 200;
const MAX_TEMPLATE_LENGTH = 4000;

const settings = {
  name: nameField,
  eventType: eventTypeSchema,
  filters: ruleFiltersSchema,
  targetWebhookIds: z.array(idField).min(1, 'must name at least one destination').max(MAX_TARGETS),
  /** One destination may be named so. */
  targetWebhookId: idField,
  templateMode: z.enum(TEMPLATE_MODES),
  template: z.string().max(MAX_TEMPLATE_LENGTH).nullable(),
  settleMs: z.int().min(0).max(MAX_SETTLE_MS).nullable(),
  position: z.int().min(0).max(MAX_POSITION),
  stopAfter: z.boolean(),
  enabled: z.boolean(),
};
const updateBody = z.strictObject(z.object(settings).partial().shape);
const createBody = z.strictObject({ ...updateBody.shape, name: nameField, eventType: eventTypeSchema });
const listQuery = z.object(pageFields);

/** What PUT takes; what is not given stays. */
type Given = z.infer<typeof updateBody>;
type Draft = RuleFields & { readonly targetWebhookIds: readonly number[] };

export function ruleEndpoints(deps: Deps): Endpoint[] {
  const { prisma } = deps;
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/rules', access: 'read', status: 200, summary: 'List the rules in the order of their position' },
      query: listQuery,
      handle: async ({ tenantId }, { query: { limit, cursor } }) => {
        const [position, id] = readCursor(cursor, 2);
        const after = position === undefined || id === undefined ? null : { position, id };
        const rows = await pageOfRules(prisma, tenantId, { after, limit: limit + 1 });
        return pageAnswer(rows, limit, (rule) => [rule.position, rule.id], shown);
      },
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/rules', access: 'change', status: 201, summary: 'Make a rule; it never announces the past' },
      body: createBody,
      handle: async (principal, { body }) => ({ status: 201, body: shown(await create(deps, principal, body)) }),
    }),
    tenantEndpoint({
      ...{ method: 'get', path: '/rules/:id', access: 'read', status: 200, summary: 'One rule' },
      handle: async ({ tenantId }, { id }) => {
        const rule = await findRule(prisma, tenantId, id);
        if (rule === null) throw missing('rule');
        return { status: 200, body: shown(rule) };
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
      body: updateBody,
      handle: async (principal, { id, body }) => ({ status: 200, body: shown(await update(deps, principal, id, body)) }),
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

type Actor = { readonly tenantId: TenantId; readonly actor: string };

async function create(deps: Deps, principal: Actor, body: z.infer<typeof createBody>): Promise<StoredRule> {
  const { tenantId, actor } = principal;
  return await deps.runChange(principal, async (client) => {
    const { active, lastPosition } = await countRules(client, tenantId);
    const position = Math.min(lastPosition + 1, MAX_POSITION);
    const draft = merged({ ...DEFAULTS, name: body.name, eventType: body.eventType, position, targetWebhookIds: [] }, body);
    await refuseBadDraft(client, tenantId, draft, body, true);
    if (draft.enabled) refuseOverLimit('activeRules', active, await deps.loadPlan(client, tenantId));
    const result = await insertRule(client, tenantId, { ...draft, author: actor, enabledAt: deps.clock() });
    return { result, note: { action: 'rule.created', subject: `rule ${result.id}`, changes: { name: result.name } } };
  });
}

async function update(deps: Deps, principal: Actor, id: number, body: Given): Promise<StoredRule> {
  const { tenantId } = principal;
  return await deps.runChange(principal, async (client) => {
    const before = await findRule(client, tenantId, id);
    if (before === null) throw missing('rule');
    const draft = merged(before, body);
    const isSwitchedOn = draft.enabled && !before.enabled;
    await refuseBadDraft(client, tenantId, draft, body, isSwitchedOn);
    if (isSwitchedOn) {
      refuseOverLimit('activeRules', (await countRules(client, tenantId)).active, await deps.loadPlan(client, tenantId));
    }
    const result = await updateRule(client, tenantId, id, { ...draft, enabledAt: isSwitchedOn ? deps.clock() : null });
    return { result, note: { action: 'rule.updated', subject: `rule ${id}`, changes: { fields: Object.keys(body) } } };
  });
}

async function remove(deps: Deps, principal: Actor, id: number): Promise<void> {
  await deps.runChange(principal, async (client) => {
    if (!(await deleteRule(client, principal.tenantId, id))) throw missing('rule');
    await dropWaiting(client, principal.tenantId, { ruleId: id }, 'the rule was removed');
    return { result: undefined, note: { action: 'rule.deleted', subject: `rule ${id}` } };
  });
}

const DEFAULTS = {
  filters: {},
  templateMode: 'compact',
  template: null,
  settleMs: null,
  stopAfter: false,
  enabled: true,
} as const;

function merged(before: Draft, given: Given): Draft {
  return {
    name: given.name ?? before.name,
    eventType: given.eventType ?? before.eventType,
    filters: given.filters ?? before.filters,
    templateMode: given.templateMode ?? before.templateMode,
    // An emptied text field means the layout's own text.
    template: given.template === undefined ? before.template : given.template?.trim() === '' ? null : given.template,
    settleMs: given.settleMs === undefined ? before.settleMs : given.settleMs,
    position: given.position ?? before.position,
    stopAfter: given.stopAfter ?? before.stopAfter,
    enabled: given.enabled ?? before.enabled,
    targetWebhookIds: givenTargets(given) ?? before.targetWebhookIds,
  };
}

function givenTargets({ targetWebhookIds, targetWebhookId }: Given): readonly number[] | null {
  if (targetWebhookIds !== undefined) return [...new Set(targetWebhookIds)].sort((a, b) => a - b);
  return targetWebhookId === undefined ? null : [targetWebhookId];
}

/**
 * 422 for what only the fields together, or the tenant's destinations, show to be wrong. A rule whose destinations were all
 * removed may still be renamed or switched off, hence `needsTargets`.
 */
async function refuseBadDraft(
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  draft: Draft,
  given: Given,
  needsTargets: boolean,
): Promise<void> {
  const errors: FieldError[] = [...fieldProblems(draft, given)];
  if (needsTargets && draft.targetWebhookIds.length === 0) {
    errors.push({ path: 'targetWebhookIds', message: 'must name at least one destination' });
  }
  if (givenTargets(given) !== null) {
    const own = await ownDestinationIds(client, tenantId, draft.targetWebhookIds);
    const foreign = draft.targetWebhookIds.filter((id) => !own.has(id));
    const path = given.targetWebhookIds === undefined ? 'targetWebhookId' : 'targetWebhookIds';
    errors.push(...foreign.map((id) => ({ path, message: `There is no Chat webhook ${id}` })));
  }
  if (errors.length > 0) throw invalid(errors);
}

function* fieldProblems(draft: Draft, given: Given): Generator<FieldError> {
  if (given.targetWebhookIds !== undefined && given.targetWebhookId !== undefined) {
    yield { path: 'targetWebhookId', message: 'Name the destinations either here or in targetWebhookIds' };
  }
  if (draft.eventType === 'deal.field_changed' && (draft.filters.fields ?? []).length === 0) {
    yield { path: 'filters.fields', message: 'deal.field_changed needs the fields to listen to' };
  }
  const problem = draft.template === null ? null : templateProblem(draft.template);
  if (problem !== null) yield { path: 'template', message: problem };
}

function shown(rule: StoredRule): object {
  const { id, name, eventType, filters, targetWebhookIds, templateMode, template, settleMs, position, stopAfter, enabled } = rule;
  const { enabledAt, author, version, createdAt, updatedAt } = rule;
  return {
    ...{ id, name, eventType, filters, targetWebhookIds, templateMode, template, settleMs, position, stopAfter, enabled },
    ...{ enabledAt, author, version, createdAt, updatedAt },
  };
}
