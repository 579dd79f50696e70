/**
 * `npm run soak`: changes of deals pour in while processes are killed, servers are cut off and Google Chat misbehaves, all at random
 * from a seed; in the end every accepted change must have been told once, in order. Options: `--seconds 60`, `--seed 7`.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { FleetSpace } from '../support/fleet';
import type { Post } from '../support/post';
import { rawWebhook } from '../support/raw-webhook';
import { waitUntil } from '../support/wait-until';
import { gatherEvidence, isAtRest, leftToDo } from './gather-evidence';
import { nameWaits } from './name-waits';
import { setStage, type SoakServer, type SoakStage } from './soak-stage';
import { brokenPromises, fallLine, isUnexpected, tallyLine, tallyUp, titleOf, type Accepted } from './soak-tally';

/** Two spaces tell each change by itself, two fold what waits: one as it comes, one from the second message on. */
const SPACES = [{ fold: 'off' }, { fold: 'off' }, { fold: 'auto' }, { foldThreshold: 1 }];
const DEALS_PER_SPACE = 3;
/** From one change of a deal to its next: below what a space takes. */
const PACE_MS = 5_000;
const SETTLE_LIMIT_MS = 180_000;
const DRAIN_LIMIT_MS = 10_000;
/** Everything is there again long before, whatever was struck. */
const ACCEPT_LIMIT_MS = 90_000;
const STRIKE_LIMIT_MS = 120_000;
const STAGE_LIMIT_MS = 90_000;
/** Changes at once, each of a deal of its own. */
const BURST = 15;

type Random = (below: number) => number;
type Strike = (stage: SoakStage, random: Random, accepted: Accepted[]) => Promise<void>;
type Fault = readonly [name: string, strike: Strike];

const CHAT_FAULTS = [
  { status: 400 },
  { status: 401 },
  { status: 403 },
  { status: 404 },
  { status: 429, headers: { 'retry-after': '2' } },
  { status: 429 },
  { status: 500 },
  { status: 503, body: '<h1>Error</h1>' },
  { status: 503, afterPosting: true },
  { status: 200, body: {} },
  { hang: true, afterPosting: true },
  { reset: true },
  { reset: true, afterPosting: true },
  { redirectTo: 'http://127.0.0.1:1/elsewhere' },
] as const;

/** Of what runs, and of nothing else. */
const faultsOf = ({ redis }: SoakStage): readonly Fault[] => [
  ['a worker is killed', ({ posts }, random) => kill(posts[1 + random(2)])],
  ['the web process is killed', ({ posts }) => kill(posts[0])],
  ['a process is asked to end', drain],
  ...(redis === null ? [] : faultsOfRedis(redis)),
  ['PostgreSQL is stopped', ({ postgres }, random) => stop(postgres, random)],
  ['PostgreSQL is killed', ({ postgres }) => Promise.resolve(postgres.kill())],
  ['PostgreSQL is cut off', ({ postgres }, random) => cut(postgres, random)],
  ['Google Chat answers oddly', (stage, random) => Promise.resolve(disturb(stage, random))],
  ['many changes at once', burst],
  ['a destination breaks and is repaired', breakAndRepair],
];
const faultsOfRedis = (redis: NonNullable<SoakStage['redis']>): readonly Fault[] => [
  ['Redis forgets everything', () => redis.flushAll()],
  ['Redis is stopped', (_stage, random) => stop(redis, random)],
  ['Redis is cut off', (_stage, random) => cut(redis, random)],
];

const waits = nameWaits(() => Date.now());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
  });
  const seconds = Number(values.seconds);
  const seed = Number(values.seed);
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds takes a number above 0, --seed a whole number');
  console.log(`soak of ${seconds} s from seed ${seed}`);
  const stage = await waits.within('everything is started', STAGE_LIMIT_MS, setStage(SPACES));
  if (stage.redis === null) console.log('redis-server is not on the PATH: the queue lives in PostgreSQL.');
  try {
    return await Promise.race([soak(stage, seconds, seed), whenEnded()]);
  } catch (error) {
    console.error(`left to do: ${await waits.within('a look at the ledger', 5_000, leftToDo(stage.ledger)).catch(String)}`);
    throw error;
  } finally {
    for (const fall of stage.falls) console.log(fallLine(fall));
    await waits.within('everything is stopped', STAGE_LIMIT_MS, stage.close());
  }
}

async function soak(stage: SoakStage, seconds: number, seed: number): Promise<number> {
  const endsAtMs = Date.now() + seconds * 1000;
  const accepted: Accepted[] = [];
  const deals = stage.spaces.flatMap((space) => Array.from({ length: DEALS_PER_SPACE }, (_, index) => ({ space, index })));
  await Promise.all([
    strikeUntil(endsAtMs, stage, seeded(seed), accepted),
    ...deals.map(({ space, index }) => changeDeal(stage, space, index, endsAtMs, accepted)),
  ]);
  await waits.within(
    'everything is told',
    SETTLE_LIMIT_MS,
    waitUntil('everything is told', () => isTold(stage), SETTLE_LIMIT_MS),
  );
  return await report(stage, accepted);
}

/** Who has no more patience is told what it waited for. */
function whenEnded(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Error(`ended by ${signal} while it waited for: ${waits.current().join('; ')}`)));
  });
}

