import { daysBetween, dueOf, formatFor } from '../../../src/messages/format';

const spaced = (text: string | null) => text?.replace(/[\u00A0\u202F]/g, ' ');

describe('amounts', () => {
  it.each([
    ['en_US', { amount: 48_000, currency: 'EUR' }, '€48,000'],
    ['en_US', { amount: 48_000.5, currency: 'EUR' }, '€48,000.50'],
    ['et_EE', { amount: 48_000, currency: 'EUR' }, '48 000 €'],
    ['en_US', { amount: 1_000, currency: 'JPY' }, '¥1,000'],
    ['en_US', { amount: 1_000, currency: null }, '1,000'],
    ['en_US', { amount: 1_000, currency: 'Points!' }, '1,000 Points!'],
    ['no such locale', { amount: 1_000, currency: 'EUR' }, '€1,000'],
  ])('when the locale is %s, %j reads %s', (locale, money, written) => {
    expect(spaced(formatFor(locale, 'UTC').money(money))).toBe(written);
  });

  it('when a step is told, it has its sign', () => {
    expect(formatFor('en_US', 'UTC').moneyStep({ amount: 12_000, currency: 'EUR' })).toBe('+€12,000');
    expect(formatFor('en_US', 'UTC').percentStep(-0.25)).toBe('-25%');
  });
});

describe('dates', () => {
  it.each(['America/Los_Angeles', 'UTC', 'Pacific/Auckland'])('when a date has no time, %s does not shift it', (timeZone) => {
    expect(formatFor('en_US', timeZone).date('2026-12-18')).toBe('Dec 18, 2026');
    expect(formatFor('en_US', timeZone).dateTime('2026-12-18')).toBe('Dec 18, 2026');
  });

  it.each(['2026-11-23T13:05:00Z', '2026-11-23T13:05:00.123Z', '2026-11-23 13:05:00', '2026-11-23 13:05'])(
    'when a moment is written %s, it is UTC',
    (moment) => {
      expect(spaced(formatFor('en_US', 'Europe/Berlin').dateTime(moment))).toBe('Nov 23, 2026, 2:05 PM');
    },
  );

  it.each([null, 7, '', '2026-13-45', 'tomorrow', '2026-11-23T99:99:99Z', {}])('when %j is no date, there is none', (value) => {
    expect(formatFor('en_US', 'UTC').dateTime(value)).toBeNull();
    expect(formatFor('en_US', 'UTC').date(value)).toBeNull();
  });

  it('when the time zone is unknown, times are in UTC', () => {
    expect(spaced(formatFor('en_US', 'Mars/Base').dateTime('2026-11-23T13:05:00Z'))).toBe('Nov 23, 2026, 1:05 PM');
  });

  it('when days are counted, summer time does not matter', () => {
    expect(daysBetween('2026-03-20', '2026-04-01')).toBe(12);
    expect(daysBetween(null, '2026-04-01')).toBeNull();
  });

  it.each([
    [{ timezone_id: null, value: '14:00' }, '2026-11-24 14:00:00'],
    ['14:00:00', '2026-11-24 14:00:00'],
    [{ timezone_id: null, value: '' }, '2026-11-24'],
    [null, '2026-11-24'],
  ])('when the due time is %j, the due moment is %s', (time, due) => {
    expect(dueOf('2026-11-24', time)).toBe(due);
  });
});
