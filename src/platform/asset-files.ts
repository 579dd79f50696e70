/** The browser's files: our own styles, scripts and pictures, and the few of packages, read once and known by their content. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface AssetFile {
  readonly body: Buffer;
  /** Null for what does not get smaller. */
  readonly gzipped: Buffer | null;
  readonly contentType: string;
  /** Of the content: an address that carries it may be kept for ever. */
  readonly version: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Path below `/assets/` to the file inside its package. */
const PACKAGE_FILES = {
  'pico.min.css': '@picocss/pico/css/pico.min.css',
  'htmx.min.js': 'htmx.org/dist/htmx.min.js',
  'sortable.min.js': 'sortablejs/Sortable.min.js',
  'app-extensions-sdk.js': '@pipedrive/app-extensions-sdk/dist/index.umd.js',
} as const;

/** Every file of these folders of `public` in the order of the names: a page loads one file, and each part keeps its own. */
const BUNDLES = { css: 'dealbell.css', js: 'dealbell.js' } as const;

let known: ReadonlyMap<string, AssetFile> | null = null;

/** The file at this path below `/assets/`; undefined when there is none. */
export function findAsset(path: string): AssetFile | undefined {
  known ??= readAll(findPublicDir(__dirname));
  return known.get(path);
}

/** The address of a file with the version of its content. Throws when there is no such file: a page would be broken. */
export function assetUrl(path: string): string {
  const file = findAsset(path);
  if (file === undefined) throw new Error(`there is no asset ${path}`);
  return `/assets/${path}?v=${file.version}`;
}

function readAll(publicDir: string): ReadonlyMap<string, AssetFile> {
  const own = readdirSync(publicDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extname(entry.name) in CONTENT_TYPES)
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const partsOf = (folder: string) => own.filter((file) => dirname(file) === join(publicDir, folder));
  return new Map([
    ...own.map((file) => entryOf(relative(publicDir, file).split(sep).join('/'), readFileSync(file))),
    ...Object.entries(PACKAGE_FILES).map(([path, file]) => entryOf(path, readFileSync(require.resolve(file)))),
    ...Object.entries(BUNDLES).map(([folder, path]) =>
      entryOf(path, Buffer.concat(partsOf(folder).map((file) => readFileSync(file)))),
    ),
  ]);
}

function entryOf(path: string, body: Buffer): [string, AssetFile] {
  const gzipped = gzipSync(body, { level: 9 });
  return [
    path,
    {
      body,
      gzipped: gzipped.length < body.length ? gzipped : null,
      contentType: CONTENT_TYPES[extname(path)] ?? 'application/octet-stream',
      version: createHash('sha256').update(body).digest('base64url').slice(0, 12),
    },
  ];
}

/** The sources and the compiled output lie at different depths below the project's root. */
function findPublicDir(from: string): string {
  const candidate = join(from, 'public');
  if (existsSync(join(candidate, 'css'))) return candidate;
  const parent = dirname(from);
  if (parent === from) throw new Error('the folder public/ is missing');
  return findPublicDir(parent);
}
