/**
 * `npm run soak`: changes of deals pour in while processes are killed, servers are cut off and Google Chat misbehaves, all at random
 * from a seed; in the end every accepted change must have been told once, in order. Options: `--seconds 60`, `--seed 7`.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { visibleText } from '../support/channel';
import { rawWebhook } from '../support/raw-webhook';
import { waitUntil } from '../support/wait-until';
import { setStage, type Post, type SoakSpace, type SoakStage } from './soak-stage';
import { brokenPromises, tallyUp, titleOf, type Accepted } from './soak-tally';

const SPACES = 4;
const DEALS_PER_SPACE = 3;
/** From one change of a deal to its next: below what a space takes. */
const PACE_MS = 5_000;
const SETTLE_LIMIT_MS = 180_000;
const DRAIN_LIMIT_MS = 10_000;
const UNFINISHED = `
  SELECT (SELECT count(*) FROM events WHERE routed_at IS NULL)::int
       + (SELECT count(*) FROM deliveries WHERE state NOT IN ('sent', 'dropped', 'failed', 'folded'))::int AS count`;

type Random = (below: number) => number;
type Fault = readonly [name: string, strike: (stage: SoakStage, random: Random) => Promise<void>];

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

const FAULTS: readonly Fault[] = [
  ['a worker is killed', ({ fleet }, random) => kill(fleet[1 + random(2)])],
  ['the web process is killed', ({ fleet }) => kill(fleet[0])],
  ['a worker is asked to end', drain],
  ['Redis forgets everything', async ({ redis }) => await redis?.flushAll()],
  ['Redis is cut off', async ({ redis }, random) => await cut(redis?.proxy, random)],
  ['PostgreSQL is cut off', async ({ database }, random) => await cut(database, random)],
  ['Google Chat answers oddly', (stage, random) => Promise.resolve(disturb(stage, random))],
  ['Google Chat answers oddly', (stage, random) => Promise.resolve(disturb(stage, random))],
  ['a destination breaks and is repaired', breakAndRepair],
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
  });
  const seconds = Number(values.seconds);
  const seed = Number(values.seed);
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error('--seconds takes a number above 0, --seed a whole number');
  console.log(`soak of ${seconds} s from seed ${seed}`);
  const stage = await setStage(SPACES);
  if (stage.redis === null) console.log('redis-server is not on the PATH: the queue lives in PostgreSQL.');
  try {
    const endsAtMs = Date.now() + seconds * 1000;
    const accepted: Accepted[] = [];
    const deals = stage.spaces.flatMap((space) => Array.from({ length: DEALS_PER_SPACE }, (_, index) => ({ space, index })));
    await Promise.all([
      strikeUntil(endsAtMs, stage, seeded(seed)),
      ...deals.map(({ space, index }) => changeDeal(stage, space, index, endsAtMs, accepted)),
    ]);
    await waitUntil('everything is told', async () => (await unfinished(stage)) === 0, SETTLE_LIMIT_MS);
    process.exitCode = report(stage, accepted);
  } finally {
    await stage.close();
  }
}

/** One deal's life: each change is sent until it is accepted, as Pipedrive does, then the next. */
async function changeDeal(
  stage: SoakStage,
  space: SoakSpace,
  index: number,
  endsAtMs: number,
  accepted: Accepted[],
): Promise<void> {
  const deal = space.pipelineId * 100 + index;
  await pause((PACE_MS / DEALS_PER_SPACE) * index);
  for (let step = 1; Date.now() < endsAtMs; step += 1) {
    const change = { spaceId: space.spaceId, deal, step };
    const data = {
      id: deal,
      title: titleOf(change),
      value: step,
      currency: 'EUR',
      status: 'open',
      pipeline_id: space.pipelineId,
    };
    const body = rawWebhook('deal', 'change', deal, { data, previous: { value: step - 1 } });
    while (!(await stage.send(body))) await pause(300);
    accepted.push(change);
    await pause(PACE_MS);
  }
}

async function strikeUntil(endsAtMs: number, stage: SoakStage, random: Random): Promise<void> {
  const startedAtMs = Date.now();
  for (;;) {
    await pause(1_000 + random(2_500));
    if (Date.now() >= endsAtMs) return;
    const [name, strike] = FAULTS[random(FAULTS.length)] ?? ['', () => Promise.resolve()];
    console.log(`${((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(6)} s  ${name}`);
    await strike(stage, random);
  }
}

async function kill(post: Post | undefined): Promise<void> {
  await post?.replace('SIGKILL');
}

async function drain({ fleet }: SoakStage, random: Random): Promise<void> {
  const startedAtMs = performance.now();
  const code = await fleet[1 + random(2)]?.replace('SIGTERM');
  const tookMs = performance.now() - startedAtMs;
  // One that was still starting is ended by the signal itself.
  if ((code !== 0 && code !== null) || tookMs > DRAIN_LIMIT_MS)
    throw new Error(`a worker ended with ${String(code)} after ${tookMs} ms`);
}

async function cut(proxy: { set(mode: 'through' | 'refuse' | 'hang'): void } | undefined, random: Random): Promise<void> {
  proxy?.set(random(2) === 0 ? 'refuse' : 'hang');
  await pause(500 + random(3_000));
  proxy?.set('through');
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

async function unfinished({ ledger }: SoakStage): Promise<number> {
  const { rows } = await ledger.query<{ count: number }>(UNFINISHED);
  return rows[0]?.count ?? 0;
}

function report({ chat, spaces }: SoakStage, accepted: readonly Accepted[]): number {
  const messages = new Map(spaces.map(({ spaceId }) => [spaceId, chat.messages(spaceId).map(visibleText)]));
  const times = (spaceId: string) => chat.requests.filter((request) => request.spaceId === spaceId).map(({ at }) => at);
  const requests = new Map(spaces.map(({ spaceId }) => [spaceId, times(spaceId)]));
  const tally = tallyUp(accepted, messages, requests, chat.requestIdMismatch);
  const { lost, doubled, outOfOrder, overQuota } = tally;
  console.log(
    `accepted ${tally.accepted}, sent ${tally.sent}, lost ${lost.length}, doubled ${doubled.length}, out of order ${outOfOrder.length}, over quota ${overQuota.length}`,
  );
  console.log(`Google Chat's answers: ${JSON.stringify(chat.counts.byStatus)} (0: none)`);
  const broken = brokenPromises(tally);
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

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
