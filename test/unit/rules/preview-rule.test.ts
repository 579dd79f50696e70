/** The walk of a preview: the router's own semantics over stored bodies, without a ledger. */

import { NO_RATES } from '../../../src/core/exchange-rates';
import { tenantId } from '../../../src/core/tenant';
import type { Rule } from '../../../src/core/rule';
import { draftRule, previewRule, stoppingRules, type DraftPlace, type Preview } from '../../../src/rules/preview-rule';
import { compileRules, type RawEvent } from '../../../src/rules/route-events';
import { makeWalkEvents, type WalkStore } from '../../../src/rules/walk-events';
import { aDealWebhook, aRule, at, aWebhook, type SentWebhook } from '../../support/builders';
import { makeMemoryLedger } from '../../support/memory-ledger';

const LEAD = 'b1810230-6c0d-41ed-9826-a53d0eb706a5';
const CORRELATION = '59713ec6-03bf-42ad-a044-5f0403c1e5bb';
const MINUTE = 60_000;

type Draft = Parameters<typeof draftRule>[0];

function aPreview(given: Partial<Draft>, settleMs = 1500, above: readonly Rule[] = []): Preview {
  const destinations = [1, 2].map((id) => ({ id, spaceId: `space ${id}` }));
  return previewRule({
    ...compileRules(
      { rules: [...above, draftRule({ ...aRule(), ...given })], destinations, muted: [], hasWatches: false },
      'EUR',
      settleMs,
    ),
    rates: NO_RATES,
    timeZone: 'UTC',
  });
}

function rawEvents(webhooks: readonly SentWebhook[]): RawEvent[] {
  return webhooks.map(({ body, receivedAt }, index) => ({ id: index + 1, receivedAt, payload: body }));
}

function walked(preview: Preview, ...webhooks: readonly SentWebhook[]): string[] {
  rawEvents(webhooks).forEach(preview.take);
  return preview.messages().map(({ eventId, chatWebhookId, change }) => `${eventId} ${chatWebhookId} ${change.transition.type}`);
}

const win = (atMs: number, id = 8) => aDealWebhook({ id, atMs, previous: { status: 'open' }, data: { status: 'won' } });
const move = (atMs: number, from: number, to: number) =>
  aDealWebhook({ atMs, previous: { stage_id: from }, data: { stage_id: to } });

test('when the rule was not there yet, then it is decided as if it had been', () => {
  const preview = aPreview({});

  expect(walked(preview, win(0))).toEqual(['1 1 deal.won']);
  expect(preview.matchedEventIds()).toEqual([1]);
});

test('when the draft is switched off, then it is previewed all the same', () => {
  expect(walked(aPreview({ enabled: false }), win(0))).toEqual(['1 1 deal.won']);
});

