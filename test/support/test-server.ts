/** What the start and the end of a test run, and its workers, must know of the one database server. */
import type { EmbeddedPostgres } from '../../src/platform/embedded-postgres';

export interface TestServer {
  readonly serverUrl: string;
  readonly template: string;
  /** Absent when the server was given by TEST_DATABASE_URL. */
  readonly server: { readonly postgres: EmbeddedPostgres; readonly dataDir: string } | undefined;
}

/** Names of the environment variables by which workers learn of it. */
export const TEST_SERVER_URL = { server: 'DEALBELL_TEST_SERVER_URL', template: 'DEALBELL_TEST_TEMPLATE' } as const;

let running: TestServer | undefined;

/** Setup and teardown run in one process. */
export function rememberTestServer(server: TestServer): void {
  running = server;
}

export function recallTestServer(): TestServer | undefined {
  return running;
}
