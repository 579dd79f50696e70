/** Opens and closes an HTTP server as promises. */

import type { Server } from 'node:http';
import { AppError } from '../core/errors';

/**
 * Hosts' routers keep idle connections to us for later requests: AWS for 60 s unless told otherwise, Heroku for 90 s, Google for 600 s. Whose
 * patience is shorter closes; if that is we, a request that is on its way then is lost, and the router answers 502. Node's own is 5 s.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#connection-idle-timeout
 * https://devcenter.heroku.com/articles/http-routing#keepalives
 * https://cloud.google.com/load-balancing/docs/https#timeout-keepalive-backends
 */
const IDLE_CONNECTION_MS = 620_000;

/** Keeps connections longer than any router in front of it. Rejects when the port is taken or not allowed. */
export function listen(server: Server, { port, host }: { readonly port: number; readonly host: string }): Promise<Server> {
  server.keepAliveTimeout = IDLE_CONNECTION_MS;
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
