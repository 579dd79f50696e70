/** Entry of `npm run sandbox`: reads the flags, then runs the sandbox until Ctrl-C, or the demo to its end. */

import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { AppError } from '../../src/core/errors';
import { makeLogger } from '../../src/platform/logger';
import { closeOnSignal } from '../../src/platform/shutdown';
import { runDemo } from './demo';
import { guide } from './guide';
import { HELP, readOptions, type SandboxOptions } from './read-options';
import { startSandbox } from './start-sandbox';

const WRONG_USE = 2;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

void main();

async function main(): Promise<void> {
  const choice = readOptions(process.argv.slice(2));
  switch (choice.kind) {
    case 'help':
      process.stdout.write(HELP);
      break;
    case 'problem':
      process.stderr.write(`${choice.reason} See npm run sandbox -- --help\n`);
      process.exitCode = WRONG_USE;
      break;
    case 'demo':
      await orTellWhy(async () => process.exit(await runDemo(dealbellLog())));
      break;
    case 'run':
      await orTellWhy(() => run(choice.options));
      break;
    default:
      choice satisfies never;
  }
}

async function run(options: SandboxOptions): Promise<void> {
  const log = dealbellLog();
  process.stdout.write('\n  Starting PostgreSQL, the stand-ins and Dealbell ...\n');
  const dataDir = resolve(process.env['DATA_DIR'] ?? '.data/sandbox');
  const sandbox = await startSandbox({ ...options, dataDir, log });
  process.stdout.write(guide(sandbox, options));
  closeOnSignal(async () => {
    process.stdout.write('\n  Stopping ...\n');
    await sandbox.close();
  }, log);
}

/** Dealbell's own log; quiet by default, so that the guide stays in sight. */
function dealbellLog(): Logger {
  const level = process.env['LOG_LEVEL'] ?? 'warn';
  if (!LOG_LEVELS.includes(level))
    throw new AppError('invalid_configuration', `LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`);
  return makeLogger(level);
}

async function orTellWhy(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const words = error instanceof AppError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`\n  The sandbox cannot go on: ${words ?? ''}\n`);
    process.exit(1);
  }
}
