/** A test message takes its turn in the space like any other, and not before it can be posted. */

import { AppError, SECRET_UNREADABLE } from '../../../src/core/errors';
import { tenantId } from '../../../src/core/tenant';
import { makeSendTest } from '../../../src/delivery/send-test';
import { makeTestStore } from '../../../src/delivery/test-message.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);

test('when the key of the destination cannot be opened, then it says so, the destination is broken, and its space stays free for others', async () => {
  await ledger.addDestination();
  const sendTest = makeSendTest({
    store: makeTestStore(testDatabase.database),
    openDestination: () => Promise.reject(new AppError(SECRET_UNREADABLE, 'A stored secret cannot be opened.')),
    post: () => Promise.reject(new Error('nothing is posted')),
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    clock: () => new Date(),
  });

  const result = await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });

  expect(result).toMatchObject({ status: 'failure', errorMessage: expect.stringContaining('Replace its URL') });
  expect((await ledger.query('SELECT FROM google_spaces WHERE lease_until IS NOT NULL')).rows).toEqual([]);
  expect((await ledger.query('SELECT health, health_reason AS reason FROM chat_webhooks')).rows).toEqual([
    { health: 'broken', reason: result.errorMessage },
  ]);
  expect((await ledger.query('SELECT FROM logs')).rows).toEqual([]);
});

test('when it took longer than its lease, then its space and the next slot stay with whoever has them by then', async () => {
  await ledger.addDestination();
  const sendTest = makeSendTest({
    store: makeTestStore(testDatabase.database),
    openDestination: () => Promise.resolve({ key: 'key', token: 'token' }),
    async post() {
      await ledger.query(
        `UPDATE google_spaces SET lease_until = now() + interval '14 seconds', next_slot_at = now() + interval '5 seconds'`,
      );
      return { kind: 'sent', httpStatus: 200, messageName: 'spaces/A/messages/1', threadName: null };
    },
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    clock: () => new Date(),
  });

  await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });

  const { rows } = await ledger.query(
    `SELECT lease_until > now() AS "isLeased", next_slot_at > now() + interval '1 second' AS "isLater" FROM google_spaces`,
  );
  expect(rows).toEqual([{ isLeased: true, isLater: true }]);
});

test('when the health of the destination is a word that is not known, then a test that arrives mends it', async () => {
  await ledger.addDestination({ health: 'enchanted' });
  const sendTest = makeSendTest({
    store: makeTestStore(testDatabase.database),
    openDestination: () => Promise.resolve({ key: 'key', token: 'token' }),
    post: () => Promise.resolve({ kind: 'sent', httpStatus: 200, messageName: 'spaces/A/messages/1', threadName: null }),
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    clock: () => new Date(),
  });

  await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });

  expect((await ledger.query('SELECT health FROM chat_webhooks')).rows).toEqual([{ health: 'healthy' }]);
});
