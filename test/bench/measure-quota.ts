/** Google's quota enforced by the stand-in, at three quarters of what 200 spaces may take: by bells, and by the sweep alone. */

import { figure, type Figure } from './figures';
import { latenciesOf } from './measure-latency';
import { SPACES } from './seed-tenants';
import type { Stage } from './stage';
import { percentile } from './statistics';

const PER_SECOND = 150;
/** One event for each space: code that never ran is slow. */
const WARM_UP = SPACES;

/** Each way on a fresh ledger. A message that never comes stops the benchmark. */
export async function measureQuota(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const events = isQuick ? 900 : 3_000;
  return [...(await measureOne(stage, events, false)), ...(await measureOne(stage, events / 3, true))];
}

async function measureOne(stage: Stage, events: number, isSilent: boolean): Promise<readonly Figure[]> {
  const part = isSilent ? 'quota on, sweep alone' : 'quota on';
  const app = await stage.startApp('postgres', { web: true, worker: true, isStrict: true, isSilent });
  try {
    if (!isSilent) await latenciesOf(stage.strictChat, app, { perSecond: WARM_UP / 4, numbers: numbersFrom(0, WARM_UP) });
    const before = refusals(stage);
    const numbers = numbersFrom(WARM_UP, events);
    const latencies = await latenciesOf(stage.strictChat, app, { perSecond: PER_SECOND, numbers });
    const refused = refusals(stage) - before;
    return [
      figure(part, `${events} events at ${PER_SECOND}/s over 200 spaces: told`, '', [latencies.length], 'all'),
      figure(part, 'refused by the quota', '', [refused], 'none'),
      figure(part, 'from webhook to message: median', 'ms', [percentile(latencies, 0.5)]),
      figure(part, 'from webhook to message: p99', 'ms', [percentile(latencies, 0.99)]),
    ];
  } finally {
    await app.stop();
    await stage.ledger.drop(app.databaseUrl);
  }
}

function numbersFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

function refusals(stage: Stage): number {
  return stage.strictChat.counts.byStatus[429] ?? 0;
}
