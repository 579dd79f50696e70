/** The pages of the spaces: connect, test, pause, change, repair, delete. Every change is a request of the API. */

import { z } from 'zod';
import { NewSpace, ReplaceUrl, SpaceSettings, type TestView } from '../../views/settings/space-form';
import { Spaces } from '../../views/settings/spaces';
import type { Refusal } from '../../views/form';
import { invalid, missing } from '../api/endpoint';
import { parseChatUrl } from '../clients/google-chat-url';
import { findDestination, listDestinations, type Destination } from '../delivery/chat-webhook.store';
import type { TestResult } from '../delivery/send-test';
import { listRules } from '../rules/rule.store';
import { attempt } from './attempt';
import { rulesOf } from './overview-view';
import { waitingMessages } from './overview.store';
import type { SettingsDeps } from './settings-deps';
import { readSpaceForm, spaceFormView } from './space-form-view';
import { spaceView } from './space-view';
import type { PageAnswer, PageRoute, Visit } from './visit';

export function spacesPages(deps: SettingsDeps): PageRoute[] {
  const page = (
    method: PageRoute['method'],
    path: string,
    handle: (deps: SettingsDeps, visit: Visit) => Promise<PageAnswer>,
    access: PageRoute['access'] = 'change',
  ): PageRoute => ({ method, path, access, handle: (visit) => handle(deps, visit) });
  return [
    page('get', 'spaces', (_, visit) => list(deps, visit), 'see'),
    page('get', 'spaces/new', () => Promise.resolve(newSpace({ name: '', url: '' }))),
    page('post', 'spaces/new', add),
    page('post', 'spaces/try', tryOut),
    page('get', 'spaces/:id', (_, visit) => settings(deps, visit), 'see'),
    page('post', 'spaces/:id', change),
    page('post', 'spaces/:id/test', test),
    page('post', 'spaces/:id/pause', pause),
    page('get', 'spaces/:id/url', (_, visit) => replaceUrl(deps, visit)),
    page('post', 'spaces/:id/url', repair),
    page('post', 'spaces/:id/delete', remove),
  ];
}

async function list(deps: SettingsDeps, visit: Visit, more: { message?: string; refusal?: Refusal } = {}): Promise<PageAnswer> {
  const { prisma, pool } = deps.database;
  const { tenant, isAdmin } = visit.viewer;
  const [destinations, rules, waiting, plan] = await Promise.all([
    listDestinations(prisma, tenant.id),
    listRules(prisma, tenant.id),
    waitingMessages(pool, tenant.id),
    deps.loadPlan(tenant.id),
  ]);
  const content = Spaces({
    spaces: destinations.map((destination) => spaceView(destination, rulesOf(destination.id, rules), waiting)),
    usage: `${destinations.length} of ${plan.limits.destinations}`,
    isFull: destinations.length >= plan.limits.destinations,
    canChange: isAdmin,
    refusal: more.refusal ?? null,
  });
  const { message } = more;
  return { kind: 'page', page: 'spaces', title: 'Spaces', content, ...(message === undefined ? {} : { message }) };
}

function newSpace(
  typed: { readonly name: string; readonly url: string },
  { refusal = null, test = null }: { refusal?: Refusal | null; test?: TestView | null } = {},
): PageAnswer {
  const content = NewSpace({ ...typed, refusal, test });
  return { kind: 'page', page: 'spaces', title: 'Add a space', content, status: refusal === null ? 200 : 422 };
}

async function add(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const typed = { name: visit.form.text('name'), url: visit.form.text('url') };
  const tried = await attempt(() => deps.callApi(visit.principal, { method: 'post', path: '/chat-webhooks', body: typed }));
  if (!tried.done) return newSpace(typed, { refusal: tried.refusal });
  return await list(deps, visit, { message: `${typed.name} is connected` });
}

async function tryOut(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const typed = { name: visit.form.text('name'), url: visit.form.text('url') };
  const tried = await attempt(() => tryUrl(deps, visit, typed.url));
  return newSpace(typed, tried.done ? { test: testView(tried.result) } : { refusal: tried.refusal });
}

/** Sends a sample to a URL that is not saved; throws an AppError (422) for what is no Chat webhook. */
export async function tryUrl({ googleChatOrigin, tryUrl }: SettingsDeps, { viewer }: Visit, url: string): Promise<TestResult> {
  const parsed = parseChatUrl(url, googleChatOrigin);
  if (parsed.kind === 'problem') throw invalid([{ path: 'url', message: parsed.message }]);
  return await tryUrl(viewer.tenant, parsed.parts);
}

