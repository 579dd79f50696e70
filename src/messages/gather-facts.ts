/** Gathers the names for many messages at once: from the ledger in one query, the unknown ones from Pipedrive within a fixed patience. */

import type { Logger } from 'pino';
import { messageOf } from '../core/errors';
import type { RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { NameStore, StoredName, WantedName } from './name.store';
import { namedFrom, referenceKey, type Named, type NamedEntity, type Names, type Reference } from './names';
import { makeApiHangs } from './api-hangs';

/** Asks Pipedrive for one record; null when it has none or cannot be asked now. */
export type FetchRecord = (tenantId: TenantId, entity: NamedEntity, id: string) => Promise<RecordState | null>;

export interface NamesRequest {
  readonly tenantId: TenantId;
  readonly references: readonly Reference[];
}

export type GatherFacts = (requests: readonly NamesRequest[]) => Promise<Map<TenantId, Names>>;

interface Dependencies {
  readonly store: NameStore;
  readonly fetchRecord: FetchRecord;
  readonly clock: () => Date;
  /** A clock that never jumps. */
  readonly nowMs: () => number;
  readonly log: Logger;
  /** The longest that all look-ups together may keep the messages waiting; 2,500 when absent. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 2_500;
/** A name that could not be had is not asked for again so soon: the next message must not wait for it too. */
const FAILURE_KEPT_MS = 60_000;
const FAILURES_KEPT = 20_000;
/** Names read from the API (no event keeps them fresh) are read again after a day, without making a message wait. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/** Never fails because of Pipedrive: what cannot be named in time is missing in the answer. Database errors are thrown. */
export function makeGatherFacts(dependencies: Dependencies): GatherFacts {
  const { store, clock } = dependencies;
  const lookUps = makeLookUps(dependencies);

  return async (requests) => {
    const gathered = new Map<TenantId, Map<string, Named>>(requests.map(({ tenantId }) => [tenantId, new Map()]));
    const keep = (name: StoredName) => gathered.get(name.tenantId)?.set(referenceKey(name.entity, name.id), name.named);

    const wanted = distinct(requests);
    if (wanted.length === 0) return gathered;
    const known = await store.findNames(wanted);
    known.forEach(keep);

    const knownKeys = new Set(known.map(keyOf));
    const staleBefore = clock().getTime() - STALE_AFTER_MS;
    for (const name of known) {
      if (name.isFromApi && name.refreshedAt.getTime() < staleBefore) lookUps.refresh(name);
    }
    const found = await lookUps.findInTime(wanted.filter((name) => !knownKeys.has(keyOf(name))));
    found.forEach(keep);
    return gathered;
  };
}

/** Look-ups at Pipedrive: one at a time per name, failures remembered; none where its API hangs. */
function makeLookUps({ store, fetchRecord, clock, nowMs, log, patienceMs = PATIENCE_MS }: Dependencies) {
  const hangs = makeApiHangs({ nowMs, log });
  const running = new Map<string, Promise<StoredName | null>>();
  const failedUntil = new Map<string, number>();

  const look = async (name: WantedName): Promise<StoredName | null> => {
    try {
      const state = await fetchRecord(name.tenantId, name.entity, name.id);
      const named = state && namedFrom(state);
      if (!state || !named) {
        rememberFailure(name);
        return null;
      }
      await store.saveFetched(name.tenantId, name.entity, name.id, state);
      failedUntil.delete(keyOf(name));
      return { ...name, named, isFromApi: true, refreshedAt: clock() };
    } catch (error) {
      log.warn({ tenantId: name.tenantId, entity: name.entity, reason: messageOf(error) }, 'name not found out');
      rememberFailure(name);
      return null;
    }
  };

  const start = (name: WantedName): Promise<StoredName | null> => {
    const key = keyOf(name);
    const already = running.get(key);
    if (already) return already;
    const lookUp = look(name).finally(() => running.delete(key));
    running.set(key, lookUp);
    return lookUp;
  };

  const rememberFailure = (name: WantedName) => {
    if (failedUntil.size >= FAILURES_KEPT) failedUntil.clear();
    failedUntil.set(keyOf(name), nowMs() + FAILURE_KEPT_MS);
  };
  const mayAsk = (name: WantedName) => (failedUntil.get(keyOf(name)) ?? 0) <= nowMs();

  return {
    /** Asks without making anybody wait; `look` handles every failure. */
    refresh: (name: WantedName): void => {
      if (mayAsk(name) && !hangs.has(name.tenantId)) void start(name);
    },
    findInTime: async (names: readonly WantedName[]): Promise<readonly StoredName[]> => {
      const open = names.filter(mayAsk);
      const tenants = [...new Set(open.map(({ tenantId }) => tenantId))].filter(hangs.letsAsk);
      const asked = open.filter(({ tenantId }) => tenants.includes(tenantId));
      if (asked.length === 0) return [];
      const found: StoredName[] = [];
      const pending = new Set(asked);
      const all = asked.map(async (name) => {
        const answer = await start(name);
        pending.delete(name);
        if (answer) found.push(answer);
      });
      await atMost(patienceMs, Promise.all(all));
      // A slow look-up goes on for later messages; until it is done nobody waits for it again.
      pending.forEach(rememberFailure);
      for (const tenantId of tenants) {
        const isOf = (name: WantedName) => name.tenantId === tenantId;
        // Where some came, those that did not are a matter of their own.
        const isHanging = [...pending].some(isOf) && !found.some(isOf);
        if (isHanging) hangs.unanswered(tenantId);
        else hangs.answered(tenantId);
      }
      return [...found];
    },
  };
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}

function distinct(requests: readonly NamesRequest[]): readonly WantedName[] {
  const wanted = requests.flatMap(({ tenantId, references }) => references.map((reference) => ({ tenantId, ...reference })));
  return [...new Map(wanted.map((name) => [keyOf(name), name])).values()];
}

function keyOf({ tenantId, entity, id }: WantedName): string {
  return `${String(tenantId)}/${referenceKey(entity, id)}`;
}
