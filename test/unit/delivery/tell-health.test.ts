/** Notices over the real ledger: whoever cannot be told through one destination is told through another, and each change once. */

import { pino } from 'pino';
import type { DeliveryOutcome } from '../../../src/core/delivery';
import { AppError, SECRET_UNREADABLE } from '../../../src/core/errors';
import { makeNoticeStore } from '../../../src/delivery/notice.store';
import { makeTellHealth } from '../../../src/delivery/tell-health';
import { makeTestStore } from '../../../src/delivery/test-message.store';
import { useTestDatabase } from '../../support/test-database';
import { useLedger } from '../../support/use-ledger';

const HOUR_MS = 60 * 60 * 1000;
const SENT: DeliveryOutcome = { kind: 'sent', httpStatus: 200, messageName: 'm', threadName: null };
const GONE: DeliveryOutcome = { kind: 'refused', httpStatus: 404, reason: 'HTTP 404' };
const DOWN: DeliveryOutcome = { kind: 'unreachable', httpStatus: 503, reason: 'HTTP 503' };
const REJECTED: DeliveryOutcome = { kind: 'rejected', httpStatus: 400, reason: 'HTTP 400' };

const testDatabase = useTestDatabase();
const ledger = useLedger(testDatabase);
const { query } = ledger;
let aheadMs = 0;

beforeEach(async () => {
  aheadMs = 0;
});

/** Spaces by name; `answers` says what Chat answers in each, and may be changed on the way. */
async function given(names: readonly string[], answers: Readonly<Record<string, DeliveryOutcome>>) {
  for (const [index, name] of names.entries()) await ledger.addDestination({ id: index + 1, name, space_id: name });
  const posted: { space: string; body: string }[] = [];
  const freed: string[] = [];
  const current = { ...answers };
  const tellHealth = makeTellHealth({
    store: makeNoticeStore(testDatabase.database),
    slots: makeTestStore(testDatabase.database),
    openDestination: (_tenant, sealed) =>
      sealed === 'by a lost key'
        ? Promise.reject(new AppError(SECRET_UNREADABLE, 'It cannot be opened.'))
        : Promise.resolve({ key: 'k', token: 't' }),
    post: ({ spaceId, body }) => {
      posted.push({ space: spaceId, body });
      return Promise.resolve(current[spaceId] ?? SENT);
    },
    settings: { spaceIntervalMs: 0, refusalConfirmMs: 0, firstProbeMs: 60_000 },
    settingsUrl: () => 'https://acme.example/settings',
    onFreed: (spaceId) => freed.push(spaceId),
    clock: () => new Date(Date.now() + aheadMs),
    log: pino({ level: 'silent' }),
  });
  const look = async () => {
    await tellHealth.run();
    await tellHealth.close();
  };
  return {
    posted,
    /** Where messages wait for the space. */
    freed,
    answer: (space: string, outcome: DeliveryOutcome) => {
      current[space] = outcome;
    },
    /** One round in which every slot is as it is. */
    look,
    /** Rounds of the sweep, each when what was tried before may be tried again. */
    rounds: async (count: number) => {
      for (let round = 0; round < count; round += 1) {
        await query(`UPDATE notices SET not_before = now() WHERE state = 'queued'`);
        await query(`UPDATE google_spaces SET next_slot_at = now()`);
        await look();
      }
    },
    heardIn: (space: string, about: string) =>
      posted.filter((notice) => notice.space === space && notice.body.includes(about)).length,
  };
}

const breakDown = (name: string) =>
  query(`UPDATE chat_webhooks SET health = 'broken', health_since = now() WHERE name = $1`, name);
const heal = (name: string) => query(`UPDATE chat_webhooks SET health = 'healthy', health_since = now() WHERE name = $1`, name);
const healthOf = async (name: string) => (await query('SELECT health FROM chat_webhooks WHERE name = $1', name)).rows[0];

