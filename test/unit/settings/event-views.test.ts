/** What became of an event, in words: by rules, by watches, by nobody because it is muted, and what may be sent again. */

import type { Decision } from '../../../src/core/decision';
import type { Destination } from '../../../src/delivery/read-destination';
import type { HistoryDelivery } from '../../../src/delivery/delivery-history.store';
import type { HistoryEvent } from '../../../src/rules/event-history.store';
import { eventViews, type PageFacts } from '../../../src/settings/event-views';
import { aTenant } from '../../fixtures/record-changes';
import { aRule, at } from '../../support/builders';

const anEvent = (decisions: readonly Decision[]): HistoryEvent => ({
  ...{ id: 1, entity: 'deal', entityId: '8', action: 'change', transitions: ['deal.won'], occurredAt: at(0), receivedAt: at(0) },
  ...{ routedAt: at(0), ignoredReason: null, recordTitle: 'Acme licence', decisions },
});

const aDelivery = (given: Partial<HistoryDelivery> = {}): HistoryDelivery => ({
  ...{ id: 1, eventId: 1, ruleId: 1, chatWebhookId: 3, viaWebhookId: null, entity: 'deal', entityId: '8', eventType: 'deal.won' },
  ...{ state: 'failed', reason: null, replay: 0, attempts: 1, requestId: 'a', messageName: null, foldedInto: null, toldBy: null },
  ...{ foldKind: null, heldUntil: null, occurredAt: at(0), notBefore: at(0), createdAt: at(0), finishedAt: at(0) },
  ...given,
});

const space: Destination = {
  ...{ id: 3, name: 'Sales wins', spaceId: 'A', healthReason: null, healthSince: at(0), paused: false },
  ...{ threadingUnsupported: false, fallbackWebhookId: null, holdHours: 24, foldThreshold: null },
  ...{ timeZone: null, locale: null, quietHours: null, createdAt: at(0), updatedAt: at(0), unreadable: [] },
  health: 'healthy',
  threads: 'off',
  fold: 'auto',
};

function viewOf(decisions: readonly Decision[], given: Partial<PageFacts> = {}) {
  const stored = { author: null, version: 1, createdAt: at(0), updatedAt: at(0) };
  const [view] = eventViews({
    tenant: aTenant(),
    destinations: [space],
    rules: [{ ...aRule({ id: 1, name: 'Wins' }), ...stored }],
    events: [anEvent(decisions)],
    deliveries: [],
    namesOf: () => () => null,
    announcements: new Map(),
    watches: new Map([[7, { author: 'Ana', spaceName: 'Sales wins' }]]),
    now: at(0),
    ...given,
  });
  if (view === undefined) throw new Error('there is no event');
  return view;
}

const silent = { ruleId: 1, matched: false, code: 'noValue' } as const;
const watched = { ruleId: -7, matched: true, code: 'matched' } as const;

test.each<[string, readonly Decision[], Partial<PageFacts>, string]>([
  ['a rule told it', [{ ruleId: 1, matched: true, code: 'matched' }], {}, 'The only rule matched'],
  ['no rule told it', [silent], {}, 'The only rule did not match'],
  ['a watch alone told it', [silent, watched], {}, 'Posted because it is watched; the only rule did not match'],
  ['a watch told it and no rule was on', [watched], { rules: [] }, 'Posted because it is watched; no rule was on'],
  [
    'rules and watches were muted',
    [
      { ruleId: 1, matched: false, code: 'muted' },
      { ruleId: -7, matched: false, code: 'muted' },
    ],
    {},
    'Muted: nothing was posted',
  ],
])('when %s, then the line says so', (_, decisions, facts, outcome) => {
  expect(viewOf(decisions, facts).outcome).toBe(outcome);
});

test.each<[string, Decision, string]>([
  ['it did not match', silent, 'The record has no value, and the rule asks for at least'],
  ['it told nothing', { ruleId: 1, matched: false, code: 'muted' }, 'This record is muted.'],
  ['a watch told it', watched, 'Told because this record is watched.'],
  [
    'another event told it',
    { ruleId: 1, matched: false, code: 'settled', toldByEventId: 41 },
    'Told together with another event: the two came',
  ],
  [
    'it took back what another event had told',
    { ruleId: 1, matched: true, code: 'corrected', toldByEventId: 41 },
    'Told as a correction: what another event had told',
  ],
])('when %s, then the reason goes on from its badge', (_name, decision, words) => {
  expect(viewOf([decision]).decisions[0]?.reason.startsWith(words)).toBe(true);
});

