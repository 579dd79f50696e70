/** The panel beside a record and the modal over one or several: what was told, watching, mute, and announcing by hand. */

import { Router, type Request, type Response } from 'express';
import type { VNode } from 'preact';
import { AnnounceModal, Announced, CardOfAnnouncement } from '../../views/announce';
import { NoRecord, Panel, ToldNews } from '../../views/panel';
import { counted } from '../core/counted';
import { renderPart } from '../platform/render-page';
import { sendHtml } from '../platform/send-html';
import { listDestinations } from '../delivery/chat-webhook.store';
import { attempt } from './attempt';
import { openFrame, type Surface } from './frame.routes';
import { parseForm, refuseStrangers, sendPage, viewerOf, visitOf } from './page-request';
import {
  announceFormView,
  announcementCard,
  MOST_RECORDS,
  NOTHING_TYPED,
  panelView,
  readRecords,
  recordViews,
  toldNews,
  type PanelTyped,
  type ShownRecords,
  type Typed,
} from './record-page';
import type { SettingsDeps } from './settings-deps';
import type { NothingAnswer, PageRoute, Visit } from './visit';

interface RecordAnswer {
  readonly kind: 'page' | 'part';
  readonly title: string;
  readonly content: VNode;
  readonly status?: 200 | 422;
}

interface RecordRoute {
  readonly surface: Surface;
  /** Below `/extension/`. */
  readonly path: string;
  readonly access: PageRoute['access'];
  readonly handle: (deps: SettingsDeps, visit: Visit, records: ShownRecords) => Promise<RecordAnswer | NothingAnswer>;
}

const ROUTES: readonly RecordRoute[] = [
  { surface: 'panel', path: 'panel/told', access: 'see', handle: told },
  { surface: 'panel', path: 'panel/mute', access: 'change', handle: mute },
  { surface: 'panel', path: 'panel/unmute/:id', access: 'change', handle: unmute },
  { surface: 'panel', path: 'panel/watch', access: 'change', handle: watch },
  { surface: 'panel', path: 'panel/unwatch/:id', access: 'change', handle: unwatch },
  { surface: 'panel', path: 'panel/announce', access: 'see', handle: announceInPanel },
  { surface: 'modal', path: 'modal/announce', access: 'see', handle: announceInModal },
  { surface: 'modal', path: 'modal/preview', access: 'see', handle: preview },
];

/** `/extension/panel` and `/extension/modal`, and what their forms send. */
export function recordRouter(deps: SettingsDeps): Router {
  const router = Router({ caseSensitive: true });
  for (const [surface, show] of [
    ['panel', panel],
    ['modal', modal],
  ] as const) {
    router.get(`/extension/${surface}`, async (request, response) => {
      const opened = await openFrame(deps, surface, request, response);
      if (opened === null) return;
      const visit = visitOf(deps, opened.viewer, request, response);
      await send(deps, surface, visit, await show(deps, visit, readRecords(visit.form)), request, response);
    });
  }
  for (const { surface, path, access, handle } of ROUTES) {
    router.post(`/extension/${path}`, parseForm(), async (request, response) => {
      const viewer = await viewerOf(deps, surface, request, response);
      if (viewer === null) return;
      refuseStrangers(access, viewer);
      const visit = visitOf(deps, viewer, request, response);
      const records = readRecords(visit.form);
      const answer = records === null ? noRecord() : await handle(deps, visit, records);
      await send(deps, surface, visit, answer, request, response);
    });
  }
  return router;
}

async function send(
  deps: SettingsDeps,
  surface: Surface,
  { viewer }: Visit,
  answer: RecordAnswer | NothingAnswer,
  request: Request,
  response: Response,
): Promise<void> {
  if (answer.kind === 'nothing') {
    response.status(204).end();
    return;
  }
  const { kind, title, content, status = 200 } = answer;
  response.status(status);
  if (kind === 'part') await sendHtml(request, response, renderPart(content));
  else await sendPage(deps, viewer, { surface, title, app: content }, request, response);
}

function noRecord(): RecordAnswer {
  return { kind: 'page', title: 'Dealbell', content: NoRecord() };
}

async function panel(
  deps: SettingsDeps,
  { viewer }: Visit,
  records: ShownRecords | null,
  { message = null, ...typed }: Partial<PanelTyped> & { readonly message?: string | null } = {},
): Promise<RecordAnswer> {
  if (records === null) return noRecord();
  const { announce = NOTHING_TYPED, watch = NOTHING_TYPED } = typed;
  const view = await panelView(deps, viewer, records, { announce, watch });
  const status = announce.refusal === null && watch.refusal === null ? 200 : 422;
  return { kind: 'page', title: view.heading, content: Panel({ view, message }), status };
}

