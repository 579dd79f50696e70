/** `/rules` and `/test` over HTTP, on a real database. */

import { loadRules } from '../../../src/rules/rule.store';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';

const testDatabase = useTestDatabase();
const api = useApi(testDatabase);
const { call } = api;
let destination: number;

beforeEach(async () => {
  destination = await api.addDestination();
});

function aRule(fields: object = {}): object {
  return { name: 'Big wins', eventType: 'deal.won', targetWebhookIds: [destination], ...fields };
}

async function addRule(fields: object = {}): Promise<{ id: number; position: number; enabledAt: string; version: number }> {
  const { body } = await call('post', '/rules').send(aRule(fields)).expect(201);
  return body;
}

test('when a rule with every field of the contract is made, then every field is shown as it was sent', async () => {
  const sent = {
    name: 'Big wins',
    eventType: 'deal.won',
    filters: {
      ...{ pipelineIds: [1], stageIds: [5], ownerIds: [9], minValue: 10000, currency: 'EUR' },
      conditions: { all: [{ field: 'label_ids', op: 'includes', value: 3 }] },
    },
    ...{ targetWebhookIds: [destination], templateMode: 'detailed', template: 'Won: {{ record.title }}' },
    ...{ settleMs: 1500, position: 4, stopAfter: true, enabled: false },
  };

  const made = await call('post', '/rules').send(sent);
  const read = await call('get', `/rules/${made.body.id}`);

  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ ...sent, id: expect.any(Number), version: 1, author: 'api key test key' });
  expect(read.body).toEqual(made.body);
});

test('when only what is needed is given, then the rest has its defaults and the rule stands last', async () => {
  await addRule({ position: 6 });

  const { body } = await call('post', '/rules').send({ name: 'r', eventType: 'deal.lost', targetWebhookId: destination });

  expect(body).toMatchObject({
    ...{ filters: {}, targetWebhookIds: [destination], templateMode: 'compact', template: null },
    ...{ settleMs: null, position: 7, stopAfter: false, enabled: true },
  });
});

test.each([
  ['no name', { name: undefined }, 'name'],
  ['no event type', { eventType: undefined }, 'eventType'],
  ['an unknown event type', { eventType: 'deal.exploded' }, 'eventType'],
  ['an unknown field', { colour: 'red' }, 'colour'],
  ['an unknown filter', { filters: { colour: 'red' } }, 'filters.colour'],
  ['a bad filter', { filters: { pipelineIds: ['one'] } }, 'filters.pipelineIds.0'],
  ['a negative value', { filters: { minValue: -1 } }, 'filters.minValue'],
  ['a bad currency', { filters: { currency: 'euro' } }, 'filters.currency'],
  ['no destination', { targetWebhookIds: [] }, 'targetWebhookIds'],
  ['absent destinations', { targetWebhookIds: undefined }, 'targetWebhookIds'],
  ['an unknown destination', { targetWebhookIds: [999999] }, 'targetWebhookIds'],
  ['both kinds of destination', { targetWebhookId: 1 }, 'targetWebhookId'],
  ['a digest of no kind', { digest: { every: 'month', at: '09:00' } }, 'digest.every'],
  ['a digest at no time', { digest: { every: 'day', at: '9' } }, 'digest.at'],
  ['a day for a daily digest', { digest: { every: 'day', at: '09:00', day: 'mon' } }, 'digest.day'],
  ['urgency and a digest', { urgent: true, digest: { every: 'day', at: '09:00' } }, 'digest'],
  ['an unknown layout', { templateMode: 'huge' }, 'templateMode'],
  ['a broken template', { template: '{% if %}' }, 'template'],
  ['a long settle window', { settleMs: 120_001 }, 'settleMs'],
  ['a broken settle window', { settleMs: 1.5 }, 'settleMs'],
  ['a position beyond the column', { position: 3e9 }, 'position'],
  ['a text for a flag', { enabled: 'yes' }, 'enabled'],
  ['a kind that nothing has', { eventType: 'deal.won', filters: { kinds: ['sideways'] } }, 'filters.kinds.0'],
  ['a kind of another event type', { eventType: 'deal.won', filters: { kinds: ['forward'] } }, 'filters.kinds'],
  ['a kind where there are none', { eventType: 'deal.lost', filters: { kinds: ['again'] } }, 'filters.kinds'],
  ['crossing without an amount', { eventType: 'deal.value_changed', filters: { crossing: true } }, 'filters.crossing'],
  ['crossing of another event type', { eventType: 'deal.won', filters: { crossing: true, minValue: 5 } }, 'filters.crossing'],
  ['deal.field_changed without fields', { eventType: 'deal.field_changed' }, 'filters.fields'],
  ['a NUL character in a condition', { filters: { conditions: { all: [{ field: 'a\0' }] } } }, 'filters.conditions.all.0.field'],
])('when a rule has %s, then it is refused at that field', async (_, fields, path) => {
  const answer = await call('post', '/rules').send(aRule(fields));

  expect(answer.status).toBe(422);
  expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
});

