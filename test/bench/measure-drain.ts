/** Deliveries per second over 200 spaces without quota, against a bare BullMQ worker that only POSTs finished bodies. */

import { startMeasured } from './child-process';
import { figure, type Figure } from './figures';
import { fill } from './measure-routing';
import type { Backend, Stage } from './stage';

const AIMS = { postgres: 'at least 2', redis: 'at least 0.8' } as const;

/** Every backend in turn, the bare worker right before Dealbell. */
export async function measureDrain(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const deliveries = isQuick ? 4_000 : 20_000;
  const rounds = isQuick ? 1 : 2;
  const routed = await stage.ledger.copy();
  await fill(stage, routed, deliveries, 0);
  const router = await startMeasured('measured-router.js', { databaseUrl: routed });
  await router.done();
  await router.stop();
  const ours = new Map<Backend, number[]>(stage.backends.map((backend) => [backend, []]));
  const bare = new Map<Backend, number[]>(stage.backends.map((backend) => [backend, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const backend of stage.backends) {
      bare.get(backend)?.push(await drainBare(stage, backend, deliveries / 4));
      ours.get(backend)?.push(await drainOurs(stage, backend, routed, deliveries));
    }
  }
  await stage.ledger.drop(routed);
  return stage.backends.flatMap((backend) => {
    const [plain, told] = [bare.get(backend) ?? [], ours.get(backend) ?? []];
    const ratios = told.map((value, round) => value / (plain[round] ?? Number.NaN));
    return [
      figure('drain', `bare BullMQ worker on ${backend}`, '/s', plain),
      figure('drain', `Dealbell, ${deliveries} deliveries, queue on ${backend}`, '/s', told),
      figure('drain', `of the bare worker on ${backend}`, 'times', ratios, AIMS[backend]),
    ];
  });
}

async function drainBare(stage: Stage, backend: Backend, jobs: number): Promise<number> {
  const databaseUrl = await stage.ledger.copy();
  const settings = { databaseUrl, redisUrl: stage.redisUrl(backend), urls: stage.webhookUrls, body: BODY, jobs };
  const worker = await startMeasured('bare-worker.js', settings);
  const perSecond = await worker.done();
  await worker.stop();
  await stage.ledger.drop(databaseUrl);
  return perSecond;
}

/** As large as the cards that Dealbell sends here. */
const BODY = JSON.stringify({ text: 'Deal won. '.repeat(150) });

async function drainOurs(stage: Stage, backend: Backend, routed: string, deliveries: number): Promise<number> {
  const databaseUrl = await stage.ledger.copy(routed);
  let firstAtMs = 0;
  let arrived = 0;
  const drained = new Promise<number>((resolve) => {
    const stop = stage.chat.onRequest(() => {
      firstAtMs ||= performance.now();
      arrived += 1;
      if (arrived < deliveries) return;
      stop();
      resolve((arrived / (performance.now() - firstAtMs)) * 1000);
    });
  });
  const app = await stage.startApp(backend, { web: false, worker: true, databaseUrl });
  const perSecond = await drained;
  await app.stop();
  await stage.ledger.drop(databaseUrl);
  return perSecond;
}
