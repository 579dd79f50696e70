/** How Pipedrive opens a frame: its signed token is checked, and strangers are told what they can do. */

import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Frame } from '../../views/layout';
import { sendNotice } from '../platform/error-pages';
import type { SettingsDeps } from './settings-deps';
import { EXPIRED, strangerNotice } from './stranger-notice';
import { findStranger, findViewerByCompany, type Viewer } from './viewer.store';

export type Surface = 'settings' | 'panel' | 'modal';

/** Panels may be 100 to 750 px high and have a fixed width; modals are at least 120 x 320. */
const SIZES: Readonly<Record<Surface, Omit<Frame, 'theme'>>> = {
  settings: { heightPx: 750, maxHeightPx: 4000, widthPx: null },
  panel: { heightPx: 400, maxHeightPx: 750, widthPx: null },
  modal: { heightPx: 600, maxHeightPx: 600, widthPx: 640 },
};

/** One text of each; anything else (absent, repeated) is none. */
const querySchema = z.object({
  token: z.string().catch(''),
  theme: z.enum(['light', 'dark']).nullable().catch(null),
});

/** The frame that this request is for. */
export function frameOf(request: Request, surface: Surface): Frame {
  return { theme: querySchema.parse({ ...request.query }).theme, ...SIZES[surface] };
}

/** Who opened it; null when the answer is sent already: 401 without a good token, an offer to install for strangers. */
export async function openFrame(
  { database, verifyIframeToken, installUrl }: SettingsDeps,
  surface: Surface,
  request: Request,
  response: Response,
): Promise<{ readonly viewer: Viewer; readonly frame: Frame } | null> {
  const frame = frameOf(request, surface);
  const claims = await verifyIframeToken(querySchema.parse({ ...request.query }).token);
  if (claims === null) {
    sendNotice(response, { status: 401, ...EXPIRED, frame, canReopen: true });
    return null;
  }
  const viewer = await findViewerByCompany(database.prisma, claims);
  if (viewer !== null) return { viewer, frame };
  const { title, lines, label } = strangerNotice(await findStranger(database.prisma, claims));
  sendNotice(response, { status: 200, title, lines, link: { href: installUrl, label }, frame });
  return null;
}
