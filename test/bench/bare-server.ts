/** What Dealbell's intake is compared with: servers that parse the same JSON, store nothing and answer the same. */

import { createServer, type Server } from 'node:http';
import express from 'express';
import { z } from 'zod';
import { serveParent, settingsOf } from './child-process';

const ANSWER = JSON.stringify({ status: 'accepted' });

function bareNode(): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      response.writeHead(body === null ? 400 : 200, { 'Content-Type': 'application/json', 'Content-Length': ANSWER.length });
      response.end(ANSWER);
    });
  });
}

function bareExpress(): Server {
  const app = express();
  app.use(express.json({ limit: '1mb' }));
  app.post('/webhook/pipedrive', (_request, response) => {
    response.json({ status: 'accepted' });
  });
  return createServer(app);
}

const { kind } = settingsOf(z.object({ kind: z.enum(['node:http', 'express']) }));
const server = kind === 'express' ? bareExpress() : bareNode();
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  serveParent(typeof address === 'object' && address !== null ? address.port : 0, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
