/** `/presets` and `/rules/preview` over HTTP, on a real database. */

import { once } from 'node:events';
import type { Server } from 'node:http';
import request from 'supertest';
import { presetsFor } from '../../../src/rules/presets';
import { aDealWebhook, type SentWebhook } from '../../support/builders';
import { filledPreset } from '../../support/filled-preset';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';
import { waitUntil } from '../../support/wait-until';

const testDatabase = useTestDatabase();
const DAY = 86_400_000;
/** Pages of 200 that 8,000 events are walked in, and the empty one at the end. */
const ALL_PAGES = 41;
const api = useApi(testDatabase);
const { call } = api;
let destination: number;

beforeEach(async () => {
  destination = await api.addDestination();
});

/** The event came in this long ago. */
async function addEvent({ body }: SentWebhook, agoMs: number, decisions: readonly object[] = []): Promise<number> {
  const { rows } = await testDatabase.database.pool.query<{ id: string }>(
    `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload, routed_at, decisions)
     VALUES ($1, 'deal', '8', 'change', gen_random_uuid(), now(), $2, $3, now(), $4) RETURNING id`,
    [api.tenant.id, new Date(Date.now() - agoMs), body, JSON.stringify(decisions)],
  );
  return Number(rows[0]?.id);
}

/** Each of a deal of its own, so that no settle window folds them. */
let lastDeal = 100;
const win = (title = 'Acme licence') =>
  aDealWebhook({ id: (lastDeal += 1), previous: { status: 'open' }, data: { title, status: 'won', value: 48_000 } });
const edit = () => aDealWebhook({ id: (lastDeal += 1), previous: { title: 'Old' }, data: { status: 'won' } });
const rule = (given: object = {}) => ({ name: 'Draft', eventType: 'deal.won', targetWebhookIds: [destination], ...given });

describe('presets', () => {
  test('when they are read, then amounts are in the base currency', async () => {
    const { body } = await call('get', '/presets').expect(200);

    expect(body.items).toHaveLength(presetsFor('EUR').length);
    expect(body.items).toContainEqual(
      expect.objectContaining({ key: 'big-deal-won', filters: expect.objectContaining({ currency: 'EUR' }) }),
    );
  });

  test('when nobody is signed in, then they are not shown', async () => {
    await request(api.app).get('/presets').expect(401);
  });

  test.each(presetsFor('EUR').map((preset) => [preset.key, preset] as const))(
    'when %s is filled in, then it is accepted as a rule',
    async (_key, preset) => {
      const { body } = await call('post', '/rules')
        .send({ ...filledPreset(preset), targetWebhookId: destination })
        .expect(201);

      expect(body).toMatchObject({ name: preset.name, eventType: preset.eventType, settleMs: preset.settleMs });
    },
  );
});

