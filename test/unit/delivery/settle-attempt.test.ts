/** What the ledger is told of an attempt. */

import type { DeliveryOutcome } from '../../../src/core/delivery';
import { settleAttempt, settleKeyless, settleUnsent } from '../../../src/delivery/settle-attempt';
import { aClaimedDelivery, aClaimedDestination } from '../../support/builders';

const SETTINGS = { spaceIntervalMs: 1000, refusalConfirmMs: 20_000, firstProbeMs: 300_000 };
const SENT: DeliveryOutcome = {
  kind: 'sent',
  httpStatus: 200,
  messageName: 'spaces/A/messages/1',
  threadName: 'spaces/A/threads/2',
};
const BUSY: DeliveryOutcome = { kind: 'busy', httpStatus: 429, reason: 'HTTP 429', retryAfterMs: null };
const REFUSED: DeliveryOutcome = { kind: 'refused', httpStatus: 404, reason: 'HTTP 404' };
const REJECTED: DeliveryOutcome = { kind: 'rejected', httpStatus: 400, reason: 'HTTP 400' };

const settled = (outcome: DeliveryOutcome, delivery = aClaimedDelivery(), isThreaded = false) =>
  settleAttempt(delivery, outcome, { durationMs: 12.6, isThreaded, jitter: 0 }, SETTINGS);

test('when it was sent, then its names are kept, the space rests and a healthy destination is left alone', () => {
  expect(settled(SENT)).toMatchObject({
    ...{ state: 'sent', stateReason: null, messageName: 'spaces/A/messages/1', threadName: 'spaces/A/threads/2', health: null },
    ...{ slotAfterMs: 1000, hasTrouble: false, wrote: { httpStatus: 200, errorMessage: null, durationMs: 13 } },
  });
});

test.each([
  ['throttled', { health: 'throttled' as const }],
  ['doubtful', { health: 'doubtful' as const, refusals: 2 }],
  ['healthy with refusals', { refusals: 1 }],
])('when it was sent to a destination that is %s, then the destination is well again', (_name, given) => {
  const delivery = aClaimedDelivery({ destination: aClaimedDestination(given) });

  expect(settled(SENT, delivery).health).toEqual({
    ...{ state: 'healthy', reason: null, cause: null, countsRefusal: false, isHealed: true, nextProbeMs: null },
  });
});

test('when Chat is busy, then the space rests at least its interval and is throttled', () => {
  expect(settled(BUSY)).toMatchObject({
    state: 'queued',
    slotAfterMs: 1000,
    hasTrouble: true,
    health: { state: 'throttled', reason: expect.stringContaining('HTTP 429') },
  });
});

test('when troubles repeat, then the space rests longer', () => {
  expect(settled(BUSY, aClaimedDelivery({ troubles: 4 })).slotAfterMs).toBe(8000);
});

test('when nobody knows whether it was posted, then that is on record and the health of the destination is not touched', () => {
  expect(settled({ kind: 'unreachable', httpStatus: 503, reason: 'HTTP 503' })).toMatchObject({
    ...{ state: 'queued', hasTrouble: true, isAnswered: false, health: null, delayMs: null },
  });
});

test('when an answer leaves open whether it was posted and asks to wait, then the space rests for that', () => {
  const outcome = { kind: 'unreachable', httpStatus: 503, reason: 'HTTP 503', retryAfterMs: 6_000 } as const;

  expect(settled(outcome)).toMatchObject({ state: 'queued', slotAfterMs: 6_000, hasTrouble: true, isAnswered: false });
});

test('when one message gets no clear answer again and again, then it stands aside for longer than its space rests', () => {
  expect(
    settled({ kind: 'unreachable', httpStatus: 500, reason: 'HTTP 500' }, aClaimedDelivery({ uncertain: 2, troubles: 4 })),
  ).toMatchObject({
    ...{ state: 'queued', slotAfterMs: 8000, delayMs: 16_000 },
  });
});

test.each([
  [
    'a space that waits for three days has not answered for one',
    { destination: aClaimedDestination({ holdHours: 72 }) },
    25,
    null,
  ],
  ['a space has not answered for the hour that it waits', { destination: aClaimedDestination({ holdHours: 1 }) }, 1, '1 hour;'],
  ['nothing is known of a space any more', { destination: null }, 24, '24 hours;'],
])('when %s, then its message is tried for as long as it waits', (_name, given, hours, reason) => {
  const delivery = aClaimedDelivery({ ...given, waitingMs: hours * 3_600_000, attempts: 100 });

  expect(settled({ kind: 'unreachable', httpStatus: 503, reason: 'HTTP 503' }, delivery)).toMatchObject(
    reason === null ? { state: 'queued' } : { state: 'failed', stateReason: expect.stringContaining(`within ${reason}`) },
  );
});