test('when the destination that was to tell of a break is gone too, then another one tells of both, once', async () => {
  const world = await given(['Room A', 'Room B', 'Room C'], { 'Room B': GONE });
  await breakDown('Room A');

  await world.rounds(6);

  expect(await healthOf('Room B')).toEqual({ health: 'broken' });
  expect([world.heardIn('Room C', 'Room A'), world.heardIn('Room C', 'Room B')]).toEqual([1, 1]);
  expect(world.posted.map(({ space }) => space)).toEqual(['Room B', 'Room B', 'Room B', 'Room C']);
});

test('when a refusal was by chance, then the notice goes where it was to go', async () => {
  const world = await given(['Room A', 'Room B', 'Room C'], { 'Room B': GONE });
  await breakDown('Room A');
  await world.rounds(1);
  world.answer('Room B', SENT);

  await world.rounds(3);

  expect(world.posted.map(({ space }) => space)).toEqual(['Room B', 'Room B']);
  expect(await healthOf('Room B')).toEqual({ health: 'healthy' });
});

test.each([
  ['never gets through', DOWN, 10],
  ['is rejected', REJECTED, 1],
])('when a notice %s in one destination, then another one tells it', async (_what, outcome, attempts) => {
  const world = await given(['Room A', 'Room B', 'Room C'], { 'Room B': outcome });
  await breakDown('Room A');

  await world.rounds(12);

  expect(world.heardIn('Room B', 'Room A')).toBe(attempts);
  expect(world.heardIn('Room C', 'Room A')).toBe(1);
});

test('when nobody can be told, then nothing is tried on and on, and the break is told once somebody can be', async () => {
  const world = await given(['Room A', 'Room B'], { 'Room B': GONE });
  await breakDown('Room A');
  await world.rounds(6);
  expect(world.posted).toHaveLength(3);

  world.answer('Room B', SENT);
  await heal('Room B');
  await world.rounds(2);

  expect(world.posted).toHaveLength(4);
  expect(world.heardIn('Room B', 'Room A')).toBe(4);
});

test('when what broke works again before its notice fails, then nobody is told anything', async () => {
  const world = await given(['Room A', 'Room B', 'Room C'], { 'Room B': GONE });
  await breakDown('Room A');
  await world.rounds(1);
  const store = makeNoticeStore(testDatabase.database);
  await query(`UPDATE notices SET not_before = now()`);
  const notice = await store.claim();
  await heal('Room A');
  await store.settle(notice?.id ?? 0, { state: 'failed', afterMs: 0, wasTried: true });

  await world.rounds(3);

  expect(world.heardIn('Room C', 'Room A')).toBe(0);
});

test.each([
  ['another one', ['Room A', 'Room B', 'Room C'], 'Room C', HOUR_MS],
  ['it, when that is over,', ['Room A', 'Room B'], 'Room B', 2 * HOUR_MS],
])('when it becomes quiet where a notice waits for its turn, then %s hears of it', async (_who, names, listener, laterMs) => {
  const world = await given(names, {});
  const soon = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
  const quietHours = { from: soon(30), to: soon(90), mode: 'hold' };
  await query(`UPDATE chat_webhooks SET quiet_hours = $1 WHERE name = 'Room B'`, quietHours);
  await query(`INSERT INTO google_spaces (space_id, next_slot_at) VALUES ('Room B', now() + interval '10 seconds')`);
  await breakDown('Room A');
  await world.look();
  aheadMs = HOUR_MS;

  await world.rounds(3);
  const inQuietHours = world.heardIn('Room B', 'Room A');
  aheadMs = laterMs;
  await world.rounds(2);

  expect(inQuietHours).toBe(0);
  expect(world.posted.map(({ space }) => space)).toEqual([listener]);
});

