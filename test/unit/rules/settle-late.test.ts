/** Settling where messages have left already, rules were switched on meanwhile, or several messages share a space. */

import type { RecordState } from '../../../src/core/record';
import { aDealWebhook, aRule } from '../../support/builders';
import { makeMemoryLedger, type MemoryLedger } from '../../support/memory-ledger';

const onStage = aRule({ id: 1, eventType: 'deal.stage_changed' });
const onWon = aRule({ id: 2, eventType: 'deal.won' });
const onCreated = aRule({ id: 3, eventType: 'deal.created' });

const move = (atMs: number, from: number, to: number) =>
  aDealWebhook({ atMs, previous: { stage_id: from }, data: { stage_id: to } });
const create = (atMs: number, data: RecordState = {}) => aDealWebhook({ atMs, action: 'create', data });
const brief = (ledger: MemoryLedger) => ledger.told().map(({ rule, type, ways }) => `${rule} ${type} ${ways.join(' ')}`.trim());

describe('when a message has left before a later event of its window is routed', () => {
  test('then an edit of a won deal does not announce the win again', async () => {
    const ledger = makeMemoryLedger({ rules: [onWon] });
    await ledger.route(aDealWebhook({ atMs: 0, previous: { status: 'open' }, data: { status: 'won' } }));
    ledger.sendUntil(1500);

    await ledger.route(aDealWebhook({ atMs: 1450, previous: { title: 'Old' }, data: { status: 'won' } }));

    expect(brief(ledger)).toEqual(['2 deal.won "open">"won"']);
  });

  test('then an edit of a new deal does not announce the deal again', async () => {
    const ledger = makeMemoryLedger({ rules: [onCreated] });
    await ledger.route(create(0));
    ledger.sendUntil(1500);

    await ledger.route(aDealWebhook({ atMs: 1450, previous: { title: 'Old' } }));

    expect(brief(ledger)).toEqual(['3 deal.created']);
  });

  test('then going back is told as the way back', async () => {
    const ledger = makeMemoryLedger({ rules: [onStage] });
    await ledger.route(move(0, 1, 2));
    ledger.sendUntil(1500);

    await ledger.route(move(1450, 2, 1));

    expect(brief(ledger)).toEqual(['1 deal.stage_changed 1>2', '1 deal.stage_changed 2>1']);
  });

  test('then a destination that was told hears the rest, and one that waits hears the net change', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', targetWebhookIds: [1, 2] });
    const ledger = makeMemoryLedger({ rules: [rule] });
    await ledger.route(move(0, 1, 2));
    for (const row of ledger.deliveries()) if (row.chatWebhookId === 1) row.state = 'sent';

    await ledger.route(move(1450, 2, 3));

    expect(ledger.told().map(({ to, ways }) => `${to} ${ways.join()}`)).toEqual(['1 1>2', '2 1>3', '1 2>3']);
    expect(ledger.codes(2)).toEqual(['1:matched']);
  });

  test.each<[string, number, readonly string[]]>([
    ['going further', 4, ['1 1>2', '2 1>4', '1 2>4']],
    ['going all the way back', 1, ['1 1>2', '1 2>1']],
  ])('then %s after that is told to each destination from where it was left', async (_, end, expected) => {
    const rule = aRule({ eventType: 'deal.stage_changed', targetWebhookIds: [1, 2] });
    const ledger = makeMemoryLedger({ rules: [rule] });
    await ledger.route(move(0, 1, 2));
    for (const row of ledger.deliveries()) if (row.chatWebhookId === 1) row.state = 'sent';

    await ledger.route(move(1450, 2, 3));
    await ledger.route(move(1470, 3, end));

    expect(ledger.told().map(({ to, ways }) => `${to} ${ways.join()}`)).toEqual(expected);
  });

  test('then taking it back is told where the change was told, and nowhere else', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', targetWebhookIds: [1, 2] });
    const ledger = makeMemoryLedger({ rules: [rule] });
    await ledger.route(move(0, 1, 2));
    for (const row of ledger.deliveries()) if (row.chatWebhookId === 1) row.state = 'sent';

    await ledger.route(move(1450, 2, 1));

    expect(ledger.told().map(({ to, ways }) => `${to} ${ways.join()}`)).toEqual(['1 1>2', '1 2>1']);
  });
});

test('when a rule is switched on inside a window, then what happened before is not announced', async () => {
  const rule = aRule({ enabledAtMs: 700 });
  const ledger = makeMemoryLedger({ rules: [rule] });

  await ledger.route(
    aDealWebhook({ atMs: 0, previous: { status: 'open' }, data: { status: 'won' } }),
    aDealWebhook({ atMs: 1000, previous: { title: 'Old' }, data: { status: 'won' } }),
  );

  expect(brief(ledger)).toEqual([]);
  expect(ledger.codes(1)).toEqual(['1:switchedOnLater']);
});

test('when a waiting message is dropped across batches, then its reason is kept', async () => {
  const ledger = makeMemoryLedger({ rules: [onStage] });
  await ledger.route(move(0, 1, 2));

  await ledger.route(move(1000, 2, 1));

  expect(ledger.dropped()).toEqual([{ rule: 1, event: 1, reason: 'The change was taken back before its message was due.' }]);
});

test('when several messages about one record go into one space, then they are due in the order of their events', async () => {
  const rules = [
    aRule({ id: 1, eventType: 'deal.stage_changed', settleMs: 8000 }),
    aRule({ id: 2, eventType: 'deal.value_changed', settleMs: 100 }),
  ];
  const ledger = makeMemoryLedger({ rules });

  await ledger.route(move(0, 1, 2), aDealWebhook({ atMs: 3000, previous: { value: 1 }, data: { stage_id: 2 } }));

  expect(ledger.told().map(({ event, dueMs }) => [event, dueMs])).toEqual([
    [1, 8000],
    [2, 8000],
  ]);
});

test('when they go into different spaces, then none waits for another', async () => {
  const rules = [
    aRule({ id: 1, eventType: 'deal.stage_changed', settleMs: 8000 }),
    aRule({ id: 2, eventType: 'deal.value_changed', settleMs: 100, targetWebhookIds: [2] }),
  ];
  const ledger = makeMemoryLedger({ rules });

  await ledger.route(move(0, 1, 2), aDealWebhook({ atMs: 3000, previous: { value: 1 }, data: { stage_id: 2 } }));

  expect(ledger.told().map(({ dueMs }) => dueMs)).toEqual([8000, 3100]);
});
