/** What follows an attempt, outcome by outcome. */

import fc from 'fast-check';
import type { DeliveryOutcome } from '../../../src/core/delivery';
import { backoffMs, LEAST_ATTEMPTS, MAX_UNNAMED, nextStep, type AttemptContext } from '../../../src/delivery/retry-policy';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CONTEXT: AttemptContext = {
  waitingMs: 0,
  attempts: 1,
  holdHours: 24,
  troubles: 0,
  uncertain: 0,
  health: 'healthy',
  refusals: 0,
  sinceLastRefusalMs: null,
  refusalConfirmMs: 20_000,
  isPlain: false,
  isThreaded: false,
  jitter: 1,
};
const BUSY: DeliveryOutcome = { kind: 'busy', httpStatus: 429, reason: 'HTTP 429', retryAfterMs: null };
const UNREACHABLE: DeliveryOutcome = { kind: 'unreachable', httpStatus: null, reason: 'no answer' };
const UNNAMED: DeliveryOutcome = { kind: 'unnamed', httpStatus: 200, reason: 'HTTP 200 without a name' };
const REFUSED: DeliveryOutcome = { kind: 'refused', httpStatus: 403, reason: 'HTTP 403' };
const REJECTED: DeliveryOutcome = { kind: 'rejected', httpStatus: 400, reason: 'HTTP 400' };
const SENT: DeliveryOutcome = { kind: 'sent', httpStatus: 200, messageName: 'm', threadName: null };

test.each<[string, DeliveryOutcome, Partial<AttemptContext>, object]>([
  ['a message was sent', SENT, { waitingMs: DAY_MS * 2 }, { kind: 'done' }],
  ['Chat is busy', BUSY, {}, { kind: 'retry', afterMs: 1000, asideMs: null }],
  ['Chat is busy again', BUSY, { troubles: 3 }, { kind: 'retry', afterMs: 8000, asideMs: null }],
  ['Chat says when', { ...BUSY, retryAfterMs: 30_000 }, { troubles: 3 }, { kind: 'retry', afterMs: 30_000, asideMs: null }],
  ['nobody knows whether it was posted', UNREACHABLE, { troubles: 1 }, { kind: 'retry', afterMs: 2000, asideMs: null }],
  [
    'an answer that leaves that open says when',
    { ...UNREACHABLE, retryAfterMs: 6000 },
    { troubles: 500 },
    { kind: 'retry', afterMs: 6000, asideMs: null },
  ],
  ['it goes on for long', UNREACHABLE, { troubles: 500 }, { kind: 'retry', afterMs: 60_000, asideMs: null }],
  [
    'it is older than a day',
    UNREACHABLE,
    { waitingMs: DAY_MS, attempts: LEAST_ATTEMPTS },
    { kind: 'giveUp', reason: expect.stringContaining('no answer') },
  ],
  [
    'a busy one is older than a day',
    BUSY,
    { waitingMs: DAY_MS, attempts: LEAST_ATTEMPTS },
    { kind: 'giveUp', reason: expect.stringContaining('24 hours') },
  ],
  [
    'it is older than a day and its destination waits for three',
    UNREACHABLE,
    { waitingMs: 3 * DAY_MS - 1, holdHours: 72, attempts: 1000 },
    { kind: 'retry', afterMs: 1000, asideMs: null },
  ],
  [
    'it is older than the three days for which its destination waits',
    UNREACHABLE,
    { waitingMs: 3 * DAY_MS, holdHours: 72, attempts: 1000 },
    { kind: 'giveUp', reason: 'Not delivered within 72 hours; the last attempt came to: no answer' },
  ],
  [
    'it is older than the hour for which its destination waits',
    BUSY,
    { waitingMs: HOUR_MS, holdHours: 1, attempts: LEAST_ATTEMPTS },
    { kind: 'giveUp', reason: 'Not delivered within 1 hour; the last attempt came to: HTTP 429' },
  ],
  [
    'a clock says that it is older than a day and it was hardly tried',
    BUSY,
    { waitingMs: DAY_MS * 3, attempts: LEAST_ATTEMPTS - 1 },
    { kind: 'retry', afterMs: 1000, asideMs: null },
  ],
  ['the body is rejected', REJECTED, {}, { kind: 'rewrite', as: 'plain' }],
  ['a threaded body is rejected', REJECTED, { isThreaded: true }, { kind: 'rewrite', as: 'unthreaded' }],
  ['a threaded plain body is rejected', REJECTED, { isThreaded: true, isPlain: true }, { kind: 'rewrite', as: 'unthreaded' }],
  [
    'the plain body is rejected too',
    REJECTED,
    { isPlain: true },
    { kind: 'giveUp', reason: expect.stringContaining('HTTP 400') },
  ],
  ['the destination refuses first', REFUSED, {}, { kind: 'doubt', afterMs: 20_000 }],
  ['it refuses again too soon', REFUSED, { refusals: 2, sinceLastRefusalMs: 5000 }, { kind: 'doubt', afterMs: 15_000 }],
  ['it refuses for the second time', REFUSED, { refusals: 1, sinceLastRefusalMs: 20_000 }, { kind: 'doubt', afterMs: 20_000 }],
  [
    'it has come to no clear answer for long',
    UNREACHABLE,
    { troubles: 3, uncertain: 2 },
    { kind: 'retry', afterMs: 8000, asideMs: 16_000 },
  ],
  [
    'it has come to no clear answer for long, and the last one says when',
    { ...UNREACHABLE, retryAfterMs: 600_000 },
    { troubles: 3, uncertain: 2 },
    { kind: 'retry', afterMs: 600_000, asideMs: 608_000 },
  ],
  ['Chat names no message', UNNAMED, { uncertain: 1 }, { kind: 'retry', afterMs: 1000, asideMs: null }],
  ['Chat names no message ever again', UNNAMED, { uncertain: MAX_UNNAMED - 2 }, { kind: 'retry', afterMs: 1000, asideMs: 2000 }],
  [
    'Chat has named no message too often',
    UNNAMED,
    { uncertain: MAX_UNNAMED - 1 },
    { kind: 'giveUp', reason: expect.stringContaining('without a name') },
  ],
  [
    'a broken destination refuses its trial',
    REFUSED,
    { health: 'broken', refusals: 3, sinceLastRefusalMs: 1 },
    { kind: 'break' },
  ],
  ['it refuses for the third time', REFUSED, { refusals: 2, sinceLastRefusalMs: 20_000 }, { kind: 'break' }],
])('when %s, then that follows', (_name, outcome, context, step) => {
  expect(nextStep(outcome, { ...CONTEXT, ...context })).toEqual(step);
});

test.each([1, 24, 168])(
  'when Chat is busy and says one second each time, then a message is given up when its hours are over (%i), and not before',
  (holdHours) => {
    const busy: DeliveryOutcome = { ...BUSY, retryAfterMs: 1000 };
    const after = (second: number) =>
      nextStep(busy, { ...CONTEXT, holdHours, waitingMs: second * 1000, attempts: second + 1, troubles: second }).kind;

    let second = 0;
    while (after(second) === 'retry') second += 1;

    expect(second).toBe(holdHours * 3600);
  },
);

test('when backoff has any trouble and jitter, then it lies between half a second and a minute and never shrinks', () => {
  fc.assert(
    fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, noNaN: true }), (troubles, jitter) => {
      const ms = backoffMs(troubles, jitter);

      expect(ms).toBeGreaterThanOrEqual(500);
      expect(ms).toBeLessThanOrEqual(60_000);
      expect(backoffMs(troubles + 1, jitter)).toBeGreaterThanOrEqual(ms);
    }),
  );
});
