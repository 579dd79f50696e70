/** Sent messages by day: counted once, in the company's days. */

import { tenantId } from '../../../src/core/tenant';
import { makeCountSent } from '../../../src/settings/overview.store';
import { sentDays } from '../../../src/settings/sent-days';
import { makeApiFixture } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
const berlin = {
  ...{ id: tenantId(1), companyId: 1, companyName: 'Acme', companyDomain: 'acme', locale: 'en_GB', baseCurrency: 'EUR' },
  timeZone: 'Europe/Berlin',
};

test('when messages were sent about midnight, then they count for the company’s day, not that of UTC', () => {
  const quarters = [
    { at: new Date('2026-11-24T22:45:00Z'), count: 3 },
    { at: new Date('2026-11-24T23:00:00Z'), count: 5 },
  ];

  const days = sentDays(quarters, berlin, new Date('2026-11-25T12:00:00Z'), 3);

  expect(days.map(({ name, count }) => [name, count])).toEqual([
    ['Mon', 0],
    ['Tue', 3],
    ['Wed', 5],
  ]);
});

test('when a day has 25 hours, then it is still one day', () => {
  const days = sentDays([], berlin, new Date('2026-10-26T23:30:00+01:00'), 4);

  expect(days.map(({ longName }) => longName)).toEqual([
    'Friday 23 October',
    'Saturday 24 October',
    'Sunday 25 October',
    'Monday 26 October',
  ]);
});

test('when the zone is half an hour off, then the days are too', () => {
  const india = { ...berlin, timeZone: 'Asia/Kolkata' };

  const days = sentDays([{ at: new Date('2026-11-24T18:30:00Z'), count: 1 }], india, new Date('2026-11-25T12:00:00Z'), 2);

  expect(days.map(({ count }) => count)).toEqual([0, 1]);
});

test('when it is counted again, then what is new is there, what is past stays, and others’ messages are none of it', async () => {
  const { pool } = testDatabase.database;
  const fixture = makeApiFixture(testDatabase.database);
  const [own, other] = [await fixture.addTenant(), await fixture.addTenant()];
  let now = new Date('2026-11-25T12:00:00Z');
  const countSent = makeCountSent(pool, () => now);
  const add = (id: number, at: string, status = 'success', deliveryId: number | null = 1) =>
    pool.query('INSERT INTO logs (tenant_id, delivery_id, status, duration_ms, created_at) VALUES ($1, $2, $3, 1, $4)', [
      id,
      deliveryId,
      status,
      at,
    ]);
  const since = new Date('2026-11-20T00:00:00Z');
  await add(own.id, '2026-11-19T23:59:00Z');
  await add(own.id, '2026-11-21T08:01:00Z');
  await add(own.id, '2026-11-21T08:14:00Z');
  await add(own.id, '2026-11-21T08:20:00Z', 'failure');
  await add(own.id, '2026-11-21T08:21:00Z', 'success', null);
  await add(other.id, '2026-11-21T08:05:00Z');

  const first = await countSent(own.id, since);
  await add(own.id, '2026-11-25T11:55:00Z');
  now = new Date('2026-11-25T12:10:00Z');
  const second = await countSent(own.id, since);
  const third = await countSent(own.id, new Date('2026-11-22T00:00:00Z'));

  const past = { at: new Date('2026-11-21T08:00:00Z'), count: 2 };
  const recent = { at: new Date('2026-11-25T11:45:00Z'), count: 1 };
  expect([first, second, third]).toEqual([[past], [past, recent], [recent]]);
});
