/** Errors as pages, for people in a browser: what happened, in words, and nothing of our insides. */

import type { Response } from 'express';
import { noticePage, troubleText, type NoticeView } from '../../views/notice';
import type { Problem } from './problem';
import { renderPage, renderPart } from './render-page';

export interface Notice {
  readonly status: number;
  readonly title: string;
  readonly lines: readonly string[];
  readonly link?: { readonly href: string; readonly label: string };
  /** Given for pages that stand inside Pipedrive. */
  readonly frame?: NoticeView['frame'];
  readonly canReopen?: boolean;
}

/** Answers with a short page in our own layout. Never cached: its address may carry a token. */
export function sendNotice(response: Response, { status, title, lines, link, frame, canReopen = false }: Notice): void {
  response.status(status).set('Cache-Control', 'no-store').type('html');
  response.send(renderPage(noticePage({ title, lines, link: link ?? null, frame: frame ?? null, canReopen })));
}

/** For scripts on a page that is open: what it asked for stays away, and the words go to the place for trouble. */
export function sendTrouble(response: Response, { status, detail }: Problem): void {
  response.status(status).set({ 'Cache-Control': 'no-store', 'HX-Retarget': '#trouble', 'HX-Reswap': 'innerHTML' }).type('html');
  response.send(renderPart(troubleText(detail)));
}

/** The page for a problem. */
export function sendErrorPage(response: Response, { status, title, detail }: Problem, frame?: NoticeView['frame']): void {
  const notice = { status, title: status === 404 ? 'This page does not exist' : title, lines: [detail] };
  sendNotice(response, { ...notice, ...(frame === undefined ? {} : { frame }) });
}
