/** What may go now, what waits until when, what is dropped; and when digests come. */

import { lastDigestAt, nextDigestAt } from '../../../src/delivery/digest-time';
import { judgeDue, type DueWishes } from '../../../src/delivery/judge-due';

const BERLIN = 'Europe/Berlin';
const NIGHT = new Date('2026-11-24T21:00:00Z');
const DAY = new Date('2026-11-24T12:00:00Z');
const quietHours = { from: '20:00', to: '08:00', mode: 'hold' as const };

const wishes = (given: Partial<DueWishes> = {}): DueWishes => ({
  ...{ quietHours, timeZone: BERLIN, digest: null, isUrgent: false, cameAt: NIGHT, isNew: true, digestAt: null },
  ...given,
});

test('when it is day, then the message goes', () => {
  expect(judgeDue(wishes(), DAY)).toEqual({ kind: 'send' });
});

test('when it is night, then it is held until the morning, with the reason', () => {
  expect(judgeDue(wishes(), NIGHT)).toEqual({
    ...{ kind: 'hold', heldFor: 'quiet', until: new Date('2026-11-25T07:00:00Z') },
    reason: 'Quiet hours of this space, 20:00 to 08:00 (Europe/Berlin).',
  });
});

test.each([
  ['holds', { mode: 'hold' as const }, DAY],
  ['drops, and the message waited for something else before', { mode: 'drop' as const }, null],
])('when the quiet hours never end and the space %s, then the reason says that', (_what, { mode }, cameAt) => {
  const verdict = judgeDue(wishes({ quietHours: { from: '00:00', to: '00:00', mode }, cameAt }), DAY);

  expect(verdict).toMatchObject({
    ...{ kind: 'hold', heldFor: 'quiet' },
    reason: 'Quiet hours of this space, 00:00 to 00:00 (Europe/Berlin), never end: it waits until somebody changes them.',
  });
});

test('when what comes at night is to be dropped, then it is, with the reason', () => {
  const verdict = judgeDue(wishes({ quietHours: { ...quietHours, mode: 'drop' } }), NIGHT);

  expect(verdict).toEqual({ kind: 'drop', reason: expect.stringMatching(/20:00 to 08:00.*dropped/) });
});

test.each([
  ['before the night began', { cameAt: new Date('2026-11-24T18:59:59Z') }],
  ['in the night before', { cameAt: new Date('2026-11-23T21:00:00Z') }],
  ['and waited for something else, or is a guest', { isNew: false }],
])('when a message came %s, then it is not dropped at night but kept until the morning', (_when, given) => {
  expect(judgeDue(wishes({ quietHours: { ...quietHours, mode: 'drop' }, ...given }), NIGHT)).toMatchObject({
    ...{ kind: 'hold', heldFor: 'quiet', until: new Date('2026-11-25T07:00:00Z') },
  });
});

test.each([
  ['its time was in this night', NIGHT, 'send'],
  ['its time was before the night began', new Date('2026-11-24T18:59:59Z'), 'hold'],
  ['its time was in the night before', new Date('2026-11-23T21:00:00Z'), 'hold'],
])('when a digest is told at night and %s (%p), then the verdict is %s', (_when, digestAt, kind) => {
  expect(judgeDue(wishes({ cameAt: null, digestAt }), NIGHT)).toMatchObject({ kind });
});

test.each([{ quietHours }, { digest: { every: 'day' as const, at: '09:00' } }])(
  'when the message is urgent, then it goes whatever else is wished: %j',
  (given) => {
    expect(judgeDue(wishes({ ...given, isUrgent: true }), NIGHT)).toEqual({ kind: 'send' });
  },
);

test('when a digest rule matches at night in a destination that drops, then it is gathered all the same', () => {
  const digest = { every: 'day' as const, at: '09:00' };

  expect(judgeDue(wishes({ digest, quietHours: { ...quietHours, mode: 'drop' } }), NIGHT)).toMatchObject({
    ...{ kind: 'hold', heldFor: 'daily', until: new Date('2026-11-25T08:00:00Z') },
    reason: 'Gathered for the daily digest at 09:00 (Europe/Berlin).',
  });
});

