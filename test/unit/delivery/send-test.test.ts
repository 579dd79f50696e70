/** A test message takes its turn in the space like any other, not before it can be posted, and seldom before messages that wait. */

import { AppError, SECRET_UNREADABLE } from '../../../src/core/errors';
import { tenantId } from '../../../src/core/tenant';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import { makeSendTest, type TestResult } from '../../../src/delivery/send-test';
import { makeTestStore } from '../../../src/delivery/test-message.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const WISH = { intervalMs: 1_000, cutInEveryMs: 10_000, withinMs: 5_000 };

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
    onFreed: () => undefined,
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
    onFreed: () => undefined,
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
    onFreed: () => undefined,
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
    onFreed: () => undefined,
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
    onFreed: () => undefined,
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
    onFreed: () => undefined,
    clock: () => new Date(),
  });

  await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });

  const { rows } = await ledger.query(`SELECT next_slot_at > now() + interval '10 seconds' AS rests FROM google_spaces`);
  expect(rows).toEqual([{ rests: true }]);
});

/** A message is due in space A, and its slot is free unless said otherwise; the space is as `columns` say. */
async function givenMessagesWait(columns: Readonly<Record<string, string>> = {}) {
  await ledger.addDelivery({ not_before: new Date(0) });
  const space = { next_slot_at: `'epoch'`, due_at: `'epoch'`, is_waiting: 'true', ...columns };
  await ledger.query(
    `INSERT INTO google_spaces (space_id, ${Object.keys(space).join(', ')}) VALUES ('A', ${Object.values(space).join(', ')})`,
  );
}

/** A test to destination 1 by a person whose patience lasts for three looks; Chat takes it. */
async function sendOnce() {
  const posted: string[] = [];
  const freed: string[] = [];
  let looks = 0;
  const sendTest = makeSendTest({
    store: makeTestStore(testDatabase.database),
    openDestination: () => Promise.resolve({ key: 'key', token: 'token' }),
    post({ spaceId }) {
      posted.push(spaceId);
      return Promise.resolve({ kind: 'sent', httpStatus: 200, messageName: 'spaces/A/messages/1', threadName: null });
    },
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 0 },
    onHealed: () => undefined,
    onFreed: (spaceId) => freed.push(spaceId),
    clock: () => new Date((looks += 1) * 2_000),
  });
  const result = await sendTest({ tenantId: tenantId(ledger.tenant), chatWebhookId: 1 });
  return { posted, freed, result };
}

const BUSY = {
  status: 'failure',
  httpStatus: null,
  errorMessage: expect.stringContaining('The space is busy with other messages'),
};

test('when messages wait in a space where nothing cut in lately, then a test does, and the sender is told when it is over', async () => {
  await ledger.addDestination();
  await givenMessagesWait();

  const { posted, freed, result } = await sendOnce();

  expect(result).toMatchObject({ status: 'success' });
  expect([posted, freed]).toEqual([['A'], ['A']]);
});

test.each([
  ['are due', {}],
  ['will be due before it were over', { due_at: `now() + interval '900 milliseconds'` }],
])(
  'when messages %s in a space where a test cut in a moment ago, then another one leaves its slots to them',
  async (_when, due) => {
    await ledger.addDestination();
    await givenMessagesWait({ cut_in_at: `now() - interval '5 seconds'`, ...due });
    const store = makeTestStore(testDatabase.database);

    const slot = await store.reserveSlot('A', WISH);

    expect(slot).toMatchObject({ kind: 'busy', waitMs: 1_000 });
  },
);

test('when a test gets no slot in its patience, because messages go first, then it says that the space is busy', async () => {
  await ledger.addDestination();
  await givenMessagesWait({ cut_in_at: `now() - interval '5 seconds'` });

  const { posted, result } = await sendOnce();

  expect(result).toEqual(BUSY);
  expect(posted).toEqual([]);
});

test.each([
  ['was refused lately', 1, []],
  ['is in order', 0, ['A']],
])(
  'when messages wait and something cut in half a minute ago, then a destination that %s is tried accordingly',
  async (_what, refusals, posts) => {
    await ledger.addDestination({ refusals });
    await givenMessagesWait({ cut_in_at: `now() - interval '30 seconds'` });

    const { posted } = await sendOnce();

    expect(posted).toEqual(posts);
  },
);

test.each([
  ['nothing waits', { is_waiting: 'false', due_at: 'NULL' }],
  ['nothing is due', { due_at: `now() + interval '1 minute'` }],
])('when %s in a space, then a test takes its slot, however lately one did, and may cut in later', async (_what, columns) => {
  await ledger.addDestination();
  await givenMessagesWait({ cut_in_at: `now() - interval '5 seconds'`, ...columns });

  const { result } = await sendOnce();

  expect(result).toMatchObject({ status: 'success' });
  expect((await ledger.query(`SELECT cut_in_at < now() - interval '4 seconds' AS "asBefore" FROM google_spaces`)).rows).toEqual([
    { asBefore: true },
  ]);
});

test('when the slot of a busy space is still to come, then a test has it ahead of the messages, and the next one is theirs', async () => {
  await ledger.addDestination();
  await givenMessagesWait({ next_slot_at: `now() + interval '1 second'` });
  const store = makeTestStore(testDatabase.database);
  const { claimDue } = makeDeliveryStore(testDatabase.database);
  const comes = (lease: string | null) =>
    ledger.query(`UPDATE google_spaces SET next_slot_at = 'epoch', lease_until = $1::timestamptz`, lease);

  const mine = await store.reserveSlot('A', WISH);
  const others = await store.reserveSlot('A', WISH);
  await comes(mine.kind === 'taken' ? mine.lease : null);
  const meanwhile = await claimDue(1);
  await comes(null);
  const another = await store.reserveSlot('A', WISH);
  const afterwards = await claimDue(1);

  expect(mine).toEqual({ kind: 'taken', lease: expect.any(String), waitMs: expect.any(Number) });
  expect([others.kind, another.kind]).toEqual(['busy', 'busy']);
  expect([meanwhile.claimed.length, afterwards.claimed.length]).toEqual([0, 1]);
});

test('when its slot comes later than it is waited for, then nothing cuts in, and says when', async () => {
  await ledger.addDestination();
  await givenMessagesWait({ next_slot_at: `now() + interval '1 minute'` });
  const store = makeTestStore(testDatabase.database);

  const slot = await store.reserveSlot('A', WISH);

  expect(slot.kind).toBe('busy');
  expect(slot.waitMs).toBeGreaterThan(WISH.withinMs);
});

test('when the clock was set back since something cut in, then a test may', async () => {
  await ledger.addDestination();
  await givenMessagesWait({ cut_in_at: `now() + interval '3 days'` });

  expect((await sendOnce()).result).toMatchObject({ status: 'success' });
});
