/** The sender over a real ledger and a stand-in Chat: what outlives its lease is noticed, what cannot be prepared keeps nobody waiting. */

import { pino } from 'pino';
import { makeGoogleChat } from '../../../src/clients/google-chat';
import type { DeliveryOutcome } from '../../../src/core/delivery';
import type { TenantId } from '../../../src/core/tenant';
import { makeDeliverDue } from '../../../src/delivery/deliver-due';
import { makeDeliveryStore } from '../../../src/delivery/delivery.store';
import type { ClaimedDelivery } from '../../../src/delivery/delivery-ledger';
import { makeFoldStore } from '../../../src/delivery/fold.store';
import { FRESH_MS, LEASE_MS } from '../../../src/delivery/lease';
import { makeSetAsideStore } from '../../../src/delivery/set-aside.store';
import { settleAttempt, settleSlow, settleUnprepared, settleUnsent } from '../../../src/delivery/settle-attempt';
import type { Database } from '../../../src/platform/database';
import { databaseTrouble } from '../../../src/platform/database-errors';
import { startFakeGoogleChat, type FakeGoogleChat } from '../../fakes/google-chat/fake-google-chat';
import { addTenant } from '../../support/tenant-row';
import { useTestDatabase } from '../../support/test-database';
import { waitUntil } from '../../support/wait-until';

const CHAT_LIMIT_MS = 1_000;

const testDatabase = useTestDatabase();
const query = (sql: string, ...values: unknown[]) => testDatabase.database.pool.query(sql, values);
let chat: FakeGoogleChat;
let tenant: TenantId;
let spaceId: string;
let url: URL;

beforeAll(async () => {
  chat = await startFakeGoogleChat();
});
afterAll(() => chat.close());

