/** `/rules/export` and `/rules/import` over HTTP, on a real database: back into the same company, and into another one. */

import request from 'supertest';
import type { TestTenant } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';
import { chatUrl, useApi } from '../../support/use-api';

const testDatabase = useTestDatabase();
const FIELD = '3e9bb7da4983ebebda9e19851cc6828af134e3c8';
const api = useApi(testDatabase);
const { call } = api;
let other: TestTenant;

beforeEach(async () => {
  other = await api.addTenant();
});

const addDestination = (owner: TestTenant, name: string, space?: string) =>
  api.addDestination({ name, url: chatUrl(space) }, owner);

async function addRecords(owner: TestTenant, records: Readonly<Record<string, readonly object[]>>): Promise<void> {
  for (const [entity, states] of Object.entries(records)) {
    for (const state of states) {
      const id = 'id' in state ? String(state.id) : '';
      await testDatabase.database.pool.query(
        'INSERT INTO records (tenant_id, entity, entity_id, state) VALUES ($1, $2, $3, $4)',
        [owner.id, entity, id, state],
      );
    }
  }
}

/** The same CRM with ids from `offset` on. */
async function addCrm(owner: TestTenant, offset: number): Promise<void> {
  await addRecords(owner, {
    pipeline: [
      { id: offset + 1, name: 'Sales' },
      { id: offset + 2, name: 'Renewals' },
    ],
    stage: [
      { id: offset + 11, name: 'Proposal', pipeline_id: offset + 1 },
      { id: offset + 21, name: 'Proposal', pipeline_id: offset + 2 },
    ],
    user: [{ id: offset + 9, name: 'Ana Owner', email: 'ana@example.com' }],
    dealField: [
      { id: 'label_ids', field_name: 'Label', field_type: 'set', options: [{ id: offset + 24, label: 'Hot' }] },
      { id: FIELD, field_name: 'Region', field_type: 'enum', options: [{ id: offset + 31, label: 'North' }] },
    ],
  });
}

const filters = {
  pipelineIds: [1],
  stageIds: [11],
  ownerIds: [9],
  conditions: {
    all: [
      { field: 'label_ids', op: 'includes', value: 24 },
      { field: FIELD, op: 'is', value: { id: 31, name: 'North' } },
      { field: 'title', op: 'contains', value: '24' },
    ],
  },
};

async function addRule(owner: TestTenant, targetWebhookIds: readonly number[], given: object = {}): Promise<void> {
  await call('post', '/rules', owner)
    .send({ name: 'Key stage', eventType: 'deal.stage_changed', filters, targetWebhookIds, ...given })
    .expect(201);
}

const exported = async (owner = api.tenant) => (await call('get', '/rules/export', owner).expect(200)).body;
const rulesOf = async (owner: TestTenant) => (await call('get', '/rules', owner)).body.items;

test('when rules are exported, then what they name stands there by id and by name', async () => {
  await addCrm(api.tenant, 0);
  const destination = await addDestination(api.tenant, 'Sales space');
  await addRule(api.tenant, [destination]);

  const document = await exported();

  expect(document).toMatchObject({
    version: 1,
    exportedAt: expect.any(String),
    rules: [{ name: 'Key stage', filters, targetWebhookIds: [destination] }],
  });
  expect(document.rules[0].references).toEqual([
    { kind: 'pipeline', id: '1', name: 'Sales' },
    { kind: 'stage', id: '11', name: 'Proposal', pipelineName: 'Sales' },
    { kind: 'user', id: '9', name: 'Ana Owner', email: 'ana@example.com' },
    { kind: 'option', id: '24', name: 'Hot', field: 'label_ids', fieldName: 'Label' },
    { kind: 'field', id: FIELD, name: 'Region', fieldType: 'enum' },
    { kind: 'option', id: '31', name: 'North', field: FIELD, fieldName: 'Region' },
    { kind: 'destination', id: String(destination), name: 'Sales space', spaceId: 'AAAA' },
  ]);
});

test('when a document comes back into its own company, then nothing is doubled', async () => {
  await addCrm(api.tenant, 0);
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space')]);

  const { body } = await call('post', '/rules/import')
    .send({ document: await exported() })
    .expect(200);

  expect(body.rules).toEqual([
    { index: 0, name: 'Key stage', status: 'skipped', ruleId: null, enabled: null, reason: expect.any(String) },
  ]);
  expect(await rulesOf(api.tenant)).toHaveLength(1);
});

