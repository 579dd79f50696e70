/** Compares one tenant's ledger with Pipedrive's own lists and puts what was missed on the way of all events. */

import type { Logger } from 'pino';
import { changedAt } from '../core/happened-at';
import type { RecordEntity, RecordState } from '../core/record';
import type { TenantId } from '../core/tenant';
import { recordEntityOf, type EventType } from '../core/transition';
import { findMissed, GRACE_MS, sightingsOf, type Gap } from './find-missed';
import type { KnownRecordStore } from './known-records.store';
import { listedRecord } from './listed-record';
import { reconciledBody } from './reconciled-body';
import type { ComparedUntil, DueTenant, List, RunEnd } from './reconciliation.store';

type ListAnswer =
  | { readonly ok: true; readonly value: { readonly records: readonly RecordState[]; readonly nextCursor: string | null } }
  | { readonly ok: false; readonly failure: { readonly reason: string; readonly retryAfterMs?: number } };

/** Pipedrive's API as far as the lists of changed records go. */
export interface ChangedLists {
  listChanged(list: List, page: { readonly updatedSince: Date; readonly cursor: string | null }): Promise<ListAnswer>;
}

interface Needs {
  /** Over the tenant's best connection; null when it has none. */
  readonly apiOf: (tenantId: TenantId) => Promise<ChangedLists | null>;
  readonly store: KnownRecordStore;
  /** Takes an event in as if a webhook had brought it. */
  readonly acceptEvent: (tenantId: TenantId, body: Buffer) => Promise<{ readonly status: string }>;
  readonly clock: () => Date;
  readonly log: Logger;
}

/**
 * Never throws because of Pipedrive: what it says is in the end of the run. Rejects when the database cannot be reached. `stillHere` is
 * called before a page is asked for and when it has come, so that the run's lease does not run out.
 */
export type ReconcileTenant = (due: DueTenant, stillHere: () => Promise<void>) => Promise<RunEnd>;

interface RunNeeds extends Needs {
  readonly stillHere: () => Promise<void>;
}

const HOUR_MS = 3_600_000;
/** Records that were changed a little before are listed again: no clock is exact. */
const OVERLAP_MS = 15 * 60_000;
/** What a record says has happened is looked up in the ledger this far back. */
const LOOK_BACK_MS = 48 * HOUR_MS;
/** A gap that is longer is not read whole: nobody waits for news of it, and the company's budget is better spent. */
const LONGEST_GAP_MS = 7 * 24 * HOUR_MS;
/** At most so many pages of 500 per list and run: 200 tokens for deals. */
const MOST_PAGES = 20;
const NEXT_PART_MS = 60_000;
/** After a failure, unless Pipedrive names a time. */
const TRY_AGAIN_MS = 5 * 60_000;

/**
 * Archived deals hold little that is new, and their list costs twice as much: unless some rule tells of archiving it is asked for after a
 * gap and now and then, for what happened to deals before they were archived.
 */
const NOW_AND_THEN_MS = 6 * HOUR_MS;
const ARCHIVE_UNSAID = 'not all changes of archived deals could be told yet';

/** The deals are always compared; another list only when some rule tells of it, since each costs. */
const ASKED_FOR: readonly (readonly [List, readonly EventType[]])[] = [
  ['archivedDeal', ['deal.archived']],
  ['lead', ['lead.created']],
  ['person', ['person.created']],
  ['organization', ['organization.created']],
  ['activity', ['activity.created', 'activity.completed']],
  ['note', ['note.created']],
];

