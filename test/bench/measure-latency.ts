/** From the POST of a webhook to the arrival of its message at Google Chat, at steady rates, with `SETTLE_MS=0`. */

import type { FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';
import { makeDealEvents } from './deal-events';
import { driveAtRate } from './drive-load';
import { figure, type Figure } from './figures';
import { requestOf, type RunningApp, type Stage } from './stage';
import { percentile } from './statistics';

const RATES = [
  { perSecond: 20, seconds: 5, medianAim: 'under 20 ms', p99Aim: 'under 60 ms' },
  { perSecond: 200, seconds: 3, medianAim: 'under 30 ms', p99Aim: 'under 120 ms' },
] as const;
const WARM_UP = { perSecond: 100, seconds: 3 } as const;
/** No deal twice: a message is known by its deal. */
export const DEALS = 1_000_000;
const PATIENCE_MS = 30_000;

/** Each backend in turn, at each rate, in interleaved rounds. */
export async function measureLatency(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const apps: RunningApp[] = [];
  const rounds = isQuick ? 1 : 4;
  const medians = new Map<string, number[]>();
  const p99s = new Map<string, number[]>();
  try {
    for (const backend of stage.backends) apps.push(await stage.startApp(backend, { web: true, worker: true }));
    let start = 0;
    const take = async (app: RunningApp, perSecond: number, seconds: number): Promise<readonly number[]> => {
      const latencies = await latenciesAt(stage, app, { perSecond, requests: perSecond * seconds, start });
      start += perSecond * seconds;
      return latencies;
    };
    for (const app of apps) await take(app, WARM_UP.perSecond, WARM_UP.seconds);
    for (let round = 0; round < rounds; round += 1) {
      for (const { perSecond, seconds } of RATES) {
        for (const app of apps) {
          const latencies = await take(app, perSecond, seconds);
          push(medians, `${app.backend} ${perSecond}`, percentile(latencies, 0.5));
          push(p99s, `${app.backend} ${perSecond}`, percentile(latencies, 0.99));
        }
      }
    }
  } finally {
    for (const app of apps) await app.stop();
  }
  return RATES.flatMap(({ perSecond, medianAim, p99Aim }) =>
    stage.backends.flatMap((backend) => [
      figure(
        'latency',
        `${perSecond} events/s, queue on ${backend}: median`,
        'ms',
        medians.get(`${backend} ${perSecond}`) ?? [],
        medianAim,
      ),
      figure(
        'latency',
        `${perSecond} events/s, queue on ${backend}: p99`,
        'ms',
        p99s.get(`${backend} ${perSecond}`) ?? [],
        p99Aim,
      ),
    ]),
  );
}

function push(figures: Map<string, number[]>, key: string, value: number): void {
  figures.set(key, [...(figures.get(key) ?? []), value]);
}

async function latenciesAt(
  stage: Stage,
  app: RunningApp,
  load: { perSecond: number; requests: number; start: number },
): Promise<readonly number[]> {
  const numbers = Array.from({ length: load.requests }, (_, index) => load.start + index);
  return latenciesOf(stage.chat, app, { perSecond: load.perSecond, numbers });
}

/** Sends the events of these numbers, no deal twice, at this rate; from the POST of each to its message, in ms. Throws when one is missing. */
export async function latenciesOf(
  chat: FakeGoogleChat,
  app: RunningApp,
  { perSecond, numbers }: { perSecond: number; numbers: readonly number[] },
): Promise<readonly number[]> {
  const sentAtMs = new Map<string, number>();
  const latencies: number[] = [];
  const stopListening = chat.onRequest(({ rawBody }) => {
    for (const [, dealId = ''] of new Set(rawBody.matchAll(/\/deal\/(\d+)/g))) {
      const sent = sentAtMs.get(dealId);
      if (sent !== undefined) latencies.push(performance.now() - sent);
      sentAtMs.delete(dealId);
    }
  });
  const makeEvent = makeDealEvents('2 kB', DEALS);
  let next = 0;
  const nextRequest = (): string => {
    const n = numbers[next] ?? 0;
    next += 1;
    sentAtMs.set(String(1_000_000 + (n % DEALS)), performance.now());
    return requestOf(makeEvent, DEALS, n);
  };
  try {
    await driveAtRate({ port: app.port, perSecond, requests: numbers.length, nextRequest });
    const endsAtMs = performance.now() + PATIENCE_MS;
    while (latencies.length < numbers.length && performance.now() < endsAtMs)
      await new Promise((resolve) => setTimeout(resolve, 10));
  } finally {
    stopListening();
  }
  if (latencies.length !== numbers.length) throw new Error(`${latencies.length} messages came for ${numbers.length} events`);
  return latencies;
}
