/** The load generator: keep-alive connections on bare sockets, so that it takes as little as possible of the two cores that it shares. */

import { connect, type Socket } from 'node:net';

/** Makes the next request, whole: head and body. */
export type NextRequest = () => string;

export interface LoadResult {
  readonly answered: number;
  /** Answers that were not 200. */
  readonly refused: number;
  readonly elapsedMs: number;
  readonly latenciesMs: readonly number[];
}

interface Connection {
  /** Resolves with the HTTP status when the whole answer is there. */
  send(request: string): Promise<number>;
  close(): void;
}

/** A whole HTTP request with Basic credentials, as Pipedrive sends webhooks. */
export function webhookRequest(body: string, authorization: string): string {
  const length = Buffer.byteLength(body);
  const head = `POST /webhook/pipedrive HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Pipedrive Webhooks\r\nAuthorization: ${authorization}\r\n`;
  return `${head}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

/** Closed loop: `concurrency` connections, each with one request under way, until the time or the number of requests is up. */
export async function driveLoad(load: {
  port: number;
  concurrency: number;
  nextRequest: NextRequest;
  durationMs?: number;
  requests?: number;
}): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: load.concurrency }, () => openConnection(load.port)));
  const latenciesMs: number[] = [];
  let refused = 0;
  let begun = 0;
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + (load.durationMs ?? Number.POSITIVE_INFINITY);
  const limit = load.requests ?? Number.POSITIVE_INFINITY;
  await Promise.all(
    connections.map(async (connection) => {
      while (begun < limit && performance.now() < endsAtMs) {
        begun += 1;
        const sentAtMs = performance.now();
        if ((await connection.send(load.nextRequest())) !== 200) refused += 1;
        latenciesMs.push(performance.now() - sentAtMs);
      }
    }),
  );
  const elapsedMs = performance.now() - startedAtMs;
  for (const connection of connections) connection.close();
  return { answered: latenciesMs.length, refused, elapsedMs, latenciesMs };
}

/** Open loop: a request every 1/`perSecond` s, whether earlier ones are answered or not. */
export async function driveAtRate(load: {
  port: number;
  perSecond: number;
  requests: number;
  nextRequest: NextRequest;
}): Promise<{ readonly refused: number }> {
  const idle: Connection[] = [];
  const opened: Connection[] = [];
  const underWay: Promise<void>[] = [];
  let refused = 0;
  const sendOne = async (): Promise<void> => {
    const connection = idle.pop() ?? (await openConnection(load.port));
    if (!opened.includes(connection)) opened.push(connection);
    if ((await connection.send(load.nextRequest())) !== 200) refused += 1;
    idle.push(connection);
  };
  const startedAtMs = performance.now();
  while (underWay.length < load.requests) {
    const due = Math.min(load.requests, Math.floor(((performance.now() - startedAtMs) / 1000) * load.perSecond) + 1);
    while (underWay.length < due) underWay.push(sendOne());
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(underWay);
  for (const connection of opened) connection.close();
  return { refused };
}

async function openConnection(port: number): Promise<Connection> {
  const socket = await connected(port);
  let received = '';
  let waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | null = null;
  const fail = (error: Error): void => waiting?.reject(error);
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    if (!isWhole(received)) return;
    const status = Number(received.slice(9, 12));
    received = '';
    waiting?.resolve(status);
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the measured server closed a connection')));
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => {
      waiting = null;
      socket.destroy();
    },
  };
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** All servers measured here answer with a Content-Length. */
function isWhole(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1];
  return received.length >= headEnd + 4 + Number(length ?? 0);
}
