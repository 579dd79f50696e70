/** A port that is easy to remember if nobody has it, else any free one. */

import { createServer } from 'node:net';
import { freePort } from '../support/free-port';

export async function friendlyPort(wanted: number): Promise<number> {
  return (await isFree(wanted)) ? wanted : freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