test.each([
  ['which is over by now', new Date('2026-11-24T07:59:00Z'), '2026-11-24T08:00:00Z'],
  ['which comes', new Date('2026-11-24T08:00:00Z'), '2026-11-25T08:00:00Z'],
  ['from now on, when its time is reckoned anew', null, '2026-11-25T08:00:00Z'],
])('when a message is gathered, then for the first time after it came, %s', (_what, cameAt, until) => {
  const digest = { every: 'day' as const, at: '09:00' };

  expect(judgeDue(wishes({ digest, cameAt }), DAY)).toMatchObject({ kind: 'hold', until: new Date(until) });
});

const WORK_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;

test.each([
  ['daily, before its time', { every: 'day', at: '09:00' }, undefined, '2026-11-24T07:59:00Z', '2026-11-24T08:00:00Z'],
  ['daily, at its time', { every: 'day', at: '09:00' }, undefined, '2026-11-24T08:00:00Z', '2026-11-25T08:00:00Z'],
  ['daily, over a weekend', { every: 'day', at: '09:00' }, [...WORK_DAYS], '2026-11-27T10:00:00Z', '2026-11-30T08:00:00Z'],
  [
    'weekly, on Monday unless a day is named',
    { every: 'week', at: '09:00' },
    undefined,
    '2026-11-24T10:00:00Z',
    '2026-11-30T08:00:00Z',
  ],
  ['weekly, on its day', { every: 'week', at: '17:30', day: 'fri' }, undefined, '2026-11-27T16:29:00Z', '2026-11-27T16:30:00Z'],
  ['weekly, a week later', { every: 'week', at: '17:30', day: 'fri' }, undefined, '2026-11-27T16:30:00Z', '2026-12-04T16:30:00Z'],
  ['daily, into summer time', { every: 'day', at: '09:00' }, undefined, '2026-03-28T09:00:00Z', '2026-03-29T07:00:00Z'],
  [
    'daily, in the hour that is skipped',
    { every: 'day', at: '02:30' },
    undefined,
    '2026-03-28T12:00:00Z',
    '2026-03-29T01:00:00Z',
  ],
] as const)('when the digest is %s, then it comes at its time of the wall clock', (_what, digest, businessDays, at, expected) => {
  expect(nextDigestAt(digest, BERLIN, businessDays === undefined ? undefined : [...businessDays], new Date(at))).toEqual(
    new Date(expected),
  );
});

test.each([
  ['daily, before its time', { every: 'day', at: '09:00' }, undefined, '2026-11-24T07:59:00Z', '2026-11-23T08:00:00Z'],
  ['daily, at its time', { every: 'day', at: '09:00' }, undefined, '2026-11-24T08:00:00Z', '2026-11-24T08:00:00Z'],
  ['daily, over a weekend', { every: 'day', at: '09:00' }, WORK_DAYS, '2026-11-30T07:59:00Z', '2026-11-27T08:00:00Z'],
  ['weekly, just before', { every: 'week', at: '17:30', day: 'fri' }, undefined, '2026-11-27T16:29:00Z', '2026-11-20T16:30:00Z'],
  ['weekly, just after', { every: 'week', at: '17:30', day: 'fri' }, undefined, '2026-11-27T16:31:00Z', '2026-11-27T16:30:00Z'],
  ['daily, out of summer time', { every: 'day', at: '09:00' }, undefined, '2026-10-25T07:59:00Z', '2026-10-24T07:00:00Z'],
] as const)(
  'when the digest is %s, then what came since its last time has the next one in common',
  (_what, digest, businessDays, at, expected) => {
    const days = businessDays === undefined ? undefined : [...businessDays];
    const last = lastDigestAt(digest, BERLIN, days, new Date(at));

    expect(last).toEqual(new Date(expected));
    expect(nextDigestAt(digest, BERLIN, days, last)).toEqual(nextDigestAt(digest, BERLIN, days, new Date(at)));
  },
);
