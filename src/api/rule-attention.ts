/** What of a rule needs attention, as the API shows it: things that it names and that are gone. */

import type { Pool } from 'pg';
import type { FieldError } from '../core/errors';
import type { Rule } from '../core/rule';
import type { TenantId } from '../core/tenant';
import { checkReferences, referencesOfRules, type BrokenReference } from '../rules/check-references';
import { LISTED_KINDS, type ListedKind } from '../rules/lists-wanted';
import { loadReferences } from '../rules/reference.store';
import { FIELD_ENTITIES, isCustomField, type ReferenceEntity } from '../rules/references';

const LISTS: readonly ListedKind[] = [...LISTED_KINDS, ...FIELD_ENTITIES];

export interface Attention {
  readonly needsAttention: boolean;
  readonly attention: readonly FieldError[];
}

/** Reads these lists at Pipedrive again; true when something was read. Bounded in time, never throws. */
export type RefreshReferences = (tenantId: TenantId, entities: readonly ListedKind[]) => Promise<boolean>;

/** Judges many rules with one statement. */
export async function attentionOfRules(
  pool: Pool,
  tenantId: TenantId,
  rules: readonly Rule[],
): Promise<(rule: Rule) => Attention> {
  const known = await loadReferences(pool, tenantId, referencesOfRules(rules));
  return (rule) => shown(rule, checkReferences(rule, known));
}

/**
 * Judges rules that somebody looks at. No webhook tells that a field, an option or a label is gone, so the lists that these rules need
 * are read again first, unless that was done lately.
 */
export async function attentionOfShownRules(
  { pool, refreshAged }: { readonly pool: Pool; readonly refreshAged: RefreshReferences },
  tenantId: TenantId,
  rules: readonly Rule[],
): Promise<(rule: Rule) => Attention> {
  const wanted = referencesOfRules(rules).filter(({ entity, id }) => !isStandardField(entity, id));
  const lists = UNTOLD.filter((list) => wanted.some(({ entity }) => entity === list));
  if (lists.length > 0) await refreshAged(tenantId, lists);
  return await attentionOfRules(pool, tenantId, rules);
}

/** Lists of which no webhook tells. */
const UNTOLD: readonly ListedKind[] = [...FIELD_ENTITIES, 'leadLabel', 'activityType'];

/** Standard fields stay, and all but the labels keep their options. */
function isStandardField(entity: ReferenceEntity, id: string): boolean {
  return FIELD_ENTITIES.some((kind) => kind === entity) && !isCustomField(id) && id !== 'label_ids';
}

/**
 * Judges a rule that was just written. What it names may be younger than what is known, fields above all: then the lists are read
 * again before anything is complained of.
 */
export async function attentionOfNewRule(
  { pool, refreshReferences }: { readonly pool: Pool; readonly refreshReferences: RefreshReferences },
  tenantId: TenantId,
  rule: Rule,
): Promise<Attention> {
  const wanted = referencesOfRules([rule]);
  const broken = checkReferences(rule, await loadReferences(pool, tenantId, wanted));
  const outdated = LISTS.filter((entity) => broken.some((reference) => isPerhapsYounger(reference, entity)));
  if (outdated.length === 0 || !(await refreshReferences(tenantId, outdated))) return shown(rule, broken);
  return shown(rule, checkReferences(rule, await loadReferences(pool, tenantId, wanted)));
}

function isPerhapsYounger(reference: BrokenReference, entity: ListedKind): boolean {
  return reference.kind === 'unknown' && reference.list === entity;
}

/** A rule that is on and tells nobody is broken too: its last destination was deleted. */
function shown({ enabled, targetWebhookIds }: Rule, broken: readonly BrokenReference[]): Attention {
  const attention = [
    ...(enabled && targetWebhookIds.length === 0 ? [NO_DESTINATION] : []),
    ...broken.map(({ path, problem }) => ({ path, message: problem })),
  ];
  return { needsAttention: attention.length > 0, attention };
}

const NO_DESTINATION: FieldError = {
  path: 'targetWebhookIds',
  message: 'All its spaces were deleted. Choose another.',
};
