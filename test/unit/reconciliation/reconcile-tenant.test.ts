/** One run over a tenant: which lists are asked for, from when on, how far, and what follows from Pipedrive's refusals. */

import { pino } from 'pino';
import type { RecordState } from '../../../src/core/record';
import { tenantId } from '../../../src/core/tenant';
import type { EventType } from '../../../src/core/transition';
import { GRACE_MS } from '../../../src/reconciliation/find-missed';
import { makeReconcileTenant, type ChangedLists } from '../../../src/reconciliation/reconcile-tenant';
import { at, dealState } from '../../support/builders';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
type Page = Awaited<ReturnType<ChangedLists['listChanged']>>;

function page(records: readonly RecordState[] = [], nextCursor: string | null = null): Page {
  return { ok: true, value: { records, nextCursor } };
}

const refused: Page = { ok: false, failure: { reason: 'the budget is used up', retryAfterMs: HOUR } };
const dealAt = (id: number, ms: number): RecordState =>
  dealState({ id, add_time: '2020-01-01T00:00:00Z', update_time: at(ms).toISOString(), won_time: null });

/** Runs at noon for a tenant that was compared until `untilMs`; `pages` are the answers in order, the last one for ever. */
async function run(
  pages: readonly Page[] | null,
  given: { untilMs?: number; archiveMs?: number; wantedTypes?: readonly EventType[]; wantedBecause?: string } = {},
) {
  const asked: { entity: string; sinceMs: number; cursor: string | null }[] = [];
  const bodies: Buffer[] = [];
  const steps: string[] = [];
  const reconcileTenant = makeReconcileTenant({
    apiOf: () =>
      Promise.resolve(
        pages === null
          ? null
          : {
              listChanged: (entity, { updatedSince, cursor }) => {
                steps.push('page');
                asked.push({ entity, sinceMs: updatedSince.getTime() - at(0).getTime(), cursor });
                return Promise.resolve(pages[asked.length - 1] ?? pages.at(-1) ?? page());
              },
            },
      ),
    store: {
      load: () => Promise.resolve(new Map()),
      loadFieldTypes: () => Promise.resolve(new Map()),
      saveSightings: () => Promise.resolve(),
    },
    acceptEvent: (_tenant, body) => {
      bodies.push(body);
      return Promise.resolve({ status: 'accepted' });
    },
    clock: () => at(0),
    log: pino({ level: 'silent' }),
  });
  const { untilMs = -HOUR, archiveMs, wantedTypes = [], wantedBecause = null } = given;
  const comparedUntil = { deal: at(untilMs), ...(archiveMs !== undefined && { archivedDeal: at(archiveMs) }) };
  const due = { tenantId: tenantId(1), since: at(-30 * 24 * HOUR), comparedUntil, wantedTypes, wantedBecause };
  const end = await reconcileTenant(due, () => {
    steps.push('still here');
    return Promise.resolve();
  });
  const msOf = (date: Date | undefined) => (date === undefined ? null : date.getTime() - at(0).getTime());
  return {
    ...{ asked, bodies, steps, trouble: end.trouble, stillWantedBecause: end.stillWantedBecause },
    untilMs: msOf(end.comparedUntil.deal),
    archiveMs: msOf(end.comparedUntil.archivedDeal),
    nextMs: msOf(end.nextRunAt),
  };
}

test('when nothing was changed in the hour, then one page of deals is all that is asked for', async () => {
  const { asked, untilMs, nextMs } = await run([page()]);

  expect(asked).toEqual([{ entity: 'deal', sinceMs: -HOUR - 15 * MINUTE, cursor: null }]);
  expect([untilMs, nextMs]).toEqual([-GRACE_MS, HOUR]);
});

test('when rules tell of other records, then their lists are asked for too, and no others', async () => {
  const { asked } = await run([page()], { wantedTypes: ['lead.archived', 'lead.created', 'activity.completed'] });

  expect(asked.map(({ entity }) => entity)).toEqual(['deal', 'lead', 'activity']);
});

test('when rules tell of archived deals, then their list is asked for with every run, from where it was compared to', async () => {
  const wantedTypes: readonly EventType[] = ['deal.archived'];

  const quiet = await run([page()], { wantedTypes });
  const other = await run([page()], { wantedTypes, archiveMs: -2 * HOUR });
  const partly = await run([page(), refused], { wantedTypes, archiveMs: -2 * HOUR });

  expect(quiet.asked.map(({ entity, sinceMs }) => [entity, sinceMs])).toEqual([
    ['deal', -HOUR - 15 * MINUTE],
    ['archivedDeal', -HOUR - 15 * MINUTE],
  ]);
  expect(other.asked[1]?.sinceMs).toBe(-2 * HOUR - 15 * MINUTE);
  expect([quiet, partly].map(({ untilMs, archiveMs }) => [untilMs, archiveMs])).toEqual([
    [-GRACE_MS, -GRACE_MS],
    [-GRACE_MS, -2 * HOUR],
  ]);
});

