/** `needsAttention` of the rules and the names in the reasons of `/events`, over HTTP on a real database. */

import { makeReferenceRecordStore } from '../../../src/install/reference-record.store';
import { addRecord } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase, {
  refreshReferences: async (tenantId, entities) => {
    refreshed = { ...refreshed, entities: [...refreshed.entities, ...entities] };
    await makeReferenceRecordStore(testDatabase.database).saveAll(tenantId, 'stage', refreshed.stages, new Date());
    return true;
  },
});
const { call } = api;
let destination: number;
/** What the API asked to be read again, and what comes in by it. */
let refreshed: { entities: readonly string[]; stages: readonly { id: number; name: string }[] };

beforeEach(async () => {
  refreshed = { entities: [], stages: [] };
  destination = await api.addDestination();
});

function aRule(filters: object): object {
  return { name: 'Stages', eventType: 'deal.stage_changed', targetWebhookIds: [destination], filters };
}

async function know(stages: readonly { id: number; name: string }[], readAt = new Date()): Promise<void> {
  await makeReferenceRecordStore(testDatabase.database).saveAll(api.tenant.id, 'stage', stages, readAt);
}

test('when all that a rule names is there, then it needs no attention', async () => {
  await know([{ id: 5, name: 'Negotiation' }]);

  const { body } = await call('post', '/rules').send(aRule({ stageIds: [5] }));

  expect(body).toMatchObject({ needsAttention: false, attention: [] });
  expect(refreshed.entities).toEqual([]);
});

test('when a stage is deleted later, then every answer with the rule says so, until it names another', async () => {
  await know([
    { id: 5, name: 'Negotiation' },
    { id: 6, name: 'Contract' },
  ]);
  const { body: rule } = await call('post', '/rules').send(aRule({ stageIds: [5] }));
  await testDatabase.database.pool.query(
    `UPDATE records SET deleted_at = now() WHERE tenant_id = $1 AND entity = 'stage' AND entity_id = '5'`,
    [api.tenant.id],
  );

  const one = await call('get', `/rules/${rule.id}`);
  const list = await call('get', '/rules');
  const renamed = await call('put', `/rules/${rule.id}`).send({ name: 'Still' });
  const mended = await call('put', `/rules/${rule.id}`).send({ filters: { stageIds: [6] } });

  const broken = {
    needsAttention: true,
    attention: [{ path: 'filters.stageIds.0', message: 'The stage “Negotiation” was deleted.' }],
  };
  expect(one.body).toMatchObject(broken);
  expect(list.body.items[0]).toMatchObject(broken);
  expect(renamed.body).toMatchObject(broken);
  expect(mended.body).toMatchObject({ needsAttention: false, attention: [] });
  expect(refreshed.entities).toEqual([]);
});

test('when a rule names a stage younger than what is known, then the list is read again before it is complained of', async () => {
  const yesterday = new Date(Date.now() - 86_400_000);
  await know([{ id: 5, name: 'Negotiation' }], yesterday);
  refreshed = {
    entities: [],
    stages: [
      { id: 5, name: 'Negotiation' },
      { id: 7, name: 'Brand new' },
    ],
  };

  const { body } = await call('post', '/rules').send(aRule({ stageIds: [7, 8] }));

  expect(refreshed.entities).toEqual(['stage']);
  expect(body.attention).toEqual([{ path: 'filters.stageIds.1', message: 'The stage 8 is not known in Pipedrive (any more).' }]);
});

test('when nothing was ever read from Pipedrive, then nobody is accused', async () => {
  const { body } = await call('post', '/rules').send(aRule({ stageIds: [5], pipelineIds: [1], ownerIds: [9] }));

  expect(body).toMatchObject({ needsAttention: false, attention: [] });
});

test('when a decision failed by its stage, then the reason names the stages, also a deleted one', async () => {
  await know([
    { id: 5, name: 'Negotiation' },
    { id: 6, name: 'Contract' },
  ]);
  const { body: rule } = await call('post', '/rules').send(aRule({ stageIds: [5] }));
  await addRecord(testDatabase.database, api.tenant.id, {
    ...{ entity: 'stage', id: 8, state: { name: 'Gone stage' }, deletedAt: new Date() },
  });
  const decisions = [{ ruleId: rule.id, matched: false, code: 'stage', actual: 8 }];
  await testDatabase.database.pool.query(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, transitions, decisions)
     VALUES ($1, 'deal', '7', 'change', 'm', now(), '{}', now(), '{deal.stage_changed}', $2)`,
    [api.tenant.id, JSON.stringify(decisions)],
  );

  const { body } = await call('get', '/events');

  const [{ reason }] = body.items[0].decisions;
  expect(reason).toContain('Gone stage');
  expect(reason).toContain('Negotiation');
});

test('when the last destination of a rule that is on is deleted, then the rule needs attention, and none once it is off', async () => {
  const { body: rule } = await call('post', '/rules').send(aRule({})).expect(201);

  await call('delete', `/chat-webhooks/${destination}`).expect(204);

  const { body } = await call('get', `/rules/${rule.id}`).expect(200);
  expect(body).toMatchObject({ needsAttention: true, attention: [{ path: 'targetWebhookIds' }] });
  await call('put', `/rules/${rule.id}`).send({ enabled: false }).expect(200);
  expect((await call('get', `/rules/${rule.id}`)).body).toMatchObject({ needsAttention: false, attention: [] });
});
