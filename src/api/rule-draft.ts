/** The body of a rule as the API takes it, what it leaves to defaults, and what only its fields together show to be wrong. */

import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import type { FieldError } from '../core/errors';
import { digestSchema, eventTypeSchema, givenFiltersSchema, TEMPLATE_MODES, type RuleFilters } from '../core/rule';
import type { TenantId } from '../core/tenant';
import { kindsKnownFor } from '../core/transition';
import { ownDestinationIds } from '../delivery/chat-webhook.store';
import { templateProblem } from '../messages/text-template';
import type { RuleFields } from '../rules/rule.store';
import { isPattern } from '../rules/safe-pattern';
import { conditionsOf } from '../rules/walk-conditions';
import { idField, nameField } from './fields';

const MAX_SETTLE_MS = 120_000;
export const MAX_POSITION = 1_000_000;
const MAX_TARGETS = 200;
const MAX_TEMPLATE_LENGTH = 4000;

const settings = {
  name: nameField,
  eventType: eventTypeSchema,
  filters: givenFiltersSchema,
  targetWebhookIds: z.array(idField).min(1, 'must name at least one destination').max(MAX_TARGETS),
  /** One destination may be named so. */
  targetWebhookId: idField,
  templateMode: z.enum(TEMPLATE_MODES),
  template: z.string().max(MAX_TEMPLATE_LENGTH).nullable(),
  settleMs: z.int().min(0).max(MAX_SETTLE_MS).nullable(),
  position: z.int().min(0).max(MAX_POSITION),
  stopAfter: z.boolean(),
  /** Goes through quiet hours. */
  urgent: z.boolean(),
  /** Gathered and told as one message at this time, in the destination's time zone; null: each at once. */
  digest: digestSchema.nullable(),
  enabled: z.boolean(),
};
export const updateRuleBody = z.strictObject(z.object(settings).partial().shape);
export const createRuleBody = z.strictObject({ ...updateRuleBody.shape, name: nameField, eventType: eventTypeSchema });

type Named<Body> = Omit<Body, 'filters'> & { readonly filters?: RuleFilters | undefined };
export type ChangeBody = z.infer<typeof updateRuleBody>;
export type RuleBody = z.infer<typeof createRuleBody>;
/** What PUT takes, once names are ids; what is not given stays. */
export type GivenChange = Named<ChangeBody>;
/** What POST takes, once names are ids. */
export type GivenRule = Named<RuleBody>;
export type RuleDraft = RuleFields & { readonly targetWebhookIds: readonly number[] };

const DEFAULTS = {
  filters: {},
  templateMode: 'compact',
  template: null,
  settleMs: null,
  stopAfter: false,
  urgent: false,
  digest: null,
  enabled: true,
} as const;

/** A new rule: what its author left out is the default. */
export function newDraft(given: GivenRule, position: number): RuleDraft {
  return merged({ ...DEFAULTS, name: given.name, eventType: given.eventType, position, targetWebhookIds: [] }, given);
}

/** What is given counts, what is not stays. */
export function merged(before: RuleDraft, given: GivenChange): RuleDraft {
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
    urgent: given.urgent ?? before.urgent,
    digest: given.digest === undefined ? before.digest : given.digest,
    enabled: given.enabled ?? before.enabled,
    targetWebhookIds: givenTargets(given) ?? before.targetWebhookIds,
  };
}

function givenTargets({ targetWebhookIds, targetWebhookId }: GivenChange): readonly number[] | null {
  if (targetWebhookIds !== undefined) return [...new Set(targetWebhookIds)].sort((a, b) => a - b);
  return targetWebhookId === undefined ? null : [targetWebhookId];
}

/**
 * What only the fields together, or the tenant's destinations, show to be wrong; empty when all is well. A rule whose destinations were all
 * removed may still be renamed or switched off, hence `needsTargets`.
 */
export async function draftProblems(
  client: PrismaClient | Prisma.TransactionClient,
  tenantId: TenantId,
  draft: RuleDraft,
  given: GivenChange,
  needsTargets: boolean,
): Promise<readonly FieldError[]> {
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
  return errors;
}

/** The same as far as it needs no database. */
export function* fieldProblems(draft: RuleDraft, given: GivenChange = {}): Generator<FieldError> {
  if (given.targetWebhookIds !== undefined && given.targetWebhookId !== undefined) {
    yield { path: 'targetWebhookId', message: 'Name the destinations either here or in targetWebhookIds' };
  }
  if (draft.urgent && draft.digest !== null) {
    const path = given.digest == null ? 'urgent' : 'digest';
    yield { path, message: 'A rule is either urgent or gathered in a digest, not both' };
  }
  if (draft.eventType === 'deal.field_changed' && (draft.filters.fields ?? []).length === 0) {
    yield { path: 'filters.fields', message: 'deal.field_changed needs the fields to listen to' };
  }
  yield* finerProblems(draft);
  for (const { path, op, value } of conditionsOf(draft.filters.conditions)) {
    if (op === 'matches' && typeof value === 'string' && !isPattern(value)) {
      yield { path: `${path}.value`, message: 'is no pattern of RE2, the language of regular expressions without look-around' };
    }
  }
  const problem = draft.template === null ? null : templateProblem(draft.template);
  if (problem !== null) yield { path: 'template', message: problem };
}

function* finerProblems({ eventType, filters }: RuleDraft): Generator<FieldError> {
  const known = kindsKnownFor(eventType);
  const unknown = (filters.kinds ?? []).filter((kind) => !known.includes(kind));
  if (unknown.length > 0) {
    const message = known.length === 0 ? `${eventType} has no kinds` : `${eventType} knows the kinds ${known.join(', ')}`;
    yield { path: 'filters.kinds', message };
  }
  if (filters.crossing !== true) return;
  if (eventType !== 'deal.value_changed') yield { path: 'filters.crossing', message: 'is for deal.value_changed alone' };
  if (filters.minValue === undefined) yield { path: 'filters.crossing', message: 'needs minValue, the amount to be crossed' };
}
