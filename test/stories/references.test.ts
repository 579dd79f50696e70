/** After an install: rates, names and fields are there at once, and a rule says when what it names is gone, or is back. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, type Channel } from '../support/channel';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

const testDatabase = useTestDatabase();
let world: World;
let token: string;
let channel: Channel;
let laterMs = 0;

beforeAll(async () => {
  world = await startWorld({
    databaseUrl: testDatabase.connectionString,
    clock: () => new Date(Date.now() + laterMs),
    config: { apiRateLimit: 1_000_000 },
  });
  world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Export', value: 1000, currency: 'GBP' });
  const { body } = await world.api('POST', '/api-keys', await world.install(), { name: 'Outlives page tokens' });
  token = body.key;
  channel = await connectChannel(world, token, 'References');
});
afterAll(async () => {
  await world.close();
});

function records(entity: string) {
  return testDatabase.database.prisma.record.findMany({ where: { entity }, orderBy: { entityId: 'asc' } });
}

test('when a company installs, then the rates by which Pipedrive converts are kept with their base and date', async () => {
  const unitsPerEuro = world.pipedrive.company(DEMO_COMPANY_ID).rates.get('GBP') ?? Number.NaN;

  const pounds = (await records('exchangeRate')).find((rate) => rate.entityId === 'GBP');

  expect(pounds?.state).toMatchObject({ base: 'EUR', rate: expect.closeTo(1 / unitsPerEuro, 3), asOf: expect.any(String) });
});

test('when a company installs, then its fields and the names of their options are known', async () => {
  const labels = (await records('dealField')).find((field) => field.entityId === 'label_ids');

  expect(labels?.state).toMatchObject({
    field_type: 'set',
    options: expect.arrayContaining([expect.objectContaining({ id: 24 })]),
  });
});

interface Attention {
  readonly needsAttention: boolean;
  readonly attention: readonly { readonly path: string; readonly message: string }[];
}

/** What `GET /rules` says of the rule. */
async function attentionOf(ruleId: number): Promise<Attention> {
  const { body } = await world.api('GET', '/rules', token);
  const found = body.items.find((rule: { id: number }) => rule.id === ruleId);
  return { needsAttention: found.needsAttention, attention: found.attention };
}

const INTACT: Attention = { needsAttention: false, attention: [] };
const broken = (path: string, message: string): Attention => ({ needsAttention: true, attention: [{ path, message }] });

async function untilAttention(ruleId: number, isNeeded: boolean): Promise<Attention> {
  await waitUntil('the rule is judged anew', async () => (await attentionOf(ruleId)).needsAttention === isNeeded);
  return await attentionOf(ruleId);
}

test('when a stage that a rule names is deleted at Pipedrive, then the rule says so until it is back', async () => {
  const stage = world.pipedrive.createStage(DEMO_COMPANY_ID, { name: 'Pilot', pipeline_id: firstPipeline() });
  const ruleId = await addRule(world, token, 'deal.stage_changed', channel, { filters: { stageIds: [stage.id] } });

  const before = await attentionOf(ruleId);
  world.pipedrive.deleteStage(stage.id);
  const gone = await untilAttention(ruleId, true);
  await postAs(
    world,
    rawWebhook('stage', 'change', stage.id, { data: stage, previous: { active_flag: false } }),
    undefined,
    'stage',
  );

  expect(before).toEqual(INTACT);
  expect(gone).toEqual(broken('filters.stageIds.0', 'The stage “Pilot” was deleted.'));
  expect(await untilAttention(ruleId, false)).toEqual(INTACT);
});

test('when a pipeline that rules name is deleted at Pipedrive, then each says so until it is back', async () => {
  const pipeline = world.pipedrive.createPipeline(DEMO_COMPANY_ID, { name: 'Trials' });
  const byFilter = await addRule(world, token, 'deal.won', channel, { filters: { pipelineIds: [firstPipeline(), pipeline.id] } });
  const conditions = { all: [{ field: 'pipeline_id', op: 'in', value: [pipeline.id] }] };
  const byCondition = await addRule(world, token, 'deal.lost', channel, { filters: { conditions } });
  const untouched = await addRule(world, token, 'deal.won', channel, { filters: { pipelineIds: [firstPipeline()] } });

  world.pipedrive.deletePipeline(pipeline.id);
  const gone = [await untilAttention(byFilter, true), await untilAttention(byCondition, true), await attentionOf(untouched)];
  const data = { ...pipeline, active_flag: true };
  await postAs(
    world,
    rawWebhook('pipeline', 'change', pipeline.id, { data, previous: { active_flag: false } }),
    undefined,
    'pipeline',
  );

  expect(gone).toEqual([
    broken('filters.pipelineIds.1', 'The pipeline “Trials” was deleted.'),
    broken('filters.conditions.all.0.value.0', 'The pipeline “Trials” was deleted.'),
    INTACT,
  ]);
  expect([await untilAttention(byFilter, false), await untilAttention(byCondition, false)]).toEqual([INTACT, INTACT]);
});

