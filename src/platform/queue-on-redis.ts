/** The queue on Redis: it scales over machines, and may be away for as long as it likes. */

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import {
  atMost,
  AWAY_CLOSE_LIMIT_MS,
  LOCK_MS,
  STALLED_CHECK_MS,
  type Backend,
  type QueueSettings,
  type Trouble,
} from './queue-backend';

/** Opens both of its connections: one that rings and fails fast, one that hears and waits. */
export function redisBackend(settings: QueueSettings, redisUrl: string, trouble: Trouble): Backend {
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

const retryStrategy = (attempt: number): number => Math.min(attempt * 100, 2000);

async function quit(connection: Redis): Promise<void> {
  if (connection.status === 'ready') await connection.quit();
  else connection.disconnect();
}
