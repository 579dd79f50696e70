/** What routing one event costs over a short past and over a long one: events, records, deliveries and logs of that many rows each. */

import { figure, type Figure } from './figures';
import { fill } from './measure-routing';
import { routeAll } from './route-all';
import { seedHistory } from './seed-history';
import type { Stage } from './stage';

const SHORT = 1_000;

/** The rounds go to and fro between the two ledgers. */
export async function measureHistory(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const long = isQuick ? 100_000 : 1_000_000;
  const events = isQuick ? 2_000 : 5_000;
  const pasts = [SHORT, long];
  const ledgers: string[] = [];
  for (const rows of pasts) {
    const databaseUrl = await stage.ledger.copy();
    await seedHistory(databaseUrl, rows);
    ledgers.push(databaseUrl);
  }
  const costs: number[][] = pasts.map(() => []);
  for (let round = 0; round < (isQuick ? 2 : 5); round += 1) {
    for (const [index, databaseUrl] of ledgers.entries()) {
      await fill(stage, databaseUrl, events, round * events);
      const { cpuMs } = await routeAll(stage, databaseUrl);
      costs[index]?.push((cpuMs / events) * 1000);
    }
  }
  for (const databaseUrl of ledgers) await stage.ledger.drop(databaseUrl);
  const ratios = (costs[1] ?? []).map((cost, round) => cost / (costs[0]?.[round] ?? Number.NaN));
  return [
    ...pasts.map((rows, index) =>
      figure('history', `${rows.toLocaleString('en')} rows of history: CPU per event`, 'µs', costs[index] ?? []),
    ),
    figure('history', `${long.toLocaleString('en')} rows, of ${SHORT.toLocaleString('en')} rows`, 'times', ratios, 'at most 1.2'),
  ];
}
