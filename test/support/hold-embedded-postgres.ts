/** A process of its own that starts the embedded PostgreSQL of a folder and waits, for tests that kill it. */
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres';

// An exit without a stop, as after an uncaught error.
process.once('SIGTERM', () => process.exit(0));

const [, , dataDir = ''] = process.argv;

startEmbeddedPostgres({ dataDir }).then(
  ({ connectionString }) => {
    process.stdout.write(`${connectionString}\n`);
    // Keeps the process alive: the server alone does not.
    setInterval(() => undefined, 60_000);
  },
  (error: unknown) => {
    process.stderr.write(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  },
);
