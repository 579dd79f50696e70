/** The page of what came in and what was made of it. */

import { Activity } from '../../views/settings/activity';
import { eventViews } from './event-views';
import { gatherFacts } from './gather-facts';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';

const EVENTS_SHOWN = 20;

export function activityPages(deps: SettingsDeps): PageRoute[] {
  return [{ method: 'get', path: 'activity', access: 'see', handle: (visit) => list(deps, visit) }];
}

async function list(deps: SettingsDeps, { viewer }: Visit): Promise<PageAnswer> {
  const facts = await gatherFacts(deps, viewer, { beforeId: null, limit: EVENTS_SHOWN });
  return { kind: 'page', page: 'activity', title: 'Activity', content: Activity({ events: eventViews(facts) }) };
}
