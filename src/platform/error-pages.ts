/** Errors as pages, for people in a browser: what happened, in words, and nothing of our insides. */

import type { Response } from 'express';
import { noticePage, type NoticeView } from '../../views/notice';
import type { Problem } from './problem';
import { renderPage } from './render-page';

export interface Notice {
  readonly status: number;
  readonly title: string;
  readonly lines: readonly string[];
  readonly link?: { readonly href: string; readonly label: string };
  /** Given for pages that stand inside Pipedrive. */
  readonly frame?: NoticeView['frame'];
}

/** Answers with a short page in our own layout. Never cached: its address may carry a token. */
export function sendNotice(response: Response, { status, title, lines, link, frame }: Notice): void {
  response.status(status).set('Cache-Control', 'no-store').type('html');
  response.send(renderPage(noticePage({ title, lines, link: link ?? null, frame: frame ?? null })));
}

/** The page for a problem. */
export function sendErrorPage(response: Response, { status, title, detail }: Problem): void {
  sendNotice(response, { status, title: status === 404 ? 'This page does not exist' : title, lines: [detail] });
}
