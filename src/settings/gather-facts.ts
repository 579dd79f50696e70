/** Reads what the pages tell of events: the events with their decisions, their messages, and the names behind the numbers. */

import { ANNOUNCE, loadAnnouncements } from '../delivery/announcement.store';
import { listDestinations } from '../delivery/chat-webhook.store';
import { deliveriesOfEvents } from '../delivery/delivery-history.store';
import { loadDecisionNames, pageOfEvents } from '../rules/event-history.store';
import { listRules } from '../rules/rule.store';
import { loadWatchNames } from '../rules/watch.store';
import type { PageFacts } from './event-views';
import type { SettingsDeps } from './settings-deps';
import type { Viewer } from './viewer.store';

export interface WantedEvents {
  readonly entity?: string;
  readonly entityId?: string;
  /** These alone. */
  readonly ids?: readonly number[];
  readonly beforeId: number | null;
  readonly limit: number;
}

/** Newest first. `wanted` null: no events at all. */
export async function gatherFacts(
  { database: { prisma, pool }, clock, checkKeys }: Pick<SettingsDeps, 'database' | 'clock' | 'checkKeys'>,
  { tenant }: Viewer,
  wanted: WantedEvents | null,
): Promise<PageFacts> {
  const [events, rules, destinations] = await Promise.all([
    wanted === null ? [] : pageOfEvents(pool, tenant.id, wanted),
    listRules(prisma, tenant.id),
    listDestinations(prisma, tenant.id).then((all) => checkKeys(tenant.id, all)),
  ]);
  const eventIds = events.map((event) => event.id);
  const decisions = events.flatMap((event) => event.decisions);
  const announced = events.filter(({ action }) => action === ANNOUNCE).map(({ id }) => id);
  const deliveries = eventIds.length === 0 ? [] : await deliveriesOfEvents(pool, tenant.id, eventIds);
  const [namesOf, announcements, watches] = await Promise.all([
    loadDecisionNames(pool, tenant.id, decisions, new Map(rules.map((rule) => [rule.id, rule]))),
    loadAnnouncements(pool, tenant.id, announced),
    loadWatchNames(pool, tenant.id, [...decisions, ...deliveries]),
  ]);
  return { tenant, events, destinations, rules, deliveries, namesOf, announcements, watches, now: clock() };
}
