/** Measured servers as processes of their own: started with their settings, asked for their memory, and never left behind. */

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

export interface Usage {
  readonly rssMb: number;
  readonly heapMb: number;
  /** CPU time since it was ready. */
  readonly cpuMs: number;
}

export interface Measured {
  /** 0 when it answers no HTTP. */
  readonly port: number;
  usage(): Promise<Usage>;
  /** Resolves when the process says that its work is done, with what it counted. */
  done(): Promise<number>;
  stop(): Promise<void>;
}

const message = z.union([
  z.object({ kind: z.literal('ready'), port: z.number() }),
  z.object({ kind: z.literal('usage'), rssMb: z.number(), heapMb: z.number(), cpuMs: z.number() }),
  z.object({ kind: z.literal('done'), count: z.number() }),
]);
type Message = z.infer<typeof message>;

/** Where measured processes leave their CPU profiles when they end; null: none is taken. */
let profileFolder: string | null = null;

/** From now on measured processes are profiled. */
export function takeProfiles(folder: string): void {
  profileFolder = folder;
}

/** Starts a script of this folder; `settings` reach it as JSON. Its log lines are made but go nowhere. */
export async function startMeasured(script: string, settings: object): Promise<Measured> {
  const child = fork(join(__dirname, script), [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
    // As npm start bounds the heap: unbounded, V8 lets garbage pile up for as long as the machine has memory.
    execArgv: ['--max-old-space-size=384', '--max-semi-space-size=32', ...profiling()],
  });
  const ready = await nextMessage(child, 'ready');
  return {
    port: ready.port,
    async usage() {
      const answer = nextMessage(child, 'usage');
      child.send('usage');
      const { rssMb, heapMb, cpuMs } = await answer;
      return { rssMb, heapMb, cpuMs };
    },
    done: async () => (await nextMessage(child, 'done')).count,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.send('stop');
      const force = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(force);
    },
  };
}

function profiling(): readonly string[] {
  return profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
}

/** For the measured process: says that it is ready, answers questions, ends when told or when the benchmark is gone. */
export function serveParent(port: number, close: () => Promise<void>): void {
  const begun = process.cpuUsage();
  const end = (): void => {
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('message', (question) => {
    if (question === 'usage') tell({ kind: 'usage', ...usageSince(begun) });
    if (question === 'stop') end();
  });
  process.on('disconnect', end);
  tell({ kind: 'ready', port });
}

/** For the measured process: the settings it was started with. */
export function settingsOf<T>(schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(process.argv[2] ?? '{}'));
}

/** For the measured process. */
export function tell(fact: Message): void {
  process.send?.(fact);
}

function usageSince(begun: NodeJS.CpuUsage): Usage {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage(begun);
  return { rssMb: rss / 1_048_576, heapMb: heapUsed / 1_048_576, cpuMs: (user + system) / 1000 };
}

function nextMessage<K extends Message['kind']>(child: ChildProcess, kind: K): Promise<Extract<Message, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const isWanted = (told: Message): told is Extract<Message, { kind: K }> => told.kind === kind;
    const onMessage = (raw: unknown): void => {
      const told = message.parse(raw);
      if (!isWanted(told)) return;
      settle();
      resolve(told);
    };
    const onExit = (code: number | null): void => {
      settle();
      reject(new Error(`a measured process ended (${String(code)}) before it said "${kind}"`));
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
  });
}
