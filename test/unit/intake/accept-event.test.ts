/** What becomes of a verified body: stored, known already, of no interest, or no webhook. */

import { makeAcceptEvent, type NewEvent } from '../../../src/intake/accept-event';
import { tenantId } from '../../../src/core/tenant';
import { aDealWebhook, aWebhook } from '../../support/builders';

const TENANT = tenantId(7);

function anIntake(answer: 'accepted' | 'duplicate' | 'orphan' = 'accepted') {
  const inserted: NewEvent[] = [];
  const rung: number[] = [];
  const insert = (event: NewEvent) => {
    inserted.push(event);
    return Promise.resolve(answer);
  };
  const bell = { ringRoute: (id: number) => void rung.push(id), ringDeliver: () => undefined };
  return { accept: makeAcceptEvent({ insert, bell }), inserted, rung };
}

test('when an event is new, then it is stored as it came and the bell is rung', async () => {
  const { accept, inserted, rung } = anIntake();
  const { body } = aDealWebhook();

  expect(await accept(TENANT, body)).toEqual({ status: 'accepted' });

  expect(inserted).toMatchObject([{ tenantId: TENANT, payload: body, ignoredReason: null, event: { entityId: '8' } }]);
  expect(rung).toEqual([TENANT]);
});

test.each(['duplicate', 'orphan'] as const)('when the event is a %s, then no bell is rung', async (status) => {
  const { accept, rung } = anIntake(status);

  expect(await accept(TENANT, aDealWebhook().body)).toEqual({ status });

  expect(rung).toEqual([]);
});

test('when the object is of no interest, then nothing is stored', async () => {
  const { accept, inserted, rung } = anIntake();

  const acceptance = await accept(TENANT, aWebhook({ entity: 'product', data: {} }).body);

  expect(acceptance).toEqual({ status: 'ignored', reason: expect.stringContaining('product') });
  expect([inserted, rung]).toEqual([[], []]);
});

test('when the body has the v1 format, then it is stored as ignored with the reason', async () => {
  const { accept, inserted, rung } = anIntake();
  const body = Buffer.from(
    JSON.stringify({ v: 1, meta: { action: 'updated', object: 'deal', id: 8, timestamp: 1 }, current: {} }),
  );

  const acceptance = await accept(TENANT, body);

  expect(acceptance).toEqual({ status: 'ignored', reason: expect.stringContaining('v1') });
  expect(inserted).toMatchObject([{ ignoredReason: expect.stringContaining('v1') }]);
  expect(rung).toEqual([]);
});

test('when the body is no webhook, then it is invalid and not stored', async () => {
  const { accept, inserted } = anIntake();

  expect(await accept(TENANT, Buffer.from('{}'))).toEqual({ status: 'invalid', reason: expect.any(String) });

  expect(inserted).toEqual([]);
});

test('when the store is down, then the caller hears of it and no bell is rung', async () => {
  const rung: number[] = [];
  const accept = makeAcceptEvent({
    insert: () => Promise.reject(new Error('down')),
    bell: { ringRoute: (id) => void rung.push(id), ringDeliver: () => undefined },
  });

  await expect(accept(TENANT, aDealWebhook().body)).rejects.toThrow('down');

  expect(rung).toEqual([]);
});