test('when the rule was removed since, then the import makes it again as it was', async () => {
  await addCrm(api.tenant, 0);
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space')], {
    settleMs: 5000,
    template: 'Moved: {{ title }}',
    stopAfter: true,
  });
  const document = await exported();
  await testDatabase.database.pool.query('DELETE FROM rules WHERE tenant_id = $1', [api.tenant.id]);

  const { body } = await call('post', '/rules/import').send({ document }).expect(200);

  expect(body).toMatchObject({ stored: true, rules: [{ status: 'created', enabled: true, reason: null }] });
  expect(body.references.map(({ resolution }: { resolution: string }) => new Set([resolution]))).toContainEqual(
    new Set(['sameId']),
  );
  expect((await exported()).rules).toEqual(document.rules);
  expect((await call('get', '/audit')).body.items[0]).toMatchObject({
    action: 'rules.imported',
    changes: { created: 1, names: ['Key stage'] },
  });
});

test("when it goes to another company, then names decide and the rule gets that company's ids", async () => {
  await addCrm(api.tenant, 0);
  await addCrm(other, 100);
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space')]);
  const there = await addDestination(other, 'Sales space', 'BBBB');

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported() })
    .expect(200);

  expect(body.rules).toMatchObject([{ status: 'created', enabled: true, reason: null }]);
  expect(body.references.map(({ kind, resolution }: { kind: string; resolution: string }) => `${kind} ${resolution}`)).toEqual([
    ...['pipeline byName', 'stage byName', 'user byName', 'option byName', 'field sameId', 'option byName', 'destination byName'],
  ]);
  expect(await rulesOf(other)).toMatchObject([
    {
      targetWebhookIds: [there],
      filters: {
        pipelineIds: [101],
        stageIds: [111],
        ownerIds: [109],
        conditions: {
          all: [
            { field: 'label_ids', op: 'includes', value: 124 },
            { field: FIELD, op: 'is', value: { id: 131, name: 'North' } },
            { field: 'title', op: 'contains', value: '24' },
          ],
        },
      },
    },
  ]);
});

test('when rules are about leads, persons and activities, then their labels, fields and types are found by name too', async () => {
  const size = 'c'.repeat(40);
  const uuid = (digit: string) => `${digit.repeat(8)}-4e75-11ea-9643-03698ef1cfd6`;
  const crm = async (owner: TestTenant, offset: number, digit: string) => {
    await addRecords(owner, {
      leadLabel: [{ id: uuid(digit), name: 'Hot' }],
      personField: [
        { id: 'label_ids', name: 'Labels', field_type: 'set', options: [{ id: offset + 5, label: 'VIP' }] },
        { id: size, name: 'Shoe size', field_type: 'enum', options: [{ id: offset + 6, label: 'Large' }] },
      ],
      activityType: [{ id: `visit_${digit}`, name: 'Visit' }],
      person: [{ id: offset + 70, name: 'Cy Deal' }],
    });
    return await addDestination(owner, 'Sales space', digit.repeat(4));
  };
  const from = await crm(api.tenant, 0, 'a');
  await crm(other, 100, 'b');
  const about = (eventType: string, ...all: object[]) =>
    addRule(api.tenant, [from], { name: eventType, eventType, filters: { conditions: { all } } });
  await about('lead.created', { field: 'label_ids', op: 'includes', value: 'Hot' });
  await about(
    'person.created',
    { field: 'label_ids', op: 'includesAny', value: ['VIP'] },
    { field: 'Shoe size', op: 'is', value: 'Large' },
  );
  await about('activity.created', { field: 'type', op: 'in', value: ['Visit'] }, { field: 'person_id', op: 'is', value: 70 });

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported() })
    .expect(200);

  expect(body.rules.map((rule: { reason: string | null }) => rule.reason)).toEqual([null, null, null]);
  const conditionsOf = async (owner: TestTenant) =>
    (await rulesOf(owner)).map((rule: { filters: { conditions: unknown } }) => rule.filters.conditions);
  expect(await conditionsOf(other)).toEqual([
    { all: [{ field: 'label_ids', op: 'includes', value: { id: uuid('b'), name: 'Hot' } }] },
    {
      all: [
        { field: 'label_ids', op: 'includesAny', value: [{ id: 105, name: 'VIP' }] },
        { field: size, op: 'is', value: { id: 106, name: 'Large' } },
      ],
    },
    {
      all: [
        { field: 'type', op: 'in', value: [{ id: 'visit_b', name: 'Visit' }] },
        { field: 'person_id', op: 'is', value: 170 },
      ],
    },
  ]);
  const back = await call('post', '/rules/import').send({ document: await exported(other), dryRun: true });
  expect(back.body.rules.map(({ status }: { status: string }) => status)).toEqual(['skipped', 'skipped', 'skipped']);
});

