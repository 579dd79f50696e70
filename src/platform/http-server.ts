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

/** Answers what is under way; idle connections are cut at once. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