/** One deal's life: one change after the other. */
async function changeDeal(
  stage: SoakStage,
  space: FleetSpace,
  index: number,
  endsAtMs: number,
  accepted: Accepted[],
): Promise<void> {
  const deal = space.pipelineId * 100 + index;
  await pause((PACE_MS / DEALS_PER_SPACE) * index);
  for (let step = 1; Date.now() < endsAtMs; step += 1) {
    await change(stage, space, { deal, step }, accepted);
    await pause(PACE_MS);
  }
}

/** Sent until it is accepted, as Pipedrive does. */
async function change(
  stage: SoakStage,
  { spaceId, pipelineId }: FleetSpace,
  { deal, step }: Pick<Accepted, 'deal' | 'step'>,
  accepted: Accepted[],
): Promise<void> {
  const data = {
    ...{ id: deal, title: titleOf({ deal, step }), value: step, currency: 'EUR' },
    ...{ status: 'open', pipeline_id: pipelineId },
  };
  const body = rawWebhook('deal', 'change', deal, { data, previous: { value: step - 1 } });
  await waits.within(`${data.title.replace(/\.$/, '')} is accepted`, ACCEPT_LIMIT_MS, acceptance(stage, body));
  accepted.push({ spaceId, deal, step });
}

async function acceptance(stage: SoakStage, body: unknown): Promise<void> {
  while ((await stage.send(body)) !== 200) await pause(300);
}

async function strikeUntil(endsAtMs: number, stage: SoakStage, random: Random, accepted: Accepted[]): Promise<void> {
  const startedAtMs = Date.now();
  const faults = faultsOf(stage);
  for (;;) {
    await pause(1_000 + random(2_500));
    if (Date.now() >= endsAtMs) return;
    const [name, strike] = faults[random(faults.length)] ?? ['', () => Promise.resolve()];
    console.log(`${((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(6)} s  ${name}`);
    await waits.within(name, STRIKE_LIMIT_MS, strike(stage, random, accepted));
  }
}

async function kill(post: Post | undefined): Promise<void> {
  await post?.replace('SIGKILL');
}

async function drain({ posts }: SoakStage, random: Random): Promise<void> {
  const post = posts[random(posts.length)];
  const startedAtMs = performance.now();
  const code = await post?.replace('SIGTERM');
  const tookMs = performance.now() - startedAtMs;
  // One that was still starting is ended by the signal itself.
  if ((code !== 0 && code !== null) || tookMs > DRAIN_LIMIT_MS)
    throw new Error(`${String(post?.entry)} ended with ${String(code)} after ${tookMs} ms`);
}

async function cut(server: SoakServer, random: Random): Promise<void> {
  server.proxy.set(random(2) === 0 ? 'refuse' : 'hang');
  await pause(500 + random(3_000));
  server.proxy.set('through');
}

async function stop(server: SoakServer, random: Random): Promise<void> {
  await server.stop();
  await pause(500 + random(3_000));
  await server.start();
}

let lastOfBurst = 0;

/** More than their space takes singly: those that fold tell many in one. */
async function burst(stage: SoakStage, random: Random, accepted: Accepted[]): Promise<void> {
  const space = stage.spaces[2 + random(2)];
  if (space === undefined) return;
  const deals = Array.from({ length: BURST }, () => 10_000 + (lastOfBurst += 1));
  await Promise.all(deals.map((deal) => change(stage, space, { deal, step: 1 }, accepted)));
}

function disturb({ chat, spaces }: SoakStage, random: Random): void {
  const fault = CHAT_FAULTS[random(CHAT_FAULTS.length)];
  const space = spaces[random(spaces.length)];
  if (fault !== undefined && space !== undefined) chat.failNext({ ...fault, spaceId: space.spaceId });
}

async function breakAndRepair({ chat, spaces, api, ledger }: SoakStage, random: Random): Promise<void> {
  const space = spaces[random(spaces.length)];
  if (space === undefined) return;
  chat.setOutage(space.spaceId, random(2) === 0 ? 403 : 404);
  await pause(4_000 + random(4_000));
  chat.setOutage(space.spaceId, null);
  const { rows } = await ledger.query<{ health: string }>('SELECT health FROM chat_webhooks WHERE id = $1', [
    space.destinationId,
  ]);
  if (rows[0]?.health !== 'broken') return;
  const url = chat.createWebhook(space.spaceId, {}).url;
  const answer = await api('PUT', `/chat-webhooks/${space.destinationId}`, { url });
  if (answer.status !== 200) throw new Error(`the repair was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** Every event is routed and no message waits. */
async function isTold({ ledger }: SoakStage): Promise<boolean> {
  try {
    return await isAtRest(ledger);
  } catch {
    // PostgreSQL may still be starting again.
    return false;
  }
}

async function report({ chat, ledger, spaces, falls }: SoakStage, accepted: readonly Accepted[]): Promise<number> {
  const spaceIds = spaces.map(({ spaceId }) => spaceId);
  const tally = tallyUp(accepted, await gatherEvidence(chat, ledger, spaceIds));
  console.log(tallyLine(tally));
  console.log(`Google Chat's answers: ${JSON.stringify(chat.counts.byStatus)} (0: none)`);
  const broken = [...brokenPromises(tally), ...falls.filter(isUnexpected).map(fallLine)];
  for (const line of broken) console.error(line);
  return broken.length === 0 ? 0 : 1;
}

/** mulberry32: the same seed strikes the same way. */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