test('when the destination where a notice waits for its turn is paused meanwhile, then another one hears of it', async () => {
  const world = await given(['Room A', 'Room B', 'Room C'], {});
  await query(`INSERT INTO google_spaces (space_id, next_slot_at) VALUES ('Room B', now() + interval '1 minute')`);
  await breakDown('Room A');
  await world.look();
  await query(`UPDATE chat_webhooks SET paused = true WHERE name = 'Room B'`);

  await world.rounds(2);

  expect(world.posted.map(({ space }) => space)).toEqual(['Room C']);
});

test('when the key of the destination where it is to be told cannot be opened, then that is broken too, and another one hears of both at once', async () => {
  const world = await given(['Room A', 'Room B', 'Room C'], {});
  await query(`UPDATE chat_webhooks SET sealed_credentials = 'by a lost key' WHERE name = 'Room B'`);
  await breakDown('Room A');
  await world.rounds(1);
  const { rows } = await query(`SELECT FROM google_spaces WHERE space_id = 'Room B' AND lease_until IS NOT NULL`);

  await world.rounds(2);

  expect(rows).toEqual([]);
  expect(world.posted.map(({ space }) => space)).toEqual(['Room C']);
  expect([world.heardIn('Room C', 'Room A'), world.heardIn('Room C', 'Room B')]).toEqual([1, 1]);
  expect(await healthOf('Room B')).toEqual({ health: 'broken' });
  expect((await query('SELECT FROM logs WHERE chat_webhook_id = 2')).rows).toEqual([]);
});

test('when one destination cannot be read, then others hear of what broke', async () => {
  const world = await given(['Room A', 'Room B', 'Room C'], {});
  await query(`UPDATE chat_webhooks SET quiet_hours = '{"moon": "full"}' WHERE name = 'Room B'`);
  await breakDown('Room A');

  await world.rounds(1);

  expect(world.posted.map(({ space }) => space)).toEqual(['Room C']);
});

test.each([
  ['quiet hours', `quiet_hours = '{"moon": "full"}'`],
  ['health', `health = 'enchanted'`],
])(
  'when the %s of the destination where it is to be told cannot be read any more, then another one hears of it',
  async (_what, change) => {
    const world = await given(['Room A', 'Room B', 'Room C'], { 'Room B': DOWN });
    await breakDown('Room A');
    await world.rounds(1);
    await query(`UPDATE chat_webhooks SET ${change} WHERE name = 'Room B'`);

    await world.rounds(2);

    expect(world.posted.map(({ space }) => space)).toEqual(['Room B', 'Room C']);
  },
);

/** Messages wait in the space without end, and its next slot comes in a moment. */
const givenBusy = (space: string, cutInAt: string) =>
  query(
    `INSERT INTO google_spaces (space_id, is_waiting, due_at, next_slot_at, cut_in_at)
     VALUES ($1, true, 'epoch', now() + interval '300 milliseconds', ${cutInAt})`,
    space,
  );

test.each([
  ['nothing cut in', 'NULL'],
  ['a test cut in a while ago', `now() - interval '4 seconds'`],
])('when messages wait where a notice is to be told and %s, then it has the next slot ahead of them', async (_what, cutInAt) => {
  const world = await given(['Room A', 'Room B'], {});
  await givenBusy('Room B', cutInAt);
  await breakDown('Room A');

  await world.look();

  expect(world.heardIn('Room B', 'Room A')).toBe(1);
  expect(world.freed).toEqual(['Room B']);
});

test('when something cut in a moment ago where messages wait, then a notice leaves them the next slot and is told after it', async () => {
  const world = await given(['Room A', 'Room B'], {});
  await givenBusy('Room B', 'now()');
  await breakDown('Room A');
  await world.look();
  const atOnce = world.posted.length;
  await query(`UPDATE google_spaces SET cut_in_at = now() - interval '4 seconds'`);

  await world.rounds(1);

  expect(atOnce).toBe(0);
  expect(world.posted.map(({ space }) => space)).toEqual(['Room B']);
});