async function told(deps: SettingsDeps, { viewer, form }: Visit, records: ShownRecords): Promise<RecordAnswer | NothingAnswer> {
  const news = await toldNews(deps, viewer, records, { seen: form.text('seen'), waits: form.text('waits') === 'yes' });
  return news === null ? { kind: 'nothing' } : { kind: 'part', title: 'Sent messages', content: ToldNews(news) };
}

async function mute(deps: SettingsDeps, visit: Visit, records: ShownRecords): Promise<RecordAnswer> {
  const { entity, ids } = records;
  await deps.callApi(visit.principal, { method: 'post', path: '/mutes', body: { entity, entityId: ids[0] } });
  return await panel(deps, visit, records, { message: `Muted: nothing is posted about this ${entity} until you unmute it` });
}

async function unmute(deps: SettingsDeps, visit: Visit, records: ShownRecords): Promise<RecordAnswer> {
  await deps.callApi(visit.principal, { method: 'delete', path: '/mutes/:id', id: visit.id });
  return await panel(deps, visit, records, { message: `Dealbell posts about this ${records.entity} again` });
}

async function watch(deps: SettingsDeps, visit: Visit, records: ShownRecords): Promise<RecordAnswer> {
  const { entity, ids } = records;
  const { space } = typedIn(visit);
  const body = { entity, entityId: ids[0], chatWebhookId: Number(space) };
  const outcome = await attempt(() => deps.callApi(visit.principal, { method: 'post', path: '/watches', body }));
  if (!outcome.done) return await panel(deps, visit, records, { watch: { space, refusal: outcome.refusal } });
  const place = await spaceName(deps, visit);
  return await panel(deps, visit, records, { message: `Watched: what happens to this ${entity} is posted in ${place}` });
}

async function unwatch(deps: SettingsDeps, visit: Visit, records: ShownRecords): Promise<RecordAnswer> {
  await deps.callApi(visit.principal, { method: 'delete', path: '/watches/:id', id: visit.id });
  return await panel(deps, visit, records, { message: `This ${records.entity} is not watched there any more` });
}

const typedIn = ({ form }: Visit): Omit<Typed, 'refusal'> => ({ space: form.text('space'), note: form.text('note') });

/** Everybody of the company may; the page's own key makes a second click harmless. */
async function announce(deps: SettingsDeps, visit: Visit, { entity, ids }: ShownRecords) {
  const { space, note } = typedIn(visit);
  const body = {
    records: ids.map((entityId) => ({ entity, entityId })),
    chatWebhookId: Number(space),
    note: note === '' ? null : note,
    key: visit.form.text('key'),
  };
  return await attempt(() => deps.callApi(visit.principal, { method: 'post', path: '/announcements', body }));
}

async function spaceName({ database: { prisma } }: SettingsDeps, { viewer, form }: Visit): Promise<string> {
  const spaces = await listDestinations(prisma, viewer.tenant.id);
  return spaces.find(({ id }) => String(id) === form.text('space'))?.name ?? 'the space';
}

async function announceInPanel(deps: SettingsDeps, visit: Visit, records: ShownRecords): Promise<RecordAnswer> {
  const outcome = await announce(deps, visit, records);
  if (outcome.done) return await panel(deps, visit, records, { message: `Announced in ${await spaceName(deps, visit)}` });
  return await panel(deps, visit, records, { announce: { ...typedIn(visit), refusal: outcome.refusal } });
}

async function modal(
  deps: SettingsDeps,
  { viewer }: Visit,
  records: ShownRecords | null,
  typed: Typed = NOTHING_TYPED,
): Promise<RecordAnswer> {
  if (records === null) return noRecord();
  const { entity, ids } = records;
  const first = { entity, ids: ids.slice(0, MOST_RECORDS) };
  const content = AnnounceModal({
    form: await announceFormView(deps, viewer, first, typed),
    records: await recordViews(deps, viewer, first),
    entity,
    tooMany: ids.length > MOST_RECORDS ? `Only the first ${MOST_RECORDS} of ${ids.length} are announced at once.` : null,
  });
  return { kind: 'page', title: 'Announce', content, status: typed.refusal === null ? 200 : 422 };
}

async function announceInModal(deps: SettingsDeps, visit: Visit, records: ShownRecords): Promise<RecordAnswer> {
  const outcome = await announce(deps, visit, records);
  if (!outcome.done) return await modal(deps, visit, records, { ...typedIn(visit), refusal: outcome.refusal });
  const what = records.ids.length === 1 ? 'Announced' : `${counted(records.ids.length, records.entity)} announced`;
  return { kind: 'page', title: 'Announced', content: Announced({ message: `${what} in ${await spaceName(deps, visit)}` }) };
}

async function preview(deps: SettingsDeps, visit: Visit, records: ShownRecords): Promise<RecordAnswer> {
  const { message, title } = await announcementCard(deps, visit.viewer, records, typedIn(visit));
  const content = CardOfAnnouncement({ message, title: records.ids.length === 1 ? title : null });
  return { kind: 'part', title: 'Preview', content };
}
