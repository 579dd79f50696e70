/** A test message takes its turn in the space like any other, and not before it can be posted. */

import { AppError, SECRET_UNREADABLE } from '../../../src/core/errors';
import { tenantId } from '../../../src/core/tenant';
import { makeSendTest, type TestResult } from '../../../src/delivery/send-test';
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

/** A test that goes into a space that rests for so long, as the message before left it. */
async function testAtRest(rest: string, health: string): Promise<TestResult> {
  await ledger.addDestination({ health });
  await ledger.query(`INSERT INTO google_spaces (space_id, next_slot_at) VALUES ('A', now() + $1::interval)`, [rest]);
  const sendTest = makeSendTest({
    store: makeTestStore(testDatabase.database),
    openDestination: () => Promise.resolve({ key: 'key', token: 'token' }),
    post: () => Promise.reject(new Error('nothing is posted')),
    settings: { spaceIntervalMs: 1000, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    clock: () => new Date(),
  });
  return await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });
}

test.each([
  ['60 seconds', 'throttled', /^Google Chat has asked Dealbell to wait before .* Try again in about [3-6]\d seconds\.$/],
  ['5 minutes', 'throttled', /^Google Chat has asked Dealbell to wait before .* Try again in about 5 minutes\.$/],
  ['60 seconds', 'doubtful', /^Google Chat did not take what was last sent .* Try again in about [3-6]\d seconds\.$/],
])(
  'when the space rests for %s and its destination is %s, then a test says who lets it wait and how long about',
  async (rest, health, words) => {
    expect(await testAtRest(rest, health)).toEqual({
      status: 'failure',
      httpStatus: null,
      errorMessage: expect.stringMatching(words),
    });
  },
);

test('when others write into the space all the time, then a test says that it is busy with them', async () => {
  await ledger.addDestination();
  const sendTest = makeSendTest({
    store: {
      ...makeTestStore(testDatabase.database),
      reserveSlot: () => Promise.resolve({ kind: 'busy', waitMs: 6_000, restMs: 900, isThrottled: false }),
    },
    openDestination: () => Promise.resolve({ key: 'key', token: 'token' }),
    post: () => Promise.reject(new Error('nothing is posted')),
    settings: { spaceIntervalMs: 1000, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    clock: () => new Date(),
  });

  const result = await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });

  expect(result).toMatchObject({ status: 'failure', errorMessage: expect.stringContaining('busy with other messages') });
});

test('when Google Chat answers a test with a time to wait, then its space rests for that time, for the messages too', async () => {
  await ledger.addDestination();
  const sendTest = makeSendTest({
    store: makeTestStore(testDatabase.database),
    openDestination: () => Promise.resolve({ key: 'key', token: 'token' }),
    post: () => Promise.resolve({ kind: 'busy', httpStatus: 429, reason: 'HTTP 429', retryAfterMs: 60_000 }),
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    clock: () => new Date(),
  });

  await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });

  const { rows } = await ledger.query(`SELECT next_slot_at > now() + interval '10 seconds' AS rests FROM google_spaces`);
  expect(rows).toEqual([{ rests: true }]);
});
