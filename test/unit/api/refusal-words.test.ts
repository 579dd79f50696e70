/** What is said of a request that does not fit: sentences for people, whatever the field and the mistake. */

import request from 'supertest';
import { makeApiFixture, type ApiFixture, type TestTenant } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
let fixture: ApiFixture;
let tenant: TestTenant;

beforeAll(async () => {
  fixture = makeApiFixture(testDatabase.database);
  tenant = await fixture.addTenant();
});

async function refused(path: string, body: unknown): Promise<readonly string[]> {
  const { status, body: problem } = await request(fixture.app)
    .post(path)
    .set('Authorization', `Bearer ${tenant.key}`)
    .set('Content-Type', 'application/json')
    .send(JSON.stringify(body));
  expect(status).toBe(422);
  return problem.errors.map((error: { path: string; message: string }) => `${error.path} ${error.message}`.trim());
}

const rule = (filters: object) => ({ name: 'r', eventType: 'deal.won', filters });
const conditions = (...all: readonly unknown[]) => rule({ conditions: { all } });
const AT = 'filters.conditions.all.0';

test.each<[string, string, unknown, string]>([
  ['nothing', '/rules', {}, 'name is required'],
  ['a list', '/rules', [], 'must be an object'],
  ['a number for a text', '/rules', { name: 5 }, 'name must be a text'],
  ['an unknown layout', '/rules', { templateMode: 'huge' }, 'templateMode must be one of compact, detailed'],
  ['a text for a list', '/rules', { targetWebhookIds: 'x' }, 'targetWebhookIds must be a list'],
  ['a text for an id', '/rules', { targetWebhookIds: ['1'] }, 'targetWebhookIds.0 must be a number'],
  ['an id of nought', '/rules', { targetWebhookIds: [0] }, 'targetWebhookIds.0 must be more than 0'],
  ['half a millisecond', '/rules', { settleMs: 1.5 }, 'settleMs must be a whole number'],
  ['a long window', '/rules', { settleMs: 120_001 }, 'settleMs must be at most 120000'],
  ['a text for a flag', '/rules', { enabled: 'yes' }, 'enabled must be true or false'],
  ['a long template', '/rules', { template: 'x'.repeat(4001) }, 'template must have at most 4000 characters'],
  ['a flag for an id or a name', '/rules', rule({ stageIds: [true] }), 'filters.stageIds.0 must be an id or a name'],
  [
    'a number for conditions',
    '/rules',
    rule({ conditions: 5 }),
    'filters.conditions must be {field, op, value}, or {all: [...]}, {any: [...]} or {not: ...} around such',
  ],
  ['no field', '/rules', conditions({ op: 'isEmpty' }), `${AT}.field must name a field`],
  [
    'one bound',
    '/rules',
    conditions({ field: 'value', op: 'between', value: [1] }),
    `${AT}.value must be a list of two values, the lower first`,
  ],
  ['no list', '/rules', conditions({ field: 'title', op: 'in', value: 'x' }), `${AT}.value must be a list`],
  [
    'emptiness among several values',
    '/rules',
    conditions({ field: 'status', op: 'in', value: ['open', null] }),
    `${AT}.value.1 empty is not one of several values: make a condition of its own for it`,
  ],
  ['no value', '/rules', conditions({ field: 'title', op: 'contains' }), `${AT}.value is required`],
  [
    'no time of day',
    '/chat-webhooks',
    { quietHours: { from: '25:00', to: '08:00', mode: 'hold' } },
    'quietHours.from must be a time of day such as 20:00',
  ],
  ['no days', '/rules/preview', { rule: rule({}), days: 0 }, 'days must be at least 1'],
  [
    'another version',
    '/rules/import',
    { document: { version: 2, rules: [] } },
    'document.version must be 1, the only version there is',
  ],
  [
    'a rule without anything',
    '/rules/import',
    { document: { version: 1, rules: [{}] } },
    'document.rules.0.eventType is required',
  ],
])('when a request has %s, then the refusal says what is wanted', async (_name, path, body, expected) => {
  const said = await refused(path, body);

  expect(said).toContain(expected);
  expect(said.filter((words) => /invalid input|invalid option|too small|too big|expected/i.test(words))).toEqual([]);
});