test.each<readonly [string, Parameters<typeof run>[1], boolean]>([
  ['was never compared', {}, true],
  ['was compared an hour ago', { archiveMs: -HOUR }, false],
  ['was compared six hours ago', { archiveMs: -6 * HOUR }, true],
  ['was compared an hour ago, and webhooks may have been missed since', { archiveMs: -HOUR, wantedBecause: 'an outage' }, true],
  ['was compared by a clock that was days ahead', { archiveMs: 3 * 24 * HOUR }, true],
  ['was never compared, and no rule tells of deals', { wantedTypes: ['lead.created'] }, false],
])(
  'when no rule tells of archiving and the list of archived deals %s, then it is asked for only if that is worth it',
  async (_when, given, isAsked) => {
    const { asked } = await run([page()], { wantedTypes: ['deal.won'], ...given });

    expect(asked.some(({ entity }) => entity === 'archivedDeal')).toBe(isAsked);
  },
);

test('when a deal was won and archived a minute ago, then its list is wanted again with the run that follows the grace', async () => {
  const young = { ...dealAt(1, -MINUTE), status: 'won', won_time: at(-MINUTE).toISOString(), is_archived: true };

  const { stillWantedBecause, nextMs } = await run([page(), page([young])], { wantedTypes: ['deal.won'] });

  expect([stillWantedBecause, nextMs]).toEqual(['not all changes of archived deals could be told yet', GRACE_MS - MINUTE + 1000]);
});

test('when Pipedrive refuses what was wanted, then it is wanted still', async () => {
  const given = { wantedTypes: ['deal.won'], wantedBecause: 'an outage' } as const;

  expect((await run([refused], given)).stillWantedBecause).toBe('an outage');
});

test('when Pipedrive refuses the list of archived deals that was due, then it is wanted with the next run', async () => {
  const { stillWantedBecause } = await run([page(), refused], { wantedTypes: ['deal.won'] });

  expect(stillWantedBecause).toBe('not all changes of archived deals could be told yet');
});

test('when Pipedrive refuses another list, then that of archived deals is wanted again if not all of it was said, and else no more', async () => {
  const young = { ...dealAt(1, -MINUTE), status: 'won', won_time: at(-MINUTE).toISOString(), is_archived: true };
  const wantedTypes = ['deal.won', 'lead.created'] as const;

  const unsaid = await run([page(), page([young]), refused], { wantedTypes });
  const said = await run([page(), page(), refused], { wantedTypes, wantedBecause: 'an outage' });

  expect(unsaid.stillWantedBecause).toBe('not all changes of archived deals could be told yet');
  expect(said.stillWantedBecause).toBeNull();
});

test('when the gap is a month, then only its last seven days are read', async () => {
  const { asked } = await run([page()], { untilMs: -29 * 24 * HOUR });

  expect(asked[0]?.sinceMs).toBe(-7 * 24 * HOUR);
});

test('when the last run went by a clock that was days ahead, then two days are read again, and the mark is of today', async () => {
  const { asked, untilMs } = await run([page()], { untilMs: 3 * 24 * HOUR });

  expect(asked[0]?.sinceMs).toBe(-48 * HOUR - 15 * MINUTE);
  expect(untilMs).toBe(-GRACE_MS);
});

test('when Pipedrive refuses the second page, then the next run begins where this one did, when Pipedrive is ready', async () => {
  const { asked, untilMs, nextMs, trouble } = await run([page([dealAt(1, -50 * MINUTE)], 'c'), refused], {
    wantedTypes: ['lead.created'],
  });

  expect(asked.map(({ entity, cursor }) => [entity, cursor])).toEqual([
    ['deal', null],
    ['deal', 'c'],
  ]);
  expect([untilMs, nextMs, trouble]).toEqual([-HOUR, HOUR, 'the budget is used up']);
});

test('when there is more than a run may read, then the next part follows soon from where it stopped', async () => {
  const { asked, untilMs, nextMs } = await run([page([dealAt(1, -50 * MINUTE)], 'more')]);

  expect(asked).toHaveLength(20);
  // Less the overlap of the next run: exactly the last change that was read.
  expect([untilMs, nextMs]).toEqual([-50 * MINUTE + 15 * MINUTE, MINUTE]);
});

test('when no connection is active, then nothing is asked and the report can say why', async () => {
  const { asked, trouble } = await run(null);

  expect([asked, trouble]).toEqual([[], 'No connection to Pipedrive is active.']);
});

test('when a win is too young to be told, then the list is read from its change on again, right after the grace', async () => {
  const young = { ...dealAt(1, -MINUTE), status: 'won', won_time: at(-MINUTE).toISOString() };

  const { bodies, untilMs, nextMs } = await run([page([young])]);

  expect(bodies).toEqual([]);
  expect([untilMs, nextMs]).toEqual([-GRACE_MS, GRACE_MS - MINUTE + 1000]);
});

test('when a run reads page after page, then it says before and after each that it is still there', async () => {
  const { steps } = await run([page([], 'more'), page()]);

  expect(steps).toEqual(['still here', 'page', 'still here', 'still here', 'page', 'still here']);
});
