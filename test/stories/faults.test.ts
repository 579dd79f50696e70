/**
 * Servers that are stopped, killed and emptied, processes that are killed and deployed, clocks that jump, all under load: whatever was
 * accepted is told once, in order per record, and no space is written to more than once a second. Two fleets on one PostgreSQL
 * server suffer it side by side: a web and two worker processes with Redis, and one process of all roles without.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { applyMigrations } from '../../prisma/migrate';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/embedded-postgres';
import { makeQueues } from '../../src/platform/queues';
import { ROUTE_LOCK } from '../../src/rules/routing.store';
import { startFakeGoogleChat, type FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { gatherEvidence, isAtRest } from '../soak/gather-evidence';
import { brokenPromises, tallyUp } from '../soak/soak-tally';
import { changeDeals, type DealChanges } from '../support/deal-changes';
import { startFleet, type Fleet } from '../support/fleet';
import type { Post } from '../support/post';
import { freePort } from '../support/free-port';
import { withRedisServer } from '../support/queue-backends';
import { waitUntil } from '../support/wait-until';

const DEALS_PER_SPACE = 1;
/** One space tells each change by itself, one folds when more than two wait. */
const SPACES = [{ fold: 'off' }, { foldThreshold: 2 }];
/** From SIGTERM to the end, as hosts allow it. */
const DRAIN_LIMIT_MS = 10_000;
const LIMIT_MS = 60_000;
const DAY_MS = 86_400_000;
/** Keeps the router out, as its own transactions keep each other out. */
const HOLD_ROUTING = `SELECT pg_advisory_xact_lock(${ROUTE_LOCK}, id) FROM tenants`;

interface Suffering {
  readonly fleet: Fleet;
  readonly databaseUrl: string;
  /** The fleet's own way into the ledger is not ours. */
  readonly ledger: Pool;
  readonly changes: DealChanges;
}