test('when the conditions are nested beyond reason, then they are refused', async () => {
  const conditions = `${'{"not":'.repeat(9000)}{}${'}'.repeat(9000)}`;

  const answer = await call('post', '/rules')
    .set('Content-Type', 'application/json')
    .send(`{"filters":{"conditions":${conditions}}}`);

  expect(answer.status).toBe(422);
});

test('when a rule names the destination of another api.tenant, then it is refused', async () => {
  const other = await api.addTenant();
  const foreign = await api.addDestination({}, other);

  const answer = await call('post', '/rules').send(aRule({ targetWebhookIds: [foreign] }));

  expect(answer.status).toBe(422);
});

test('when another tenant asks, then the rule is not there', async () => {
  const { id } = await addRule();
  const other = await api.addTenant();

  for (const method of ['get', 'put', 'delete'] as const) await call(method, `/rules/${id}`, other).send({}).expect(404);
  await call('post', '/test', other).send({ ruleId: id }).expect(404);
  await call('post', '/test', other).send({ chatWebhookId: destination }).expect(404);
  expect((await call('get', '/rules', other)).body).toEqual({ items: [], nextCursor: null });
});

test('when fields are put, then they change, filters as a whole, and the version rises', async () => {
  const { id } = await addRule({ filters: { minValue: 5, ownerIds: [1] }, stopAfter: true });
  const second = await api.addDestination();

  const { body } = await call('put', `/rules/${id}`)
    .send({ filters: { ownerIds: [2] }, targetWebhookIds: [second, destination, second] })
    .expect(200);

  expect(body).toMatchObject({ name: 'Big wins', stopAfter: true, filters: { ownerIds: [2] }, version: 2 });
  expect(body.targetWebhookIds).toEqual([destination, second]);
});

test('when nothing changes by a PUT, then there is no new version and no entry in the audit trail', async () => {
  const rule = await addRule({ filters: { minValue: 5, ownerIds: [1] } });
  const trail = async () => (await call('get', '/audit')).body.items.length;
  const before = await trail();

  const empty = await call('put', `/rules/${rule.id}`).send({}).expect(200);
  const same = await call('put', `/rules/${rule.id}`)
    .send({ filters: { ownerIds: [1], minValue: 5 } })
    .expect(200);

  expect([empty.body, same.body]).toEqual([rule, rule]);
  expect(await trail()).toBe(before);
});

test('when a rule is switched off and on, then its past begins anew, and not by any other change', async () => {
  const { id, enabledAt } = await addRule();

  const renamed = await call('put', `/rules/${id}`).send({ name: 'Other', enabled: true });
  const off = await call('put', `/rules/${id}`).send({ enabled: false });
  const on = await call('put', `/rules/${id}`).send({ enabled: true });

  expect(renamed.body.enabledAt).toBe(enabledAt);
  expect(off.body.enabledAt).toBe(enabledAt);
  expect(new Date(on.body.enabledAt).getTime()).toBeGreaterThan(new Date(enabledAt).getTime());
});

test('when the merged rule makes no sense, then the change is refused', async () => {
  const { id } = await addRule();

  await call('put', `/rules/${id}`).send({ eventType: 'deal.field_changed' }).expect(422);
  await call('put', `/rules/${id}`)
    .send({ eventType: 'deal.field_changed', filters: { fields: ['title'] } })
    .expect(200);
  await call('put', `/rules/${id}`).send({ filters: {} }).expect(422);
});

test('when its last destination was removed, then a rule may be switched off but not on', async () => {
  const { id } = await addRule();
  await call('delete', `/chat-webhooks/${destination}`).expect(204);

  await call('put', `/rules/${id}`).send({ enabled: false }).expect(200);
  await call('put', `/rules/${id}`).send({ enabled: true }).expect(422);
});

