/** Accepted webhooks per second at concurrency 50, durable, against bare servers that parse the same JSON and store nothing. */

import { startMeasured, type Measured } from './child-process';
import { makeDealEvents, type EventSize, type MakeEvent } from './deal-events';
import { driveLoad } from './drive-load';
import { figure, type Figure } from './figures';
import { requestsOf, untilDrained, type RunningApp, type Stage } from './stage';
import { percentile } from './statistics';

const CONCURRENCY = 50;
const DEALS = 20_000;
/** Not counted: a server of plain functions is compiled by its engine after some ten thousand requests, and not before. */
const WARM_UP_ROUNDS = 2;
const DRAIN_LIMIT_MS = 120_000;

interface Contender {
  readonly name: string;
  readonly server: Measured;
  /** Set when it also routes and delivers: its backlog is worked off before the next one's turn. */
  readonly whole: RunningApp | null;
  readonly perSecond: number[];
  readonly p50Ms: number[];
  readonly p99Ms: number[];
  /** CPU time per webhook in the rounds that count: of the server, and of the database if it has one. */
  readonly cpuUs: number[];
  readonly databaseUs: number[];
}

/** Both sizes of body. */
export async function measureIntake(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const small = await measureSize(stage, '2 kB', { rounds: isQuick ? 2 : 5, roundMs: isQuick ? 1_000 : 2_500 });
  const large = await measureSize(stage, '25 kB', { rounds: isQuick ? 1 : 3, roundMs: isQuick ? 1_000 : 2_000 });
  return [...small, ...large];
}

async function measureSize(
  stage: Stage,
  size: EventSize,
  { rounds, roundMs }: { rounds: number; roundMs: number },
): Promise<readonly Figure[]> {
  const contenders = await startContenders(stage, size);
  const makeEvent = makeDealEvents(size, DEALS);
  try {
    let start = 0;
    for (let round = 1 - WARM_UP_ROUNDS; round <= rounds; round += 1) {
      for (const contender of contenders)
        start = await takeTurn(stage, contender, { makeEvent, start, roundMs, isCounted: round > 0 });
    }
  } finally {
    for (const { server } of contenders) await server.stop();
  }
  return figuresOf(contenders, `intake ${size}`);
}

async function startContenders(stage: Stage, size: EventSize): Promise<readonly Contender[]> {
  const contenders: Contender[] = [];
  const enter = (name: string, server: Measured, whole: RunningApp | null): void => {
    contenders.push({ name, server, whole, perSecond: [], p50Ms: [], p99Ms: [], cpuUs: [], databaseUs: [] });
  };
  enter('bare node:http', await startMeasured('bare-server.js', { kind: 'node:http' }), null);
  enter('bare Express 5', await startMeasured('bare-server.js', { kind: 'express' }), null);
  for (const backend of stage.backends) {
    enter(`Dealbell web, queue on ${backend}`, await stage.startApp(backend, { web: true, worker: false }), null);
  }
  if (size === '25 kB') return contenders;
  for (const backend of stage.backends) {
    const app = await stage.startApp(backend, { web: true, worker: true });
    enter(`Dealbell routing and delivering too, queue on ${backend}`, app, app);
  }
  return contenders;
}

async function takeTurn(
  stage: Stage,
  contender: Contender,
  turn: { makeEvent: MakeEvent; start: number; roundMs: number; isCounted: boolean },
): Promise<number> {
  const nextRequest = requestsOf(turn.makeEvent, DEALS, turn.start);
  const { port } = contender.server;
  const before = await cpuMsOf(stage, contender);
  const result = await driveLoad({ port, concurrency: CONCURRENCY, durationMs: turn.roundMs, nextRequest });
  if (result.refused > 0) throw new Error(`${contender.name} refused ${result.refused} of ${result.answered} webhooks`);
  if (turn.isCounted) {
    contender.perSecond.push((result.answered / result.elapsedMs) * 1000);
    contender.p50Ms.push(percentile(result.latenciesMs, 0.5));
    contender.p99Ms.push(percentile(result.latenciesMs, 0.99));
  }
  if (contender.whole !== null) await untilDrained(stage, contender.whole, DRAIN_LIMIT_MS);
  const after = await cpuMsOf(stage, contender);
  if (turn.isCounted) {
    contender.cpuUs.push(((after.server - before.server) / result.answered) * 1000);
    contender.databaseUs.push(((after.database - before.database) / result.answered) * 1000);
  }
  return turn.start + result.answered;
}

async function cpuMsOf(stage: Stage, { server }: Contender): Promise<{ readonly server: number; readonly database: number }> {
  const { cpuMs } = await server.usage();
  return { server: cpuMs, database: (await stage.ledger.serverCpuMs()) ?? Number.NaN };
}

function figuresOf(contenders: readonly Contender[], part: string): readonly Figure[] {
  const express = contenders.find(({ name }) => name === 'bare Express 5');
  return contenders.flatMap((contender) => {
    const { name, perSecond, p50Ms, p99Ms } = contender;
    const isOurs = name.startsWith('Dealbell');
    const isWhole = contender.whole !== null;
    const ratios = perSecond.map((value, round) => value / (express?.perSecond[round] ?? Number.NaN));
    return [
      figure(part, name, '/s', perSecond),
      figure(part, `${name}: p50`, 'ms', p50Ms),
      figure(part, `${name}: p99`, 'ms', p99Ms, isOurs && !isWhole ? 'under 40 ms' : undefined),
      figure(part, `${name}: CPU per webhook`, 'µs', contender.cpuUs),
      ...(isOurs ? [figure(part, `${name}: CPU of PostgreSQL per webhook`, 'µs', contender.databaseUs)] : []),
      ...(isOurs ? [figure(part, `${name}: of bare Express 5`, 'times', ratios, isWhole ? 'at least 0.5' : 'at least 1.3')] : []),
    ];
  });
}