withRedisServer('Faults under load', (redis) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-faults-'));
  const all: Suffering[] = [];
  let port: number;
  let postgres: EmbeddedPostgres;
  let chat: FakeGoogleChat;

  beforeAll(async () => {
    port = await freePort();
    postgres = await startEmbeddedPostgres({ dataDir, port });
    chat = await startFakeGoogleChat();
    await Promise.all([
      ...(redis === null ? [] : [suffer('with_redis', redis().url, ['web', 'worker', 'worker'])]),
      suffer('alone', null, ['main']),
    ]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(all.map(({ fleet }) => fleet.close()));
    await Promise.all(all.map(({ ledger }) => ledger.end()));
    await chat.close();
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function suffer(name: string, redisUrl: string | null, entries: readonly Post['entry'][]): Promise<void> {
    const databaseUrl = await makeDatabase(postgres.connectionString, name);
    const preload = pathToFileURL(resolve(__dirname, '../support/jumping-clock.mjs')).href;
    const environment = {
      NODE_OPTIONS: `--import ${preload}`,
      CLOCK_JUMPS_MS: [3 * DAY_MS, -2 * DAY_MS, 0].join(','),
    };
    const fleet = await startFleet({ chat, databaseUrl, redisUrl, entries, spaces: SPACES, environment });
    const ledger = new Pool({ connectionString: databaseUrl, max: 2 });
    ledger.on('error', () => undefined);
    all.push({ fleet, databaseUrl, ledger, changes: changeDeals(fleet, chat, DEALS_PER_SPACE) });
  }

  const spacesOf = ({ fleet }: Suffering) => fleet.spaces.map(({ spaceId }) => spaceId);
  /** Every space is told something that was accepted from now on, and a little more. */
  async function goesOn(which: readonly Suffering[] = all): Promise<void> {
    const before = which.map(({ changes }) => changes.accepted.length);
    const told = which.map((one) => spacesOf(one).map((spaceId) => chat.messages(spaceId).length));
    await waitUntil(
      'changes are accepted and told',
      () =>
        which.every(
          (one, index) =>
            one.changes.accepted.length > (before[index] ?? 0) &&
            spacesOf(one).every((spaceId, place) => chat.messages(spaceId).length >= (told[index]?.[place] ?? 0) + 2),
        ),
      LIMIT_MS,
    );
  }

  if (redis !== null) {
    const withRedis = () => all.filter(({ fleet }) => fleet.posts.length > 1);

    test(
      'when Redis forgets everything, then telling goes on',
      async () => {
        await redis().flushAll();
        await goesOn(withRedis());
      },
      LIMIT_MS,
    );

    test(
      'when Redis is killed, then telling goes on without it and after it is back',
      async () => {
        await redis().stop();
        await goesOn(withRedis());
        await redis().start();
        await goesOn(withRedis());
      },
      2 * LIMIT_MS,
    );

    test(
      'when Redis has lost all it knew, then what comes by the clock is scheduled again',
      async () => {
        const [{ databaseUrl } = never()] = withRedis();
        const queues = makeQueues({ databaseUrl, redisUrl: redis().url, log: pino({ level: 'silent' }) });
        const upkeep = queues.queue('upkeep');
        try {
          await waitUntil('it is scheduled', () => upkeep.isScheduled('reconcile'), LIMIT_MS);
        } finally {
          await queues.close();
        }
      },
      2 * LIMIT_MS,
    );

    test(
      'when the web process is killed between taking in and routing, then another one goes on, and what it took in is told',
      async () => {
        const [{ fleet, databaseUrl, ledger, changes } = never()] = withRedis();
        const holder = new Client({ connectionString: databaseUrl });
        await holder.connect();
        await holder.query('BEGIN');
        await holder.query(HOLD_ROUTING);
        const before = changes.accepted.length;
        await waitUntil('changes are taken in and not routed', async () => {
          const { rows } = await ledger.query('SELECT count(*)::int AS count FROM events WHERE routed_at IS NULL');
          return changes.accepted.length > before && rows[0]?.count >= 2;
        });

        const [web = never()] = fleet.posts;
        const code = await web.replace('SIGKILL');
        await holder.query('ROLLBACK');
        await holder.end();
        await goesOn(withRedis());

        expect(code).toBeNull();
      },
      LIMIT_MS,
    );
  }

  test(
    'when PostgreSQL is stopped, then webhooks are refused and sent again, and all goes on when it is back',
    async () => {
      const before = all.map(({ changes }) => changes.refusals());
      await postgres.stop();
      for (const { changes } of all) changes.addDeals();
      await waitUntil(
        'webhooks are refused',
        () => all.every(({ changes }, index) => changes.refusals() > (before[index] ?? 0)),
        LIMIT_MS,
      );
      postgres = await startEmbeddedPostgres({ dataDir, port });
      await goesOn();
    },
    2 * LIMIT_MS,
  );

  test(
    'when PostgreSQL is killed in the middle of it all, then it is there again by itself, and all goes on',
    async () => {
      process.kill(Number.parseInt(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10), 'SIGKILL');
      await goesOn();
    },
    LIMIT_MS,
  );

  test(
    'when all who send are killed while Chat keeps its answers, then the same messages go again and are shown once',
    async () => {
      const { replayed } = chat.counts;
      for (const spaceId of all.flatMap(spacesOf)) chat.failNext({ spaceId, hang: true, afterPosting: true });
      const isHanging = (spaceId: string) => chat.requests.some((one) => one.spaceId === spaceId && one.status === null);
      await waitUntil('Chat keeps its answers', () => all.flatMap(spacesOf).every(isHanging), LIMIT_MS);

      const senders = all.flatMap(({ fleet }) => fleet.posts).filter(({ entry }) => entry !== 'web');
      await Promise.all(senders.map((post) => post.replace('SIGKILL')));
      await waitUntil('each has come again', () => chat.counts.replayed >= replayed + all.flatMap(spacesOf).length, LIMIT_MS);
      await goesOn();
    },
    2 * LIMIT_MS,
  );

  test(
    'when a new version is deployed, then each process ends within 10 s with code 0, nothing is sent again, and the next ones go on',
    async () => {
      const { replayed } = chat.counts;
      const posts = all.flatMap(({ fleet }) => fleet.posts);
      const ends = await Promise.all(
        posts.map(async (post) => {
          const startedAtMs = performance.now();
          const code = await post.replace('SIGTERM');
          return { entry: post.entry, code, isInTime: performance.now() - startedAtMs < DRAIN_LIMIT_MS };
        }),
      );
      await goesOn();

      expect(ends).toEqual(posts.map(({ entry }) => ({ entry, code: 0, isInTime: true })));
      expect(chat.counts.replayed).toBe(replayed);
    },
    2 * LIMIT_MS,
  );

  test(
    'when the clocks of all processes jump three days ahead, then five days back, and are put right, then all goes on',
    async () => {
      for (let jump = 0; jump < 3; jump += 1) {
        for (const post of all.flatMap(({ fleet }) => fleet.posts)) post.signal('SIGUSR2');
        await goesOn();
      }
    },
    3 * LIMIT_MS,
  );

  test(
    'when all of it is over, then every accepted change was told once, in order of its deal, and within the quota',
    async () => {
      await Promise.all(all.map(({ changes }) => changes.end()));
      await waitUntil(
        'nothing is owed',
        async () => (await Promise.all(all.map(({ ledger }) => isAtRest(ledger)))).every(Boolean),
        LIMIT_MS,
      );

      for (const one of all) {
        const tally = tallyUp(one.changes.accepted, await gatherEvidence(chat, one.ledger, spacesOf(one)));
        expect(brokenPromises(tally)).toEqual([]);
        expect(tally.told).toBe(one.changes.accepted.length);
        expect(tally.folded).toBeGreaterThan(0);
      }
    },
    2 * LIMIT_MS,
  );
});

async function makeDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await applyMigrations({ connectionString: url.href });
  return url.href;
}

function never(): never {
  throw new Error('the fleet has processes');
}
