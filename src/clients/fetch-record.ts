/** Asks Pipedrive for one record that a message needs a name of. Best effort: null when it cannot be had, never an error. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import { idField, textField, type RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { PipedriveApi } from './pipedrive-api';
import type { ApiResult } from './pipedrive-failure';

export type FetchedEntity =
  'user' | 'pipeline' | 'stage' | 'dealField' | 'activityType' | 'person' | 'organization' | 'deal' | 'lead' | 'activity';

/** `id` is Pipedrive's: a number as text, for leads a UUID, for `dealField` and `activityType` the key. */
export type FetchRecord = (tenantId: TenantId, entity: FetchedEntity, id: string) => Promise<RecordState | null>;

interface Needs {
  /** The tenant's best active connection (patience `lookUp`); null when it has none. */
  readonly apiOf: (tenantId: TenantId) => Promise<PipedriveApi | null>;
  /** Takes the by-catch of a whole list, so that the next unknown id is known. */
  readonly keepAll?: (tenantId: TenantId, entity: FetchedEntity, states: readonly RecordState[]) => Promise<void>;
  readonly clock: () => Date;
  readonly log: Logger;
}

interface LookUp {
  readonly isNumbered: boolean;
  readonly one?: { readonly tokenCost: number; readonly ask: (api: PipedriveApi, id: string) => Promise<ApiResult<RecordState>> };
  /** Only the few, small kinds can be read whole. */
  readonly list?: { readonly tokenCost: number; readonly ask: (api: PipedriveApi) => Promise<ApiResult<readonly RecordState[]>> };
}

const LOOK_UPS: Readonly<Record<FetchedEntity, LookUp>> = {
  user: {
    isNumbered: true,
    one: { tokenCost: 2, ask: (api, id) => api.getUser(Number(id)) },
    list: { tokenCost: 20, ask: (api) => api.listUsers() },
  },
  pipeline: {
    isNumbered: true,
    one: { tokenCost: 1, ask: (api, id) => api.getPipeline(Number(id)) },
    list: { tokenCost: 5, ask: (api) => api.listPipelines() },
  },
  stage: {
    isNumbered: true,
    one: { tokenCost: 1, ask: (api, id) => api.getStage(Number(id)) },
    list: { tokenCost: 5, ask: (api) => api.listStages() },
  },
  dealField: {
    isNumbered: false,
    one: { tokenCost: 1, ask: (api, id) => api.getDealField(id) },
    list: { tokenCost: 10, ask: (api) => api.listDealFields() },
  },
  activityType: { isNumbered: false, list: { tokenCost: 20, ask: (api) => api.listActivityTypes() } },
  person: { isNumbered: true, one: { tokenCost: 1, ask: (api, id) => api.getPerson(Number(id)) } },
  organization: { isNumbered: true, one: { tokenCost: 1, ask: (api, id) => api.getOrganization(Number(id)) } },
  deal: { isNumbered: true, one: { tokenCost: 1, ask: (api, id) => api.getDeal(Number(id)) } },
  activity: { isNumbered: true, one: { tokenCost: 1, ask: (api, id) => api.getActivity(Number(id)) } },
  lead: { isNumbered: false, one: { tokenCost: 2, ask: (api, id) => api.getLead(id) } },
};

const LIST_EVERY_MS = 60_000;
const NUMBER = /^[1-9]\d{0,14}$/;

type States = readonly RecordState[];

/** One question at a time per record, one list a minute per kind; while Pipedrive asks to wait, nobody of that tenant asks. */
export function makeFetchRecord(needs: Needs): FetchRecord {
  const { clock, log } = needs;
  const underWay = new Map<string, Promise<RecordState | null>>();
  const pausedTenants = new ExpiringMap<true>(clock);
  const lists = new ExpiringMap<Promise<States>>(clock);

  const judge = <T>(result: ApiResult<T>, asked: Asked): T | null => {
    if (result.ok) {
      log.info(asked, 'record fetched');
      return result.value;
    }
    const { failure } = result;
    if (failure.kind === 'rateLimited') pausedTenants.set(`${asked.tenantId}`, true, failure.retryAfterMs);
    log.warn({ ...asked, reason: failure.reason }, 'record not fetched');
    return null;
  };

  const readList = async (api: PipedriveApi, tenantId: TenantId, entity: FetchedEntity): Promise<States> => {
    const { list } = LOOK_UPS[entity];
    if (list === undefined) return [];
    const states = judge(await list.ask(api), { tenantId, entity, entityId: null, tokenCost: list.tokenCost }) ?? [];
    await needs.keepAll?.(tenantId, entity, states);
    return states;
  };

  const ask = async (tenantId: TenantId, entity: FetchedEntity, id: string): Promise<RecordState | null> => {
    const { one, list, isNumbered } = LOOK_UPS[entity];
    const isPaused = () => pausedTenants.get(`${tenantId}`) === true;
    if (isPaused() || (isNumbered && !NUMBER.test(id))) return null;
    const api = await needs.apiOf(tenantId);
    if (api === null) return null;
    if (one !== undefined) {
      const found = judge(await one.ask(api, id), { tenantId, entity, entityId: id, tokenCost: one.tokenCost });
      if (found !== null || list === undefined || isPaused()) return found;
    }
    const listKey = `${tenantId} ${entity}`;
    const reading = lists.get(listKey) ?? lists.set(listKey, readList(api, tenantId, entity), LIST_EVERY_MS);
    return (await reading).find((state) => String(idField(state, 'id') ?? textField(state, 'id')) === id) ?? null;
  };

  return function fetchRecord(tenantId, entity, id) {
    const key = `${tenantId} ${entity} ${id}`;
    const joined = underWay.get(key);
    if (joined !== undefined) return joined;
    const asking = ask(tenantId, entity, id)
      .catch((error: unknown) => {
        log.warn({ tenantId, entity, entityId: id, reason: messageOf(error) }, 'record not fetched');
        return null;
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, asking);
    return asking;
  };
}

interface Asked {
  readonly tenantId: TenantId;
  readonly entity: FetchedEntity;
  readonly entityId: string | null;
  readonly tokenCost: number;
}

/** Forgets what is over whenever something is added, so it holds no more than what counts now. */
class ExpiringMap<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly untilMs: number }>();
  readonly #clock: () => Date;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.untilMs > this.#clock().getTime() ? entry.value : undefined;
  }

  set(key: string, value: T, lifeMs: number): T {
    const nowMs = this.#clock().getTime();
    for (const [known, { untilMs }] of this.#entries) if (untilMs <= nowMs) this.#entries.delete(known);
    this.#entries.set(key, { value, untilMs: nowMs + lifeMs });
    return value;
  }
}
