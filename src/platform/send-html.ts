/** Sends a page that is made for one reader: never cached, compressed. Static files are compressed once, in `asset-files.ts`. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';

const compress = promisify(gzip);
/** Below it, a packet is a packet. */
const MIN_BYTES = 1_000;

/** The status stands in `response` already. */
export async function sendHtml(request: Request, response: Response, html: string): Promise<void> {
  response.set({ 'Cache-Control': 'no-store', Vary: 'Accept-Encoding' }).type('html');
  const isSmall = html.length < MIN_BYTES || request.acceptsEncodings('gzip') !== 'gzip';
  if (isSmall) response.send(html);
  else response.set('Content-Encoding', 'gzip').end(await compress(html));
}
