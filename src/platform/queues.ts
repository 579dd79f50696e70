/** The bell and its hearers: BullMQ on Redis or on PostgreSQL, chosen once here; nothing else knows which. */

import { setTimeout as delay } from 'node:timers/promises';
import { Queue, type JobsOptions } from 'bullmq';
import type { Logger } from 'pino';
import { makeLingeringJobs, type LingeringJobs } from './lingering-jobs';
import { atMost, AWAY_CLOSE_LIMIT_MS, type HeardJob, type OpenQueue, type OpenWorker, type QueueSettings } from './queue-backend';
import { postgresBackend } from './queue-on-postgres';
import { redisBackend } from './queue-on-redis';
import { within } from './within';

/** Ringing must never hold up whoever rings; a ring that takes longer counts as lost and is left to the sweep. */
const RING_LIMIT_MS = 250;
/** One key is rung at most this often: one more add would only find the job of the one before. */
const RING_SPACING_MS = 20;
/** Jobs are short; a deploy expects a process to be gone within 10 s. */
const CLOSE_LIMIT_MS = 4_000;

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
  /** Whether it rings by the clock for `key`: a queue that was emptied does not any more. */
  isScheduled(key: string): Promise<boolean>;
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
      async isScheduled(key) {
        await backend.connected();
        return Boolean(await queue.getJobScheduler(key));
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

/** Connection troubles are told once a minute per source: BullMQ repeats them at every retry. */
function quietly(log: Logger, source: string, isClosed: () => boolean): (error: Error) => void {
  let toldAt = 0;
  return (error) => {
    if (isClosed() || Date.now() - toldAt < 60_000) return;
    toldAt = Date.now();
    log.warn({ source, err: error }, 'queue connection trouble');
  };
}
