/** Lists read again: at once when a rule names something unknown, but not over and over. */

import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import { makeRefreshReferences } from '../../../src/upkeep/refresh-references';

const TENANT = tenantId(1);
type ListAnswer = Awaited<
  ReturnType<NonNullable<Awaited<ReturnType<Parameters<typeof makeRefreshReferences>[0]['apiOf']>>>['listUsers']>
>;

function aRefresh(answerOf: (entity: string) => Promise<ListAnswer> = () => Promise.resolve({ ok: true, value: [{ id: 1 }] })) {
  const saved: string[] = [];
  let nowMs = Date.parse('2026-11-23T12:00:00Z');
  const references = makeRefreshReferences({
    listInstalledTenants: () => Promise.resolve([1, 2].map(tenantId)),
    apiOf: (id) =>
      Promise.resolve(
        id === 2
          ? null
          : {
              listUsers: () => answerOf('user'),
              listPipelines: () => answerOf('pipeline'),
              listStages: () => answerOf('stage'),
              listDealFields: () => answerOf('dealField'),
              listPersonFields: () => answerOf('personField'),
              listOrganizationFields: () => answerOf('organizationField'),
              listActivityFields: () => answerOf('activityField'),
              listLeadLabels: () => answerOf('leadLabel'),
              listActivityTypes: () => answerOf('activityType'),
            },
      ),
    listsRead: (id) => Promise.resolve(id === 1 ? ['stage', 'personField'] : []),
    saveAll: (id, entity) => {
      saved.push(`${id} ${entity}`);
      return Promise.resolve();
    },
    clock: () => new Date(nowMs),
    log: pino({ level: 'silent' }),
    patienceMs: 20,
  });
  return {
    ...{ references, saved },
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

test('when lists are wanted, then just these are read, and again only after a while', async () => {
  const { references, saved, pass } = aRefresh();

  const first = await references.refresh(TENANT, ['stage', 'dealField', 'stage']);
  const atOnce = await references.refresh(TENANT, ['stage']);
  pass(10_000);
  const later = await references.refresh(TENANT, ['stage']);

  expect([first, atOnce, later]).toEqual([true, false, true]);
  expect(saved).toEqual(['1 stage', '1 dealField', '1 stage']);
});

test.each([
  ['refuses', () => Promise.resolve({ ok: false as const, failure: { reason: 'scope' } })],
  ['breaks', () => Promise.reject(new Error('bug'))],
  ['does not answer in time', () => new Promise<ListAnswer>(() => undefined)],
])('when Pipedrive %s, then nothing is thrown or kept', async (_name, answer) => {
  const { references, saved } = aRefresh(answer);

  expect(await references.refresh(TENANT, ['stage'])).toBe(false);

  expect(saved).toEqual([]);
});

test('when one of two lists fails, then the other is kept', async () => {
  const { references, saved } = aRefresh((entity) =>
    entity === 'stage' ? Promise.reject(new Error('bug')) : Promise.resolve({ ok: true, value: [{ id: 1 }] }),
  );

  expect(await references.refresh(TENANT, ['stage', 'user'])).toBe(true);

  expect(saved).toEqual(['1 user']);
});

test('when the daily run comes, then every connected tenant’s deal fields are read, and what else it ever asked for', async () => {
  const { references, saved } = aRefresh();

  expect(await references.refreshAll()).toEqual({ tenants: 2, failed: 1 });
  expect(saved).toEqual(['1 dealField', '1 personField']);
});
