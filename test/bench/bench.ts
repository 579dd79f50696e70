/** `npm run bench`: compiles Dealbell and the benchmark as production is compiled, then measures. See run-benchmark.ts for the options. */

import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../prisma/migrations-folder';

// tsx names every function at run time, which costs speed and memory: what is measured runs as plain compiled JavaScript.
const root = projectRoot();
const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
execFileSync(process.execPath, [typescript, '-p', join(__dirname, 'tsconfig.json')], { stdio: 'inherit' });
const script = join(root, 'dist', 'bench', 'test', 'bench', 'run-benchmark.js');
const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
