/**
 * The benchmark: Dealbell as composed for production, on its embedded PostgreSQL, side by side with bare servers doing less.
 * Options: `--quick` for a short run, `--only whole,bulk` for some parts (their names stand below), `--profile <folder>` for CPU profiles
 * of the measured processes. Ratios are of one run; rounds are
 * interleaved, so that a busy machine slows all alike.
 */

import { parseArgs } from 'node:util';
import { takeProfiles } from './child-process';
import { printFigures, writeFigures, type Figure } from './figures';
import { measureBulkEdit } from './measure-bulk';
import { measureDrain } from './measure-drain';
import { measureFairness } from './measure-fairness';
import { measureIntake } from './measure-intake';
import { measureLatency } from './measure-latency';
import { measureHistory } from './measure-history';
import { measurePages } from './measure-pages';
import { measureQuota } from './measure-quota';
import { measureRouting } from './measure-routing';
import { measureRules } from './measure-rules';
import { measureScaleOut } from './measure-scale-out';
import { measureWholeWay } from './measure-whole-way';
import { setStage, type Stage } from './stage';

const PARTS: Readonly<Record<string, (stage: Stage, isQuick: boolean) => Promise<readonly Figure[]>>> = {
  intake: measureIntake,
  latency: measureLatency,
  whole: measureWholeWay,
  routing: measureRouting,
  rules: measureRules,
  history: measureHistory,
  drain: measureDrain,
  quota: measureQuota,
  fairness: measureFairness,
  bulk: measureBulkEdit,
  scale: measureScaleOut,
  pages: measurePages,
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, profile: { type: 'string' } },
  });
  if (values.profile !== undefined) takeProfiles(values.profile);
  const names = values.only?.split(',') ?? Object.keys(PARTS);
  const unknown = names.filter((name) => PARTS[name] === undefined);
  if (unknown.length > 0) throw new Error(`--only knows ${Object.keys(PARTS).join(', ')}; not ${unknown.join(', ')}`);
  const stage = await setStage();
  const figures: Figure[] = [];
  try {
    if (!stage.backends.includes('redis')) console.log('redis-server is not on the PATH: the figures on Redis are left out.');
    for (const name of names) {
      console.log(`measuring ${name} ...`);
      figures.push(...((await PARTS[name]?.(stage, values.quick)) ?? []));
    }
  } finally {
    await stage.close();
  }
  printFigures(figures);
  console.log(`written to ${writeFigures(figures, values)}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
