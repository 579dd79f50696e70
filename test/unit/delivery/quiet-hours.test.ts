/** Quiet hours over midnight, on some days only, around business days, and through changes of summer time. */

import fc from 'fast-check';
import { isQuiet, neverEnds, quietUntil } from '../../../src/delivery/quiet-hours';

const BERLIN = 'Europe/Berlin';
const nights = { from: '20:00', to: '08:00' };

/** 2026-11-23 is a Monday; Berlin is one hour ahead of UTC in winter and two in summer. */
test.each([
  ['19:59 in Berlin', nights, '2026-11-23T18:59:00Z', false],
  ['20:00, when they begin', nights, '2026-11-23T19:00:00Z', true],
  ['midnight', nights, '2026-11-23T23:00:00Z', true],
  ['07:59', nights, '2026-11-24T06:59:00Z', true],
  ['08:00, when they end', nights, '2026-11-24T07:00:00Z', false],
  ['noon within a day', { from: '12:00', to: '13:00' }, '2026-11-23T11:30:00Z', true],
  ['after noon within a day', { from: '12:00', to: '13:00' }, '2026-11-23T12:00:00Z', false],
  ['any hour when both ends are one', { from: '00:00', to: '00:00' }, '2026-11-23T11:30:00Z', true],
  ['an early hour when both ends are one', { from: '09:00', to: '09:00' }, '2026-11-23T05:30:00Z', true],
])('when it is %s, then it is quiet only inside them', (_when, quietHours, at, isExpected) => {
  expect(isQuiet(quietHours, BERLIN, new Date(at))).toBe(isExpected);
});

test.each([
  ['Friday night', '2026-11-27T21:00:00Z', true],
  ['Saturday morning, which belongs to Friday night', '2026-11-28T05:00:00Z', true],
  ['Saturday night', '2026-11-28T21:00:00Z', false],
  ['Friday morning, which belongs to Thursday night', '2026-11-27T05:00:00Z', false],
])('when only Fridays are quiet and it is %s, then the night counts by the day on which it begins', (_when, at, isExpected) => {
  expect(isQuiet({ ...nights, days: ['fri'] }, BERLIN, new Date(at))).toBe(isExpected);
});

test('when whole weekend days are quiet, then Sunday 23:59 is and Monday 00:00 is not', () => {
  const weekend = { from: '00:00', to: '00:00', days: ['sat', 'sun'] } satisfies Parameters<typeof isQuiet>[0];

  const around = ['2026-11-27T22:59:00Z', '2026-11-27T23:00:00Z', '2026-11-29T22:59:00Z', '2026-11-29T23:00:00Z'];

  expect(around.map((at) => isQuiet(weekend, BERLIN, new Date(at)))).toEqual([false, true, true, false]);
});

/** Clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00. */
test.each([
  ['07:59 after the short night', '2026-03-29T05:59:00Z', true],
  ['08:00 after the short night', '2026-03-29T06:00:00Z', false],
  ['07:59 after the long night', '2026-10-25T06:59:00Z', true],
  ['08:00 after the long night', '2026-10-25T07:00:00Z', false],
  ['the first 02:30 of the long night', '2026-10-25T00:30:00Z', true],
  ['the second 02:30 of the long night', '2026-10-25T01:30:00Z', true],
])('when summer time changes and it is %s, then the wall clock counts', (_when, at, isExpected) => {
  expect(isQuiet(nights, BERLIN, new Date(at))).toBe(isExpected);
});

test('when quiet hours begin inside the hour that is skipped, then they begin right after it', () => {
  const quietHours = { from: '02:30', to: '05:00' };

  const [before, after] = ['2026-03-29T00:59:00Z', '2026-03-29T01:00:00Z'].map((at) => isQuiet(quietHours, BERLIN, new Date(at)));

  expect([before, after]).toEqual([false, true]);
});

test('when the zone is not known, then UTC counts', () => {
  expect(isQuiet(nights, 'Nowhere/Land', new Date('2026-11-23T20:30:00Z'))).toBe(true);
});

const WEEK = { ...nights, businessDays: ['mon', 'tue', 'wed', 'thu', 'fri'] } satisfies Parameters<typeof isQuiet>[0];

test.each([
  ['Friday night', '2026-11-27T21:00:00Z', '2026-11-30T07:00:00Z'],
  ['Saturday noon', '2026-11-28T11:00:00Z', '2026-11-30T07:00:00Z'],
  ['early on Monday, after a night that began on no business day', '2026-11-30T01:00:00Z', '2026-11-30T07:00:00Z'],
  ['Tuesday night', '2026-11-24T21:00:00Z', '2026-11-25T07:00:00Z'],
])('when weekends are no business days and it is %s, then it is quiet until the next business day begins', (_when, at, end) => {
  expect(isQuiet(WEEK, BERLIN, new Date(at))).toBe(true);
  expect(quietUntil(WEEK, BERLIN, new Date(at))).toEqual(new Date(end));
});

test('when nights of work days alone are quiet and Sunday is no business day, then Monday begins when quiet hours end', () => {
  const workNights = { ...WEEK, days: ['mon', 'tue', 'wed', 'thu', 'fri'] } satisfies Parameters<typeof isQuiet>[0];

  expect(quietUntil(workNights, BERLIN, new Date('2026-11-29T12:00:00Z'))).toEqual(new Date('2026-11-30T07:00:00Z'));
});