test('when a rule matched, then its badge says all there is to say', () => {
  expect(viewOf([{ ruleId: 1, matched: true, code: 'matched' }]).decisions[0]?.reason).toBe('');
});

test('when a watch decided, then it is named with its space among the reasons, and is no rule that listens to something else', () => {
  const { decisions, others } = viewOf([watched]);

  expect(decisions).toMatchObject([{ ruleName: 'Watched by Ana in Sales wins', matched: true }]);
  expect(others).toBe('1 other rule listens to something else');
});

test.each([
  ['goes on', -7, 'watched by Ana'],
  ['was stopped', -8, 'watched by somebody until they stopped'],
])('when a message is of a watch that %s, then it says who watched', (_, ruleId, why) => {
  expect(viewOf([], { deliveries: [aDelivery({ ruleId })] }).messages).toMatchObject([{ destination: 'Sales wins', why }]);
});

test('when a failed message was sent again, then only its last telling can be sent again', () => {
  const deliveries = [aDelivery({ id: 3, ruleId: 2 }), aDelivery({ id: 2, replay: 1 }), aDelivery()];

  expect(viewOf([silent], { deliveries }).messages.map(({ id, canReplay }) => [id, canReplay])).toEqual([
    [3, true],
    [2, true],
    [1, false],
  ]);
});

test.each<[string, Partial<HistoryDelivery>, number, string | null, number | null]>([
  ['waits for later edits', {}, 45_000, 'until 1:00:45 PM for later edits', 46_500],
  ['was refused once', { attempts: 1 }, 45_000, 'next try at 1:00:45 PM', 46_500],
  ['is sent again', { replay: 1 }, 45_000, 'until 1:00:45 PM', 46_500],
  ['is due since long', {}, -60_000, null, 30_000],
])(
  'when a message %s, then it says until when, and the row is asked for again by then',
  (_, given, aheadMs, when, nextLookMs) => {
    const waiting = { attempts: 0, ...given, state: 'queued', notBefore: at(aheadMs), finishedAt: null };
    const view = viewOf([], { deliveries: [aDelivery(waiting)] });

    expect(view.messages.map((message) => message.when)).toEqual([when]);
    expect(view.nextLookMs).toBe(nextLookMs);
  },
);

test('when a record was announced that no event ever named, then it has the title of its announcement', () => {
  const announcements = new Map([[1, { by: 'Ana', note: null, title: 'Linen contract' }]]);
  const events = [{ ...anEvent([]), action: 'announce', recordTitle: null }];

  expect(viewOf([], { events, announcements }).record).toBe('Linen contract');
});

test.each([
  ['its own space', null, 'Sales wins'],
  ['the other space, while its own is broken', 4, 'Stand-in, in place of Sales wins'],
  ['another space that was removed since', 5, 'a space that was removed, in place of Sales wins'],
])('when a message went to %s, then the line says where it went', (_where, viaWebhookId, words) => {
  const destinations = [space, { ...space, id: 4, name: 'Stand-in' }];
  const deliveries = [aDelivery({ state: 'sent', viaWebhookId })];

  expect(viewOf([], { destinations, deliveries }).messages[0]?.destination).toBe(words);
});

test.each([
  ['that end', 'Quiet hours of this space, 20:00 to 08:00 (Europe/Berlin).', expect.stringMatching(/^until /)],
  [
    'that never end',
    'Quiet hours of this space, 00:00 to 00:00 (Europe/Berlin), never end: it waits until somebody changes them.',
    null,
  ],
])('when a message waits for quiet hours %s, then a time is told only where it ends then', (_hours, reason, when) => {
  const held = aDelivery({ state: 'held', heldUntil: at(60_000), finishedAt: null, reason });
  const { messages } = viewOf([{ ruleId: 1, matched: true, code: 'matched' }], { deliveries: [held] });

  expect(messages).toMatchObject([{ reason, when }]);
});
