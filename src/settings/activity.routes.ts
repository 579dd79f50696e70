/** The page of what came in and what was made of it: looked for by deal, rule and status, and sent again. */

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { Activity, Compared, News } from '../../views/settings/activity';
import type { Refusal } from '../../views/form';
import { counted } from '../core/counted';
import { findEvents, isKnownId, type ActivityQuery, type FoundEvents, type WantedDeals } from './activity.store';
import {
  activityView,
  dealText,
  MOST_NEWS,
  newsView,
  readFilter,
  readLook,
  readPress,
  shownOf,
  timedViews,
  type ReadFilter,
} from './activity-view';
import { attempt } from './attempt';
import { gatherFacts } from './gather-facts';
import type { SettingsDeps } from './settings-deps';
import type { NothingAnswer, PageAnswer, PageRoute, PartAnswer, Visit } from './visit';
import { wordsOf } from './words';

const EVENTS_SHOWN = 20;

export function activityPages(deps: SettingsDeps): PageRoute[] {
  return [
    { method: 'get', path: 'activity', access: 'see', handle: (visit) => list(deps, visit) },
    { method: 'get', path: 'activity/news', access: 'see', handle: (visit) => news(deps, visit) },
    { method: 'get', path: 'activity/compared', access: 'change', handle: (visit) => compared(deps, visit) },
    { method: 'post', path: 'activity/replay', access: 'change', handle: (visit) => replayOne(deps, visit) },
    { method: 'post', path: 'activity/replay-failed', access: 'change', handle: (visit) => replayFailed(deps, visit) },
  ];
}

async function list(
  deps: SettingsDeps,
  visit: Visit,
  more: { readonly message?: string; readonly refusal?: Refusal } = {},
): Promise<PageAnswer> {
  const { viewer } = visit;
  const filter = readFilter(visit.form);
  const [found, replayable] = await Promise.all([
    find(deps, visit, filter, { known: [], limit: EVENTS_SHOWN }),
    countReplayable(deps, visit, filter),
  ]);
  const { ids } = found;
  const facts = await gatherFacts(deps, viewer, ids.length === 0 ? null : { ids, beforeId: null, limit: ids.length });
  const refusal = more.refusal ?? null;
  const press = viewer.isAdmin ? randomUUID() : null;
  const view = activityView({ facts, filter, found, replayable, refusal, press, now: deps.clock() });
  const { message } = more;
  return {
    ...{ kind: 'page', page: 'activity', title: 'Activity', content: Activity(view), status: refusal === null ? 200 : 422 },
    ...(message === undefined ? {} : { message }),
  };
}

/** For a page that is open: what is new, and the events of which more was awaited. */
async function news(deps: SettingsDeps, visit: Visit): Promise<PartAnswer | NothingAnswer> {
  const filter = readFilter(visit.form);
  const { known, told, rows } = readLook(visit.form);
  const { ids } = await find(deps, visit, filter, { known, limit: MOST_NEWS + 1 });
  if (ids.length === told && rows.length === 0) return { kind: 'nothing' };
  const wanted = { ids: rows, beforeId: null, limit: rows.length };
  const press = visit.viewer.isAdmin ? (readPress(visit.form) ?? randomUUID()) : null;
  const events = rows.length === 0 ? [] : timedViews(await gatherFacts(deps, visit.viewer, wanted));
  const view = newsView({ filter, known, press }, ids.length, events);
  return { kind: 'part', content: News({ view, events, filter: shownOf(filter), press }) };
}

async function find(
  { database: { pool } }: SettingsDeps,
  { viewer }: Visit,
  { deal, ruleId, status, beforeId }: ReadFilter,
  bounds: Pick<ActivityQuery, 'known' | 'limit'>,
): Promise<FoundEvents> {
  const { id: tenantId } = viewer.tenant;
  const word = dealText(deal);
  const isId = /^[\w-]+$/.test(word) && (await isKnownId(pool, tenantId, word));
  const deals: WantedDeals | null = deal === '' ? null : isId ? { id: word } : { title: word };
  return await findEvents(pool, tenantId, { deals, ruleId, status, beforeId, ...bounds });
}

const dryRunAnswer = z.object({ wouldQueue: z.int() });
const replayAnswer = z.object({ queued: z.int() });

/** The API's own count, where all that failed can be sent again: not of single deals, nor of all watches. */
async function countReplayable(
  { callApi }: SettingsDeps,
  { viewer, principal }: Visit,
  filter: ReadFilter,
): Promise<number | null> {
  if (!viewer.isAdmin || filter.status !== 'failed' || filter.deal !== '' || filter.ruleId === 'watches') return null;
  const body = { filter: failedOf(filter), dryRun: true };
  return dryRunAnswer.parse(await callApi(principal, { method: 'post', path: '/deliveries/replay', body })).wouldQueue;
}

function failedOf({ ruleId }: ReadFilter): object {
  return { state: 'failed', ...(ruleId === null ? {} : { ruleId }) };
}

async function replayFailed(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const body = { filter: failedOf(readFilter(visit.form)) };
  const idempotencyKey = keyOf(visit, 'failed');
  const answer = await deps.callApi(visit.principal, { method: 'post', path: '/deliveries/replay', body, idempotencyKey });
  const { queued } = replayAnswer.parse(answer);
  return await list(deps, visit, { message: `${counted(queued, 'message')} ${queued === 1 ? 'is' : 'are'} on the way again` });
}

async function replayOne(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const text = visit.form.text('delivery');
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0;
  const call = { method: 'post', path: '/deliveries/:id/replay', id, idempotencyKey: keyOf(visit, String(id)) } as const;
  const tried = await attempt(() => deps.callApi(visit.principal, call));
  if (!tried.done) return await list(deps, visit, { refusal: tried.refusal });
  const { queued } = replayAnswer.parse(tried.result);
  return await list(deps, visit, { message: queued === 0 ? 'It is on the way already' : 'The message is on the way again' });
}

/** The same press of one page: a form that is sent once more, by a second click or a reload, sends nothing twice. */
function keyOf({ form }: Visit, what: string): string | null {
  const press = readPress(form);
  return press === null ? null : `${press}-${what}`;
}

const reportAnswer = z.object({
  summary: z.string(),
  comparedUntil: z.coerce.date().nullable(),
  counts: z.record(z.string(), z.object({ missing: z.int(), failed: z.int() })),
});

/** Everybody who may change anything may also ask Pipedrive; others do not see this. */
async function compared({ callApi }: SettingsDeps, { principal, viewer }: Visit): Promise<PartAnswer> {
  const report = reportAnswer.parse(await callApi(principal, { method: 'get', path: '/reconciliation' }));
  const isComplete = Object.values(report.counts).every(({ missing, failed }) => missing + failed === 0);
  const { comparedUntil } = report;
  const sentence =
    comparedUntil === null
      ? 'Every hour Dealbell compares this with Pipedrive’s own lists, so that nothing is missed.'
      : `Pipedrive’s own lists of the last 24 hours, checked until ${wordsOf(comparedUntil, viewer.tenant, { timeStyle: 'short' })}: ${report.summary}`;
  return { kind: 'part', content: Compared({ sentence, isComplete }) };
}
