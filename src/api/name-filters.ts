/** Makes names in a rule's filters into keys and ids before anything is stored, and refuses what cannot be meant. */

import type { Pool } from 'pg';
import type { FieldError } from '../core/errors';
import type { GivenFilters, RuleFilters } from '../core/rule';
import type { TenantId } from '../core/tenant';
import { recordEntityOf, type EventType } from '../core/transition';
import { loadKnownFields, withContacts } from '../rules/field-catalogue.store';
import type { KnownFields } from '../rules/field-catalogue';
import { listsWanted } from '../rules/lists-wanted';
import { contactNamesIn, resolveNames, type ResolvedFilters } from '../rules/resolve-names';
import { invalid } from './endpoint';
import type { RefreshReferences } from './rule-attention';

interface Deps {
  readonly pool: Pool;
  readonly refreshReferences: RefreshReferences;
}

/** Throws an AppError (422) that names everything that is unknown, ambiguous or of the wrong kind, below `at`. */
export async function nameFilters(
  deps: Deps,
  tenantId: TenantId,
  eventType: EventType,
  filters: GivenFilters,
  at: string = '',
): Promise<RuleFilters> {
  const resolved = await resolvedFilters(deps, tenantId, eventType, filters);
  if (resolved.problems.length > 0) throw invalid(resolved.problems.map((problem) => placed(problem, at)));
  return resolved.filters;
}

const placed = ({ path, message }: FieldError, at: string): FieldError => ({ path: `${at}${path}`, message });

/**
 * The same without throwing. What the filters name may be younger than what is known, or was never read: then the lists are read at
 * Pipedrive before anything is complained of.
 */
export async function resolvedFilters(
  deps: Deps,
  tenantId: TenantId,
  eventType: EventType,
  filters: GivenFilters,
): Promise<ResolvedFilters> {
  const entity = recordEntityOf(eventType);
  const known = await loadKnownFields(deps.pool, tenantId, entity);
  const first = await resolvedBy(deps, tenantId, filters, known);
  const lists = listsWanted(filters, known, first.inDoubt);
  if (lists.length === 0 || !(await deps.refreshReferences(tenantId, lists))) return first;
  return await resolvedBy(deps, tenantId, filters, await loadKnownFields(deps.pool, tenantId, entity));
}

async function resolvedBy(
  { pool }: Deps,
  tenantId: TenantId,
  filters: GivenFilters,
  known: KnownFields,
): Promise<ResolvedFilters> {
  const contacts = contactNamesIn(filters, known);
  return resolveNames(filters, contacts.length === 0 ? known : await withContacts(pool, tenantId, known, contacts));
}