describe('Rules above that stop it', () => {
  const first = (given: Parameters<typeof aRule>[0] = {}) => aRule({ id: 7, name: 'First', stopAfter: true, ...given });
  const edit = (atMs: number, value: number) => aDealWebhook({ atMs, previous: { value: 100 }, data: { status: 'won', value } });

  test.each<[string, Rule, readonly string[], number]>([
    ['tells the one destination', first(), ['1 2 deal.won'], 1],
    ['tells both', first({ targetWebhookIds: [1, 2] }), [], 1],
    ['matches something else', first({ eventType: 'deal.lost' }), ['1 1 deal.won', '1 2 deal.won'], 0],
  ])('when one %s, then only what it does not tell there counts, and it is named', (_, above, expected, events) => {
    const preview = aPreview({ targetWebhookIds: [1, 2] }, 1500, [above]);

    expect(walked(preview, win(0))).toEqual(expected);
    expect(preview.stoppedBy()).toEqual(events === 0 ? [] : [{ ruleId: 7, ruleName: 'First', events }]);
    expect(preview.matchedEventIds()).toEqual(expected.length === 0 ? [] : [1]);
  });

  test('when it tells what the draft would not have told, then it stops nothing', () => {
    const preview = aPreview({ filters: { minValue: 1e6 } }, 1500, [first()]);

    expect(walked(preview, win(0))).toEqual([]);
    expect(preview.stoppedBy()).toEqual([]);
  });

  test('when it falls silent after all, then the draft tells, and nothing was stopped', () => {
    const preview = aPreview({}, 1500, [first({ minValue: 50 })]);

    expect(walked(preview, win(0), edit(500, 10))).toEqual(['2 1 deal.won']);
    expect(preview.stoppedBy()).toEqual([]);
  });

  test.each<[string, Parameters<typeof aRule>[0], DraftPlace, readonly number[]]>([
    ['it stands above', {}, { ruleId: null, position: null }, [7]],
    ['the draft changes a rule below it', {}, { ruleId: 9, position: null }, [7]],
    ['the draft changes a rule above it', {}, { ruleId: 5, position: null }, []],
    ['the draft is put above it', {}, { ruleId: 9, position: 0 }, []],
    ['the draft changes itself', {}, { ruleId: 7, position: null }, []],
    ['it tells other places', { targetWebhookIds: [2] }, { ruleId: null, position: null }, []],
    ['it stops nothing', { stopAfter: false }, { ruleId: null, position: null }, []],
    ['it is off', { enabled: false }, { ruleId: null, position: null }, []],
  ])('when %s, then it is walked or not', (_, given, place, expected) => {
    const rules = [aRule({ id: 5, position: 2 }), first({ position: 2, ...given }), aRule({ id: 9, position: 3 })];

    expect(stoppingRules(rules, { targetWebhookIds: [1] }, place).map(({ id }) => id)).toEqual(expected);
  });
});

test('when it has two destinations, then each has its message', () => {
  expect(walked(aPreview({ targetWebhookIds: [1, 2] }), win(0))).toEqual(['1 1 deal.won', '1 2 deal.won']);
});

test('when a stage goes A to B to A inside the window, then nothing is told', () => {
  expect(walked(aPreview({ eventType: 'deal.stage_changed' }), move(0, 1, 2), move(1000, 2, 1))).toEqual([]);
});

test('when it goes back after the window, then both ways are told', () => {
  const preview = aPreview({ eventType: 'deal.stage_changed' });

  expect(walked(preview, move(0, 1, 2), move(MINUTE, 2, 1))).toEqual(['1 1 deal.stage_changed', '2 1 deal.stage_changed']);
});

test('when it goes A to B to C inside the window, then one message tells the way', () => {
  const preview = aPreview({ eventType: 'deal.stage_changed' });

  walked(preview, move(0, 1, 2), move(1000, 2, 3));

  expect(preview.messages().map(({ change }) => change.transition.changes)).toEqual([[{ field: 'stage_id', from: 1, to: 3 }]]);
  expect(preview.matchedEventIds()).toEqual([1, 2]);
});

test('when a won deal is edited, then nothing is told', () => {
  expect(walked(aPreview({}), aDealWebhook({ previous: { title: 'Old' }, data: { status: 'won' } }))).toEqual([]);
});

test('when an older event comes late, then it is not told', () => {
  const late = aDealWebhook({ atMs: -5000, receivedMs: 9000, previous: { status: 'open' }, data: { status: 'won' } });

  expect(walked(aPreview({}), move(0, 1, 2), late)).toEqual([]);
});

test('when a deal comes first and its lead goes inside the window, then the new deal is taken back', () => {
  const deal = aDealWebhook({ atMs: 0, action: 'create', meta: { correlation_id: CORRELATION } });
  const gone = aWebhook({
    entity: 'lead',
    id: LEAD,
    atMs: 1000,
    action: 'delete',
    previous: { id: LEAD },
    meta: { correlation_id: CORRELATION },
  });

  expect(walked(aPreview({ eventType: 'deal.created' }), deal, gone)).toEqual([]);
  expect(walked(aPreview({ eventType: 'lead.converted' }), deal, gone)).toEqual(['2 1 lead.converted']);
});

