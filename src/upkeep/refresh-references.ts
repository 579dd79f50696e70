/** Reads lists of pipelines, stages, users and fields again: fields daily, since no webhook tells of them, and any when a rule names an unknown one. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import { atMost } from './at-most';
import { makeSpacing, type Spacing } from './spacing';

/** The lists that are read again by the day, since no webhook tells of them: those of fields and labels. */
const DAILY = ['dealField', 'personField', 'organizationField', 'activityField', 'leadLabel', 'activityType'] as const;
export type ListedEntity = 'user' | 'pipeline' | 'stage' | (typeof DAILY)[number];

type ListAnswer =
  | { readonly ok: true; readonly value: readonly RecordState[] }
  | { readonly ok: false; readonly failure: { readonly reason: string } };

/** Pipedrive's API as far as lists go. */
interface ListApi {
  listUsers(): Promise<ListAnswer>;
  listPipelines(): Promise<ListAnswer>;
  listStages(): Promise<ListAnswer>;
  listDealFields(): Promise<ListAnswer>;
  listPersonFields(): Promise<ListAnswer>;
  listOrganizationFields(): Promise<ListAnswer>;
  listActivityFields(): Promise<ListAnswer>;
  listLeadLabels(): Promise<ListAnswer>;
  listActivityTypes(): Promise<ListAnswer>;
}

interface Needs {
  readonly listInstalledTenants: () => Promise<readonly TenantId[]>;
  /** Over the tenant's best connection; null when it has none. */
  readonly apiOf: (tenantId: TenantId) => Promise<ListApi | null>;
  /** Which lists of the tenant were ever read. */
  readonly listsRead: (tenantId: TenantId) => Promise<readonly string[]>;
  readonly saveAll: (tenantId: TenantId, entity: string, states: readonly RecordState[], readAt: Date) => Promise<void>;
  readonly clock: () => Date;
  readonly log: Logger;
  /** The longest that a caller waits; 2,500 when absent. */
  readonly patienceMs?: number;
}

export interface RefreshReferences {
  /** Reads these lists now unless that was done a moment ago. True when something was read in time. Never throws. */
  refresh(tenantId: TenantId, entities: readonly ListedEntity[]): Promise<boolean>;
  /** The same for lists that may have lost something since, asked for again and again: each at most every half minute, later every ten minutes. */
  refreshAged(tenantId: TenantId, entities: readonly ListedEntity[]): Promise<boolean>;
  /** The daily run over all installed tenants: deal fields (10 tokens of each company's budget), and what else its rules made us read. */
  refreshAll(): Promise<{ readonly tenants: number; readonly failed: number }>;
}

const PATIENCE_MS = 2_500;
const ASK_AGAIN_MS = { first: 10_000, longest: 600_000 };
const AGED_MS = { first: 30_000, longest: 600_000 };

const LISTS: Readonly<Record<ListedEntity, (api: ListApi) => Promise<ListAnswer>>> = {
  user: (api) => api.listUsers(),
  pipeline: (api) => api.listPipelines(),
  stage: (api) => api.listStages(),
  dealField: (api) => api.listDealFields(),
  personField: (api) => api.listPersonFields(),
  organizationField: (api) => api.listOrganizationFields(),
  activityField: (api) => api.listActivityFields(),
  leadLabel: (api) => api.listLeadLabels(),
  activityType: (api) => api.listActivityTypes(),
};

export function makeRefreshReferences(needs: Needs): RefreshReferences {
  const { log, patienceMs = PATIENCE_MS } = needs;
  const spacing = makeSpacing({ ...ASK_AGAIN_MS, clock: needs.clock });
  // Of its own: who only looks on must not use up the asking of those who have just named something new.
  const agedSpacing = makeSpacing({ ...AGED_MS, clock: needs.clock });

  async function read(tenantId: TenantId, entities: readonly ListedEntity[]): Promise<boolean> {
    const readings = await Promise.allSettled(entities.map((entity) => readList(needs, tenantId, entity)));
    return readings.reduce((isAnyRead, reading) => {
      if (reading.status === 'fulfilled') return reading.value || isAnyRead;
      log.warn({ tenantId, reason: messageOf(reading.reason) }, 'references not read');
      return isAnyRead;
    }, false);
  }

  async function daily(tenantId: TenantId): Promise<readonly ListedEntity[]> {
    const known = new Set(await needs.listsRead(tenantId));
    return DAILY.filter((entity) => entity === 'dealField' || known.has(entity));
  }

  async function refreshSpaced(by: Spacing, tenantId: TenantId, entities: readonly ListedEntity[]): Promise<boolean> {
    const due = [...new Set(entities)].filter((entity) => by.take(`${tenantId} ${entity}`));
    return due.length > 0 && (await atMost(patienceMs, read(tenantId, due), false));
  }

  return {
    refresh: (tenantId, entities) => refreshSpaced(spacing, tenantId, entities),

    refreshAged: (tenantId, entities) => refreshSpaced(agedSpacing, tenantId, entities),

    async refreshAll() {
      const tenants = await needs.listInstalledTenants();
      let failed = 0;
      for (const tenantId of tenants) if (!(await read(tenantId, await daily(tenantId)))) failed++;
      log.info({ tenants: tenants.length, failed }, 'fields refreshed');
      return { tenants: tenants.length, failed };
    },
  };
}

async function readList({ apiOf, saveAll, clock, log }: Needs, tenantId: TenantId, entity: ListedEntity): Promise<boolean> {
  const api = await apiOf(tenantId);
  if (api === null) return false;
  const readAt = clock();
  const answer = await LISTS[entity](api);
  if (answer.ok) await saveAll(tenantId, entity, answer.value, readAt);
  else log.warn({ tenantId, entity, reason: answer.failure.reason }, 'references not read');
  return answer.ok;
}
