/** The queue in PostgreSQL: one machine needs no other server. */

import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresBackend, withBackend } from 'bullmq';
import { heardAllItsLife } from './postgres-listen-client';
import { LOCK_MS, STALLED_CHECK_MS, type Backend, type OpenQueue, type QueueSettings, type Trouble } from './queue-backend';

const POSTGRES_SCHEMA = 'bullmq';

type PostgresBackend = ReturnType<typeof createPostgresBackend>;
type PostgresConnection = NonNullable<Parameters<typeof createPostgresBackend>[1]['connection']>;

/** As long as the ledger's own connections; nobody who rings or asks for health waits for it. */
const CONNECT_TIMEOUT_MS = 5_000;
/** After a failed look for jobs a worker rests this long. */
const FAILED_LOOK_REST_MS = 500;

/** Opens it; a statement waits for its connection by itself. */
export function postgresBackend(settings: QueueSettings, trouble: Trouble): Backend {
  const tellTrouble = trouble('postgres');
  const open = (...args: Parameters<typeof createPostgresBackend>): PostgresBackend =>
    startingAgain(heardAllItsLife(createPostgresBackend(...args), tellTrouble));
  const { Queue: PostgresQueue } = withBackend<PostgresBackend, PostgresConnection>(open);
  const { Worker: PostgresWorker } = withBackend<PostgresBackend, PostgresConnection>((...args) => patient(open(...args)));
  const connection = {
    connectionString: settings.databaseUrl,
    schema: POSTGRES_SCHEMA,
    migrate: true,
    max: 4,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
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

/**
 * BullMQ keeps what came of its first connecting, a failure too: a queue that was opened while PostgreSQL was away or slow could not be rung,
 * heard or looked at until the process ended.
 */
function startingAgain<B extends object>(backend: B): B {
  const connection: unknown = Reflect.get(backend, 'connection');
  for (const part of [backend, connection]) {
    const start: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, 'waitUntilReady') : null;
    if (typeof part !== 'object' || part === null || typeof start !== 'function')
      throw new TypeError('BullMQ’s backend has no waitUntilReady any more');
    Reflect.set(part, 'waitUntilReady', async (): Promise<void> => {
      const starting: unknown = Reflect.apply(start, part, []);
      const kept: unknown = Reflect.get(part, 'readyPromise');
      try {
        await starting;
      } catch (error) {
        if (Reflect.get(part, 'readyPromise') === kept) Reflect.set(part, 'readyPromise', undefined);
        throw error;
      }
    });
  }
  return backend;
}

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