test('when a body is no event, then it is passed over', () => {
  const preview = aPreview({});
  preview.take({ id: 1, receivedAt: at(0), payload: Buffer.from('no JSON') });

  expect(preview.messages()).toEqual([]);
});

test('when the same bodies are routed for real, then the preview came to the same', async () => {
  const rule = aRule({ eventType: 'deal.stage_changed', settleMs: 20_000 });
  const ledger = makeMemoryLedger({ rules: [rule] });
  const webhooks = [
    move(0, 1, 2),
    move(3000, 2, 3),
    move(MINUTE, 3, 4),
    move(MINUTE + 5000, 4, 3),
    move(3 * MINUTE, 3, 9),
    win(3 * MINUTE + 1),
  ];

  for (const webhook of webhooks) await ledger.route(webhook);
  const preview = aPreview(rule);
  walked(preview, ...webhooks);

  const brief = preview.messages().map(({ eventId, dueAt }) => ({ event: eventId, dueMs: dueAt.getTime() - at(0).getTime() }));
  expect(brief).toEqual(ledger.told().map(({ event, dueMs }) => ({ event, dueMs })));
});

describe('walking the ledger', () => {
  const TENANT = tenantId(1);

  function aStore(events: readonly RawEvent[]): WalkStore {
    return {
      lastEventBefore: () => Promise.resolve(0),
      eventBeforeNewest: (_tenant, count) => Promise.resolve(events.at(-count - 1) ?? null),
      nextEvents: (_tenant, { id }, limit) => Promise.resolve(events.filter((event) => event.id > id).slice(0, limit)),
    };
  }

  const many = (count: number) => rawEvents(Array.from({ length: count }, (_, index) => win(index * 1000, index)));
  const request = { tenantId: TENANT, from: at(0), until: at(1e9), newest: null, signal: new AbortController().signal };

  test('when there are several pages, then every event is visited once, in order', async () => {
    const seen: number[] = [];

    const walk = await makeWalkEvents({ store: aStore(many(450)), nowMs: () => 0 })({
      ...request,
      visit: ({ id }) => seen.push(id),
    });

    expect(walk).toEqual({ events: 450, complete: true, beganAt: at(0), reachedAt: at(449_000) });
    expect(seen).toEqual(Array.from({ length: 450 }, (_, index) => index + 1));
  });

  test.each([
    [300, 299_000, false],
    [450, 449_000, true],
  ])('when at most %s may be walked, then it says how far it got', async (maxEvents, reachedMs, complete) => {
    const walk = await makeWalkEvents({ store: aStore(many(450)), nowMs: () => 0, maxEvents })({
      ...request,
      visit: () => undefined,
    });

    expect(walk).toEqual({ events: maxEvents, complete, beganAt: at(0), reachedAt: at(reachedMs) });
  });

  test('when only the newest are wanted, then it begins with them and says when', async () => {
    const walk = await makeWalkEvents({ store: aStore(many(450)), nowMs: () => 0 })({
      ...request,
      newest: 120,
      visit: () => undefined,
    });

    expect(walk).toEqual({ events: 120, complete: true, beganAt: at(330_000), reachedAt: at(449_000) });
  });

  test('when its time is over, then it stops', async () => {
    let nowMs = 0;

    const walk = await makeWalkEvents({ store: aStore(many(900)), nowMs: () => (nowMs += 4000) })({
      ...request,
      visit: () => undefined,
    });

    expect(walk).toMatchObject({ complete: false, events: 400 });
  });

  test('when the client leaves, then it stops after the page at hand', async () => {
    const departure = new AbortController();

    const walk = await makeWalkEvents({ store: aStore(many(900)), nowMs: () => 0 })({
      ...request,
      signal: departure.signal,
      visit: ({ id }) => id === 250 && departure.abort(),
    });

    expect(walk).toMatchObject({ complete: false, events: 400 });
  });
});