test('when a person writes names into a document, then they are found; one that is not there is reported and nothing is made', async () => {
  await addCrm(other, 100);
  const target = await addDestination(other, 'Sales space');
  const written = (name: string, option: string) => ({
    ...{ name, eventType: 'deal.won', targetWebhookIds: [target] },
    filters: { pipelineIds: ['Sales'], conditions: { field: 'Region', op: 'is', value: option } },
  });
  const send = (rules: object[], dryRun: boolean) =>
    call('post', '/rules/import', other).send({ document: { version: 1, rules }, dryRun });

  const dry = await send([written('North', 'North'), written('East', 'East')], true);
  const both = await send([written('North', 'North'), written('East', 'East')], false);
  const one = await send([written('North', 'North')], false);

  expect(dry.body.rules).toMatchObject([
    { status: 'created' },
    {
      status: 'rejected',
      reason: 'filters.conditions.value: There is no option called “East” for “Region”. There are: “North”.',
    },
  ]);
  expect(both.status).toBe(422);
  expect(one.body.rules).toMatchObject([{ status: 'created', enabled: true, reason: null }]);
  expect(await rulesOf(other)).toMatchObject([
    { filters: { pipelineIds: [101], conditions: { field: FIELD, op: 'is', value: { id: 131, name: 'North' } } } },
  ]);
});

test('when an id means something else there, then the rule comes switched off with the reason rather than wrong', async () => {
  await addCrm(api.tenant, 0);
  await addRecords(other, { pipeline: [{ id: 1, name: 'Partners' }], user: [{ id: 9, name: 'Ben Other' }] });
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space')], { filters: { pipelineIds: [1], ownerIds: [9] } });
  await addDestination(other, 'Sales space', 'BBBB');

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported() })
    .expect(200);

  expect(body.references).toMatchObject([
    {
      kind: 'pipeline',
      resolution: 'missing',
      target: null,
      reason: 'There is no pipeline “Sales” here. There are: “Partners”.',
    },
    { kind: 'user', resolution: 'missing' },
    { kind: 'destination', resolution: 'byName' },
  ]);
  expect(body.rules).toMatchObject([
    { status: 'created', enabled: false, reason: expect.stringContaining('no pipeline “Sales”') },
  ]);
  expect(await rulesOf(other)).toMatchObject([{ enabled: false }]);
});

test('when the destination is missing, then the rule comes without one, switched off', async () => {
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space')], { filters: {} });

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported() })
    .expect(200);

  expect(body.rules).toMatchObject([{ enabled: false, reason: expect.stringContaining('no space “Sales space”') }]);
  expect(await rulesOf(other)).toMatchObject([{ enabled: false, targetWebhookIds: [] }]);
});

test('when a destination has another name but the same space, then it is meant', async () => {
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space', 'CCCC')], { filters: {} });
  const there = await addDestination(other, 'Vertrieb', 'CCCC');

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported() })
    .expect(200);

  expect(body.references).toMatchObject([{ resolution: 'bySpace', target: { id: String(there) } }]);
});

test('when a mapping says what is meant, then that counts', async () => {
  await addCrm(api.tenant, 0);
  await addRecords(other, { pipeline: [{ id: 7, name: 'Vertrieb' }] });
  const from = await addDestination(api.tenant, 'Sales space');
  const to = await addDestination(other, 'Chat', 'BBBB');
  await addRule(api.tenant, [from], { filters: { pipelineIds: [1] } });
  const mapping = { pipeline: { '1': 7 }, destination: { [from]: to } };

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported(), mapping })
    .expect(200);

  expect(body.references).toMatchObject([
    { kind: 'pipeline', resolution: 'mapped', target: { id: '7', name: 'Vertrieb' } },
    { kind: 'destination', resolution: 'mapped' },
  ]);
  expect(await rulesOf(other)).toMatchObject([{ enabled: true, targetWebhookIds: [to], filters: { pipelineIds: [7] } }]);
});

test("when a mapping names another company's destination, then it is refused", async () => {
  const foreign = await addDestination(api.tenant, 'Sales space');
  await addRule(api.tenant, [foreign], { filters: {} });

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported(), mapping: { destination: { [foreign]: foreign } } })
    .expect(422);

  expect(body.errors).toMatchObject([{ path: `mapping.destination.${foreign}` }]);
});

