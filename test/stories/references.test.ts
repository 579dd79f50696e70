/** After an install: rates, names and fields are there at once, and a rule says when what it names is gone. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel } from '../support/channel';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';

const testDatabase = useTestDatabase();
let world: World;
let token: string;

beforeAll(async () => {
  world = await startWorld({ databaseUrl: testDatabase.connectionString });
  world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Export', value: 1000, currency: 'GBP' });
  token = await world.install();
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

test('when a stage that a rule names is deleted at Pipedrive, then the rule says so', async () => {
  const channel = await connectChannel(world, token, 'Stages');
  const stage = world.pipedrive.createStage(DEMO_COMPANY_ID, { name: 'Pilot', pipeline_id: firstPipeline() });
  const ruleId = await addRule(world, token, 'deal.stage_changed', channel, { filters: { stageIds: [stage.id] } });
  const attention = async () => (await world.api('GET', `/rules/${ruleId}`, token)).body.attention;

  const before = await attention();
  world.pipedrive.deleteStage(stage.id);
  await waitUntil('the rule needs attention', async () => (await attention()).length > 0);

  expect(before).toEqual([]);
  expect(await attention()).toEqual([{ path: 'filters.stageIds.0', message: 'The stage "Pilot" was deleted.' }]);
});

test('when a rule names a custom field made after the install, then the fields are read again and nothing is complained of', async () => {
  const channel = await connectChannel(world, token, 'Stages');
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
