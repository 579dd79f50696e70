/** Opens and closes an HTTP server as promises. */

import type { Server } from 'node:http';
import { AppError } from '../core/errors';

/** Rejects when the port is taken or not allowed. */
export function listen(server: Server, { port, host }: { readonly port: number; readonly host: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
      reject(
        isTaken
          ? new AppError('port_taken', `PORT ${port} on ${host} is taken or not allowed: ${error.message}`, { cause: error })
          : error,
      );
    });
    server.listen(port, host, () => resolve(server));
  });
}

/** The port it listens on, also when any free one was asked for. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** From the close to the cut of whatever is not answered yet. */
const CLOSE_LIMIT_MS = 5_000;
const LOOK_FOR_IDLE_MS = 100;

/**
 * Takes no new connection and answers what is under way, for 5 seconds at most. A connection that its sender keeps alive would go on
 * bringing requests for ever: it is told that its next answer is the last, and closed when it is idle.
 */
export function closeServer(server: Server): Promise<void> {
  server.prependListener('request', (_request, response) => {
    response.setHeader('Connection', 'close');
  });
  return new Promise((resolve) => {
    const look = setInterval(() => server.closeIdleConnections(), LOOK_FOR_IDLE_MS);
    const limit = setTimeout(() => server.closeAllConnections(), CLOSE_LIMIT_MS);
    server.close(() => {
      clearInterval(look);
      clearTimeout(limit);
      resolve();
    });
    server.closeIdleConnections();
  });
}
