/** An HTTP server's connections: kept for longer than a router keeps them, and at the close let go of when what is under way is answered. */

import { Agent, createServer, get, type ServerResponse } from 'node:http';
import { closeServer, listen, portOf } from '../../../src/platform/http-server';
import { waitUntil } from '../../support/wait-until';

/** Google Cloud's external load balancer. */
const LONGEST_OF_A_ROUTER_S = 600;

/** Asks once over a connection that is kept alive; the status, null when it was cut. */
function ask(agent: Agent, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    get({ agent, port, host: '127.0.0.1' }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? null));
    }).on('error', () => resolve(null));
  });
}

test('when a router keeps a connection for as long as any of them does, then the server does not close it before', async () => {
  const server = await listen(
    createServer((_request, response) => response.end('ok')),
    { port: 0, host: '127.0.0.1' },
  );

  const { headers } = await fetch(`http://127.0.0.1:${portOf(server)}/`);
  await closeServer(server);

  const [, seconds] = /^timeout=(\d+)$/.exec(headers.get('keep-alive') ?? '') ?? [];
  expect(Number(seconds)).toBeGreaterThan(LONGEST_OF_A_ROUTER_S);
});

test('when a sender goes on over its open connection, then the server ends all the same, and nothing it took was left unanswered', async () => {
  const server = await listen(
    createServer((_request, response) => {
      setImmediate(() => response.end('ok'));
    }),
    { port: 0, host: '127.0.0.1' },
  );
  const port = portOf(server);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: (number | null)[] = [];
  const sending = (async () => {
    while (statuses.at(-1) !== null) statuses.push(await ask(agent, port));
  })();
  await waitUntil('some are answered', () => statuses.length > 10);

  await closeServer(server);
  await sending;

  expect(statuses.slice(0, -1).every((status) => status === 200)).toBe(true);
  agent.destroy();
});

test('when a request is under way at the close, then it is answered before the server ends', async () => {
  const taken: ServerResponse[] = [];
  const server = await listen(
    createServer((_request, response) => void taken.push(response)),
    { port: 0, host: '127.0.0.1' },
  );
  const agent = new Agent({ keepAlive: true });
  const answer = ask(agent, portOf(server));
  await waitUntil('it is taken', () => taken.length === 1);

  const closing = closeServer(server);
  taken[0]?.end('late');

  expect(await answer).toBe(200);
  await closing;
  agent.destroy();
});
