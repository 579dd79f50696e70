/** What a queue needs of Redis or PostgreSQL, as far as BullMQ on both has it in common. */

import type { JobsOptions } from 'bullmq';
import type { Logger } from 'pino';
import { within } from './within';

/** A killed worker's job is given to another after this long; meanwhile the sweep works without bells. */
export const LOCK_MS = 15_000;
export const STALLED_CHECK_MS = 5_000;
/** What was under way for a backend that is away is not waited for. */
export const AWAY_CLOSE_LIMIT_MS = 500;

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

/** What both backends' queues have in common, as far as it is used here. */
export interface OpenQueue {
  readonly name: string;
  add(name: string, payload: unknown, options: JobsOptions): Promise<unknown>;
  upsertJobScheduler(id: string, repeat: { pattern: string; tz: string }, template: object): Promise<unknown>;
  /** Null or undefined where there is none. */
  getJobScheduler(id: string): Promise<unknown>;
  getJobCounts(...types: 'waiting'[]): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

export interface OpenWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: { readonly id?: string | undefined } | undefined, error: Error) => void): unknown;
  close(): Promise<void>;
}

export interface HeardJob {
  readonly data: unknown;
  /** The key that was rung; jobs of the schedule have none. */
  readonly deduplicationId?: string | undefined;
}

export interface Backend {
  readonly name: 'redis' | 'postgres';
  openQueue(name: string): OpenQueue;
  openWorker(name: string, processor: (job: HeardJob) => Promise<void>, concurrency: number): OpenWorker;
  /** Resolves when the backend can be asked, however long that takes. */
  connected(): Promise<void>;
  isConnected(): boolean;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Tells of connection troubles, by where they come from. */
export type Trouble = (source: string) => (error: Error) => void;

/** Waits for the promise, but no longer than `limitMs`; a failure or a timeout is only logged. */
export async function atMost(limitMs: number, promise: Promise<unknown>, log: Logger): Promise<void> {
  try {
    await within(promise, limitMs);
  } catch (error) {
    log.warn({ err: error }, 'the queue did not close in time');
  }
}
