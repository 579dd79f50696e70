/** The bell and its hearers: BullMQ on Redis or on PostgreSQL, chosen once here; nothing else knows which. */

import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresBackend, Queue, Worker, withBackend, type JobsOptions } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { makeLingeringJobs, type LingeringJobs } from './lingering-jobs';

/** Ringing must never hold up whoever rings; a ring that takes longer counts as lost and is left to the sweep. */
const RING_LIMIT_MS = 250;
/** One key is rung at most this often: one more add would only find the job of the one before. */
const RING_SPACING_MS = 20;
/** A killed worker's job is given to another after this long; meanwhile the sweep works without bells. */
const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5_000;
/** Jobs are short; a deploy expects a process to be gone within 10 s. */
const CLOSE_LIMIT_MS = 4_000;
const AWAY_CLOSE_LIMIT_MS = 500;
const POSTGRES_SCHEMA = 'bullmq';

export interface QueueSettings {
  /** Null: the queue lives in PostgreSQL. */
  readonly redisUrl: string | null;
  readonly databaseUrl: string;
  readonly log: Logger;
  /** Keeps the queues of several installations on one Redis apart. */
  readonly prefix?: string;
  /** No other process rings or hears. */
  readonly isAlone?: boolean;
}

/** A queue as its users see it. */
export interface BellQueue {
  /**
   * Rings for `key`: a job runs soon, one per key at a time, and one more after it when rung meanwhile. Returns at once,
   * never throws; rings of one key that come while one is under way are told as one.
   */
  ring(key: string, payload: Readonly<Record<string, unknown>>): void;
  /** Runs `handler` for each ring until closed. */
  hear(handler: (payload: unknown) => Promise<void>, concurrency: number): void;
  /** Rings by the clock: exactly once over all workers. `pattern` is a cron pattern in UTC. */
  schedule(key: string, pattern: string): Promise<void>;
}

export interface Queues {
  queue(name: string): BellQueue;
  /** The underlying queues, for the operator's board. */
  boardQueues(): readonly Queue[];
  readonly backend: 'redis' | 'postgres';
  /** Throws when the queue cannot be reached within `timeoutMs`. */
  ping(timeoutMs: number): Promise<void>;
  /** Stops hearing (waits for jobs under way), then ringing. */
  close(): Promise<void>;
}

/** What both backends' queues have in common, as far as it is used here. */
interface OpenQueue {
  readonly name: string;
  add(name: string, payload: unknown, options: JobsOptions): Promise<unknown>;
  upsertJobScheduler(id: string, repeat: { pattern: string; tz: string }, template: object): Promise<unknown>;
  getJobCounts(...types: 'waiting'[]): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

interface OpenWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: { readonly id?: string | undefined } | undefined, error: Error) => void): unknown;
  close(): Promise<void>;
}

interface HeardJob {
  readonly data: unknown;
  /** The key that was rung; jobs of the schedule have none. */
  readonly deduplicationId?: string | undefined;
}