test('when two are called the same, then the report asks which', async () => {
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space')], { filters: {} });
  await addDestination(other, 'Sales space', 'BBBB');
  await addDestination(other, 'sales space ', 'CCCC');

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported(), dryRun: true })
    .expect(200);

  expect(body.references).toMatchObject([{ resolution: 'missing', reason: expect.stringContaining('several') }]);
});

test('when it is a dry run, then the report is the same and nothing is stored', async () => {
  await addRule(api.tenant, [await addDestination(api.tenant, 'Sales space')], { filters: {} });
  await addDestination(other, 'Sales space', 'BBBB');

  const { body } = await call('post', '/rules/import', other)
    .send({ document: await exported(), dryRun: true })
    .expect(200);

  expect(body).toMatchObject({ stored: false, rules: [{ status: 'created', ruleId: null, enabled: true }] });
  expect(await rulesOf(other)).toEqual([]);
  expect(JSON.stringify((await call('get', '/audit', other)).body)).not.toContain('rules.imported');
});

test('when one rule cannot be made, then none is, and the dry run says which', async () => {
  const targetWebhookIds = [await addDestination(api.tenant, 'Sales space')];
  const good = { name: 'Good', eventType: 'deal.won', targetWebhookIds };
  const document = { version: 1, rules: [good, { ...good, name: 'Bad', template: '{{ broken' }] };

  const dry = await call('post', '/rules/import').send({ document, dryRun: true }).expect(200);
  const wet = await call('post', '/rules/import').send({ document }).expect(422);

  expect(dry.body.rules).toMatchObject([
    { status: 'created' },
    { status: 'rejected', reason: expect.stringContaining('template') },
  ]);
  expect(wet.body.errors).toMatchObject([{ path: 'document.rules.1' }]);
  expect(await rulesOf(api.tenant)).toEqual([]);
});

test('when the plan allows fewer active rules, then none is made; switched off ones are not counted', async () => {
  const small = await api.addTenant({ trial: false });
  const targetWebhookIds = [await addDestination(small, 'Sales space')];
  const rules = (enabled: boolean) =>
    Array.from({ length: 26 }, (_, at) => ({ name: `Rule ${at}`, eventType: 'deal.won', targetWebhookIds, enabled }));

  const dry = await call('post', '/rules/import', small)
    .send({ document: { version: 1, rules: rules(true) }, dryRun: true })
    .expect(200);
  await call('post', '/rules/import', small)
    .send({ document: { version: 1, rules: rules(true) } })
    .expect(403);
  const before = await rulesOf(small);
  await call('post', '/rules/import', small)
    .send({ document: { version: 1, rules: rules(false) } })
    .expect(200);

  expect(
    dry.body.rules.map(({ status }: { status: string }) => status).filter((status: string) => status === 'rejected'),
  ).toHaveLength(1);
  expect(before).toEqual([]);
  expect(await rulesOf(small)).toHaveLength(26);
});

test('when a document is as large as a thousand rules, then it is taken', async () => {
  const targetWebhookIds = [await addDestination(api.tenant, 'Sales space')];
  const filler = {
    all: Array.from({ length: 8 }, (_, at) => ({ field: 'title', op: 'contains', value: `word ${at} `.repeat(4) })),
  };
  const rules = Array.from({ length: 300 }, (_, at) => ({
    name: `Rule ${at}`,
    eventType: 'deal.won',
    filters: { conditions: filler },
    targetWebhookIds,
  }));

  const { body } = await call('post', '/rules/import')
    .send({ document: { version: 1, rules }, dryRun: true })
    .expect(200);

  expect(body.rules).toHaveLength(300);
});

test.each([
  [{}, 'document'],
  [{ document: { version: 2, rules: [] } }, 'document.version'],
  [{ document: { version: 1 } }, 'document.rules'],
  [{ document: { version: 1, rules: [{ name: 'x', eventType: 'deal.vanished' }] } }, 'document.rules.0.eventType'],
  [{ document: { version: 1, rules: [{ name: 'x', eventType: 'deal.won', surprise: 1 }] } }, 'document.rules.0.surprise'],
  [{ document: { version: 1, rules: [], more: 1 } }, 'document.more'],
  [{ document: { version: 1, rules: [] }, mapping: { galaxy: {} } }, 'mapping.galaxy'],
  [{ document: { version: 1, rules: [] }, dryRun: 'yes' }, 'dryRun'],
])('when the body is %j, then it is refused for %s', async (body, path) => {
  const answer = await call('post', '/rules/import').send(body).expect(422);

  expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
});

test('when it is described, then the description has all four requests', async () => {
  const { body } = await request(api.app).get('/openapi.json').expect(200);

  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(['/presets', '/rules/preview', '/rules/export', '/rules/import']),
  );
});
