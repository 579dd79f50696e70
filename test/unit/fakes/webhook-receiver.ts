/** A tiny HTTP server that keeps what it is sent, for tests of the stand-in Pipedrive's webhooks. */
import http from 'node:http';

export type Received = { readonly method: string; readonly headers: http.IncomingHttpHeaders; readonly body: string };
export type WebhookReceiver = {
  readonly url: string;
  readonly received: Received[];
  /** The status of the next answers; null = never answer. */
  answerWith(status: number | null): void;
  close(): Promise<void>;
};

/** Listens on a free loopback port. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  let status: number | null = 200;
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ method: request.method ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      if (status !== null) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answerWith: (next) => {
      status = next;
    },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => {
          if (error === undefined) resolve();
          else reject(error);
        });
        server.closeAllConnections();
      }),
  };
}
