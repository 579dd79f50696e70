/** What every request of an open page goes through, of the settings, the panel and the modal: its token, its form, its right, its answer. */

import express, { type Request, type RequestHandler, type Response } from 'express';
import type { VNode } from 'preact';
import { framedDocument, framedFragment } from '../../views/shell';
import { principalOf } from '../api/authenticate';
import { AppError } from '../core/errors';
import { sendNotice } from '../platform/error-pages';
import { renderPage, renderPart } from '../platform/render-page';
import { sendHtml } from '../platform/send-html';
import { attentionOf } from './attention';
import { readForm } from './form-values';
import { frameOf, type Surface } from './frame.routes';
import type { SettingsDeps } from './settings-deps';
import { EXPIRED } from './stranger-notice';
import type { PageRoute, Visit } from './visit';
import { findViewerByPageToken, type Viewer } from './viewer.store';

const MAX_FORM_BYTES = 512 * 1024;
const MAX_INT4 = 2_147_483_647;
const BEARER = /^Bearer +(.{1,4096})$/i;

export function parseForm(maxBytes = MAX_FORM_BYTES): RequestHandler {
  return express.urlencoded({ extended: false, limit: maxBytes, parameterLimit: 2000 });
}

/** By the page token of the header (scripts) or of the hidden field (plain forms); null when the refusal is sent already. */
export async function viewerOf(
  { pageTokens, database }: SettingsDeps,
  surface: Surface,
  request: Request,
  response: Response,
): Promise<Viewer | null> {
  const token = BEARER.exec(request.get('authorization') ?? '')?.[1] ?? readForm(request.body).text('pageToken');
  const user = await pageTokens.verify(token);
  const viewer = user === null ? null : await findViewerByPageToken(database.prisma, user);
  if (viewer === null) sendNotice(response, { status: 401, ...EXPIRED, frame: frameOf(request, surface) });
  return viewer;
}

/** Throws an AppError (403) when only admins may. */
export function refuseStrangers(access: PageRoute['access'], { isAdmin }: Viewer): void {
  if (access === 'change' && !isAdmin) {
    throw new AppError('forbidden', 'Only admins of your Pipedrive company may change this.', { status: 403 });
  }
}

export function visitOf(deps: SettingsDeps, viewer: Viewer, request: Request, response: Response): Visit {
  return {
    viewer,
    principal: principalOf(viewer),
    id: pathId(request),
    form: readForm(request.method === 'POST' ? request.body : { ...request.query }),
    attention: once(() => attentionOf(deps, viewer)),
    signal: departureOf(response),
  };
}

/** What a page is sent as: `app` is everything that a click exchanges. */
export interface Drawn {
  readonly surface: Surface;
  readonly title: string;
  readonly app: VNode;
}

/** To scripts of an open page what changes, to a browser the whole document. The status stands in `response` already. */
export async function sendPage(
  deps: SettingsDeps,
  { tenant, userId }: Viewer,
  { surface, title, app }: Drawn,
  request: Request,
  response: Response,
): Promise<void> {
  const fullTitle = `${title} - Dealbell`;
  if (request.get('HX-Request') === 'true') {
    await sendHtml(request, response, renderPart(framedFragment(fullTitle, app)));
    return;
  }
  const credential = await deps.pageTokens.issue({ tenantId: tenant.id, userId });
  const html = renderPage(framedDocument(fullTitle, frameOf(request, surface), credential, app));
  await sendHtml(request, response, html);
}

function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => (result ??= work());
}

/** 404 for what can be no id of ours, before any query. */
function pathId(request: Request): number {
  const text = request.params['id'];
  if (text === undefined) return 0;
  const id = typeof text === 'string' && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (id === 0 || id > MAX_INT4) throw new AppError('not_found', 'There is nothing of this id.', { status: 404 });
  return id;
}

/** Aborted when the connection closes before the answer is out. */
function departureOf(response: Response): AbortSignal {
  const departure = new AbortController();
  response.once('close', () => departure.abort());
  return departure.signal;
}