test('when 25 rules are active on Professional, then one more is refused, but may be made switched off', async () => {
  api.tenant = await api.addTenant({ trial: false });
  destination = await api.addDestination();
  for (let count = 0; count < 25; count += 1) await addRule();

  const active = await call('post', '/rules').send(aRule());
  const { id } = await addRule({ enabled: false });
  const switchedOn = await call('put', `/rules/${id}`).send({ enabled: true });

  expect(active.status).toBe(403);
  expect(active.body.detail).toContain('25 active rules');
  expect(switchedOn.status).toBe(403);
});

test('when many make rules at once, then the limit holds', async () => {
  api.tenant = await api.addTenant({ trial: false });
  destination = await api.addDestination();
  for (let count = 0; count < 23; count += 1) await addRule();

  const answers = await Promise.all(Array.from({ length: 8 }, () => call('post', '/rules').send(aRule())));

  expect(answers.filter((answer) => answer.status === 201)).toHaveLength(2);
  expect(answers.filter((answer) => answer.status === 403)).toHaveLength(6);
});

test('when rules are listed in pages, then they come by position', async () => {
  const late = await addRule({ position: 9 });
  const early = await addRule({ position: 1 });
  const twin = await addRule({ position: 1 });

  const first = await call('get', '/rules?limit=2');
  const second = await call('get', `/rules?limit=2&cursor=${first.body.nextCursor}`);

  expect(first.body.items.map((rule: { id: number }) => rule.id)).toEqual([early.id, twin.id]);
  expect(second.body.items.map((rule: { id: number }) => rule.id)).toEqual([late.id]);
});

test('when the router loads the rules, then it gets those that are on, in order, with the destinations', async () => {
  const late = await addRule({ position: 9, filters: { minValue: 5 } });
  const early = await addRule({ position: 1 });
  await addRule({ enabled: false });

  const loaded = await testDatabase.database.transaction((client) => loadRules(client, api.tenant.id));

  expect(loaded.rules.map((rule) => rule.id)).toEqual([early.id, late.id]);
  expect(loaded.rules[1]).toMatchObject({
    eventType: 'deal.won',
    filters: { minValue: 5 },
    targetWebhookIds: [destination],
    settleMs: null,
  });
  expect(loaded.rules[0]?.enabledAt).toBeInstanceOf(Date);
  expect(loaded.destinations).toEqual([{ id: destination, spaceId: 'AAAA', paused: false, isThreaded: false }]);
});

test('when a test message is asked for, then its outcome is told', async () => {
  const { id } = await addRule();

  expect((await call('post', '/test').send({ ruleId: id })).body).toEqual({ status: 'success', httpStatus: 200 });
  expect((await call('post', '/test').send({ chatWebhookId: destination })).status).toBe(200);
});

test.each([{}, { ruleId: 1, chatWebhookId: 1 }, { ruleId: '1' }, { ruleId: -1 }, { other: 1 }])(
  'when a test is asked for with %j, then it is refused',
  async (body) => {
    const answer = await call('post', '/test').send(body);

    expect(answer.status).toBe(422);
  },
);

test('when a rule is removed, then it is gone and the audit trail says by whom', async () => {
  const { id } = await addRule();

  await call('delete', `/rules/${id}`).expect(204);

  await call('get', `/rules/${id}`).expect(404);
  await call('delete', `/rules/${id}`).expect(404);
  const { body } = await call('get', '/audit?limit=1');
  expect(body.items).toEqual([
    expect.objectContaining({ actor: 'api key test key', action: 'rule.deleted', subject: `rule ${id}` }),
  ]);
  expect(body.nextCursor).toEqual(expect.any(String));
});

test('when a rule becomes digest only and then urgent, then it keeps what was set and refuses both at once', async () => {
  const digest = { every: 'week', at: '17:30', day: 'fri' };
  const { id } = await addRule({ digest });

  const refused = await call('put', `/rules/${id}`).send({ urgent: true });
  const read = await call('get', `/rules/${id}`);
  const changed = await call('put', `/rules/${id}`).send({ urgent: true, digest: null });

  expect(refused.body.errors).toEqual([{ path: 'urgent', message: expect.stringContaining('not both') }]);
  expect(read.body).toMatchObject({ urgent: false, digest });
  expect(changed.body).toMatchObject({ urgent: true, digest: null });
});
