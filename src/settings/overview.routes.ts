/** The overview, and what mends Pipedrive's side of the connection. */

import { AppError } from '../core/errors';
import { overviewPage } from './overview-page';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';

export function overviewPages(deps: SettingsDeps): PageRoute[] {
  return [
    { method: 'get', path: 'overview', access: 'see', handle: (visit) => overviewPage(deps, visit) },
    { method: 'post', path: 'overview/register', access: 'change', handle: (visit) => register(deps, visit) },
  ];
}

async function register(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { ownerConnectionId, failed } = await deps.syncWebhooks(visit.viewer.tenant.id);
  const reason = failed[0]?.reason ?? (ownerConnectionId === null ? 'no connected user is left' : null);
  if (reason !== null) {
    const words = `Pipedrive did not take the registration: ${reason}. Dealbell goes on trying by itself; you can try again too.`;
    throw new AppError('not_registered', words, { status: 502 });
  }
  return await overviewPage(deps, visit, { message: 'Registered: Pipedrive tells Dealbell what happens' });
}
