/** After all tests of a run: drops the template database, stops the server that the run started, and removes its files. */
import { rmSync } from 'node:fs';
import { Client } from 'pg';
import { recallTestServer } from './test-server';

export default async function globalTeardown(): Promise<void> {
  const running = recallTestServer();
  if (running === undefined) return;
  const { serverUrl, template, server } = running;
  if (server === undefined) {
    const client = new Client({ connectionString: serverUrl });
    await client.connect();
    try {
      await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    } finally {
      await client.end();
    }
    return;
  }
  await server.postgres.stop();
  rmSync(server.dataDir, { recursive: true, force: true });
}
