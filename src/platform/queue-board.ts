/** The operator's view of the queues (Bull Board), mounted below `/admin/queues`. */

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';

/** Makes the board; read-only, because jobs hold no facts that anybody should edit. */
export function makeQueueBoard(queues: readonly Queue[], basePath: string): RequestHandler {
  const server = new ExpressAdapter();
  server.setBasePath(basePath);
  createBullBoard({ queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })), serverAdapter: server });
  const router: unknown = server.getRouter();
  if (!isHandler(router)) throw new TypeError('the queue board gave no request handler');
  return router;
}

function isHandler(value: unknown): value is RequestHandler {
  return typeof value === 'function';
}