describe('preview', () => {
  test('when events are stored, then the draft says what it would have told, and nothing is written', async () => {
    const first = await addEvent(win('Acme <users/all>'), 2 * DAY);
    await addEvent(edit(), DAY);
    await addEvent(win('Beta'), DAY);

    const { body } = await call('post', '/rules/preview').send({ rule: rule(), days: 7 }).expect(200);

    expect(body).toMatchObject({ events: 3, messages: 2, maxPerMinute: 1, quietHours: 0, otherRules: [], complete: true });
    expect(body.perDay.map(({ messages }: { messages: number }) => messages)).toEqual([1, 1]);
    expect(body.examples).toHaveLength(2);
    expect(body.examples[0]).toMatchObject({
      eventId: first,
      recordTitle: 'Acme <users/all>',
      message: { fallbackText: expect.stringContaining('Acme') },
    });
    expect(Date.parse(body.to) - Date.parse(body.from)).toBe(7 * DAY);
    expect((await call('get', '/rules')).body.items).toEqual([]);
    expect((await call('get', '/deliveries')).body.items).toEqual([]);
  });

  test('when events are older than the days asked for, then they do not count', async () => {
    for (const days of [40, 35, 31, 29, 3, 2]) await addEvent(win(`Deal of ${days} days`), days * DAY);

    const month = (await call('post', '/rules/preview').send({ rule: rule() })).body;
    const days = (await call('post', '/rules/preview').send({ rule: rule(), days: 3 })).body;

    expect([month.events, month.messages, days.events]).toEqual([3, 3, 1]);
  });

  test('when only the newest events are asked for, then it says since when it looked, and what is newer is the example', async () => {
    for (const days of [9, 8, 7, 6, 5]) await addEvent(win(`Deal of ${days} days`), days * DAY);

    const { body } = await call('post', '/rules/preview').send({ rule: rule(), newest: 2 }).expect(200);

    expect(body).toMatchObject({ events: 2, messages: 2, complete: true });
    expect(Math.round((Date.parse(body.to) - Date.parse(body.from)) / DAY)).toBe(6);
    expect(body.examples.map(({ recordTitle }: { recordTitle: string }) => recordTitle)).toEqual([
      'Deal of 6 days',
      'Deal of 5 days',
    ]);
  });

  test('when more matched than there are examples, then the newest are shown', async () => {
    for (const days of [9, 8, 7, 6, 5]) await addEvent(win(`Deal of ${days} days`), days * DAY);

    const { body } = await call('post', '/rules/preview').send({ rule: rule() }).expect(200);

    expect(body.messages).toBe(5);
    expect(body.examples.map(({ recordTitle }: { recordTitle: string }) => recordTitle)).toEqual([
      'Deal of 7 days',
      'Deal of 6 days',
      'Deal of 5 days',
    ]);
  });

  test('when names are in the ledger, then the examples have them', async () => {
    await testDatabase.database.pool.query(
      `INSERT INTO records (tenant_id, entity, entity_id, state) VALUES ($1, 'user', '1', '{"id":1,"name":"Ana Owner"}')`,
      [api.tenant.id],
    );
    await addEvent(win(), DAY);

    const { body } = await call('post', '/rules/preview').send({ rule: rule({ templateMode: 'detailed' }) });

    expect(JSON.stringify(body.examples[0].message)).toContain('Ana Owner');
  });

  test('when other rules matched the same events, then they are named', async () => {
    const other = (await call('post', '/rules').send(rule({ name: 'Wins' }))).body.id;
    const silent = (await call('post', '/rules').send(rule({ name: 'Silent' }))).body.id;
    const decisions = [
      { ruleId: other, matched: true, code: 'matched' },
      { ruleId: silent, matched: false, code: 'owner' },
    ];
    await addEvent(win('A'), DAY, decisions);
    await addEvent(win('B'), DAY, decisions);
    await addEvent(edit(), DAY, decisions);

    const { body } = await call('post', '/rules/preview').send({ rule: rule() });
    const changed = await call('post', '/rules/preview').send({ rule: rule(), ruleId: other });

    expect(body.otherRules).toEqual([{ ruleId: other, ruleName: 'Wins', events: 2 }]);
    // The rule that the draft changes is no other.
    expect(changed.body.otherRules).toEqual([]);
  });

  test('when a rule above tells the same and stops those below, then the draft counts without it, unless it stands above', async () => {
    const last = (await call('post', '/rules').send(rule({ name: 'Last', eventType: 'deal.lost' }))).body.id;
    const big = rule({ name: 'Big wins', filters: { minValue: 40_000 }, stopAfter: true });
    const above = (await call('post', '/rules').send(big)).body.id;
    await addEvent(win(), DAY);

    const behind = (await call('post', '/rules/preview').send({ rule: rule() })).body;
    const ahead = (await call('post', '/rules/preview').send({ rule: rule(), ruleId: last })).body;
    const nowhere = await call('post', '/rules/preview').send({ rule: rule(), ruleId: 999_999 });

    expect(behind).toMatchObject({ messages: 0, stoppedBy: [{ ruleId: above, ruleName: 'Big wins', events: 1 }] });
    expect(ahead).toMatchObject({ messages: 1, stoppedBy: [] });
    expect([nowhere.status, nowhere.body.errors[0].path]).toEqual([422, 'ruleId']);
  });

  test('when a destination is quiet all day, then every message is in quiet hours', async () => {
    const quiet = await api.addDestination({ name: 'Quiet', quietHours: { from: '00:00', to: '00:00', mode: 'hold' } });
    await addEvent(win(), DAY);

    const { body } = await call('post', '/rules/preview').send({ rule: rule({ targetWebhookIds: [destination, quiet] }) });

    expect(body).toMatchObject({ messages: 2, quietHours: 1 });
  });

  test('when another company asks, then these events are none of its own', async () => {
    await addEvent(win(), DAY);
    const mine = api.tenant;
    api.tenant = await api.addTenant();
    const foreign = await call('post', '/rules/preview').send({ rule: rule() });
    destination = await api.addDestination();

    const { body } = await call('post', '/rules/preview').send({ rule: rule() }).expect(200);

    expect(body.events).toBe(0);
    expect(foreign.status).toBe(422);
    expect(mine.id).not.toBe(api.tenant.id);
  });

  test.each([
    [{ rule: { eventType: 'deal.won', targetWebhookId: 1 } }, 'rule.name'],
    [{ rule: { name: 'x', eventType: 'deal.vanished', targetWebhookId: 1 } }, 'rule.eventType'],
    [{ rule: { name: 'x', eventType: 'deal.won' } }, 'rule.targetWebhookIds'],
    [{ rule: { name: 'x', eventType: 'deal.won', targetWebhookId: 2_000_000 } }, 'rule.targetWebhookId'],
    [{ rule: { name: 'x', eventType: 'deal.won', template: '{{ broken' } }, 'rule.template'],
    [{ rule: { name: 'x', eventType: 'deal.won', surprise: 1 } }, 'rule.surprise'],
    [{ rule: { name: 'x', eventType: 'deal.won', filters: { minValue: -1 } } }, 'rule.filters.minValue'],
    [{ rule: { name: 'x', eventType: 'deal.field_changed' } }, 'rule.filters.fields'],
    [{ rule: { name: 'x', eventType: 'deal.won' }, days: 91 }, 'days'],
    [{ rule: { name: 'x', eventType: 'deal.won' }, newest: 0 }, 'newest'],
    [{ days: 3 }, 'rule'],
    [{ rule: { name: 'x', eventType: 'deal.won' }, more: 1 }, 'more'],
  ])('when the body is %j, then it is refused for %s', async (body, path) => {
    const answer = await call('post', '/rules/preview').send(body).expect(422);

    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test('when a rule is asked for by a word, then it is no rule', async () => {
    await call('get', '/rules/preview').expect(405);
    await call('get', '/rules/previews').expect(404);
  });

  test('when the client leaves, then the walk ends early', async () => {
    await testDatabase.database.pool.query(
      `INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, received_at, payload, routed_at)
       SELECT $1, 'deal', '8', 'change', gen_random_uuid(), now(), now(), $2, now() FROM generate_series(1, 8000)`,
      [api.tenant.id, win().body],
    );
    const query = jest.spyOn(testDatabase.database.pool, 'query');
    const pages = () =>
      query.mock.calls.filter(([statement]) => JSON.stringify(statement).includes('payload FROM events')).length;
    const departure = new AbortController();
    const server = api.app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const asking = fetch(`http://127.0.0.1:${portOf(server)}/rules/preview`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${api.tenant.key}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ rule: rule() }),
      signal: departure.signal,
    });

    try {
      await waitUntil('the walk has begun', () => pages() > 2);
      departure.abort();
      await expect(asking).rejects.toThrow('aborted');
    } finally {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
    await call('post', '/rules/preview').send({ rule: rule(), days: 1 });
    const pagesOfBoth = pages();
    query.mockRestore();

    expect(pagesOfBoth).toBeLessThan(ALL_PAGES + 25);
  });
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return address.port;
}
