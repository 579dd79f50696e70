/** Conditions at the API: every kind is taken and given back as it was sent, a mistake is named where it is. */

import request from 'supertest';
import { makeApiFixture, type ApiFixture, type TestTenant } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
let fixture: ApiFixture;
let tenant: TestTenant;
let destination: number;

beforeEach(async () => {
  fixture = makeApiFixture(testDatabase.database);
  tenant = await fixture.addTenant();
  const url = 'https://chat.googleapis.com/v1/spaces/AAAA/messages?key=k&token=t';
  destination = (await send('/chat-webhooks', { name: 'Sales', url }).expect(201)).body.id;
});

async function post(conditions: unknown) {
  const rule = { name: 'r', eventType: 'deal.won', enabled: false, targetWebhookIds: [destination], filters: { conditions } };
  return send('/rules', rule);
}

function send(path: string, body: object) {
  return request(fixture.app).post(path).set('Authorization', `Bearer ${tenant.key}`).send(body);
}

const KEY = 'a'.repeat(40);

test('when a rule has conditions of every kind, then they are given back as they were sent', async () => {
  const conditions = {
    all: [
      ...[
        { field: 'title', op: 'is', value: 'x' },
        { field: 'owner_id', op: 'isNot', value: { id: 9, name: 'Ana' } },
      ],
      ...[
        { field: 'stage_id', op: 'in', value: [1, '2', { id: 3 }] },
        { field: 'lost_reason', op: 'is', value: null },
      ],
      ...[
        { field: 'title', op: 'matches', value: '^(?i)acme\\b' },
        { field: 'title', op: 'isEmpty' },
      ],
      { field: 'lost_reason', op: 'isNotEmpty', value: null },
      { field: 'value', op: 'gt', value: { amount: 10_000.5, currency: 'USD' } },
      { field: 'value', op: 'between', value: [1, 2] },
      { any: [{ field: 'label_ids', op: 'includesAll', value: [1] }, { not: { field: 'label_ids', op: 'includes', value: 3 } }] },
      {
        not: [
          { field: 'stage_id', op: 'changed' },
          { field: 'stage_id', op: 'changedTo', value: [1, null].slice(0, 1) },
        ],
      },
      ...[
        { field: KEY, op: 'changedFrom', value: null },
        { field: 'value', op: 'increasedBy', value: { percent: 10 } },
      ],
      ...[
        { field: 'value', op: 'decreasedBy', value: 5 },
        { field: 'expected_close_date', op: 'increasedBy', value: { days: 3 } },
      ],
      ...[
        { field: 'won_time', op: 'before', value: 'today' },
        { field: 'won_time', op: 'after', value: { days: -3 } },
      ],
      ...[
        { field: 'won_time', op: 'gte', value: '2026-11-23T10:00:00Z' },
        { field: 'won_time', op: 'withinDays', value: -7 },
      ],
      ...[
        { field: `${KEY}_until`, op: 'lt', value: '09:30' },
        { field: 'is_bulk_edit', op: 'is', value: false },
      ],
    ],
  };

  const { status, body } = await post(conditions);

  expect(body.errors).toBeUndefined();
  expect(status).toBe(201);
  expect(body.filters).toEqual({ conditions });
});

const AT = 'filters.conditions';
test.each<[string, unknown, string]>([
  ['an unknown operator', { all: [{ field: 'title', op: 'sounds', value: 'x' }] }, `${AT}.all.0.op`],
  ['no operator', { any: [{ field: 'title' }] }, `${AT}.any.0.op`],
  ['no field', { all: [{ op: 'is', value: 1 }] }, `${AT}.all.0.field`],
  ['a field with a space', { all: [{ field: 'a b', op: 'isEmpty' }] }, `${AT}.all.0.field`],
  ['no value', { all: [{ field: 'title', op: 'contains' }] }, `${AT}.all.0.value`],
  ['a pattern that does not compile', { all: [{ field: 'title', op: 'matches', value: '(' }] }, `${AT}.all.0.value`],
  ['a look-ahead', { not: { any: [{ field: 'title', op: 'matches', value: 'a(?=b)' }] } }, `${AT}.not.any.0.value`],
  ['a currency that is none', { field: 'value', op: 'gt', value: { amount: 1, currency: 'euro' } }, `${AT}.value.currency`],
  ['one bound only', { all: [{ field: 'value', op: 'between', value: [1] }] }, `${AT}.all.0.value`],
  ['a bound that is none', { all: [{ field: 'value', op: 'between', value: [1, 'x'] }] }, `${AT}.all.0.value.1`],
  ['a date that is none', { all: [{ field: 'won_time', op: 'before', value: '2026-13-45' }] }, `${AT}.all.0.value`],
  ['an empty list', { all: [{ field: 'stage_id', op: 'in', value: [] }] }, `${AT}.all.0.value`],
  ['a step backwards', { all: [{ field: 'value', op: 'increasedBy', value: -5 }] }, `${AT}.all.0.value`],
  ['a value where none belongs', { all: [{ field: 'title', op: 'isEmpty', value: 'x' }] }, `${AT}.all.0.value`],
  ['an unknown key in a condition', { all: [{ field: 'title', op: 'isEmpty', colour: 1 }] }, `${AT}.all.0.colour`],
  ['an unknown key in a group', { all: [], colour: 1 }, `${AT}.colour`],
  ['two groups in one', { all: [], any: [] }, `${AT}.any`],
  ['a group that is no list', { all: { field: 'title', op: 'isEmpty' } }, `${AT}.all`],
  ['a text for a tree', 'title is x', AT],
  ['too many conditions', { all: Array.from({ length: 101 }, () => ({ field: 'a', op: 'isEmpty' })) }, `${AT}.all`],
  ['too much text', { all: Array.from({ length: 60 }, () => ({ field: 'a', op: 'is', value: 'x'.repeat(499) })) }, AT],
  ['nine groups in each other', nested(9), AT],
])('when conditions have %s, then they are refused at %s', async (_name, conditions, path) => {
  const { status, body } = await post(conditions);

  expect(status).toBe(422);
  expect(body.errors.map((error: { path: string }) => error.path)).toContain(path);
  for (const { message } of body.errors) expect(message).not.toBe('Invalid input');
});

test('when eight groups stand in each other, then they are taken', async () => {
  expect((await post(nested(8))).status).toBe(201);
});

function nested(levels: number): unknown {
  return levels === 0 ? { field: 'stage_id', op: 'in', value: [{ id: 1, name: 'New' }] } : { all: [nested(levels - 1)] };
}
