/** Rules in the database: what the API changes, and what the router reads. */

import type { PoolClient } from 'pg';
import { z } from 'zod';
import { Prisma, type PrismaClient } from '../../prisma/generated/client';
import { digestSchema, eventTypeSchema, ruleFiltersSchema, TEMPLATE_MODES, type Rule } from '../core/rule';
import type { TenantId } from '../core/tenant';
import { loadMuted, type MutedRecord } from './muted-record.store';
import { watchesExist } from './watch.store';

/** A rule as the API shows it. */
export interface StoredRule extends Rule {
  readonly author: string | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Everything of a rule that is written; `enabledAt` only when it is switched on. */
export type RuleFields = Omit<Rule, 'id' | 'enabledAt' | 'targetWebhookIds'>;

/** A destination as the router needs it. */
export interface RoutedDestination {
  readonly id: number;
  readonly spaceId: string;
  readonly paused: boolean;
  readonly isThreaded: boolean;
}

type Client = PrismaClient | Prisma.TransactionClient;

const jsonObject = z.record(z.string(), z.json());
const templateModeSchema = z.enum(TEMPLATE_MODES);
const WITH_TARGETS = { targets: { select: { chatWebhookId: true }, orderBy: { chatWebhookId: 'asc' } } } as const;

type RuleRow = Prisma.RuleGetPayload<{ include: typeof WITH_TARGETS }>;

/** What the router decides by: the tenant's enabled rules in the order of their position, its destinations, what is muted, and whether anything is watched. */
export async function loadRules(
  client: PoolClient,
  tenantId: TenantId,
): Promise<{ rules: Rule[]; destinations: RoutedDestination[]; muted: MutedRecord[]; hasWatches: boolean }> {
  const rules = await client.query<RouterRow>(
    `SELECT id, name, event_type AS "eventType", filters, template_mode AS "templateMode", template, settle_ms AS "settleMs",
            position, stop_after AS "stopAfter", urgent, digest, enabled, enabled_at AS "enabledAt",
            ARRAY(SELECT chat_webhook_id FROM rule_targets WHERE rule_id = rules.id ORDER BY chat_webhook_id) AS "targetWebhookIds"
       FROM rules WHERE tenant_id = $1 AND enabled ORDER BY position, id`,
    [tenantId],
  );
  const destinations = await client.query<RoutedDestination>(
    `SELECT id, space_id AS "spaceId", paused, threads = 'perRecord' AND NOT threading_unsupported AS "isThreaded" FROM chat_webhooks WHERE tenant_id = $1 ORDER BY id`,
    [tenantId],
  );
  const muted = await loadMuted(client, tenantId);
  const hasWatches = await watchesExist(client, tenantId);
  return { rules: rules.rows.map((row) => ({ ...row, ...checked(row) })), destinations: destinations.rows, muted, hasWatches };
}

/** Every rule of a tenant, also those that are off, in the order of position and id. */
export async function listRules(client: Client, tenantId: TenantId): Promise<StoredRule[]> {
  const rows = await client.rule.findMany({
    where: { tenantId },
    include: WITH_TARGETS,
    orderBy: [{ position: 'asc' }, { id: 'asc' }],
  });
  return rows.map(toRule);
}

/** One page of the same, after the rule at `after`. */
export async function pageOfRules(
  client: Client,
  tenantId: TenantId,
  { after, limit }: { after: { position: number; id: number } | null; limit: number },
): Promise<StoredRule[]> {
  const rows = await client.rule.findMany({
    where: {
      tenantId,
      ...(after === null
        ? {}
        : { OR: [{ position: { gt: after.position } }, { position: after.position, id: { gt: after.id } }] }),
    },
    include: WITH_TARGETS,
    orderBy: [{ position: 'asc' }, { id: 'asc' }],
    take: limit,
  });
  return rows.map(toRule);
}

/** One rule; null when the tenant has none of this id. */
export async function findRule(client: Client, tenantId: TenantId, id: number): Promise<StoredRule | null> {
  const row = await client.rule.findFirst({ where: { tenantId, id }, include: WITH_TARGETS });
  return row === null ? null : toRule(row);
}

/** Active rules, and the highest position in use. */
export async function countRules(client: Client, tenantId: TenantId): Promise<{ active: number; lastPosition: number }> {
  const [active, last] = [
    await client.rule.count({ where: { tenantId, enabled: true } }),
    await client.rule.aggregate({ where: { tenantId }, _max: { position: true } }),
  ];
  return { active, lastPosition: last._max.position ?? 0 };
}

/** Writes a new rule. `targetWebhookIds` must be the tenant's own. */
export async function insertRule(
  client: Client,
  tenantId: TenantId,
  rule: RuleFields & { targetWebhookIds: readonly number[]; author: string; enabledAt: Date },
): Promise<StoredRule> {
  const { targetWebhookIds, ...fields } = rule;
  const row = await client.rule.create({ data: { ...columns(fields), tenantId } });
  await writeTargets(client, tenantId, row.id, targetWebhookIds);
  return toRule({ ...row, targets: targetWebhookIds.map((chatWebhookId) => ({ chatWebhookId })) });
}

/** Overwrites a rule and raises its version. `enabledAt` null: stays as it was. */
export async function updateRule(
  client: Client,
  tenantId: TenantId,
  id: number,
  rule: RuleFields & { targetWebhookIds: readonly number[]; enabledAt: Date | null },
): Promise<StoredRule> {
  const { targetWebhookIds, enabledAt, ...fields } = rule;
  await client.ruleTarget.deleteMany({ where: { tenantId, ruleId: id } });
  await writeTargets(client, tenantId, id, targetWebhookIds);
  const row = await client.rule.update({
    where: { id, tenantId },
    data: {
      ...columns(fields),
      version: { increment: 1 },
      ...(enabledAt === null ? {} : { enabledAt }),
    },
    include: WITH_TARGETS,
  });
  return toRule(row);
}

/** Removes a rule; false when the tenant has none of this id. */
export async function deleteRule(client: Client, tenantId: TenantId, id: number): Promise<boolean> {
  const { count } = await client.rule.deleteMany({ where: { tenantId, id } });
  return count > 0;
}

function columns<Fields extends Pick<RuleFields, 'filters' | 'digest'>>(fields: Fields) {
  return { ...fields, filters: jsonObject.parse(fields.filters), digest: fields.digest ?? Prisma.DbNull };
}

async function writeTargets(client: Client, tenantId: TenantId, ruleId: number, ids: readonly number[]): Promise<void> {
  await client.ruleTarget.createMany({ data: ids.map((chatWebhookId) => ({ tenantId, ruleId, chatWebhookId })) });
}

function toRule(row: RuleRow): StoredRule {
  return {
    id: row.id,
    name: row.name,
    ...checked(row),
    targetWebhookIds: row.targets.map((target) => target.chatWebhookId),
    template: row.template,
    settleMs: row.settleMs,
    position: row.position,
    stopAfter: row.stopAfter,
    urgent: row.urgent,
    enabled: row.enabled,
    enabledAt: row.enabledAt,
    author: row.author,
    version: row.version,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

interface RouterRow extends Omit<Rule, 'eventType' | 'filters' | 'templateMode' | 'digest'> {
  readonly eventType: string;
  readonly filters: unknown;
  readonly templateMode: string;
  readonly digest: unknown;
}

/** The columns that PostgreSQL keeps as text or JSON, back as what the vocabulary says. */
function checked(row: {
  eventType: string;
  filters: unknown;
  templateMode: string;
  digest: unknown;
}): Pick<Rule, 'eventType' | 'filters' | 'templateMode' | 'digest'> {
  return {
    eventType: eventTypeSchema.parse(row.eventType),
    filters: ruleFiltersSchema.parse(row.filters),
    templateMode: templateModeSchema.parse(row.templateMode),
    digest: digestSchema.nullable().parse(row.digest),
  };
}
