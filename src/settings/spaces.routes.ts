/** The pages of the spaces: connect, test, pause, change, repair, delete. Every change is a request of the API. */

import { NewSpace, ReplaceUrl, type NewSpaceView } from '../../views/settings/space-connect';
import { SpaceSettings } from '../../views/settings/space-settings';
import type { TestView } from '../../views/settings/test-result';
import { Spaces } from '../../views/settings/spaces';
import type { Refusal } from '../../views/form';
import { missing } from '../api/endpoint';
import { counted } from '../core/counted';
import { findDestination, listDestinations } from '../delivery/chat-webhook.store';
import type { Destination } from '../delivery/read-destination';
import { listRules } from '../rules/rule.store';
import { countWatches } from '../rules/watch.store';
import { attempt } from './attempt';
import { connectSpace, EMPTY_FORM, sendTestCard, trySpace } from './connect-space';
import { rulesOf } from './overview-view';
import { overviewPage } from './overview-page';
import { unusedDestinations, waitingMessages } from './overview.store';
import type { SettingsDeps } from './settings-deps';
import { readSpaceForm, spaceFormView } from './space-form-view';
import { spaceView, type SpaceFacts } from './space-view';
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
    page('get', 'spaces/new', (_, visit) => Promise.resolve(newSpace({ ...EMPTY_FORM, isFirstRun: isFirstRun(visit) }))),
    page('post', 'spaces/new', add),
    page('post', 'spaces/try', async (_, visit) => newSpace(await trySpace(deps, visit))),
    page('get', 'spaces/:id', (_, visit) => settings(deps, visit), 'see'),
    page('post', 'spaces/:id', change),
    page('post', 'spaces/:id/test', test),
    page('post', 'spaces/:id/pause', pause),
    page('get', 'spaces/:id/url', (_, visit) => replaceUrl(deps, visit)),
    page('post', 'spaces/:id/url', repair),
    page('post', 'spaces/:id/try', tryNewUrl),
    page('post', 'spaces/:id/delete', remove),
  ];
}

async function list(deps: SettingsDeps, visit: Visit, more: { message?: string; refusal?: Refusal } = {}): Promise<PageAnswer> {
  const { tenant, isAdmin } = visit.viewer;
  const [destinations, rules, facts, plan] = await Promise.all([
    checkedSpaces(deps, visit),
    listRules(deps.database.prisma, tenant.id),
    spaceFacts(deps, visit),
    deps.loadPlan(tenant.id),
  ]);
  const content = Spaces({
    spaces: destinations.map((destination) => spaceView(destination, rulesOf(destination.id, rules), { ...facts, destinations })),
    usage: `${destinations.length} of ${plan.limits.destinations}`,
    isFull: destinations.length >= plan.limits.destinations,
    canChange: isAdmin,
    refusal: more.refusal ?? null,
  });
  const { message } = more;
  return { kind: 'page', page: 'spaces', title: 'Spaces', content, ...(message === undefined ? {} : { message }) };
}

/** All of the company, as one may be another's fallback. */
async function checkedSpaces(deps: SettingsDeps, { viewer: { tenant } }: Visit): Promise<readonly Destination[]> {
  return await deps.checkKeys(tenant.id, await listDestinations(deps.database.prisma, tenant.id));
}

async function spaceFacts(
  { database, clock }: SettingsDeps,
  { viewer: { tenant } }: Visit,
): Promise<Omit<SpaceFacts, 'destinations'>> {
  const [waiting, unused] = await Promise.all([
    waitingMessages(database.pool, tenant.id),
    unusedDestinations(database, tenant.id),
  ]);
  return { tenant, now: clock(), waiting, unused };
}

function newSpace(form: NewSpaceView): PageAnswer {
  const status = form.refusal === null ? 200 : 422;
  return { kind: 'page', page: 'spaces', title: 'Add a space', content: NewSpace(form), status };
}

async function add(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const outcome = await connectSpace(deps, visit);
  if (outcome.kind === 'form') return newSpace(outcome.form);
  const message = `${outcome.name} is connected`;
  return isFirstRun(visit) ? await overviewPage(deps, visit, { message }) : await list(deps, visit, { message });
}

/** Somebody came here from the first run, and goes on there. */
function isFirstRun({ form }: Visit): boolean {
  return form.text('return') === 'overview';
}

async function found(deps: SettingsDeps, { viewer, id }: Visit): Promise<Destination> {
  const { tenant } = viewer;
  const destination = await findDestination(deps.database.prisma, tenant.id, id);
  const [checked] = destination === null ? [] : await deps.checkKeys(tenant.id, [destination]);
  if (checked === undefined) throw missing('space');
  return checked;
}

async function settings(
  deps: SettingsDeps,
  visit: Visit,
  more: { refusal?: Refusal; test?: TestView; message?: string } = {},
): Promise<PageAnswer> {
  const { prisma } = deps.database;
  const { tenant, isAdmin } = visit.viewer;
  const [destination, all, rules, facts] = await Promise.all([
    found(deps, visit),
    checkedSpaces(deps, visit),
    listRules(prisma, tenant.id),
    spaceFacts(deps, visit),
  ]);
  const watches = await countWatches(prisma, tenant.id, destination.id);
  const posting = rules.filter(({ targetWebhookIds }) => targetWebhookIds.includes(destination.id));
  const view = spaceFormView(destination, more.refusal === undefined ? null : visit.form, {
    space: spaceView(destination, posting.length, { ...facts, destinations: all }),
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
  const { quietHours } = await found(deps, visit);
  const body = readSpaceForm(visit.form, quietHours !== null);
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
  const message = paused ? `${name} is paused: messages wait` : `${name} is resumed; waiting messages are sent now`;
  return await list(deps, visit, { message });
}

async function replaceUrl(
  deps: SettingsDeps,
  visit: Visit,
  { refusal = null, test = null }: { readonly refusal?: Refusal | null; readonly test?: TestView | null } = {},
): Promise<PageAnswer> {
  const [destination, destinations, facts] = await Promise.all([
    found(deps, visit),
    checkedSpaces(deps, visit),
    spaceFacts(deps, visit),
  ]);
  const content = ReplaceUrl({
    space: spaceView(destination, 0, { ...facts, destinations }),
    url: visit.form.text('url'),
    refusal,
    test,
  });
  const title = `Replace the URL of ${destination.name}`;
  return { kind: 'page', page: 'spaces', title, content, status: refusal === null ? 200 : 422 };
}

async function tryNewUrl(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  await found(deps, visit);
  return await replaceUrl(deps, visit, await trySpace(deps, visit));
}

async function repair(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await found(deps, visit);
  const tried = await attempt(() => put(deps, visit, { url: visit.form.text('url') }));
  if (!tried.done) return await replaceUrl(deps, visit, { refusal: tried.refusal });
  return await list(deps, visit, { message: `${name} has its new URL; waiting messages go there now` });
}

async function remove(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { name } = await found(deps, visit);
  await deps.callApi(visit.principal, { method: 'delete', path: '/chat-webhooks/:id', id: visit.id });
  return await list(deps, visit, { message: `${name} was deleted` });
}
