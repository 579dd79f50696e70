/** What the editor of a rule knows of the company: spaces, and Pipedrive's lists out of the ledger, read at Pipedrive only when they never were. */

import { recordEntityOf, type EventType } from '../core/transition';
import { listDestinations } from '../delivery/chat-webhook.store';
import type { KnownFields } from '../rules/field-catalogue';
import { loadKnownFields } from '../rules/field-catalogue.store';
import type { ListedKind } from '../rules/lists-wanted';
import { fieldEntityOf } from '../rules/references';
import type { RecordEntity } from '../core/record';
import { missing } from '../api/endpoint';
import { findRule } from '../rules/rule.store';
import { emptyForm, formOfRule } from './rule-form';
import type { FormFacts } from './rule-form-view';
import type { SettingsDeps } from './settings-deps';
import type { Visit } from './visit';

interface Known {
  readonly known: KnownFields;
  readonly deals: KnownFields;
  readonly isListTrouble: boolean;
}

const ALWAYS: readonly ListedKind[] = ['user', 'pipeline', 'stage', 'dealField'];
const ALSO: Partial<Readonly<Record<RecordEntity, ListedKind>>> = { lead: 'leadLabel', activity: 'activityType' };

/** The fields of the kind of record that the event is about, and those of deals. */
export async function loadKnown(deps: SettingsDeps, visit: Visit, eventType: EventType): Promise<Known> {
  const entity = recordEntityOf(eventType);
  const tenantId = visit.viewer.tenant.id;
  const wanted = [...new Set([...ALWAYS, ...(ALSO[entity] === undefined ? [] : [ALSO[entity]]), fieldEntityOf(entity)])];
  const first = await loadBoth(deps, visit, entity);
  const unread = wanted.filter((kind) => !first.known.isListed(kind));
  if (unread.length === 0) return { ...first, isListTrouble: false };
  await deps.refreshReferences(tenantId, unread);
  const second = await loadBoth(deps, visit, entity);
  return { ...second, isListTrouble: unread.some((kind) => !second.known.isListed(kind)) };
}

async function loadBoth({ database: { pool } }: SettingsDeps, { viewer }: Visit, entity: RecordEntity) {
  const [known, deals] = await Promise.all([
    loadKnownFields(pool, viewer.tenant.id, entity),
    entity === 'deal' ? null : loadKnownFields(pool, viewer.tenant.id, 'deal'),
  ]);
  return { known, deals: deals ?? known };
}

/** Everything but what is filled in. */
export async function formFacts(deps: SettingsDeps, visit: Visit, eventType: EventType): Promise<FormFacts> {
  const { tenant, isAdmin } = visit.viewer;
  const [known, destinations] = await Promise.all([
    loadKnown(deps, visit, eventType),
    listDestinations(deps.database.prisma, tenant.id),
  ]);
  return {
    ...{ ...known, destinations, baseCurrency: tenant.baseCurrency, usualWaitMs: deps.settleMs },
    ...{ canChange: isAdmin, ruleId: null, preset: null },
    ...{ form: emptyForm(tenant.baseCurrency, ''), refusal: null, places: new Map(), preview: null, test: null },
  };
}

/** A rule as it is saved. Throws an AppError (404) when there is none. */
export async function savedFacts(deps: SettingsDeps, visit: Visit, ruleId: number): Promise<FormFacts> {
  const { tenant } = visit.viewer;
  const rule = await findRule(deps.database.prisma, tenant.id, ruleId);
  if (rule === null) throw missing('rule');
  const facts = await formFacts(deps, visit, rule.eventType);
  return { ...facts, ruleId: rule.id, form: formOfRule(rule, facts.known, tenant.baseCurrency) };
}
