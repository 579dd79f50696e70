/** What the panel and the modal show: which records they are about, what was told of one, and the card that an announcement makes. */

import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AnnounceFormView, AnnouncedRecordView } from '../../views/announce';
import type { Option, Refusal } from '../../views/form';
import type { PanelView, ToldView } from '../../views/panel';
import type { WatchView } from '../../views/watch';
import type { ChatMessage } from '../core/chat-message';
import { counted } from '../core/counted';
import { titleOf, type RecordState } from '../core/record';
import { ANNOUNCED, type AnnouncedEntity } from '../delivery/announcement.store';
import { listDestinations } from '../delivery/chat-webhook.store';
import { unreadableReason, type Destination } from '../delivery/read-destination';
import { shownHealth } from '../delivery/space-health';
import { makeNameStore } from '../messages/name.store';
import { referenceKey } from '../messages/names';
import { referencesOf } from '../messages/references';
import { renderMessage } from '../messages/render-message';
import { pageOfEvents } from '../rules/event-history.store';
import { findMute } from '../rules/muted-record.store';
import { findRecordState } from '../rules/shadow.store';
import { WATCHED_ENTITIES, type Watch } from '../rules/watch-rules';
import { pageOfWatches } from '../rules/watch.store';
import { eventViews, type PageFacts } from './event-views';
import type { FormValues } from './form-values';
import { gatherFacts } from './gather-facts';
import { recordTitles } from './record-titles.store';
import type { SettingsDeps } from './settings-deps';
import type { Viewer } from './viewer.store';
import { capitalized, dayWords } from './words';

const EVENTS_SHOWN = 20;
/** One for each space at most. */
const WATCHES_SHOWN = 200;
/** What the API takes at once. */
export const MOST_RECORDS = 20;

const shownSchema = z.object({
  resource: z.enum(['deal', 'lead', 'person', 'organization']),
  ids: z.array(z.string().regex(/^[\w-]{1,64}$/)).min(1),
});

/** Records of one kind that the frame was opened for; the first is the one of a panel. */
export interface ShownRecords {
  readonly entity: AnnouncedEntity;
  readonly ids: readonly string[];
}

/** As Pipedrive names them in the frame's address, and our forms after it; null: none, or none that can be told of. */
export function readRecords(form: FormValues): ShownRecords | null {
  const ids = [
    ...new Set(
      form
        .text('selectedIds')
        .split(',')
        .filter((id) => id !== ''),
    ),
  ];
  const shown = shownSchema.safeParse({ resource: form.text('resource'), ids });
  return shown.success ? { entity: shown.data.resource, ids: shown.data.ids } : null;
}

/** What stands in the form of an announcement after it was refused. */
export interface Typed {
  readonly space: string;
  readonly note: string;
  readonly refusal: Refusal | null;
}

export const NOTHING_TYPED: Typed = { space: '', note: '', refusal: null };

/** What stands in the forms of a panel after one of them was refused. */
export interface PanelTyped {
  readonly announce: Typed;
  readonly watch: Pick<Typed, 'space' | 'refusal'>;
}

export async function panelView(
  deps: SettingsDeps,
  viewer: Viewer,
  { entity, ids: [entityId = ''] }: ShownRecords,
  typed: PanelTyped,
): Promise<PanelView> {
  const { prisma, pool } = deps.database;
  const { tenant, isAdmin } = viewer;
  const record = { entity, entityId };
  const canBeWatched = WATCHED_ENTITIES.some((known) => known === entity);
  const [facts, mute, titles, watches] = await Promise.all([
    gatherFacts(deps, viewer, { ...record, beforeId: null, limit: EVENTS_SHOWN }),
    findMute(prisma, tenant.id, record),
    recordTitles(pool, tenant.id, [record]),
    canBeWatched ? pageOfWatches(prisma, tenant.id, record, { beforeId: null, limit: WATCHES_SHOWN }) : null,
  ]);
  return {
    heading: headingOf(record, titles),
    entity,
    isMuted: mute !== null,
    muteId: mute?.id ?? null,
    canMute: isAdmin,
    told: toldView(record, facts),
    announce: formView(deps, viewer, { entity, ids: [entityId] }, facts.destinations, typed.announce),
    watch:
      watches === null ? null : watchView(viewer, record, facts.destinations, watches, { ...typed.watch, rests: mute !== null }),
  };
}

const LOOK_MS = 15_000;

function toldView({ entity, entityId }: { readonly entity: string; readonly entityId: string }, facts: PageFacts): ToldView {
  const sent = facts.deliveries.filter(({ state }) => state === 'sent').length;
  // The heading names the record already.
  const events = eventViews(facts).map((event) => ({ ...event, record: '', link: null }));
  const awaited = events.flatMap(({ nextLookMs }) => (nextLookMs === null ? [] : [nextLookMs]));
  return {
    entity,
    summary: events.length === 0 ? null : sentWords(sent, events.length, awaited.length > 0),
    events,
    look: {
      ...{ resource: entity, selectedIds: entityId, seen: seenOf(events) },
      waits: awaited.length === 0 ? '' : 'yes',
    },
    everyMs: Math.min(LOOK_MS, ...awaited),
  };
}

function sentWords(sent: number, events: number, isMoreAwaited: boolean): string {
  if (sent > 0) return `${counted(sent, 'message')} about ${counted(events, 'event')}.`;
  return isMoreAwaited ? 'None yet.' : 'None.';
}

/** All of them: of two that are written at once, the newer may be there first. */
function seenOf(events: readonly { readonly id: number }[]): string {
  return events.map(({ id }) => id).join(',');
}

