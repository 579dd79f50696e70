/** `/rules/export` and `/rules/import`: rules as a document, between companies or out of a backup. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { refuseOverLimit, type CurrentPlan } from '../plans/plan-limits';
import { loadDirectory } from '../rules/directory.store';
import type { Directory, Mapping } from '../rules/resolve-references';
import { countRules, insertRule, listRules, type StoredRule } from '../rules/rule.store';
import { accountOf } from './account.store';
import type { RunChange } from './change.store';
import { invalid, tenantEndpoint, type Endpoint, type Principal } from './endpoint';
import { planImport, readMapping, type ImportPlan, type PlannedRule, type ResolvedReference } from './plan-import';
import type { RefreshReferences } from './rule-attention';
import { exportedRule, mappingSchema, referencesOfRule, ruleDocumentSchema, type RuleDocument } from './rule-document';

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly runChange: RunChange;
  readonly refreshReferences: RefreshReferences;
  readonly loadPlan: (client: PrismaClient | Prisma.TransactionClient, tenantId: TenantId) => Promise<CurrentPlan>;
  readonly clock: () => Date;
}

/** A thousand rules with what they name. */
const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** Names in the audit trail. */
const MAX_NOTED = 50;

const importBody = z.strictObject({
  document: ruleDocumentSchema,
  dryRun: z.boolean().default(false),
  mapping: mappingSchema.default({}),
});

export function ruleDocumentEndpoints(deps: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/rules/export', access: 'read', status: 200 },
      summary: 'All rules as a document; what they name stands there by id and by name',
      handle: async ({ tenantId }) => ({ status: 200, body: await exported(deps, tenantId) }),
    }),
    tenantEndpoint({
      ...{ method: 'post', path: '/rules/import', access: 'change', status: 200, maxBodyBytes: MAX_DOCUMENT_BYTES },
      summary: 'Make the rules of such a document, all or none; dryRun only reports what would come of it',
      body: importBody,
      handle: async (principal, { body: { document, dryRun, mapping: given } }) => {
        const directory = await directoryFor(deps, principal.tenantId, document.rules.map(referring));
        const { mapping, problems } = readMapping(given, directory);
        if (problems.length > 0) throw invalid(problems);
        if (dryRun) {
          const plan = await planned(deps, deps.prisma, principal.tenantId, { document, directory, mapping });
          return { status: 200, body: report(plan, [], false) };
        }
        return { status: 200, body: await imported(deps, principal, { document, directory, mapping }) };
      },
    }),
  ];
}

async function exported(deps: Deps, tenantId: TenantId): Promise<object> {
  const rules = await listRules(deps.prisma, tenantId);
  const directory = await directoryFor(deps, tenantId, rules);
  const { companyId, companyName } = await accountOf(deps.prisma, tenantId);
  return {
    version: 1,
    exportedAt: deps.clock(),
    source: { companyId, companyName },
    rules: rules.map((rule) => exportedRule(rule, directory)),
  };
}

type Referring = Parameters<typeof referencesOfRule>[0];

const referring = ({ eventType, filters = {}, targetWebhookIds }: RuleDocument['rules'][number]): Referring => ({
  ...{ eventType, filters, targetWebhookIds },
});

/** Fields are read at Pipedrive when a rule names some and none was read yet. */
async function directoryFor(deps: Deps, tenantId: TenantId, rules: readonly Referring[]): Promise<Directory> {
  const named = rules.flatMap((rule) => referencesOfRule(rule, []));
  const contacts = named
    .filter(({ kind }) => kind === 'person' || kind === 'organization' || kind === 'option')
    .map(({ id }) => id);
  const directory = await loadDirectory(deps.pool, tenantId, contacts);
  const needsFields = named.some(({ kind }) => kind === 'field' || kind === 'option');
  if (!needsFields || directory.some(({ kind }) => kind === 'field')) return directory;
  return (await deps.refreshReferences(tenantId, ['dealField'])) ? await loadDirectory(deps.pool, tenantId, contacts) : directory;
}

interface Import {
  readonly document: RuleDocument;
  readonly directory: Directory;
  readonly mapping: Mapping;
}

async function planned(
  { loadPlan }: Deps,
  client: PrismaClient | Prisma.TransactionClient,
  tenantId: TenantId,
  { document, directory, mapping }: Import,
): Promise<ImportPlan> {
  const existing = await listRules(client, tenantId);
  const { active, lastPosition } = await countRules(client, tenantId);
  const { companyId } = await accountOf(client, tenantId);
  const freeActiveRules = (await loadPlan(client, tenantId)).limits.activeRules - active;
  return planImport(document, { directory, mapping, companyId, existing, lastPosition, freeActiveRules });
}

/** All or nothing. Throws an AppError: 403 when the plan allows fewer rules, 422 when a rule cannot be made. */
async function imported(deps: Deps, principal: Principal, request: Import): Promise<object> {
  const { tenantId, actor } = principal;
  return await deps.runChange(principal, async (client) => {
    const plan = await planned(deps, client, tenantId, request);
    await refuseImport(deps, client, tenantId, request.document, plan);
    const made: StoredRule[] = [];
    for (const rule of plan.rules) {
      if (rule.status === 'created')
        made.push(await insertRule(client, tenantId, { ...rule.draft, author: actor, enabledAt: deps.clock() }));
    }
    const names = made.slice(0, MAX_NOTED).map(({ name }) => name);
    const note = { action: 'rules.imported', subject: 'rules', changes: { created: made.length, names } };
    return { result: report(plan, made, true), note: made.length === 0 ? null : note };
  });
}

async function refuseImport(
  { loadPlan }: Deps,
  client: Prisma.TransactionClient,
  tenantId: TenantId,
  document: RuleDocument,
  plan: ImportPlan,
): Promise<void> {
  const problems = plan.rules.flatMap((rule, at) =>
    rule.status === 'rejected' ? [{ path: `document.rules.${at}`, message: rule.reason, isOverLimit: rule.isOverLimit }] : [],
  );
  if (problems.some(({ isOverLimit }) => isOverLimit)) {
    const { active } = await countRules(client, tenantId);
    refuseOverLimit('activeRules', active + document.rules.length, await loadPlan(client, tenantId));
  }
  if (problems.length > 0) throw invalid(problems.map(({ path, message }) => ({ path, message })));
}

function report(plan: ImportPlan, made: readonly StoredRule[], stored: boolean): object {
  const remaining = [...made];
  return {
    stored,
    references: plan.references.map(shownReference),
    rules: plan.rules.map((rule, index) => ({
      index,
      ...shownRule(rule, rule.status === 'created' ? remaining.shift() : undefined),
    })),
  };
}

function shownReference({ wanted, resolution }: ResolvedReference): object {
  if (resolution.how === 'missing') return { ...wanted, resolution: resolution.how, target: null, reason: resolution.reason };
  return { ...wanted, resolution: resolution.how, target: resolution.thing, reason: null };
}

function shownRule(rule: PlannedRule, made: StoredRule | undefined): object {
  if (rule.status !== 'created')
    return { name: rule.name, status: rule.status, ruleId: null, enabled: null, reason: rule.reason };
  const { name, enabled } = rule.draft;
  return { name, status: rule.status, ruleId: made?.id ?? null, enabled, reason: rule.reason };
}