export function makeReconcileTenant(needs: Needs): ReconcileTenant {
  const { apiOf, clock, log } = needs;

  return async function reconcileTenant(due, stillHere) {
    const { tenantId } = due;
    const startedAt = clock();
    const api = await apiOf(tenantId);
    const nextHour = new Date(startedAt.getTime() + HOUR_MS);
    const { comparedUntil } = due;
    const stillWantedBecause = due.wantedBecause;
    if (api === null)
      return { comparedUntil, trouble: 'No connection to Pipedrive is active.', nextRunAt: nextHour, stillWantedBecause };
    const run = await compareLists({ ...needs, stillHere }, due, api);
    const { failure, tally } = run;
    const durationMs = clock().getTime() - startedAt.getTime();
    log.info({ tenantId, ...tally, trouble: failure?.reason ?? null, durationMs }, 'reconciled');
    if (failure === null) return { ...run, trouble: null, nextRunAt: earlier(run.againAt, nextHour) ?? nextHour };
    const waitMs = Math.max(failure.retryAfterMs ?? TRY_AGAIN_MS, TRY_AGAIN_MS);
    return { ...run, trouble: failure.reason, nextRunAt: new Date(clock().getTime() + waitMs) };
  };
}

interface Run {
  readonly comparedUntil: ComparedUntil;
  readonly againAt: Date | null;
  /** Why the list of archived deals has to be asked for with the next run; null when it need not. */
  readonly stillWantedBecause: string | null;
  readonly failure: Failure | null;
  readonly tally: { readonly seen: number; readonly found: number; readonly pages: number };
}

async function compareLists(needs: RunNeeds, due: DueTenant, api: ChangedLists): Promise<Run> {
  const comparedUntil: ComparedUntil = { ...due.comparedUntil };
  const tally = { seen: 0, found: 0, pages: 0 };
  const lists = listsOf(due, needs.clock());
  let againAt: Date | null = null;
  let stillWantedBecause = lists.includes('archivedDeal') ? (due.wantedBecause ?? ARCHIVE_UNSAID) : null;
  for (const list of lists) {
    const part = await compareList(needs, due, list, api);
    comparedUntil[list] = part.comparedUntil;
    againAt = earlier(againAt, part.againAt);
    for (const key of ['seen', 'found', 'pages'] as const) tally[key] += part[key];
    // What refused one list refuses the others too, and asking on costs.
    if (part.failure !== null) return { comparedUntil, againAt, stillWantedBecause, failure: part.failure, tally };
    // From here on whatever is refused to other lists: this one is read, or has to be read again.
    if (list === 'archivedDeal') stillWantedBecause = part.againAt === null ? null : ARCHIVE_UNSAID;
  }
  return { comparedUntil, againAt, stillWantedBecause, failure: null, tally };
}

function listsOf(due: DueTenant, now: Date): readonly List[] {
  const { wantedTypes } = due;
  const others = ASKED_FOR.filter(([, types]) => types.some((type) => wantedTypes.includes(type))).map(([list]) => list);
  const isHidden = !others.includes('archivedDeal') && wantedTypes.some((type) => recordEntityOf(type) === 'deal');
  return ['deal', ...(isHidden && isArchiveDue(due, now) ? (['archivedDeal'] as const) : []), ...others];
}

function isArchiveDue({ wantedBecause, comparedUntil: { archivedDeal: mark } }: DueTenant, now: Date): boolean {
  return wantedBecause !== null || mark === undefined || Math.abs(now.getTime() - mark.getTime()) >= NOW_AND_THEN_MS;
}

function entityOf(list: List): RecordEntity {
  return list === 'archivedDeal' ? 'deal' : list;
}

interface Failure {
  readonly reason: string;
  readonly retryAfterMs?: number;
}

interface Part {
  readonly comparedUntil: Date;
  readonly againAt: Date | null;
  readonly failure: Failure | null;
  readonly seen: number;
  readonly found: number;
  readonly pages: number;
}