test.each([
  ['an hour longer', nights, '2026-10-24T19:00:00Z', '2026-10-25T07:00:00Z'],
  ['an hour shorter', nights, '2026-03-28T20:00:00Z', '2026-03-29T06:00:00Z'],
  ['ended by the hour that is skipped', { from: '20:00', to: '02:30' }, '2026-03-28T20:00:00Z', '2026-03-29T01:00:00Z'],
  ['ended within the hour that comes twice', { from: '20:00', to: '02:30' }, '2026-10-24T19:00:00Z', '2026-10-25T00:30:00Z'],
])('when the night is %s, then it ends by the wall clock', (_what, quietHours, at, end) => {
  expect(quietUntil(quietHours, BERLIN, new Date(at))).toEqual(new Date(end));
});

/** Lord Howe sets its clocks back by half an hour, at 02:00 on 2026-04-05. */
test.each([
  [BERLIN, '02:30', '2026-10-25T01:10Z', '2026-10-25T01:30Z'],
  ['America/New_York', '01:30', '2026-11-01T06:10Z', '2026-11-01T06:30Z'],
  ['Australia/Lord_Howe', '01:45', '2026-04-04T14:40Z', '2026-04-04T14:45Z'],
  ['Australia/Lord_Howe', '01:45', '2026-04-04T15:05Z', '2026-04-04T15:15Z'],
])(
  'when it is %s, quiet until %s, and that time comes twice and went by once, then it ends when it comes again',
  (zone, to, at, end) => {
    const quietHours = { from: '20:00', to };

    expect(isQuiet(quietHours, zone, new Date(at))).toBe(true);
    expect(quietUntil(quietHours, zone, new Date(at))).toEqual(new Date(end));
  },
);

test.each([
  'Asia/Kathmandu',
  'America/St_Johns',
  'Pacific/Apia',
  'Pacific/Marquesas',
  'Africa/Casablanca',
  'Australia/Lord_Howe',
])('when it is quiet in %s at any moment of a year, then it is not at the end, and was a minute before', (zone) => {
  const start = Date.parse('2026-01-01T00:00:00Z');
  for (let hours = 0; hours < 366 * 24; hours += 31) {
    const at = new Date(start + hours * 3_600_000);
    if (!isQuiet(nights, zone, at)) continue;
    const end = quietUntil(nights, zone, at);
    expect(isQuiet(nights, zone, end)).toBe(false);
    expect(isQuiet(nights, zone, new Date(end.getTime() - 60_000))).toBe(true);
  }
});

test('when every day is quiet all day long, then it is looked at again a week later', () => {
  const always = { from: '00:00', to: '00:00' };

  expect(quietUntil(always, BERLIN, new Date('2026-11-23T12:00:00Z'))).toEqual(new Date('2026-12-01T12:00:00Z'));
});

test.each([
  ['the whole of each day', { from: '00:00', to: '00:00' }, true],
  ['the whole of each day, from nine to nine', { from: '09:00', to: '09:00' }, true],
  ['the whole of the only business day', { from: '00:00', to: '00:00', days: ['mon'], businessDays: ['mon'] }, true],
  ['nine to nine on the only business day', { from: '09:00', to: '09:00', days: ['mon'], businessDays: ['mon'] }, true],
  ['all but a minute', { from: '00:00', to: '23:59' }, false],
  ['all but the last minute of Mondays', { from: '00:00', to: '23:59', businessDays: ['mon'] }, false],
  ['every weekend', { from: '00:00', to: '00:00', days: ['sat', 'sun'] }, false],
  ['all but Sundays', { from: '00:00', to: '00:00', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'] }, false],
  ['whole days that are no business days anyway', { from: '00:00', to: '00:00', days: ['sat'], businessDays: ['mon'] }, false],
  ['nights', nights, false],
  ['nights and all days but one', { ...nights, businessDays: ['mon'] }, false],
] satisfies [string, Parameters<typeof neverEnds>[0], boolean][])(
  'when it is quiet %s, then it is known whether that ends',
  (_what, quietHours, never) => {
    expect(neverEnds(quietHours)).toBe(never);
  },
);

const DAY = fc.constantFrom(
  'sun' as const,
  'mon' as const,
  'tue' as const,
  'wed' as const,
  'thu' as const,
  'fri' as const,
  'sat' as const,
);
const SOME_DAYS = fc.option(fc.uniqueArray(DAY, { minLength: 1, maxLength: 7 }), { nil: undefined });
const CLOCK = fc.constantFrom('00:00', '00:01', '08:00', '20:00', '23:59');

test('when any quiet hours are looked at, then they never end just when no minute of a week is left', () => {
  const hours = fc.record({ from: CLOCK, to: CLOCK, days: SOME_DAYS, businessDays: SOME_DAYS });
  const minutes = Array.from({ length: 7 * 24 * 60 }, (_, minute) => new Date(Date.UTC(2026, 10, 23, 0, minute)));
  fc.assert(
    fc.property(hours, ({ from, to, days, businessDays }) => {
      const quietHours = { from, to, ...(days && { days }), ...(businessDays && { businessDays }) };
      expect(neverEnds(quietHours)).toBe(minutes.every((at) => isQuiet(quietHours, 'UTC', at)));
    }),
    { numRuns: 60 },
  );
});
