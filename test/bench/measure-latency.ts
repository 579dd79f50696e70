/** From the POST of a webhook to the arrival of its message at Google Chat, at steady rates, with `SETTLE_MS=0`. */

import { makeDealEvents } from './deal-events';
import { driveAtRate } from './drive-load';
import { figure, type Figure } from './figures';
import { requestsOf, type RunningApp, type Stage } from './stage';
import { percentile } from './statistics';

const RATES = [
  { perSecond: 20, seconds: 5, medianAim: 'under 20 ms', p99Aim: 'under 60 ms' },
  { perSecond: 200, seconds: 3, medianAim: 'under 30 ms', p99Aim: 'under 120 ms' },
] as const;
const WARM_UP = { perSecond: 100, seconds: 3 } as const;
/** No deal twice: a message is known by its deal. */
const DEALS = 1_000_000;
const PATIENCE_MS = 10_000;

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
  const { perSecond, requests, start } = load;
  const sentAtMs = new Map<string, number>();
  const latencies: number[] = [];
  const stopListening = stage.chat.onRequest(({ rawBody }) => {
    const dealId = /\/deal\/(\d+)/.exec(rawBody)?.[1] ?? '';
    const sent = sentAtMs.get(dealId);
    if (sent !== undefined) latencies.push(performance.now() - sent);
  });
  const makeRequest = requestsOf(makeDealEvents('2 kB', DEALS), DEALS, start);
  let n = start;
  const nextRequest = (): string => {
    const request = makeRequest();
    sentAtMs.set(String(1_000_000 + (n % DEALS)), performance.now());
    n += 1;
    return request;
  };
  try {
    await driveAtRate({ port: app.port, perSecond, requests, nextRequest });
    const endsAtMs = performance.now() + PATIENCE_MS;
    while (latencies.length < requests && performance.now() < endsAtMs) await new Promise((resolve) => setTimeout(resolve, 10));
  } finally {
    stopListening();
  }
  if (latencies.length !== requests) throw new Error(`${latencies.length} messages came for ${requests} events`);
  return latencies;
}