/** Reads one list from where the last run stopped, page by page, longest ago first. */
async function compareList(needs: RunNeeds, due: DueTenant, list: List, api: ChangedLists): Promise<Part> {
  const entity = entityOf(list);
  const startMs = needs.clock().getTime();
  const until = reachedUntil(due, list, startMs);
  const updatedSince = new Date(
    Math.max(until.getTime() - OVERLAP_MS, due.since.getTime() - OVERLAP_MS, startMs - LONGEST_GAP_MS),
  );
  const since = new Date(Math.max(due.since.getTime(), Math.min(updatedSince.getTime(), startMs - LOOK_BACK_MS)));
  const tally = { seen: 0, found: 0, pages: 0 };
  let againAt: Date | null = null;
  let unsaidSince: Date | null = null;
  let cursor: string | null = null;
  do {
    const readAt = needs.clock();
    await needs.stillHere();
    const answer = await api.listChanged(list, { updatedSince, cursor });
    await needs.stillHere();
    if (!answer.ok) return { ...tally, comparedUntil: until, againAt, failure: answer.failure };
    const page = await comparePage(needs, due.tenantId, entity, answer.value.records, { since, readAt });
    tally.pages++;
    tally.seen += answer.value.records.length;
    tally.found += page.found;
    againAt = earlier(againAt, page.againAt);
    unsaidSince = earlier(unsaidSince, page.unsaidSince);
    cursor = answer.value.nextCursor;
    if (cursor !== null && tally.pages === MOST_PAGES) {
      const nextPartAt = new Date(needs.clock().getTime() + NEXT_PART_MS);
      const reached = earlier(unsaidSince, page.lastChangedAt);
      // The overlap is there already: going back by it again would read the same part for ever.
      const comparedUntil = reached === null ? until : new Date(reached.getTime() + OVERLAP_MS);
      return { ...tally, comparedUntil, againAt: earlier(againAt, nextPartAt), failure: null };
    }
  } while (cursor !== null);
  return { ...tally, comparedUntil: earlier(unsaidSince, new Date(startMs - GRACE_MS)) ?? until, againAt, failure: null };
}

/** Up to when the list was compared. A mark that lies ahead is of a clock that was set back since, and says nothing: then the look back is read again. */
function reachedUntil({ since, comparedUntil }: DueTenant, list: List, nowMs: number): Date {
  const mark = comparedUntil[list] ?? comparedUntil[entityOf(list)];
  if (mark === undefined) return new Date(Math.max(since.getTime(), nowMs - HOUR_MS));
  return mark.getTime() <= nowMs + OVERLAP_MS ? mark : new Date(nowMs - LOOK_BACK_MS);
}

interface ComparedPage {
  readonly found: number;
  readonly againAt: Date | null;
  /** The last change of the record that was changed longest ago of those of which not all is said. */
  readonly unsaidSince: Date | null;
  readonly lastChangedAt: Date | null;
}

async function comparePage(
  { store, acceptEvent }: Needs,
  tenantId: TenantId,
  entity: RecordEntity,
  raw: readonly RecordState[],
  gap: Gap,
): Promise<ComparedPage> {
  const types = entity === 'deal' && raw.length > 0 ? await store.loadFieldTypes(tenantId) : undefined;
  const records = raw.map((state) => listedRecord(entity, state, types)).filter((record) => record !== null);
  const ids = records.map(({ entityId }) => entityId);
  const known = await store.load(tenantId, entity, ids);
  const sightings = records.flatMap((record) =>
    sightingsOf(record, known.get(record.entityId) ?? UNKNOWN, gap).map((sighting) => ({
      ...sighting,
      entity,
      entityId: record.entityId,
    })),
  );
  await store.saveSightings(tenantId, sightings);
  let found = 0;
  let againAt: Date | null = null;
  let unsaidSince: Date | null = null;
  for (const record of records) {
    const finding = findMissed(record, known.get(record.entityId) ?? UNKNOWN, gap);
    againAt = earlier(againAt, finding.againAt);
    if (finding.againAt !== null) unsaidSince = earlier(unsaidSince, changedAt(record.state));
    for (const event of finding.events) {
      const { status } = await acceptEvent(tenantId, reconciledBody(event, gap.readAt));
      if (status === 'accepted') found++;
    }
  }
  const last = records.at(-1);
  return { found, againAt, unsaidSince, lastChangedAt: last === undefined ? null : changedAt(last.state) };
}

const UNKNOWN = { shadow: null, events: [], isUnsettled: false };

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
