/** Finds the samples and schemas that lie beside the project, when they are there. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const SHARED_DATA = resolve(__dirname, '../../../shared/data');

/** Absolute path of a file or folder in `../shared/data`, or null (with one line on the console) when it is absent: skip the test then. */
export function sharedDataPath(relative: string): string | null {
  const path = resolve(SHARED_DATA, relative);
  if (existsSync(path)) return path;
  console.warn(`left out: ../shared/data/${relative} is not here`);
  return null;
}