beforeEach(async () => {
  await testDatabase.clear();
  chat.clear();
  tenant = await addTenant(testDatabase.database);
  spaceId = chat.createSpace({ name: 'Wins' }).id;
  url = new URL(chat.createWebhook(spaceId).url);
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ($1, 'epoch', true)`, spaceId);
  await query(
    `INSERT INTO chat_webhooks (id, tenant_id, name, space_id, sealed_credentials, credentials_digest, updated_at)
     VALUES (1, $1, 'Wins', $2, 'sealed', '', now())`,
    ...[tenant, spaceId],
  );
  await owe(1);
});

/** A message about a deal of its own. */
const owe = (id: number) =>
  query(
    `INSERT INTO deliveries (id, tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at,
                             template_mode, not_before, request_id)
     VALUES ($1, $2, $1, 1, 1, $3, 'deal', $1::bigint::text, '{"type": "deal.won", "changes": []}', '{}', now(), 'compact', now() - interval '1 second', gen_random_uuid())`,
    ...[id, tenant, spaceId],
  );

/** Ids of messages, and with what failure. */
interface Faults {
  readonly cannotScreen?: readonly number[];
  readonly cannotPrepare?: readonly number[];
  readonly cannotPost?: readonly number[];
  readonly failure?: Error;
  /** What happens before a preparation fails. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** Its messages have their turn when `open` is called: until then Chat hangs for so many others. Its clock is turned by hand. */
function aWorker({
  cannotScreen = [],
  cannotPrepare = [],
  cannotPost = [],
  failure = new Error('it is odd'),
  meanwhile = () => Promise.resolve(),
}: Faults = {}) {
  let open = (): void => undefined;
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  let now = 0;
  let waiting = 0;
  let renewals = 0;
  let failures = 0;
  const fail = async (): Promise<never> => {
    await meanwhile();
    failures += 1;
    throw failure;
  };
  const post = makeGoogleChat(chat.url, CHAT_LIMIT_MS);
  const store = makeDeliveryStore(testDatabase.database);
  const deliverDue = makeDeliverDue({
    store: {
      ...store,
      renew(...claim) {
        renewals += 1;
        return store.renew(...claim);
      },
    },
    record: (attempt) => store.record([attempt]),
    screenDue: (delivery) => (cannotScreen.includes(delivery.id) ? fail() : Promise.resolve(delivery)),
    databaseTrouble,
    mendFold: () => Promise.resolve(false),
    renderBodies: (_tenant, deliveries) =>
      deliveries.some(({ id }) => cannotPrepare.includes(id))
        ? fail()
        : Promise.resolve(new Map(deliveries.map(({ id }) => [id, '{"text":"Won"}']))),
    postBody: async ({ id, requestId }, body, isThreaded, onWritten) => {
      if (cannotPost.includes(id)) throw failure;
      const credentials = { key: url.searchParams.get('key') ?? '', token: url.searchParams.get('token') ?? '' };
      return await post({ url: { spaceId, ...credentials }, requestId, body, isThreaded, onWritten });
    },
    log: pino({ level: 'silent' }),
    concurrency: 1,
    makeTurnstile: () => async (work) => {
      waiting += 1;
      await isOpen;
      return await work();
    },
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 20_000, firstProbeMs: 300_000 },
    nowMs: () => now,
    jitter: () => 0,
  });
  return {
    open,
    renewals: () => renewals,
    failures: () => failures,
    pass: (ms: number) => {
      now += ms;
    },
    async claim() {
      await deliverDue.wake();
      await waitUntil('it waits for its turn', () => waiting === 1);
    },
    wake: () => deliverDue.wake(),
    close: () => deliverDue.close(),
  };
}

const runOut = () => query(`UPDATE google_spaces SET lease_until = now() - interval '1 second'`);
const isLeased = async () => (await query('SELECT coalesce(lease_until > now(), false) AS is FROM google_spaces')).rows[0].is;
const delivery = async () => (await query('SELECT state, attempts, uncertain FROM deliveries')).rows[0];
const putOff = async () => (await query('SELECT not_before FROM deliveries')).rows[0];

test('when its lease ran out while a message waited and another worker posted it, then it is posted once', async () => {
  const [slow, quick] = [aWorker(), aWorker()];
  await slow.claim();
  await runOut();
  slow.pass(LEASE_MS + 1_000);
  await quick.claim();
  quick.open();
  await quick.close();

  slow.open();
  await slow.close();

  expect(chat.requests).toHaveLength(1);
  expect(await delivery()).toEqual({ state: 'sent', attempts: 1, uncertain: 0 });
});

test('when another worker has claimed it and waits for its turn too, then that one posts it, and nobody takes the space from it', async () => {
  const [slow, next] = [aWorker(), aWorker()];
  await slow.claim();
  await runOut();
  slow.pass(LEASE_MS + 1_000);
  await next.claim();

  slow.open();
  await slow.close();
  const isHeld = await isLeased();
  next.open();
  await next.close();

  expect(isHeld).toBe(true);
  expect(chat.requests).toHaveLength(1);
  expect(await delivery()).toEqual({ state: 'sent', attempts: 1, uncertain: 0 });
});

test('when its lease ran out and nobody took the space, then it is taken anew before the post', async () => {
  const slow = aWorker();
  chat.failNext({ spaceId, hang: true });
  await slow.claim();
  await runOut();
  slow.pass(LEASE_MS + 1_000);

  slow.open();
  await waitUntil('Chat was asked', () => chat.requests.length === 1);

  const { rows } = await query(
    `SELECT lease_until - now() > $1 * interval '1 millisecond' AS "isLong" FROM google_spaces`,
    LEASE_MS - 1_000,
  );
  expect(rows).toEqual([{ isLong: true }]);
  expect(slow.renewals()).toBe(1);
  await slow.close();
  expect(await isLeased()).toBe(false);
});

test('when its turn comes soon enough, then nothing is asked for its lease, and the wait is no part of the attempt', async () => {
  const worker = aWorker();
  await worker.claim();
  worker.pass(FRESH_MS);

  worker.open();
  await worker.close();

  expect(worker.renewals()).toBe(0);
  expect((await query('SELECT duration_ms AS ms FROM logs')).rows).toEqual([{ ms: 0 }]);
  expect(await delivery()).toEqual({ state: 'sent', attempts: 1, uncertain: 0 });
});

test('when its destination moved into another space while it waited, then it is not posted to the former one', async () => {
  const slow = aWorker();
  await slow.claim();
  slow.pass(FRESH_MS + 1_000);
  await query(`INSERT INTO google_spaces (space_id) VALUES ('elsewhere')`);
  await query(`UPDATE deliveries SET space_id = 'elsewhere'`);

  slow.open();
  await slow.close();

  expect(chat.requests).toEqual([]);
  expect(await delivery()).toEqual({ state: 'sending', attempts: 0, uncertain: 0 });
});

const HOLD = { kind: 'hold', heldFor: 'quiet', until: new Date(), reason: 'Quiet hours.' } as const;

const PAUSED = { state: 'held', reason: 'Paused.', heldBecause: 'paused' } as const;

test.each<[string, (database: Database, claim: ClaimedDelivery) => Promise<void>]>([
  ['was changed', (database, claim) => makeDeliveryStore(database).release(claim)],
  ['waits for the rest of a burst', (database, claim) => makeFoldStore(database).putOff(claim, 0)],
  ['waits for an earlier one', (database, claim) => makeFoldStore(database).putOffAlone(claim, 60_000)],
  ['came in quiet hours', (database, claim) => makeSetAsideStore(database.pool).setAside(claim, HOLD, new Date())],
  ['cannot be prepared', (database, claim) => makeDeliveryStore(database).record([settleUnprepared(claim, 0)])],
  ['finds a paused destination', (database, claim) => makeDeliveryStore(database).record([settleUnsent(claim, PAUSED)])],
])(
  'when a claimed message %s and its space was lost meanwhile, then that and the message stay with whoever has them',
  async (_what, giveBack) => {
    const { database } = testDatabase;
    const store = makeDeliveryStore(database);
    const claim = async () => {
      const [delivery] = (await store.claimDue(1)).claimed;
      if (delivery === undefined) throw new Error('nothing was claimed');
      return delivery;
    };
    const lost = await claim();
    await runOut();
    const own = await claim();
    const isMine = async () => (await store.freeze([{ delivery: own, body: '{}' }]))[0] === true;

    await giveBack(database, lost);
    const after = [await isLeased(), await isMine()];
    await giveBack(database, own);

    expect(after).toEqual([true, true]);
    expect(await isLeased()).toBe(false);
  },
);

const ATTEMPT = { durationMs: 16_000, isThreaded: false, jitter: 0 };
const SETTINGS = { spaceIntervalMs: 60_000, refusalConfirmMs: 20_000, firstProbeMs: 300_000 };

test.each<[string, DeliveryOutcome]>([
  ['was sent', { kind: 'sent', httpStatus: 200, messageName: 'm', threadName: null }],
  ['was not answered', { kind: 'unreachable', httpStatus: null, reason: 'no answer' }],
])(
  'when what took so long that its space was lost meanwhile %s, then the space stays with whoever has it, and its next slot keeps its distance',
  async (_what, outcome) => {
    const store = makeDeliveryStore(testDatabase.database);
    const claim = async () => {
      const [delivery] = (await store.claimDue(1)).claimed;
      if (delivery === undefined) throw new Error('nothing was claimed');
      return delivery;
    };
    const attempt = async (posted: ClaimedDelivery, spaceIntervalMs = SETTINGS.spaceIntervalMs) =>
      store.record([settleAttempt(posted, outcome, ATTEMPT, { ...SETTINGS, spaceIntervalMs })]);
    const slotMinutes = async () =>
      (await query(`SELECT round(extract(epoch FROM next_slot_at - now()) / 60)::int AS in FROM google_spaces`)).rows[0].in;
    const lost = await claim();
    await runOut();
    const own = await claim();

    await attempt(lost);
    const after = [await isLeased(), await slotMinutes()];
    await attempt(own, 0);

    expect(after).toEqual([true, 1]);
    expect([await isLeased(), await slotMinutes()]).toEqual([false, 1]);
  },
);

test('when others are folded into a message that another worker is posting by now, then they stay by themselves', async () => {
  const { database } = testDatabase;
  const store = makeDeliveryStore(database);
  await owe(2);
  const [lost] = (await store.claimDue(1)).claimed;
  await runOut();
  const [own] = (await store.claimDue(1)).claimed;
  if (lost === undefined || own === undefined) throw new Error('nothing was claimed');
  await store.freeze([{ delivery: own, body: '{}' }]);

  await makeFoldStore(database).fold(lost, false, (head, due) => [
    { leadId: head.id, memberIds: due.flatMap(({ id }) => (id === head.id ? [] : [id])) },
  ]);

  expect((await query('SELECT id::int, state FROM deliveries ORDER BY id')).rows).toEqual([
    { id: 1, state: 'sending' },
    { id: 2, state: 'queued' },
  ]);
});

test.each([
  ['looked at', { cannotScreen: [1] }],
  ['prepared', { cannotPrepare: [1] }],
])(
  'when a message cannot be %s, then the next of its space goes, nothing is said against either, and it stands aside as not posted',
  async (_what, faults) => {
    await owe(2);
    const worker = aWorker(faults);
    worker.open();

    await worker.wake();
    await waitUntil('the other is sent', () => chat.requests.length === 1);
    await waitUntil(
      'all is recorded',
      async () => (await query(`SELECT FROM deliveries WHERE state = 'sent'`)).rows.length === 1,
    );
    await worker.close();

    const { rows } = await query(
      `SELECT d.id::int, d.state, d.attempts, d.uncertain, d.not_before > now() AS "isAside", g.troubles, w.health
       FROM deliveries d JOIN google_spaces g ON g.space_id = d.space_id JOIN chat_webhooks w ON w.id = d.chat_webhook_id ORDER BY d.id`,
    );
    const space = { troubles: 0, health: 'healthy' };
    expect(rows).toEqual([
      { id: 1, state: 'queued', attempts: 1, uncertain: 0, isAside: true, ...space },
      { id: 2, state: 'sent', attempts: 1, uncertain: 0, isAside: false, ...space },
    ]);
  },
);

test.each([
  ['a message', `UPDATE deliveries SET transition = '{"type": "deal.sung_of", "changes": []}' WHERE id = 1`],
  ['a destination', `UPDATE chat_webhooks SET quiet_hours = '{"moon": "full"}' WHERE id = 1`],
])(
  'when a newer version wrote %s that this one cannot read, then it says so, and others of that very space go',
  async (_what, write) => {
    await query(
      `INSERT INTO chat_webhooks (id, tenant_id, name, space_id, sealed_credentials, credentials_digest, updated_at)
     VALUES (2, $1, 'Other', $2, 'sealed', 'other', now())`,
      ...[tenant, spaceId],
    );
    await owe(2);
    await query('UPDATE deliveries SET chat_webhook_id = 2 WHERE id = 2');
    await query(write);
    const worker = aWorker();
    worker.open();

    await worker.wake();
    await worker.wake();
    await waitUntil(
      'the other is sent',
      async () => (await query(`SELECT FROM deliveries WHERE state = 'sent'`)).rows.length === 1,
    );
    await worker.close();

    const { rows } = await query(
      `SELECT id::int, state, state_reason AS reason, not_before > now() AS "isAside" FROM deliveries ORDER BY id`,
    );
    expect(rows).toEqual([
      { id: 1, state: 'queued', reason: expect.stringContaining('cannot read the message'), isAside: true },
      { id: 2, state: 'sent', reason: null, isAside: false },
    ]);
  },
);

test('when a message cannot be posted for whatever else than its key, then others of its space go, and it is tried again as not posted', async () => {
  await owe(2);
  const worker = aWorker({ cannotPost: [1] });
  worker.open();

  await worker.wake();
  await waitUntil(
    'the other is sent',
    async () => (await query(`SELECT FROM deliveries WHERE state = 'sent'`)).rows.length === 1,
  );
  await worker.close();

  const { rows } = await query(
    `SELECT id::int, state, attempts, uncertain, not_before > now() AS "isAside", state_reason AS reason FROM deliveries ORDER BY id`,
  );
  expect(rows).toEqual([
    { id: 1, state: 'queued', attempts: 1, uncertain: 0, isAside: true, reason: expect.stringContaining('tried again') },
    { id: 2, state: 'sent', attempts: 1, uncertain: 0, isAside: false, reason: null },
  ]);
  expect((await query('SELECT health FROM chat_webhooks')).rows).toEqual([{ health: 'healthy' }]);
});

test('when a message could not be read for a day, then it is given up with the reason, and the next of its record goes', async () => {
  await owe(2);
  await query(`UPDATE deliveries SET entity_id = '1', created_at = now() - interval '1 day', attempts = 19`);
  await query(`UPDATE deliveries SET transition = '{"type": "deal.sung_of", "changes": []}' WHERE id = 1`);
  const worker = aWorker();
  worker.open();

  await worker.wake();
  await waitUntil('the next is sent', async () => (await query(`SELECT FROM deliveries WHERE state = 'sent'`)).rows.length === 1);
  await worker.close();

  expect((await query('SELECT id::int, state, state_reason AS reason FROM deliveries ORDER BY id')).rows).toEqual([
    { id: 1, state: 'failed', reason: 'The message could not be prepared within 24 hours.' },
    { id: 2, state: 'sent', reason: null },
  ]);
});

test('when a destination cannot be read, then all that is due there by a rule stands aside at once, and none of it is given up', async () => {
  for (const id of [2, 3]) await owe(id);
  await query(`UPDATE deliveries SET created_at = now() - interval '1 day', attempts = 19`);
  await query(`UPDATE chat_webhooks SET quiet_hours = '{"moon": "full"}'`);
  const { claimed, unreadable } = await makeDeliveryStore(testDatabase.database).claimDue(5);

  expect([claimed, unreadable.map(({ id }) => id)]).toEqual([[], [1]]);
  const { rows } = await query(`SELECT state, attempts, not_before > now() AS "isAside" FROM deliveries`);
  expect(rows).toEqual(Array.from({ length: 3 }, () => ({ state: 'queued', attempts: 19, isAside: true })));
});

test.each([
  ['a destination', `UPDATE chat_webhooks SET quiet_hours = '{"moon": "full"}'`, true, '2 hours'],
  ['a rule', `UPDATE rules SET digest = '{"moon": "full"}'`, true, '1 hour'],
  [
    'a destination, by a clock that may just have jumped,',
    `UPDATE chat_webhooks SET quiet_hours = '{"moon": "full"}'`,
    false,
    '2 hours',
  ],
])(
  'when %s cannot be read for longer than the destination lets messages wait, then what is due by it is given up with the reason, if that is sure',
  async (_what, write, isSure, hours) => {
    await owe(2);
    await query(
      `INSERT INTO rules (id, tenant_id, name, event_type) SELECT rule_id, $1, 'Wins', 'deal.won' FROM deliveries WHERE id = 1`,
      tenant,
    );
    await query(write);
    await query('UPDATE chat_webhooks SET hold_hours = $1', Number.parseInt(hours));
    await query(
      `INSERT INTO heartbeats (service, beat_at) VALUES ('expiry', now() - interval '${isSure ? '1 minute' : '2 hours'}')`,
    );
    const store = makeDeliveryStore(testDatabase.database);
    await store.claimDue(5);
    await query(
      `UPDATE deliveries SET not_before = now() - interval '1 second', waiting_since = waiting_since - interval '1 hour' * CASE id WHEN 1 THEN 3 ELSE 0.5 END`,
    );
    await query(`UPDATE google_spaces SET due_at = 'epoch', next_slot_at = 'epoch', is_waiting = true`);

    await store.claimDue(5);

    const { rows } = await query('SELECT id::int, state, state_reason AS reason FROM deliveries ORDER BY id');
    const waits = { state: 'queued', reason: expect.stringContaining('it is tried again') };
    expect(rows).toEqual([
      isSure
        ? { id: 1, state: 'failed', reason: `Dealbell could not read its rule or space for ${hours}.` }
        : { id: 1, ...waits },
      { id: 2, ...waits },
    ]);
  },
);

test.each([
  ['looked at', { cannotScreen: [1] }],
  ['prepared', { cannotPrepare: [1] }],
])(
  'when a message could not be %s for as long as its destination lets messages wait, then it is given up with the reason',
  async (_what, faults) => {
    await query(`UPDATE deliveries SET created_at = now() - interval '2 hours', attempts = 19`);
    await query('UPDATE chat_webhooks SET hold_hours = 2');
    const worker = aWorker(faults);

    await worker.wake();
    await worker.close();

    expect((await query('SELECT state, state_reason AS reason FROM deliveries')).rows).toEqual([
      { state: 'failed', reason: 'The message could not be prepared within 2 hours.' },
    ]);
  },
);

test('when a message could not be prepared for a day, then it is given up with the reason', async () => {
  await query(`UPDATE deliveries SET created_at = now() - interval '1 day', attempts = 19`);
  const worker = aWorker({ cannotPrepare: [1] });

  await worker.wake();
  await worker.close();

  expect((await query('SELECT state, state_reason AS reason, attempts FROM deliveries')).rows).toEqual([
    { state: 'failed', reason: 'The message could not be prepared within 24 hours.', attempts: 20 },
  ]);
});

test('when one message of a company cannot be looked at, then the others go', async () => {
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('elsewhere', now(), true)`);
  await owe(2);
  await query(`UPDATE deliveries SET space_id = 'elsewhere' WHERE id = 2`);
  const worker = aWorker({ cannotScreen: [1] });
  worker.open();

  await worker.wake();
  await worker.close();

  expect((await query('SELECT id::int, state, attempts FROM deliveries ORDER BY id')).rows).toEqual([
    { id: 1, state: 'queued', attempts: 1 },
    { id: 2, state: 'sent', attempts: 1 },
  ]);
});

