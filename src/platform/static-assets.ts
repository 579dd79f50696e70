/** Our own styles and scripts, and the few browser files of packages, all from our own origin (no CDN: strict CSP). */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import express, { Router } from 'express';

const DAY_MS = 86_400_000;

/** Path below `/assets` to the file inside its package. */
const PACKAGE_FILES = {
  '/pico.min.css': '@picocss/pico/css/pico.min.css',
  '/htmx.min.js': 'htmx.org/dist/htmx.min.js',
  '/app-extensions-sdk.js': '@pipedrive/app-extensions-sdk/dist/index.umd.js',
} as const;

/** Serves `/assets/*`. `publicDir` is the folder with our own css and js; found from this file upwards by default. */
export function makeAssets(publicDir: string = findPublicDir(__dirname)): Router {
  const router = Router();
  for (const [path, file] of Object.entries(PACKAGE_FILES)) {
    const absolute = require.resolve(file);
    router.get(`/assets${path}`, (_request, response) => {
      response.sendFile(absolute, { maxAge: DAY_MS, dotfiles: 'allow' });
    });
  }
  router.use('/assets', express.static(publicDir, { maxAge: DAY_MS, index: false, redirect: false }));
  return router;
}

/** The sources and the compiled output lie at different depths below the project's root. */
function findPublicDir(from: string): string {
  const candidate = join(from, 'public');
  if (existsSync(join(candidate, 'css', 'dealbell.css'))) return candidate;
  const parent = dirname(from);
  if (parent === from) throw new Error('the folder public/ is missing');
  return findPublicDir(parent);
}