interface Backend {
  readonly name: 'redis' | 'postgres';
  openQueue(name: string): OpenQueue;
  openWorker(name: string, processor: (job: HeardJob) => Promise<void>, concurrency: number): OpenWorker;
  /** Resolves when the backend can be asked, however long that takes. */
  connected(): Promise<void>;
  isConnected(): boolean;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the queues. Reaching the backend is not awaited: intake must work while Redis is away. */
export function makeQueues(settings: QueueSettings): Queues {
  const { log } = settings;
  // Connections that are cut off while they are being closed are no trouble.
  let isClosed = false;
  const trouble = (source: string) => quietly(log, source, () => isClosed);
  const backend =
    settings.redisUrl === null ? postgresBackend(settings, trouble) : redisBackend(settings, settings.redisUrl, trouble);
  const queues = new Map<string, OpenQueue>();
  const workers: OpenWorker[] = [];
  const ringers: Ringer[] = [];
  const lingering: LingeringJobs[] = [];

  function open(name: string): BellQueue {
    const queue = backend.openQueue(name);
    queue.on('error', trouble(name));
    queues.set(name, queue);
    let heard: LingeringJobs | null = null;
    const ringer = makeRinger(queue, log, (key, payload) => heard?.tell(key, payload) ?? false);
    ringers.push(ringer);
    return {
      ring: ringer.ring,
      hear(handler, concurrency) {
        const jobs = makeLingeringJobs(concurrency, settings.isAlone);
        const work = async ({ data, deduplicationId: key }: HeardJob): Promise<void> => {
          if (key === undefined) await handler(data);
          else
            await jobs.run(
              key,
              () => handler(data),
              (payload) => ringer.ring(key, payload),
            );
        };
        const worker = backend.openWorker(name, work, concurrency);
        heard = jobs;
        lingering.push(jobs);
        worker.on('error', trouble(name));
        worker.on('failed', (job, error) => log.error({ queue: name, jobId: job?.id, err: error }, 'job failed'));
        workers.push(worker);
      },
      async schedule(key, pattern) {
        await backend.connected();
        await queue.upsertJobScheduler(
          key,
          { pattern, tz: 'UTC' },
          { name: key, data: { key }, opts: { removeOnComplete: true, removeOnFail: 50 } },
        );
      },
    };
  }

  return {
    queue: open,
    boardQueues: () => [...queues.values()].filter((queue) => queue instanceof Queue),
    backend: backend.name,
    ping: (timeoutMs) => within(backend.ping(), timeoutMs),
    async close() {
      for (const jobs of lingering) jobs.close();
      // BullMQ waits for a Redis that is away, for ever: what is under way then is in the ledger.
      const limitMs = backend.isConnected() ? CLOSE_LIMIT_MS : AWAY_CLOSE_LIMIT_MS;
      await atMost(limitMs, Promise.all(workers.map((worker) => worker.close())), log);
      await Promise.all(ringers.map((ringer) => ringer.idle()));
      isClosed = true;
      await atMost(AWAY_CLOSE_LIMIT_MS, Promise.all([...queues.values()].map((queue) => queue.close())), log);
      await backend.close();
    },
  };
}

interface Ringer {
  ring(key: string, payload: Readonly<Record<string, unknown>>): void;
  idle(): Promise<void>;
}

/**
 * A job of this process that runs for the key is told. Otherwise one add per key is under way at a time; what is rung meanwhile,
 * and a little after it, is one more add.
 */
function makeRinger(queue: OpenQueue, log: Logger, isTold: LingeringJobs['tell']): Ringer {
  const underWay = new Map<string, Promise<void>>();
  const again = new Map<string, Readonly<Record<string, unknown>>>();
  let isClosing = false;

  async function add(key: string, payload: Readonly<Record<string, unknown>>): Promise<void> {
    const options: JobsOptions = { deduplication: { id: key, keepLastIfActive: true }, removeOnComplete: true, removeOnFail: 50 };
    try {
      await within(queue.add(queue.name, payload, options), RING_LIMIT_MS);
    } catch (error) {
      log.warn({ queue: queue.name, err: error }, 'the bell could not be rung; the sweep will find the work');
    }
    if (!isClosing) await delay(RING_SPACING_MS);
    underWay.delete(key);
    const next = again.get(key);
    again.delete(key);
    if (next !== undefined) ring(key, next);
  }

  function ring(key: string, payload: Readonly<Record<string, unknown>>): void {
    if (isTold(key, payload)) return;
    if (underWay.has(key)) again.set(key, payload);
    else underWay.set(key, add(key, payload));
  }

  return {
    ring,
    async idle() {
      isClosing = true;
      again.clear();
      await Promise.all(underWay.values());
    },
  };
}

function redisBackend(settings: QueueSettings, redisUrl: string, trouble: Trouble): Backend {
  const prefix = settings.prefix ?? 'dealbell';
  // The ringing side fails fast; BullMQ's default would hang for as long as Redis is away.
  const ringing = new Redis(redisUrl, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2000,
    retryStrategy,
  });
  const hearing = new Redis(redisUrl, { maxRetriesPerRequest: null, connectTimeout: 2000, retryStrategy });
  for (const connection of [ringing, hearing]) connection.on('error', trouble('redis'));
  // Each worker blocks on a copy of its own. While Redis is away BullMQ never ends it, and it would keep the process alive.
  const copies: Redis[] = [];
  const duplicate = hearing.duplicate.bind(hearing);
  hearing.duplicate = (override) => {
    const copy = duplicate(override);
    copies.push(copy);
    return copy;
  };
  return {
    name: 'redis',
    // Without the version check, which asks at once and, not yet connected, would fail this queue for good; the workers check it.
    openQueue: (name) => new Queue(name, { connection: ringing, prefix, skipWaitingForReady: true, skipVersionCheck: true }),
    openWorker: (name, processor, concurrency) =>
      new Worker(name, processor, {
        connection: hearing,
        prefix,
        concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_CHECK_MS,
      }),
    async connected() {
      if (ringing.status !== 'ready') await new Promise<void>((resolve) => ringing.once('ready', () => resolve()));
    },
    isConnected: () => hearing.status === 'ready',
    async ping() {
      await ringing.ping();
    },
    async close() {
      await atMost(AWAY_CLOSE_LIMIT_MS, Promise.all([ringing, hearing].map(quit)), settings.log);
      for (const connection of [ringing, hearing, ...copies]) connection.disconnect();
    },
  };
}

