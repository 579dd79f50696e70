/** The overview, and what mends Pipedrive's side of the connection. */

import { AppError } from '../core/errors';
import { newestEventIds } from './activity.store';
import { EVENTS_SHOWN, overviewPage } from './overview-page';
import type { SettingsDeps } from './settings-deps';
import type { NothingAnswer, PageAnswer, PageRoute, Visit } from './visit';

export function overviewPages(deps: SettingsDeps): PageRoute[] {
  return [
    { method: 'get', path: 'overview', access: 'see', handle: (visit) => overviewPage(deps, visit) },
    { method: 'get', path: 'overview/news', access: 'see', handle: (visit) => news(deps, visit) },
    { method: 'post', path: 'overview/register', access: 'change', handle: (visit) => register(deps, visit) },
  ];
}

/** For a page that is open: itself again, when something came in or is on its way. */
async function news(deps: SettingsDeps, visit: Visit): Promise<PageAnswer | NothingAnswer> {
  const { form, viewer } = visit;
  const newest = await newestEventIds(deps.database.pool, viewer.tenant.id, EVENTS_SHOWN);
  const isKnown = form.text('seen') === newest.join(',');
  return isKnown && form.text('waits') === '' ? { kind: 'nothing' } : await overviewPage(deps, visit);
}

async function register(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { ownerConnectionId, failed } = await deps.syncWebhooks(visit.viewer.tenant.id);
  const reason = failed[0]?.reason ?? (ownerConnectionId === null ? 'no connected user is left' : null);
  if (reason !== null) {
    const words = `Pipedrive did not accept the registration: ${reason}. Dealbell keeps trying by itself; you can also try again.`;
    throw new AppError('not_registered', words, { status: 502 });
  }
  return await overviewPage(deps, visit, { message: 'Registered: Pipedrive tells Dealbell what happens' });
}
