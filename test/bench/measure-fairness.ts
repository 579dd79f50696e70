/** What calm spaces feel of a space that hangs and one that is flooded, of their own tenant; and what ten thousand idle spaces cost. */

import { pino } from 'pino';
import { makeDeliveryStore } from '../../src/delivery/delivery.store';
import { openDatabase, type Database } from '../../src/platform/database';
import { makeDealEvents } from './deal-events';
import { driveLoad } from './drive-load';
import { figure, type Figure } from './figures';
import { DEALS, latenciesOf } from './measure-latency';
import { SPACES } from './seed-tenants';
import { requestOf, spaceIdOf, type RunningApp, type Stage } from './stage';
import { percentile } from './statistics';

const PER_SECOND = 20;
const [HANGING, FLOODED] = [0, 1];
const FLOOD = 500;
const FLOOD_CONNECTIONS = 4;
const IDLE_SPACES = 10_000;
const LOOKS = 300;

/** The quota is on: a flooded space stays flooded. */
export async function measureFairness(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const seconds = isQuick ? 5 : 12;
  const rounds = isQuick ? 1 : 4;
  const app = await stage.startApp('postgres', { web: true, worker: true, isStrict: true });
  const idle: number[] = [];
  const troubled: number[] = [];
  let round = 0;
  try {
    const calm = (): Promise<readonly number[]> =>
      latenciesOf(stage.strictChat, app, { perSecond: PER_SECOND, numbers: calmNumbers(PER_SECOND * seconds, round++) });
    await calm();
    for (let count = 0; count < rounds; count += 1) idle.push(percentile(await calm(), 0.99));
    stage.strictChat.failNext({ spaceId: spaceIdOf(HANGING), hang: true, times: 1_000 });
    for (let count = 0; count < rounds; count += 1) {
      const flooding = flood(app, round);
      troubled.push(percentile(await calm(), 0.99));
      await flooding;
    }
  } finally {
    await app.stop();
    stage.strictChat.clear();
    await stage.ledger.drop(app.databaseUrl);
  }
  return [
    figure('fairness', 'calm spaces, all well: p99', 'ms', idle),
    figure('fairness', `one space hanging, one flooded with ${FLOOD} events: p99 of the others`, 'ms', troubled),
    figure(
      'fairness',
      'p99 of the others, of theirs when all is well',
      'times',
      [median(troubled) / median(idle)],
      'at most 1.5',
    ),
    ...(await measureIdleSpaces(stage)),
  ];
}

/** Numbers of events for every space but the two, and of deals that no other round has. */
function calmNumbers(count: number, round: number): readonly number[] {
  const calmSpaces = SPACES - 2;
  const first = round * 20 * SPACES;
  return Array.from({ length: count }, (_, index) => first + Math.floor(index / calmSpaces) * SPACES + 2 + (index % calmSpaces));
}

async function flood(app: RunningApp, round: number): Promise<void> {
  const makeEvent = makeDealEvents('2 kB', DEALS);
  const first = 500_000 + round * FLOOD * SPACES;
  let sent = 0;
  const nextRequest = (): string => {
    const space = sent % 10 === 0 ? HANGING : FLOODED;
    return requestOf(makeEvent, DEALS, first + sent++ * SPACES + space);
  };
  await driveLoad({ port: app.port, concurrency: FLOOD_CONNECTIONS, requests: FLOOD, nextRequest });
}

/** One look of the sender, when nothing is due, with and without spaces in which nothing waits. */
async function measureIdleSpaces(stage: Stage): Promise<readonly Figure[]> {
  const databaseUrl = await stage.ledger.copy();
  const database = openDatabase({ connectionString: databaseUrl, log: pino({ level: 'silent' }), poolSize: 1 });
  try {
    const few = await lookMs(database);
    await database.pool.query(
      `INSERT INTO google_spaces (space_id) SELECT 'IDLE' || n FROM generate_series(1, ${IDLE_SPACES}) n`,
    );
    await database.pool.query('VACUUM ANALYZE google_spaces');
    const many = await lookMs(database);
    return [
      figure('fairness', 'a look of the sender, 200 idle spaces', 'ms', [few]),
      figure('fairness', `a look of the sender, ${IDLE_SPACES.toLocaleString('en')} idle spaces`, 'ms', [many], 'the same'),
    ];
  } finally {
    await database.close();
    await stage.ledger.drop(databaseUrl);
  }
}

async function lookMs(database: Database): Promise<number> {
  const store = makeDeliveryStore(database);
  const times: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const startedAtMs = performance.now();
    await store.claimDue(50);
    times.push(performance.now() - startedAtMs);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