type PostgresBackend = ReturnType<typeof createPostgresBackend>;
type PostgresConnection = NonNullable<Parameters<typeof createPostgresBackend>[1]['connection']>;

/** After a failed look for jobs a worker rests this long. */
const FAILED_LOOK_REST_MS = 500;

/**
 * A worker that BullMQ does not take for unconnected looks for jobs again at once when a look has failed; while PostgreSQL is away that is
 * a loop of promises alone, in which no timer and no request of this process ever gets its turn.
 */
function patient<B extends object>(backend: B): B {
  for (const name of ['waitForJob', 'moveToActive']) {
    const look: unknown = Reflect.get(backend, name);
    if (typeof look !== 'function') throw new TypeError(`BullMQ's backend has no ${name} any more`);
    Reflect.set(backend, name, async (...args: unknown[]): Promise<unknown> => {
      try {
        const answer: unknown = await Reflect.apply(look, backend, args);
        return answer;
      } catch (error) {
        await delay(FAILED_LOOK_REST_MS);
        throw error;
      }
    });
  }
  return backend;
}

const retryStrategy = (attempt: number): number => Math.min(attempt * 100, 2000);

async function quit(connection: Redis): Promise<void> {
  if (connection.status === 'ready') await connection.quit();
  else connection.disconnect();
}

function postgresBackend(settings: QueueSettings, trouble: Trouble): Backend {
  const { Queue: PostgresQueue } = withBackend(createPostgresBackend);
  const { Worker: PostgresWorker } = withBackend<PostgresBackend, PostgresConnection>((...args) =>
    patient(createPostgresBackend(...args)),
  );
  const tellTrouble = trouble('postgres');
  const connection = {
    connectionString: settings.databaseUrl,
    schema: POSTGRES_SCHEMA,
    migrate: true,
    max: 4,
    connectionTimeoutMillis: 2000,
    // BullMQ does not listen to a connection that it has checked out: its loss would end the process.
    onConnect: (client: { on(event: 'error', listener: (error: Error) => void): unknown }): void => {
      client.on('error', tellTrouble);
    },
  };
  const queues: OpenQueue[] = [];
  return {
    name: 'postgres',
    openQueue(name) {
      const queue = new PostgresQueue(name, { connection });
      queues.push(queue);
      return queue;
    },
    openWorker: (name, processor, concurrency) =>
      new PostgresWorker(name, processor, { connection, concurrency, lockDuration: LOCK_MS, stalledInterval: STALLED_CHECK_MS }),
    // Each statement waits for its connection.
    connected: () => Promise.resolve(),
    isConnected: () => true,
    async ping() {
      await queues[0]?.getJobCounts('waiting');
    },
    close: () => Promise.resolve(),
  };
}

type Trouble = (source: string) => (error: Error) => void;

/** Connection troubles are told once a minute per source: BullMQ repeats them at every retry. */
function quietly(log: Logger, source: string, isClosed: () => boolean): (error: Error) => void {
  let toldAt = 0;
  return (error) => {
    if (isClosed() || Date.now() - toldAt < 60_000) return;
    toldAt = Date.now();
    log.warn({ source, err: error }, 'queue connection trouble');
  };
}

/** The promise's value, or an error after `timeoutMs`. A late failure of the promise is still handled. */
async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the promise, but no longer than `limitMs`; a failure or a timeout is only logged. */
async function atMost(limitMs: number, promise: Promise<unknown>, log: Logger): Promise<void> {
  try {
    await within(promise, limitMs);
  } catch (error) {
    log.warn({ err: error }, 'the queue did not close in time');
  }
}
