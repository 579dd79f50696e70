/** What the messages of a preview come to. */

import { summarizePreview } from '../../../src/api/summarize-preview';
import { aChange } from '../../fixtures/record-changes';

const BERLIN = 'Europe/Berlin';
const NIGHT = { from: '20:00', to: '08:00', mode: 'hold' } as const;

function messagesAt(...times: readonly string[]) {
  return times.map((time, index) => ({ eventId: index, chatWebhookId: 1, dueAt: new Date(time), change: aChange('deal.won') }));
}

test("when messages fall on both sides of midnight, then days are the tenant's own", () => {
  const messages = messagesAt('2026-11-23T22:59:00Z', '2026-11-23T23:00:00Z', '2026-11-24T10:00:00Z');

  const { perDay, messages: count } = summarizePreview(messages, new Map(), BERLIN);

  expect(count).toBe(3);
  expect(perDay).toEqual([
    { date: '2026-11-23', messages: 1 },
    { date: '2026-11-24', messages: 2 },
  ]);
});

test('when messages bunch over the turn of a minute, then the busiest sixty seconds count, in whatever order they came', () => {
  const messages = messagesAt('2026-11-23T12:05:00Z', '2026-11-23T12:00:50Z', '2026-11-23T12:01:10Z', '2026-11-23T12:01:50Z');

  expect(summarizePreview(messages, new Map(), BERLIN).maxPerMinute).toBe(2);
});

test('when there are none, then all is nought', () => {
  expect(summarizePreview([], new Map(), BERLIN)).toEqual({
    ...{ messages: 0, perDay: [], maxPerMinute: 0, maxPerHour: 0, quietHours: 0 },
  });
});

test.each([
  [null, 1],
  ['America/New_York', 0],
])("when the destination's zone is %s, then its quiet hours are meant there", (timeZone, count) => {
  const destinations = new Map([[1, { timeZone, quietHours: NIGHT }]]);

  const { quietHours } = summarizePreview(messagesAt('2026-11-23T20:30:00Z', '2026-11-23T16:00:00Z'), destinations, BERLIN);

  expect(quietHours).toBe(count);
});
