/** The settings inside Pipedrive: every page request's way from its token to its answer, in one place. No cookie is read here. */

import { Router, type Request, type Response } from 'express';
import type { VNode } from 'preact';
import { Farewell } from '../../views/notice';
import { Shell, type PageKey } from '../../views/shell';
import { renderPart } from '../platform/render-page';
import { sendHtml } from '../platform/send-html';
import { accountPages } from './account.routes';
import { activityPages } from './activity.routes';
import { firstRunPages } from './first-run.routes';
import { openFrame } from './frame.routes';
import { overviewPages } from './overview.routes';
import { parseForm, refuseStrangers, sendPage, viewerOf, visitOf } from './page-request';
import { recordRouter } from './record.routes';
import { ruleDocumentPages } from './rule-document.routes';
import { ruleEditorPages } from './rule-editor.routes';
import { rulesPages } from './rules.routes';
import type { SettingsDeps } from './settings-deps';
import { spacesPages } from './spaces.routes';
import type { PageAnswer, PageRoute, Visit } from './visit';
import { listAdmins, type Viewer } from './viewer.store';

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
    ...ruleDocumentPages(deps),
  ];
  router.get('/extension/settings', async (request, response) => {
    const opened = await openFrame(deps, 'settings', request, response);
    if (opened === null) return;
    const first = routes.find(({ method, path }) => method === 'get' && path === 'overview');
    if (first === undefined) throw new Error('there is no first page');
    await answer(deps, first, opened.viewer, request, response);
  });
  for (const route of routes) {
    router[route.method](`/extension/settings/${route.path}`, parseForm(route.maxBytes), async (request, response) => {
      const viewer = await viewerOf(deps, 'settings', request, response);
      if (viewer !== null) await answer(deps, route, viewer, request, response);
    });
  }
  router.use(recordRouter(deps));
  return router;
}

async function answer(
  deps: SettingsDeps,
  { access, handle }: PageRoute,
  viewer: Viewer,
  request: Request,
  response: Response,
): Promise<void> {
  refuseStrangers(access, viewer);
  const visit = visitOf(deps, viewer, request, response);
  const answered = await handle(visit);
  if (answered.kind === 'nothing') response.status(204).end();
  else if (answered.kind === 'part') await sendHtml(request, response, renderPart(answered.content));
  else {
    if (answered.kind === 'page') response.status(answered.status ?? 200);
    const app = answered.kind === 'page' ? await shellOf(deps, visit, answered) : Farewell(answered);
    await sendPage(deps, viewer, { surface: 'settings', title: answered.title, app }, request, response);
  }
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

function unique(pages: readonly PageKey[]): PageKey[] {
  return [...new Set(pages)];
}

function namesOf(names: readonly string[]): string | null {
  return names.length === 0 ? null : new Intl.ListFormat('en', { type: 'disjunction' }).format(names);
}
