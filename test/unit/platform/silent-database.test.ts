/** A start whose database takes connections and then says nothing: it ends in time, in words. */

import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { applyMigrations, pendingMigrations } from '../../../prisma/migrate';
import { whileAnswering, withConnection } from '../../../src/platform/postgres-connection';
import { startBreakableProxy, type BreakableProxy } from '../../support/breakable-proxy';
import { useTestDatabase } from '../../support/test-database';

const testDatabase = useTestDatabase();
const SOON_MS = 300;
const WITHIN_MS = 20_000;

let proxy: BreakableProxy;
let throughProxy: string;

beforeEach(async () => {
  const { hostname, port } = new URL(testDatabase.connectionString);
  proxy = await startBreakableProxy({ host: hostname, port: Number(port) });
  const url = new URL(testDatabase.connectionString);
  [url.hostname, url.port] = ['127.0.0.1', String(proxy.port)];
  throughProxy = url.href;
});

afterEach(async () => {
  await proxy.close();
});

/** It accepts and neither says nor ends anything. */
async function aSilentServer(): Promise<{
  readonly server: Server;
  readonly sockets: readonly Socket[];
  readonly connectionString: string;
}> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => void sockets.push(socket.resume()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { server, sockets, connectionString: `postgresql://dealbell:secret@127.0.0.1:${port}/dealbell?sslmode=disable` };
}

describe('it says nothing from the first', () => {
  const silent: Awaited<ReturnType<typeof aSilentServer>>[] = [];
  const works = { 'looks for migrations': pendingMigrations, 'applies migrations': applyMigrations } as const;
  const outcomes = new Map<string, Promise<unknown>>();

  // Side by side: each is waited for until its limit.
  beforeAll(async () => {
    for (const [what, work] of Object.entries(works)) {
      const server = await aSilentServer();
      silent.push(server);
      outcomes.set(
        what,
        work(server).catch((error: unknown) => error),
      );
    }
  });
  afterAll(() => {
    for (const { server, sockets } of silent) {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    }
  });

  test.each(Object.keys(works))(
    'when the database accepts and says nothing while a start %s, then that ends in time with the reason',
    async (what) => {
      expect(await outcomes.get(what)).toMatchObject({
        code: 'database_unreachable',
        message: expect.stringMatching(/^The database at 127\.0\.0\.1:\d+ cannot be used: .*timeout/),
      });
    },
    WITHIN_MS,
  );
});

test('when the database hangs after it has taken the connection, then a statement is waited for no longer than the limit', async () => {
  const asking = withConnection({ connectionString: throughProxy, answerTimeoutMs: SOON_MS }, async (client) => {
    proxy.set('hang');
    return await client.query('SELECT 1');
  });

  await expect(asking).rejects.toMatchObject({
    code: 'database_unreachable',
    message: expect.stringContaining('it takes connections, but does not answer'),
  });
});

test('when the database hangs while something else works on it, then that is waited for no longer', async () => {
  const working = withConnection({ connectionString: throughProxy, answerTimeoutMs: SOON_MS }, async (client) => {
    proxy.set('hang');
    return await whileAnswering(client, new Promise(() => undefined), 20);
  });

  await expect(working).rejects.toMatchObject({ code: 'database_unreachable' });
});

test('when the work takes longer than an answer may, and the database answers, then its outcome is given', async () => {
  const working = withConnection({ connectionString: throughProxy, answerTimeoutMs: SOON_MS }, (client) =>
    whileAnswering(client, delay(2 * SOON_MS, 'done'), 20),
  );

  await expect(working).resolves.toBe('done');
});
