/** Rules written with names: over HTTP on a real database, with lists that were read and lists that are read for the rule. */

import { makeReferenceRecordStore } from '../../../src/install/reference-record.store';
import type { TestTenant } from '../../support/api-fixture';
import { addRecord } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';

const testDatabase = useTestDatabase();
const INDUSTRY = 'a'.repeat(40);
const api = useApi(testDatabase, {
  refreshReferences: async (tenantId, entities) => {
    asked.push(...entities);
    const given = entities.filter((entity) => atPipedrive[entity] !== undefined);
    for (const entity of given) await keep(tenantId, entity, atPipedrive[entity] ?? []);
    return given.length > 0;
  },
});
const { call } = api;
let destination: number;
/** What comes in when the API asks for a list; what was asked for. */
let atPipedrive: Record<string, readonly object[]>;
let asked: string[];

beforeEach(async () => {
  [atPipedrive, asked] = [{}, []];
  destination = await api.addDestination();
});

async function keep(tenantId: TestTenant['id'], entity: string, states: readonly object[]): Promise<void> {
  const rows = states.map((state): Readonly<Record<string, unknown>> => ({ ...state }));
  await makeReferenceRecordStore(testDatabase.database).saveAll(tenantId, entity, rows, new Date());
}

function rule(eventType: string, filters: object): object {
  return { name: 'Named', eventType, targetWebhookIds: [destination], filters };
}

const industry = (options: readonly object[]) => [{ id: INDUSTRY, name: 'Industry', field_type: 'enum', options }];

test('when a rule is written with names, then it is kept by key, id and name, and needs no attention', async () => {
  await keep(api.tenant.id, 'user', [{ id: 9, name: 'Ana', email: 'ana@acme.test', active_flag: true }]);
  await keep(api.tenant.id, 'dealField', [
    ...industry([{ id: 21, label: 'Energy' }]),
    { id: 'label_ids', name: 'Label', field_type: 'set', options: [{ id: 3, label: 'Hot' }] },
  ]);
  await addRecord(testDatabase.database, api.tenant.id, { entity: 'organization', id: 55, state: { name: 'Acme' } });

  const { body, status } = await call('post', '/rules').send(
    rule('deal.won', {
      ownerIds: ['Ana'],
      conditions: {
        all: [
          { field: 'Industry', op: 'is', value: 'Energy' },
          { field: 'label_ids', op: 'includes', value: 'Hot' },
          { field: 'org_id', op: 'is', value: 'ACME' },
        ],
      },
    }),
  );

  expect({ status, ...body }).toMatchObject({
    ...{ status: 201, needsAttention: false },
    filters: {
      ownerIds: [9],
      conditions: {
        all: [
          { field: INDUSTRY, op: 'is', value: { id: 21, name: 'Energy' } },
          { field: 'label_ids', op: 'includes', value: { id: 3, name: 'Hot' } },
          { field: 'org_id', op: 'is', value: { id: 55, name: 'Acme' } },
        ],
      },
    },
  });
});

test.each([
  ['person.created', 'personField', 'Industry'],
  ['organization.created', 'organizationField', 'Industry'],
  ['activity.completed', 'activityField', 'Industry'],
  ['lead.created', 'dealField', 'Industry'],
])(
  "when a rule on %s names a field that was never read, then the company's %s list is read for it",
  async (eventType, list, field) => {
    atPipedrive = { [list]: industry([{ id: 21, label: 'Energy' }]) };

    const { body } = await call('post', '/rules').send(rule(eventType, { conditions: { field, op: 'is', value: 'Energy' } }));

    expect(asked).toEqual([list]);
    expect(body.filters.conditions).toEqual({ field: INDUSTRY, op: 'is', value: { id: 21, name: 'Energy' } });
  },
);

test('when an option is younger than what is known, then the list is read again; what it lacks too is refused', async () => {
  await keep(api.tenant.id, 'dealField', industry([{ id: 21, label: 'Energy' }]));
  atPipedrive = {
    dealField: industry([
      { id: 21, label: 'Energy' },
      { id: 22, label: 'Water' },
    ]),
  };
  const conditions = (value: string) => ({ conditions: { field: 'Industry', op: 'is', value } });

  const younger = await call('post', '/rules').send(rule('deal.won', conditions('Water')));
  const missing = await call('put', `/rules/${younger.body.id}`).send({ filters: conditions('Watre') });

  expect(younger.body.filters.conditions.value).toEqual({ id: 22, name: 'Water' });
  expect(missing.status).toBe(422);
  expect(missing.body.errors).toEqual([
    {
      path: 'filters.conditions.value',
      message: 'There is no option called “Watre” for “Industry”. Did you mean “Water”?',
    },
  ]);
});

test("when a lead's label is named, then labels of leads are read, and not those of deals", async () => {
  atPipedrive = { leadLabel: [{ id: 'f08b42a0-4e75-11ea-9643-03698ef1cfd6', name: 'Hot' }] };
  await keep(api.tenant.id, 'dealField', [
    { id: 'label_ids', name: 'Label', field_type: 'set', options: [{ id: 3, label: 'Hot' }] },
  ]);

  const { body } = await call('post', '/rules').send(
    rule('lead.created', { conditions: { field: 'label_ids', op: 'includes', value: 'hot' } }),
  );

  expect(body.filters.conditions.value).toEqual({ id: 'f08b42a0-4e75-11ea-9643-03698ef1cfd6', name: 'Hot' });
});

test('when the event type changes, then the filters that stay have to suit the new one', async () => {
  const { body } = await call('post', '/rules').send(
    rule('activity.created', { conditions: { field: 'due_date', op: 'withinDays', value: 3 } }),
  );

  const changed = await call('put', `/rules/${body.id}`).send({ eventType: 'deal.won' });

  expect(changed.status).toBe(422);
  expect(changed.body.detail).toBe('filters.conditions.field: “due_date” is no field of deals (activity records have it).');
});

test('when a draft with names is previewed, then it is understood, and a mistake has its path in the request', async () => {
  await keep(api.tenant.id, 'stage', [{ id: 4, name: 'Offer' }]);

  const good = await call('post', '/rules/preview').send({ rule: rule('deal.stage_changed', { stageIds: ['Offer'] }) });
  const bad = await call('post', '/rules/preview').send({ rule: rule('deal.stage_changed', { stageIds: ['Ofer'] }) });

  expect(good.status).toBe(200);
  expect(bad.body.errors).toEqual([
    { path: 'rule.filters.stageIds.0', message: 'There is no stage called “Ofer”. Did you mean “Offer”?' },
  ]);
});
