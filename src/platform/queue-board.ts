/** The operator's view of the queues (Bull Board), mounted below `/admin/queues`. */

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import { Router, type RequestHandler } from 'express';
import { queueBoardHeaders } from './security-headers';

type EntryRoute = Parameters<ExpressAdapter['setEntryRoute']>[0];

/** Makes the board; read-only, because jobs hold no facts that anybody should edit. */
export function makeQueueBoard(queues: readonly Queue[], basePath: string): RequestHandler {
  const server = new OwnSourcesAdapter();
  server.setBasePath(basePath);
  createBullBoard({ queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })), serverAdapter: server });
  const board: unknown = server.getRouter();
  if (!isHandler(board)) throw new TypeError('the queue board gave no request handler');
  return Router().use(queueBoardHeaders(), board);
}

/** The board's page without its link to a font of Google's: the operator's visits are nobody else's business. */
class OwnSourcesAdapter extends ExpressAdapter {
  override setEntryRoute({ route, handler }: EntryRoute): this {
    this.app.get(route, (_request, response, next) => {
      const { name, params } = handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      response.render(name, params, (error: Error | null, html?: string) => {
        if (error === null) response.send((html ?? '').replaceAll(/<link href="https:[^>]*>/g, ''));
        else next(error);
      });
    });
    return this;
  }
}

function isHandler(value: unknown): value is RequestHandler {
  return typeof value === 'function';
}
