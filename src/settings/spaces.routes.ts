/** The pages of the spaces: connect, test, pause, change, repair, delete. Every change is a request of the API. */

import { NewSpace, ReplaceUrl, type NewSpaceView } from '../../views/settings/space-connect';
import { SpaceSettings } from '../../views/settings/space-settings';
import type { TestView } from '../../views/settings/test-result';
import { Spaces } from '../../views/settings/spaces';
import type { Refusal } from '../../views/form';
import { missing } from '../api/endpoint';
import { findDestination, listDestinations, type Destination } from '../delivery/chat-webhook.store';
import { listRules } from '../rules/rule.store';
import { countWatches } from '../rules/watch.store';
import { attempt } from './attempt';
import { connectSpace, EMPTY_FORM, sendTestCard, trySpace } from './connect-space';
import { rulesOf } from './overview-view';
import { waitingMessages } from './overview.store';
import type { SettingsDeps } from './settings-deps';
import { readSpaceForm, spaceFormView } from './space-form-view';
import { spaceView } from './space-view';
import type { PageAnswer, PageRoute, Visit } from './visit';
import { counted } from './words';

export function spacesPages(deps: SettingsDeps): PageRoute[] {
  const page = (
    method: PageRoute['method'],
    path: string,
    handle: (deps: SettingsDeps, visit: Visit) => Promise<PageAnswer>,
    access: PageRoute['access'] = 'change',
  ): PageRoute => ({ method, path, access, handle: (visit) => handle(deps, visit) });
  return [
    page('get', 'spaces', (_, visit) => list(deps, visit), 'see'),
    page('get', 'spaces/new', () => Promise.resolve(newSpace(EMPTY_FORM))),
    page('post', 'spaces/new', add),
    page('post', 'spaces/try', async (_, visit) => newSpace(await trySpace(deps, visit))),
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

function newSpace(form: NewSpaceView): PageAnswer {
  const status = form.refusal === null ? 200 : 422;
  return { kind: 'page', page: 'spaces', title: 'Add a space', content: NewSpace(form), status };
}

async function add(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const outcome = await connectSpace(deps, visit);
  return outcome.kind === 'form' ? newSpace(outcome.form) : await list(deps, visit, { message: `${outcome.name} is connected` });
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
  const [destination, all, rules, waiting] = await Promise.all([
    found(deps, visit),
    listDestinations(prisma, tenant.id),
    listRules(prisma, tenant.id),
    waitingMessages(pool, tenant.id),
  ]);
  const watches = await countWatches(prisma, tenant.id, destination.id);
  const posting = rules.filter(({ targetWebhookIds }) => targetWebhookIds.includes(destination.id));
  const view = spaceFormView(destination, more.refusal === undefined ? null : visit.form, {
    space: spaceView(destination, posting.length, waiting),
    rules: posting.map(({ name }) => name),
    watched: watches === 0 ? null : `${counted(watches, 'record')} ${watches === 1 ? 'is' : 'are'} watched here.`,
    ...{ tenant, all },
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

async function test(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await found(deps, visit);
  const view = await sendTestCard(deps, visit, { chatWebhookId: visit.id });
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
