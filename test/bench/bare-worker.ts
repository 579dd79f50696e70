/** What Dealbell's delivery is compared with: a bare BullMQ worker that takes finished bodies and only POSTs them. */

import { createPostgresBackend, Queue, withBackend, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { serveParent, settingsOf, tell } from './child-process';

const CONCURRENCY = 50;
const ADD_AT_ONCE = 500;
const job = z.object({ url: z.string(), body: z.string() });
const settings = settingsOf(
  z.object({
    databaseUrl: z.string(),
    redisUrl: z.string().nullable(),
    urls: z.array(z.string()),
    body: z.string(),
    jobs: z.number(),
  }),
);

async function post(payload: unknown): Promise<void> {
  const { url, body } = job.parse(payload);
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  await response.text();
}

function open() {
  const options = { removeOnComplete: true };
  if (settings.redisUrl !== null) {
    const connection = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
    const queue = new Queue('bare', { connection, defaultJobOptions: options });
    const work = () => new Worker('bare', ({ data }) => post(data), { connection, concurrency: CONCURRENCY });
    return { queue, work, close: () => connection.quit() };
  }
  const { Queue: PostgresQueue, Worker: PostgresWorker } = withBackend(createPostgresBackend);
  const connection = { connectionString: settings.databaseUrl, schema: 'bare', migrate: true, max: 8 };
  const queue = new PostgresQueue('bare', { connection, defaultJobOptions: options });
  const work = () => new PostgresWorker('bare', ({ data }) => post(data), { connection, concurrency: CONCURRENCY });
  return { queue, work, close: () => Promise.resolve('OK') };
}

async function main(): Promise<void> {
  const { queue, work, close } = open();
  const jobs = Array.from({ length: settings.jobs }, (_, index) => ({
    name: 'post',
    data: { url: settings.urls[index % settings.urls.length] ?? '', body: settings.body },
  }));
  for (let start = 0; start < jobs.length; start += ADD_AT_ONCE) await queue.addBulk(jobs.slice(start, start + ADD_AT_ONCE));
  const startedAtMs = performance.now();
  const worker = work();
  let completed = 0;
  worker.on('completed', () => {
    completed += 1;
    if (completed === settings.jobs) tell({ kind: 'done', count: (settings.jobs / (performance.now() - startedAtMs)) * 1000 });
  });
  serveParent(0, async () => {
    await worker.close();
    await queue.close();
    await close();
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