test('when a user is deactivated and is back within the second, twice, then rules that name the user say how it is now', async () => {
  const user = world.pipedrive.createUser(DEMO_COMPANY_ID, { name: 'Ben Okafor', email: 'second.ben@example.com' });
  const byFilter = await addRule(world, token, 'deal.won', channel, { filters: { ownerIds: [user.id] } });
  const conditions = { not: { field: 'actor_user_id', op: 'is', value: user.id } };
  const byCondition = await addRule(world, token, 'deal.won', channel, { filters: { conditions } });
  const before = [await untilAttention(byFilter, false), await untilAttention(byCondition, false)];
  const at = new Date(Math.floor(Date.now() / 1000) * 1000);

  world.pipedrive.deactivateUser(user.id, { at });
  const gone = [await untilAttention(byFilter, true), await untilAttention(byCondition, true)];
  world.pipedrive.updateUser(user.id, { active_flag: true }, { at });
  const back = [await untilAttention(byFilter, false), await untilAttention(byCondition, false)];

  expect(before).toEqual([INTACT, INTACT]);
  expect(gone).toEqual([
    broken('filters.ownerIds.0', 'The user “Ben Okafor” is deactivated.'),
    broken('filters.conditions.not.value', 'The user “Ben Okafor” is deactivated.'),
  ]);
  expect(back).toEqual([INTACT, INTACT]);
});

test('when a custom field is deleted, of which no webhook tells, then each rule that names it says so until it is back', async () => {
  const field = world.pipedrive.addCustomField(DEMO_COMPANY_ID, 'deal', { name: 'Renewal date', type: 'date' });
  const { code } = field;
  const asFilter = await addRule(world, token, 'deal.field_changed', channel, { filters: { fields: [code] } });
  const conditions = { field: code, op: 'isNotEmpty' };
  const asCondition = await addRule(world, token, 'deal.won', channel, { filters: { conditions } });

  const before = [await attentionOf(asFilter), await attentionOf(asCondition)];
  world.pipedrive.removeCustomField(DEMO_COMPANY_ID, 'deal', code);
  laterMs += 20 * 60_000;
  const gone = [await attentionOf(asFilter), await attentionOf(asCondition)];
  world.pipedrive.addCustomField(DEMO_COMPANY_ID, 'deal', field);
  laterMs += 20 * 60_000;

  expect(before).toEqual([INTACT, INTACT]);
  expect(gone).toEqual([
    broken('filters.fields.0', 'The field “Renewal date” was deleted.'),
    broken('filters.conditions.field', 'The field “Renewal date” was deleted.'),
  ]);
  expect([await attentionOf(asFilter), await attentionOf(asCondition)]).toEqual([INTACT, INTACT]);
});

test('when an option is deleted, then each rule that names it says so until it is back, and rules on others do not', async () => {
  const options = [
    { id: 901, label: 'North', color: null },
    { id: 902, label: 'South', color: null },
  ];
  const { code } = world.pipedrive.addCustomField(DEMO_COMPANY_ID, 'deal', { name: 'Region', type: 'enum', options });
  const on = (value: unknown) =>
    addRule(world, token, 'deal.won', channel, { filters: { conditions: { field: code, op: 'in', value: [value] } } });
  const [byId, byLabel, other] = [await on(902), await on('South'), await on('North')];

  const before = [await attentionOf(byId), await attentionOf(byLabel), await attentionOf(other)];
  world.pipedrive.changeCustomField(DEMO_COMPANY_ID, 'deal', code, { options: options.slice(0, 1) });
  laterMs += 20 * 60_000;
  const gone = [await attentionOf(byId), await attentionOf(byLabel), await attentionOf(other)];
  world.pipedrive.changeCustomField(DEMO_COMPANY_ID, 'deal', code, { options });
  laterMs += 20 * 60_000;

  expect(before).toEqual([INTACT, INTACT, INTACT]);
  expect(gone).toEqual([
    broken('filters.conditions.value.0', 'The option “South” of the field “Region” is not known in Pipedrive (any more).'),
    broken('filters.conditions.value.0', 'The option “South” of the field “Region” is not known in Pipedrive (any more).'),
    INTACT,
  ]);
  expect([await attentionOf(byId), await attentionOf(byLabel), await attentionOf(other)]).toEqual([INTACT, INTACT, INTACT]);
});

test('when a rule names a custom field made after the install, then the fields are read again and nothing is complained of', async () => {
  const { code } = world.pipedrive.addCustomField(DEMO_COMPANY_ID, 'deal', { name: 'Renewal risk', type: 'varchar' });

  const ruleId = await addRule(world, token, 'deal.field_changed', channel, { filters: { fields: [code, 'f'.repeat(40)] } });

  const { body } = await world.api('GET', `/rules/${ruleId}`, token);
  expect(body.attention).toEqual([expect.objectContaining({ path: 'filters.fields.1' })]);
});

function firstPipeline(): number {
  const [pipeline] = world.pipedrive.company(DEMO_COMPANY_ID).pipelines.live.keys();
  if (pipeline === undefined) throw new Error('the demo company has no pipeline');
  return pipeline;
}