test.each([
  ['looked at', { cannotScreen: [1] }],
  ['prepared', { cannotPrepare: [1] }],
])(
  'when the database cannot be reached while a message is %s, then that does not count, and whoever has its space next begins anew',
  async (_what, faults) => {
    await query(`UPDATE deliveries SET created_at = now() - interval '1 day', attempts = 19`);
    const before = await putOff();
    const worker = aWorker({ ...faults, failure: new Error('Connection terminated unexpectedly') });

    await worker.wake();
    await worker.close();

    expect(await delivery()).toEqual({ state: 'queued', attempts: 19, uncertain: 0 });
    expect(await putOff()).toEqual(before);
    expect(await isLeased()).toBe(true);
  },
);

/** As PostgreSQL says it after the `statement_timeout`, and pg when no answer came at all. */
const STATEMENT_TIMEOUT = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
const NO_ANSWER = new Error('Query read timeout');
/** A time limit is longer than a lease: by then somebody else has the space, and lost it too. */
const loseSpace = async () => {
  await runOut();
  await makeDeliveryStore(testDatabase.database).claimDue(5);
};
const tries = async (worker: ReturnType<typeof aWorker>, count: number, failuresEach = 1) => {
  for (let tried = 0; tried < count; tried += 1) {
    const before = worker.failures();
    await query(`UPDATE deliveries SET not_before = 'epoch' WHERE state = 'queued'`);
    await runOut();
    await worker.wake();
    await waitUntil('it failed', () => worker.failures() >= before + failuresEach);
  }
};
const isAside = async () => (await query(`SELECT FROM deliveries WHERE id = 1 AND not_before > now()`)).rows.length === 1;