/** What came of a test, in words. */
export function testView({ status, httpStatus, errorMessage }: TestResult): TestView {
  if (status === 'success') return { isSent: true, text: 'The test card is in the space: have a look in Google Chat.' };
  const reason = errorMessage ?? (httpStatus === null ? 'Google Chat did not answer' : `Google Chat answered ${httpStatus}`);
  return { isSent: false, text: `The test card did not arrive. ${reason}` };
}

async function found(deps: SettingsDeps, { viewer, id }: Visit): Promise<Destination> {
  const destination = await findDestination(deps.database.prisma, viewer.tenant.id, id);
  if (destination === null) throw missing('space');
  return destination;
}

async function settings(
  deps: SettingsDeps,
  visit: Visit,
  more: { refusal?: Refusal; test?: TestView; message?: string } = {},
): Promise<PageAnswer> {
  const { prisma, pool } = deps.database;
  const { tenant, isAdmin } = visit.viewer;
  const [destination, rules, waiting] = await Promise.all([
    found(deps, visit),
    listRules(prisma, tenant.id),
    waitingMessages(pool, tenant.id),
  ]);
  const posting = rules.filter(({ targetWebhookIds }) => targetWebhookIds.includes(destination.id));
  const view = spaceFormView(destination, more.refusal === undefined ? null : visit.form, {
    space: spaceView(destination, posting.length, waiting),
    rules: posting.map(({ name }) => name),
    tenant,
    canChange: isAdmin,
    refusal: more.refusal ?? null,
    test: more.test ?? null,
  });
  const { message } = more;
  return {
    ...{ kind: 'page', page: 'spaces', title: destination.name, content: SpaceSettings(view) },
    status: more.refusal === undefined ? 200 : 422,
    ...(message === undefined ? {} : { message }),
  };
}

async function change(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const body = readSpaceForm(visit.form);
  const tried = await attempt(() => put(deps, visit, body));
  if (!tried.done) return await settings(deps, visit, { refusal: tried.refusal });
  return await settings(deps, visit, { message: 'Saved' });
}

async function put(deps: SettingsDeps, { principal, id }: Visit, body: object): Promise<unknown> {
  return await deps.callApi(principal, { method: 'put', path: '/chat-webhooks/:id', id, body });
}

const testAnswer = z.object({
  status: z.enum(['success', 'failure']),
  httpStatus: z.number().nullable(),
  errorMessage: z.string().optional(),
});

async function test(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await found(deps, visit);
  const body = { chatWebhookId: visit.id };
  const answer = await deps.callApi(visit.principal, { method: 'post', path: '/test', body });
  const { status, httpStatus, errorMessage } = testAnswer.parse(answer);
  const view = testView({ status, httpStatus, ...(errorMessage === undefined ? {} : { errorMessage }) });
  if (visit.form.text('from') === 'settings') return await settings(deps, visit, { test: view });
  if (view.isSent) return await list(deps, visit, { message: `Test card sent to ${name}` });
  return await list(deps, visit, { refusal: { message: `${name}: ${view.text}`, errors: [] } });
}

async function pause(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await found(deps, visit);
  const paused = visit.form.text('paused') === 'yes';
  await put(deps, visit, { paused });
  const message = paused ? `${name} is paused: messages wait` : `${name} goes on; what waited is sent now`;
  return await list(deps, visit, { message });
}

async function replaceUrl(deps: SettingsDeps, visit: Visit, refusal: Refusal | null = null): Promise<PageAnswer> {
  const { pool } = deps.database;
  const destination = await found(deps, visit);
  const waiting = await waitingMessages(pool, visit.viewer.tenant.id);
  const content = ReplaceUrl({ space: spaceView(destination, 0, waiting), url: visit.form.text('url'), refusal });
  const title = `Replace the URL of ${destination.name}`;
  return { kind: 'page', page: 'spaces', title, content, status: refusal === null ? 200 : 422 };
}

async function repair(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await found(deps, visit);
  const tried = await attempt(() => put(deps, visit, { url: visit.form.text('url') }));
  if (!tried.done) return await replaceUrl(deps, visit, tried.refusal);
  return await list(deps, visit, { message: `${name} has its new URL; what waited is sent now` });
}

async function remove(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await found(deps, visit);
  await deps.callApi(visit.principal, { method: 'delete', path: '/chat-webhooks/:id', id: visit.id });
  return await list(deps, visit, { message: `${name} was deleted` });
}