test('when a destination refuses, then all its messages wait and it is in doubt', () => {
  expect(settled(REFUSED)).toMatchObject({
    state: 'queued',
    delayAllMs: 20_000,
    holdAll: false,
    health: { state: 'doubtful', countsRefusal: true },
  });
});

test('when its key cannot be opened, then all its messages are held and it is broken, and nothing was posted', () => {
  expect(settleKeyless(aClaimedDelivery({ uncertain: 1 }), SETTINGS)).toMatchObject({
    ...{ state: 'held', holdAll: true, heldBecause: 'broken', stateReason: expect.stringContaining('Replace its URL') },
    ...{ isAnswered: true, wrote: null, slotAfterMs: null, hasTrouble: false },
    health: { state: 'broken', reason: expect.stringContaining('Replace its URL'), nextProbeMs: 300_000 },
  });
});

test('when it refuses for the third time, then all its messages are held and it is broken', () => {
  const delivery = aClaimedDelivery({
    destination: aClaimedDestination({ health: 'doubtful', refusals: 2, sinceLastRefusalMs: 20_000 }),
  });

  expect(settled(REFUSED, delivery)).toMatchObject({
    state: 'held',
    holdAll: true,
    ...{ heldBecause: 'broken', stateReason: expect.stringContaining('HTTP 404') },
    health: { state: 'broken', reason: expect.stringContaining('HTTP 404'), nextProbeMs: 300_000 },
  });
});

test('when a threaded card went after its thread was left out, then the space is known to have no threads', () => {
  expect(settled(SENT, aClaimedDelivery({ isUnthreaded: true }))).toMatchObject({ state: 'sent', cannotThread: true });
  expect(settled(SENT, aClaimedDelivery({ isUnthreaded: true, isPlain: true }))).toMatchObject({
    state: 'sent',
    cannotThread: false,
  });
  expect(settled(SENT)).toMatchObject({ cannotThread: false });
});

test('when a threaded body is rejected, then it is rewritten and the health stays what it was', () => {
  const delivery = aClaimedDelivery({
    destination: aClaimedDestination({ threads: 'perRecord', health: 'throttled', healthReason: 'HTTP 429' }),
  });

  expect(settled(REJECTED, delivery, true)).toMatchObject({
    state: 'queued',
    rewrite: 'unthreaded',
    cannotThread: false,
    health: null,
  });
});

test('when a card is rejected, then plain text follows, and when that is rejected, then it failed', () => {
  expect(settled(REJECTED)).toMatchObject({ state: 'queued', rewrite: 'plain', health: null });
  expect(settled(REJECTED, aClaimedDelivery({ isPlain: true }))).toMatchObject({
    state: 'failed',
    rewrite: null,
    stateReason: expect.stringContaining('HTTP 400'),
  });
});

test('when not even plain text is taken, then its destination is in doubt, unless more is known against it, until it takes something', () => {
  const plainTo = (health: object) => aClaimedDelivery({ isPlain: true, destination: aClaimedDestination(health) });
  const doubt = { state: 'doubtful', reason: expect.stringContaining('nor its plain text (HTTP 400)'), countsRefusal: false };

  expect(settled(REJECTED, plainTo({})).health).toMatchObject(doubt);
  expect(settled(REJECTED, plainTo({ health: 'throttled' })).health).toMatchObject(doubt);
  expect(settled(REJECTED, plainTo({ health: 'broken' })).health).toBeNull();
  expect(settled(REJECTED, plainTo({ health: 'doubtful', refusals: 1 })).health).toBeNull();
  expect(settled(SENT, plainTo({ health: 'doubtful' })).health).toMatchObject({ state: 'healthy', isHealed: true });
});

test('when nothing was posted, then there is no log row, the slot is not used, and what it waits for is on record', () => {
  const paused = settleUnsent(aClaimedDelivery(), { state: 'held', reason: 'It is paused.', heldBecause: 'paused' });
  const resting = settleUnsent(aClaimedDelivery(), { state: 'queued', reason: 'HTTP 401', delayAllMs: 700 });

  expect(paused).toMatchObject({
    state: 'held',
    stateReason: 'It is paused.',
    heldBecause: 'paused',
    wrote: null,
    slotAfterMs: null,
  });
  expect(resting).toMatchObject({ state: 'queued', delayAllMs: 700, heldBecause: null, wrote: null, slotAfterMs: null });
});
