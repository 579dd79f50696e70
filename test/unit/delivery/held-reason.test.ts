/** What people read of a message that is held. */

import { heldReason, type HeldMessage } from '../../../src/delivery/held-reason';

const fallback = { name: 'Stand-in', isBroken: false, isPaused: false, isToldAnyhow: false };
const held = (given: Partial<HeldMessage>): HeldMessage => ({
  ...{ reason: 'HTTP 404.', heldBecause: 'broken', isRedirected: false, isUncertain: false, fallback },
  ...given,
});

test.each<[string, Partial<HeldMessage>, string | null]>([
  ['there is no fallback', { fallback: null }, 'HTTP 404. No fallback space is set, so it waits.'],
  ['the fallback will take it', {}, 'HTTP 404. It will be given to the fallback “Stand-in”.'],
  [
    'the fallback is broken',
    { fallback: { ...fallback, isBroken: true } },
    'HTTP 404. It cannot be given to the fallback “Stand-in”, which is broken too.',
  ],
  [
    'the fallback is paused',
    { fallback: { ...fallback, isPaused: true } },
    'HTTP 404. It cannot be given to the fallback “Stand-in”, which is paused.',
  ],
  [
    'the fallback is told anyhow',
    { fallback: { ...fallback, isToldAnyhow: true } },
    'HTTP 404. Its rule tells the fallback “Stand-in” too.',
  ],
  [
    'it may have been posted',
    { isUncertain: true },
    'HTTP 404. It is not given to the fallback “Stand-in”, because it may have been posted.',
  ],
  ['nothing is known of why', { reason: null, fallback: null }, 'No fallback space is set, so it waits.'],
  [
    'it waits at the fallback',
    { isRedirected: true, heldBecause: null, reason: 'Quiet hours of this space.' },
    'Given to the fallback “Stand-in”: Quiet hours of this space.',
  ],
  ['its destination is paused', { heldBecause: 'paused', reason: 'Paused.' }, 'Paused.'],
  ['it waits for a time', { heldBecause: null, reason: 'Quiet hours of this space.' }, 'Quiet hours of this space.'],
])('when a message is held and %s, then its reason says so', (_what, given, expected) => {
  expect(heldReason(held(given))).toBe(expected);
});
