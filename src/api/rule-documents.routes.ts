/** `/rules/export` and `/rules/import`: rules as a document, between companies or out of a backup. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { RecordEntity } from '../core/record';
import type { GivenFilters } from '../core/rule';
import type { TenantId } from '../core/tenant';
import { recordEntityOf, type EventType } from '../core/transition';
import { refuseOverLimit, type CurrentPlan } from '../plans/plan-limits';
import { namedValues } from '../rules/check-references';
import { loadDirectory } from '../rules/directory.store';
import type { KnownFields } from '../rules/field-catalogue';
import { loadKnownFields, withContacts } from '../rules/field-catalogue.store';
import { listsWanted } from '../rules/lists-wanted';
import { idOf } from '../rules/references';
import { contactNamesIn } from '../rules/resolve-names';
import { conditionsOf } from '../rules/walk-conditions';
import type { Directory, Mapping } from '../rules/resolve-references';
import { countRules, insertRule, listRules, type StoredRule } from '../rules/rule.store';
import { accountOf } from './account.store';
import type { RunChange } from './change.store';
import { invalid, tenantEndpoint, type Endpoint, type Principal } from './endpoint';
import { planImport, readMapping, type ImportPlan, type PlannedRule, type ResolvedReference } from './plan-import';
import type { RefreshReferences } from './rule-attention';
import { exportedRule, mappingSchema, ruleDocumentSchema, type RuleDocument } from './rule-document';

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
        const here = await whatIsHere(deps, principal.tenantId, document.rules.map(referring), contactsIn(document));
        const { mapping, problems } = readMapping(given, here.directory);
        if (problems.length > 0) throw invalid(problems);
        if (dryRun) {
          const plan = await planned(deps, deps.prisma, principal.tenantId, { document, ...here, mapping });
          return { status: 200, body: report(plan, [], false) };
        }
        return { status: 200, body: await imported(deps, principal, { document, ...here, mapping }) };
      },
    }),
  ];
}

async function exported(deps: Deps, tenantId: TenantId): Promise<object> {
  const rules = await listRules(deps.prisma, tenantId);
  const { directory } = await whatIsHere(deps, tenantId, rules, []);
  const { companyId, companyName } = await accountOf(deps.prisma, tenantId);
  return {
    version: 1,
    exportedAt: deps.clock(),
    source: { companyId, companyName },
    rules: rules.map((rule) => exportedRule(rule, directory)),
  };
}

interface Referring {
  readonly eventType: EventType;
  readonly filters: GivenFilters;
}

const referring = ({ eventType, filters = {} }: RuleDocument['rules'][number]): Referring => ({ eventType, filters });

/** Persons and organizations that the document describes; elsewhere they have other ids. */
function contactsIn({ rules }: RuleDocument): readonly string[] {
  const references = rules.flatMap((rule) => rule.references);
  return references.flatMap(({ kind, name }) => (kind === 'person' || kind === 'organization' ? (name ?? []) : []));
}

/** What rules can name in this company. Lists that the rules need and that were never read are read at Pipedrive first. */
async function whatIsHere(
  deps: Deps,
  tenantId: TenantId,
  rules: readonly Referring[],
  contactNames: readonly string[],
): Promise<Pick<Import, 'directory' | 'known'>> {
  const { pool } = deps;
  const load = () => loadAllKnown(pool, tenantId, rules);
  let known = await load();
  const lists = [...new Set(rules.flatMap((rule) => listsWanted(rule.filters, known(recordEntityOf(rule.eventType)), [])))];
  if (lists.length > 0 && (await deps.refreshReferences(tenantId, lists))) known = await load();
  const values = rules.flatMap(({ filters }) => conditionsOf(filters.conditions).flatMap(namedValues));
  const ids = [...new Set(values.flatMap(({ value }) => idOf(value) ?? []))];
  return { known, directory: await loadDirectory(pool, tenantId, { ids, names: contactNames }) };
}

async function loadAllKnown(pool: Pool, tenantId: TenantId, rules: readonly Referring[]): Promise<Import['known']> {
  const loaded = new Map<RecordEntity, KnownFields>();
  for (const entity of new Set(rules.map(({ eventType }) => recordEntityOf(eventType)))) {
    const known = await loadKnownFields(pool, tenantId, entity);
    const ofEntity = rules.filter(({ eventType }) => recordEntityOf(eventType) === entity);
    const contacts = ofEntity.flatMap(({ filters }) => contactNamesIn(filters, known));
    loaded.set(entity, contacts.length === 0 ? known : await withContacts(pool, tenantId, known, contacts));
  }
  return (entity) => loaded.get(entity) ?? { entity, fields: [], choices: new Map(), isListed: () => false };
}

interface Import {
  readonly document: RuleDocument;
  readonly directory: Directory;
  readonly known: (entity: RecordEntity) => KnownFields;
  readonly mapping: Mapping;
}

async function planned(
  { loadPlan }: Deps,
  client: PrismaClient | Prisma.TransactionClient,
  tenantId: TenantId,
  { document, ...here }: Import,
): Promise<ImportPlan> {
  const existing = await listRules(client, tenantId);
  const { active, lastPosition } = await countRules(client, tenantId);
  const { companyId } = await accountOf(client, tenantId);
  const freeActiveRules = (await loadPlan(client, tenantId)).limits.activeRules - active;
  return planImport(document, { ...here, companyId, existing, lastPosition, freeActiveRules });
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