test.each(
  [STATEMENT_TIMEOUT, NO_ANSWER].flatMap((failure) => [
    { cannotScreen: [1], failure },
    { cannotPrepare: [1], failure },
  ]),
)(
  'when a time limit of the database ends the preparation of a message again and again, then others of its space go, and it stands aside (%j)',
  async (faults) => {
    await owe(2);
    const worker = aWorker({ ...faults, meanwhile: loseSpace });
    worker.open();

    await tries(worker, 2);
    const before = await delivery();
    await tries(worker, 1);
    await waitUntil('it stands aside', isAside);
    await runOut();
    await worker.wake();
    await waitUntil(
      'the other is sent',
      async () => (await query(`SELECT FROM deliveries WHERE state = 'sent'`)).rows.length === 1,
    );
    await worker.close();

    expect(before).toEqual({ state: 'queued', attempts: 0, uncertain: 0 });
    const { rows } = await query(
      `SELECT id::int, state, attempts, waiting_since IS NOT NULL AS "isTried", state_reason AS reason FROM deliveries ORDER BY id`,
    );
    expect(rows).toEqual([
      { id: 1, state: 'queued', attempts: 1, isTried: true, reason: expect.stringContaining('tried again') },
      { id: 2, state: 'sent', attempts: 1, isTried: true, reason: null },
    ]);
  },
);

