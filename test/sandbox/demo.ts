/** `npm run sandbox -- --demo`: plays a day on throw-away data and says whether exactly the expected cards arrived. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { messageOf } from '../../src/core/errors';
import { startWorld, type World } from '../support/world';
import { installByConsent, makeCast, makeSpaces, prepareRecords } from './demo-cast';
import { crowdSteps } from './demo-crowds';
import { dealSteps } from './demo-deals';
import { recordSteps } from './demo-records';
import { makeStage, type Stage, type Step, type StepResult } from './demo-stage';
import { troubleSteps } from './demo-troubles';
import { openLedger } from './open-ledger';
import { stepLines, tallyLines } from './protocol';

/** Wide enough that two edits made at once fall into one window on a busy machine. */
const SETTLE_MS = 1_000;
const WHOLE_DAY_MS = 85_000;
const SWEEP_INTERVAL_MS = 2_000;
/** Dealbell is away for a moment, on a busy machine for a longer one. */
const PIPEDRIVE_RETRIES_MS = [200, 400, 800, 1_600, 3_200, 6_400];

/** Returns the exit code: 0 when none was missing and none extra. Leaves no process and no file behind. */
export async function runDemo(log: Logger): Promise<number> {
  const startedAtMs = Date.now();
  const dataDir = mkdtempSync(join(tmpdir(), 'dealbell-demo-'));
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true });
  const interrupt = abortOnSignal();
  say('\n  A day with Dealbell: a stand-in Pipedrive and a stand-in Google Chat, on data that is thrown away\n\n');
  try {
    const ledger = await openLedger({ dataDir, isKept: false, log });
    try {
      return await withWorld(ledger.databaseUrl, log, (world) => playDay(world, startedAtMs, interrupt));
    } finally {
      await ledger.close();
    }
  } finally {
    remove();
  }
}

async function withWorld(databaseUrl: string, log: Logger, use: (world: World) => Promise<number>): Promise<number> {
  const config = { apiRateLimit: 1_000_000 };
  const world = await startWorld({
    databaseUrl,
    log,
    isAlone: true,
    settleMs: SETTLE_MS,
    sweepIntervalMs: SWEEP_INTERVAL_MS,
    pipedrive: { retryDelaysMs: PIPEDRIVE_RETRIES_MS },
    config,
  });
  try {
    return await use(world);
  } finally {
    await world.close();
  }
}

async function playDay(world: World, startedAtMs: number, interrupt: AbortSignal): Promise<number> {
  makeSpaces(world);
  prepareRecords(world);
  const token = await installByConsent(world);
  const cast = await makeCast(world, token);
  say(`   ✓  installed by the consent page, spaces connected, rules made  (${Date.now() - startedAtMs} ms after the start)\n`);

  const apis = [cast.home, cast.other];
  const endsAtMs = startedAtMs + WHOLE_DAY_MS;
  const stage = makeStage({ world, apis, ids: cast.ids, settleMs: SETTLE_MS, endsAtMs, interrupt });
  const results: StepResult[] = [];
  // Each part is made when the one before is over: it finds the records that came with it.
  for (const part of [dealSteps, recordSteps, crowdSteps, troubleSteps]) {
    for (const step of part(world, cast)) {
      const result = await playSafely(stage, step);
      if (interrupt.aborted) return 1;
      results.push(result);
      say(stepLines(result, results.length));
    }
  }
  say(tallyLines(results, SETTLE_MS, Date.now() - startedAtMs));
  return results.every((result) => result.faults.length === 0) ? 0 : 1;
}

/** A step that cannot be played is a fault of that step; the day goes on. */
async function playSafely(stage: Stage, step: Step): Promise<StepResult> {
  try {
    return await stage.play(step);
  } catch (error) {
    return { step, came: [], faults: [`could not be played: ${messageOf(error)}`], tookMs: 0 };
  }
}

/** Ctrl-C ends the day early, but in order; npm hands on the signal that the terminal has sent already, so that two come as one. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (!controller.signal.aborted) say('\n  Interrupted: closing everything ...\n');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

function say(text: string): void {
  process.stdout.write(text);
}
