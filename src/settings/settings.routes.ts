/** The settings inside Pipedrive: every page request's way from its token to its answer, in one place. No cookie is read here. */

import express, { Router, type Request, type Response } from 'express';
import type { VNode } from 'preact';
import { settingsDocument, settingsFragment, Shell, type PageKey } from '../../views/shell';
import { principalOf } from '../api/authenticate';
import { AppError } from '../core/errors';
import { sendNotice } from '../platform/error-pages';
import { renderPage, renderPart } from '../platform/render-page';
import { sendHtml } from '../platform/send-html';
import { accountPages } from './account.routes';
import { activityPages } from './activity.routes';
import { attentionOf } from './attention';
import { readForm } from './form-values';
import { firstRunPages } from './first-run.routes';
import { frameOf, openFrame } from './frame.routes';
import { overviewPages } from './overview.routes';
import { recordRouter } from './record.routes';
import { ruleEditorPages } from './rule-editor.routes';
import { rulesPages } from './rules.routes';
import type { SettingsDeps } from './settings-deps';
import { spacesPages } from './spaces.routes';
import { EXPIRED } from './stranger-notice';
import type { PageAnswer, PageRoute, Visit } from './visit';
import { findViewerByPageToken, listAdmins, type Viewer } from './viewer.store';

const MAX_FORM_BYTES = 512 * 1024;
const MAX_INT4 = 2_147_483_647;
const BEARER = /^Bearer +(.{1,4096})$/i;

/** `/extension/settings` and the pages below it, the panel and the modal. */
export function makeSettingsRouter(deps: SettingsDeps): Router {
  const router = Router({ caseSensitive: true });
  const routes = [
    ...overviewPages(deps),
    ...firstRunPages(deps),
    ...spacesPages(deps),
    ...rulesPages(deps),
    ...ruleEditorPages(deps),
    ...activityPages(deps),
    ...accountPages(deps),
  ];
  router.get('/extension/settings', async (request, response) => {
    const opened = await openFrame(deps, 'settings', request, response);
    if (opened === null) return;
    const first = routes.find(({ method, path }) => method === 'get' && path === 'overview');
    if (first === undefined) throw new Error('there is no first page');
    await answer(deps, first, opened.viewer, request, response);
  });
  const parseForm = express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, parameterLimit: 2000 });
  for (const route of routes) {
    router[route.method](`/extension/settings/${route.path}`, parseForm, async (request, response) => {
      const viewer = await viewerOf(deps, request, response);
      if (viewer !== null) await answer(deps, route, viewer, request, response);
    });
  }
  router.use(recordRouter(deps));
  return router;
}

/** By the page token of the header (scripts) or of the hidden field (plain forms); null when the refusal is sent already. */
async function viewerOf({ pageTokens, database }: SettingsDeps, request: Request, response: Response): Promise<Viewer | null> {
  const token = BEARER.exec(request.get('authorization') ?? '')?.[1] ?? readForm(request.body).text('pageToken');
  const user = await pageTokens.verify(token);
  const viewer = user === null ? null : await findViewerByPageToken(database.prisma, user);
  if (viewer === null) sendNotice(response, { status: 401, ...EXPIRED, frame: frameOf(request, 'settings') });
  return viewer;
}

async function answer(
  deps: SettingsDeps,
  { access, handle }: PageRoute,
  viewer: Viewer,
  request: Request,
  response: Response,
): Promise<void> {
  if (access === 'change' && !viewer.isAdmin) {
    throw new AppError('forbidden', 'Only admins of your Pipedrive company may change this.', { status: 403 });
  }
  const visit: Visit = {
    viewer,
    principal: principalOf(viewer),
    id: pathId(request),
    form: readForm(request.method === 'POST' ? request.body : { ...request.query }),
    attention: once(() => attentionOf(deps, viewer)),
    signal: departureOf(response),
  };
  const answered = await handle(visit);
  if (answered.kind === 'page') response.status(answered.status ?? 200);
  const html = answered.kind === 'part' ? renderPart(answered.content) : await pageHtml(deps, visit, answered, request);
  await sendHtml(request, response, html);
}

async function pageHtml(deps: SettingsDeps, visit: Visit, answered: PageAnswer, request: Request): Promise<string> {
  const { viewer } = visit;
  const title = `${answered.title} - Dealbell`;
  const app = await shellOf(deps, visit, answered);
  if (request.get('HX-Request') === 'true') return renderPart(settingsFragment(title, app));
  const credential = await deps.pageTokens.issue({ tenantId: viewer.tenant.id, userId: viewer.userId });
  return renderPage(settingsDocument(title, frameOf(request, 'settings'), credential, app));
}

async function shellOf(deps: SettingsDeps, visit: Visit, { page, message, content }: PageAnswer): Promise<VNode> {
  const { viewer } = visit;
  const waiting = (await visit.attention()).map((item) => item.page);
  const askAdmin = viewer.isAdmin
    ? null
    : {
        link: deps.settingsUrl(viewer.tenant.companyDomain),
        admins: namesOf(await listAdmins(deps.database.prisma, viewer.tenant.id)),
      };
  return Shell({ page, message: message ?? null, waiting: unique(waiting), askAdmin, children: content });
}

function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => (result ??= work());
}

function unique(pages: readonly PageKey[]): PageKey[] {
  return [...new Set(pages)];
}

function namesOf(names: readonly string[]): string | null {
  return names.length === 0 ? null : new Intl.ListFormat('en', { type: 'disjunction' }).format(names);
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