test.each([
  ['has met time limits for the hours of its space', '2 hours', 'failed', 'The message could not be prepared within 2 hours.'],
  ['is older than the hours of its space and met them for less', '1 hour', 'queued', expect.stringContaining('tried again')],
])('when a message %s, then it is given up only for the former', async (_what, tried, state, reason) => {
  await query(
    `UPDATE deliveries SET created_at = now() - interval '1 day', attempts = 19, waiting_since = now() - $1::interval`,
    tried,
  );
  await query('UPDATE chat_webhooks SET hold_hours = 2');
  const worker = aWorker({ cannotPrepare: [1], failure: STATEMENT_TIMEOUT, meanwhile: loseSpace });

  await tries(worker, 3);
  await worker.close();

  expect((await query('SELECT state, state_reason AS reason, attempts FROM deliveries')).rows).toEqual([
    { state, reason, attempts: 20 },
  ]);
});

test('when the database meets its time limits for everybody, then each stands aside for others of its space, and nothing counts', async () => {
  await query(`INSERT INTO google_spaces (space_id, due_at, is_waiting) VALUES ('elsewhere', 'epoch', true)`);
  await owe(2);
  await query(`UPDATE deliveries SET space_id = 'elsewhere' WHERE id = 2`);
  const worker = aWorker({ cannotScreen: [1, 2], failure: STATEMENT_TIMEOUT });

  await tries(worker, 5, 2);
  await worker.close();

  expect((await query('SELECT state, attempts, waiting_since AS since FROM deliveries')).rows).toEqual([
    { state: 'queued', attempts: 0, since: null },
    { state: 'queued', attempts: 0, since: null },
  ]);
  expect(await isAside()).toBe(true);
});

test('when a message that met a time limit was changed or begun by somebody else meanwhile, then it is left to them', async () => {
  const store = makeDeliveryStore(testDatabase.database);
  const [lost] = (await store.claimDue(1)).claimed;
  await runOut();
  const [own] = (await store.claimDue(1)).claimed;
  if (lost === undefined || own === undefined) throw new Error('nothing was claimed');
  await store.freeze([{ delivery: own, body: '{}' }]);

  await store.record([settleSlow(lost, { times: 3, isAlone: true }, 0)]);

  expect(await delivery()).toEqual({ state: 'sending', attempts: 1, uncertain: 1 });
  expect([await isLeased(), await isAside()]).toEqual([true, false]);
});