/** What was told, for a panel that is open; null when it shows that already. */
export async function toldNews(
  deps: SettingsDeps,
  viewer: Viewer,
  { entity, ids: [entityId = ''] }: ShownRecords,
  { seen, waits }: { readonly seen: string; readonly waits: boolean },
): Promise<Pick<PanelView, 'told' | 'heading'> | null> {
  const record = { entity, entityId };
  if (!waits) {
    const events = await pageOfEvents(deps.database.pool, viewer.tenant.id, { ...record, beforeId: null, limit: EVENTS_SHOWN });
    if (seenOf(events) === seen) return null;
  }
  const [facts, titles] = await Promise.all([
    gatherFacts(deps, viewer, { ...record, beforeId: null, limit: EVENTS_SHOWN }),
    recordTitles(deps.database.pool, viewer.tenant.id, [record]),
  ]);
  return { told: toldView(record, facts), heading: headingOf(record, titles) };
}

function headingOf(
  { entity, entityId }: { readonly entity: string; readonly entityId: string },
  titles: ReadonlyMap<string, string>,
): string {
  return titles.get(`${entity} ${entityId}`) ?? `This ${entity}`;
}

const DEAL_TOLD = 'won, lost, moved, a new owner, value, close date or label, notes, completed activities';
const LEAD_TOLD = 'converted, archived, deleted, notes, completed activities';

/** Where it is watched, and where it can be. */
function watchView(
  { tenant, isAdmin }: Viewer,
  { entity, entityId }: { readonly entity: string; readonly entityId: string },
  destinations: readonly Destination[],
  watches: readonly Watch[],
  typed: PanelTyped['watch'] & { readonly rests: boolean },
): WatchView {
  const names = new Map(destinations.map(({ id, name }) => [id, name]));
  const taken = new Set(watches.map(({ chatWebhookId }) => chatWebhookId));
  return {
    ...{ entity, resource: entity, selectedIds: entityId, canChange: isAdmin, ...typed },
    told: entity === 'lead' ? LEAD_TOLD : DEAL_TOLD,
    places: watches.map(({ id, chatWebhookId, author, createdAt }) => ({
      id,
      space: names.get(chatWebhookId) ?? 'a space that was removed',
      who: `${author} since ${dayWords(createdAt, tenant)}`,
    })),
    spaces: isAdmin ? destinations.filter(({ id }) => !taken.has(id)).map(spaceOption) : [],
  };
}

function spaceOption(destination: Destination): Option {
  const { id, name } = destination;
  const { health } = shownHealth(destination, unreadableReason(destination));
  const label = health === 'paused' || health === 'broken' ? `${name} (${health}: it waits)` : name;
  return { value: String(id), label };
}

/** The form of an announcement, as it is filled in. */
export async function announceFormView(
  deps: SettingsDeps,
  viewer: Viewer,
  records: ShownRecords,
  typed: Typed,
): Promise<AnnounceFormView> {
  const { tenant } = viewer;
  const destinations = await deps.checkKeys(tenant.id, await listDestinations(deps.database.prisma, tenant.id));
  return formView(deps, viewer, records, destinations, typed);
}

function formView(
  deps: SettingsDeps,
  { tenant }: Viewer,
  { entity, ids }: ShownRecords,
  destinations: readonly Destination[],
  { space, note, refusal }: Typed,
): AnnounceFormView {
  return {
    resource: entity,
    selectedIds: ids.join(','),
    key: randomUUID(),
    spaces: destinations.map(spaceOption),
    settingsUrl: deps.settingsUrl(tenant.companyDomain),
    ...{ space, note, refusal },
  };
}

/** By name where the name is known. */
export async function recordViews(
  { database: { pool } }: SettingsDeps,
  { tenant }: Viewer,
  { entity, ids }: ShownRecords,
): Promise<AnnouncedRecordView[]> {
  const titles = await recordTitles(
    pool,
    tenant.id,
    ids.map((entityId) => ({ entity, entityId })),
  );
  return ids.map((id) => ({ id, title: titles.get(`${entity} ${id}`) ?? `${capitalized(entity)} ${id}` }));
}

/** The card of the first record, as the chosen space would show it; null when nobody knows the record; with its title. */
export async function announcementCard(
  deps: SettingsDeps,
  { tenant, userName }: Viewer,
  { entity, ids: [entityId = ''] }: ShownRecords,
  { space, note }: Pick<Typed, 'space' | 'note'>,
): Promise<{ readonly message: ChatMessage | null; readonly title: string | null }> {
  const { prisma, pool } = deps.database;
  const known = await findRecordState(pool, tenant.id, { entity, entityId });
  const state: RecordState | null = known ?? (await deps.fetchRecord(tenant.id, entity, entityId));
  if (state === null) return { message: null, title: null };
  const destinations = await listDestinations(prisma, tenant.id);
  const { locale, timeZone } = destinations.find(({ id }) => String(id) === space) ?? { locale: null, timeZone: null };
  const announcement = { by: userName, note: note === '' ? null : note };
  const transition = { type: ANNOUNCED[entity], changes: [], announcement };
  const change = { entity, entityId, transition, state, actorUserId: null, occurredAt: deps.clock() };
  const wanted = referencesOf(change, 'detailed', null).map((reference) => ({ tenantId: tenant.id, ...reference }));
  const found = await makeNameStore({ pool }).findNames(wanted);
  const names = new Map(found.map(({ entity: kind, id, named }) => [referenceKey(kind, id), named]));
  const destination = { locale, timeZone, threads: 'off' } as const;
  const message = renderMessage({ change, tenant, destination, mode: 'detailed', template: null }, names);
  return { message, title: titleOf(state) };
}
