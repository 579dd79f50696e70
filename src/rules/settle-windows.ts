/**
 * Settle windows of a record: per settle time and matter that rules are about, opened by the first event that touches the matter after
 * the last window closed. A window keeps only the old values of what changed since, so that it stays small and survives a restart
 * with the shadow. Pure.
 */

import { isObject, type RecordEntity, type RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import { recordEntityOf, type EventType } from '../core/transition';
import { netChange, undoneState, type Change } from './derive-transitions';
import { isSame } from './same-value';
import { conditionsOf } from './walk-conditions';

/** What events and rules are about: a won rule hears of every status, since only all of them together show the net change. */
export type Matter =
  | ('life' | 'status' | 'place' | 'owner' | 'value' | 'closeDate' | 'labels' | 'fields' | 'archive' | 'done' | 'schedule')
  /** Of a watch: all but bare fields. */
  | 'anything';

const MATTERS: Readonly<Record<EventType, Matter>> = {
  'deal.created': 'life',
  'deal.won': 'status',
  'deal.lost': 'status',
  'deal.reopened': 'status',
  'deal.stage_changed': 'place',
  'deal.pipeline_changed': 'place',
  'deal.owner_changed': 'owner',
  'deal.value_changed': 'value',
  'deal.close_date_changed': 'closeDate',
  'deal.label_added': 'labels',
  'deal.field_changed': 'fields',
  'deal.merged': 'life',
  'deal.deleted': 'life',
  'lead.created': 'life',
  'lead.converted': 'life',
  'lead.archived': 'archive',
  'person.created': 'life',
  'organization.created': 'life',
  'activity.created': 'life',
  'activity.completed': 'done',
  'note.created': 'life',
  'deal.label_removed': 'labels',
  'deal.archived': 'archive',
  'deal.restored': 'archive',
  'lead.restored': 'archive',
  'lead.deleted': 'life',
  'person.deleted': 'life',
  'organization.deleted': 'life',
  'activity.reopened': 'done',
  'activity.rescheduled': 'schedule',
  'activity.deleted': 'life',
  'note.deleted': 'life',
};

/** As it lies in the shadow. */
export interface SettleWindow {
  readonly settleMs: number;
  /** Null: it counts for every rule, because the record came, went or swallowed another one. */
  readonly matter: string | null;
  /** Set for rules that were switched on at that moment, while the window of the others was open already. */
  readonly since: Date | null;
  readonly openedAt: Date;
  /** Old values of what changed since it opened; null: the record was created in it. */
  readonly was: RecordState | null;
}

/** A window as one event finds it. */
export interface WindowNow extends SettleWindow {
  /** This event opened it. */
  readonly isNew: boolean;
  /** `was` before this event. */
  readonly wasBefore: RecordState | null;
}

/** Rules of one settle time that are about one matter. */
interface Listening {
  readonly settleMs: number;
  readonly matter: Matter;
  /** Fields whose changes these rules ask for in conditions. */
  readonly watched: Set<string>;
}

/** What the windows of one kind of record go by: the rules that listen to such records. */
export interface SettleClock {
  readonly listening: readonly Listening[];
  /** Rules that settle, the one that was switched on last first. */
  readonly byEnabledAt: readonly { readonly enabledAt: Date; readonly to: Listening }[];
}

/** Three settle times: with the default still told within 5 s. */
const PATIENCE_WITH_LEADS = 3;

/**
 * How long the rule waits for later edits, in milliseconds. A lead that goes may be half of a conversion whose deal comes seconds later,
 * and is seldom urgent: unless the rule says otherwise, it waits longer than anything else.
 */
export function settleTimeOf({ settleMs, eventType }: Rule, defaultSettleMs: number): number {
  const isGoing = eventType === 'lead.archived' || eventType === 'lead.deleted';
  return settleMs ?? (isGoing ? defaultSettleMs * PATIENCE_WITH_LEADS : defaultSettleMs);
}

/** The clock of each kind of record. */
export function settleClocks(rules: readonly Rule[], defaultSettleMs: number): ReadonlyMap<RecordEntity, SettleClock> {
  const clocks = new Map<RecordEntity, GrowingClock>();
  for (const rule of rules) {
    const settleMs = settleTimeOf(rule, defaultSettleMs);
    if (settleMs === 0) continue;
    const entity = recordEntityOf(rule.eventType);
    const clock = clocks.get(entity) ?? { listening: [], byEnabledAt: [] };
    clocks.set(entity, clock);
    listenTo(rule, settleMs, clock);
  }
  for (const { byEnabledAt } of clocks.values()) byEnabledAt.sort(lastSwitchedOnFirst);
  return clocks;
}

/** The clock of one record that is watched. */
export function clockWith(
  watchers: readonly Rule[],
  clock: SettleClock | undefined,
  defaultSettleMs: number,
): SettleClock | undefined {
  if (watchers.length === 0) return clock;
  const own: GrowingClock = { listening: [...(clock?.listening ?? [])], byEnabledAt: [...(clock?.byEnabledAt ?? [])] };
  for (const watcher of watchers) {
    const settleMs = settleTimeOf(watcher, defaultSettleMs);
    if (settleMs > 0) listenTo(watcher, settleMs, own);
  }
  own.byEnabledAt.sort(lastSwitchedOnFirst);
  return own;
}

type Enabled = SettleClock['byEnabledAt'][number];

interface GrowingClock {
  readonly listening: Listening[];
  readonly byEnabledAt: Enabled[];
}

const lastSwitchedOnFirst = (left: Enabled, right: Enabled): number => right.enabledAt.getTime() - left.enabledAt.getTime();

function listenTo(rule: Rule, settleMs: number, { listening, byEnabledAt }: GrowingClock): void {
  const matter = matterOf(rule);
  const known = listening.find((other) => other.settleMs === settleMs && other.matter === matter);
  const to = known ?? { settleMs, matter, watched: new Set() };
  if (known === undefined) listening.push(to);
  for (const field of changesAskedFor(rule)) to.watched.add(field);
  byEnabledAt.push({ enabledAt: rule.enabledAt, to });
}

function matterOf({ hears, eventType }: Rule): Matter {
  return hears === undefined ? MATTERS[eventType] : 'anything';
}

const ON_CHANGES = new Set(['changed', 'changedTo', 'changedFrom', 'increasedBy', 'decreasedBy']);

function changesAskedFor({ filters }: Rule): readonly string[] {
  return conditionsOf(filters.conditions)
    .filter(({ op }) => ON_CHANGES.has(op))
    .map(({ field }) => field);
}

/** One event of a record, as its windows see it. */
export interface WindowEvent {
  readonly receivedAt: Date;
  readonly change: Change;
  /** The types of its transitions. */
  readonly types: readonly EventType[];
  /** The last known state before it; null when nothing was known. */
  readonly known: RecordState | null;
}

/** Moves the windows of a record on by one event: open ones take the change in, and where none is open it may open one. */
export function moveWindows(
  event: WindowEvent,
  windows: readonly SettleWindow[],
  clock: SettleClock | undefined,
): readonly WindowNow[] {
  if (clock === undefined) return [];
  const receivedMs = event.receivedAt.getTime();
  const moved = windows
    .filter(({ openedAt, settleMs }) => receivedMs - openedAt.getTime() <= settleMs)
    .map((window) => growing(window, event));
  const touched = new Set(event.types.map((type) => MATTERS[type]));
  for (const listening of clock.listening) {
    if (touches(event, touched, listening) && servingAll(moved, listening, null) === undefined)
      moved.push(opening(listening, touched, null, event));
  }
  const oldestMs = Math.min(...moved.filter(({ isNew }) => !isNew).map(({ openedAt }) => openedAt.getTime()));
  for (const { enabledAt, to } of clock.byEnabledAt) {
    if (enabledAt.getTime() <= oldestMs) break;
    if (enabledAt > event.receivedAt || !touches(event, touched, to)) continue;
    if (windowFrom(moved, to, enabledAt) === null) moved.push(opening(to, touched, enabledAt, event));
  }
  return moved;
}

function touches({ change }: WindowEvent, touched: ReadonlySet<Matter>, { matter, watched }: Listening): boolean {
  if (touched.has('life') || touched.has(matter)) return true;
  if (matter === 'anything') return [...touched].some((touching) => touching !== 'fields');
  if (watched.size === 0) return false;
  const custom = fieldsOf(change.previous['custom_fields']);
  return [...Object.keys(change.previous), ...Object.keys(custom)].some((field) => watched.has(field));
}

function growing(window: SettleWindow, { change, known }: WindowEvent): WindowNow {
  return { ...window, isNew: false, wasBefore: window.was, was: grown(window.was, change, known) };
}

function opening(listening: Listening, touched: ReadonlySet<Matter>, since: Date | null, event: WindowEvent): WindowNow {
  const { settleMs } = listening;
  const matter = touched.has('life') ? null : listening.matter;
  return { settleMs, matter, since, openedAt: event.receivedAt, was: oldValues(event.change), isNew: true, wasBefore: {} };
}

type Served = Pick<Listening, 'settleMs' | 'matter'>;

/** The window of that matter, else the one that counts for every matter. */
function servingAll(windows: readonly WindowNow[], { settleMs, matter }: Served, since: Date | null): WindowNow | undefined {
  const serving = windows.filter(
    (window) => window.settleMs === settleMs && window.since?.getTime() === since?.getTime() && isAbout(window, matter),
  );
  return serving.find((window) => window.matter !== null) ?? serving[0];
}

function isAbout(window: SettleWindow, matter: Matter): boolean {
  return window.matter === null || window.matter === matter;
}

/** A rule that was switched on inside the window of the others has one of its own: the past is never announced. */
function windowFrom(windows: readonly WindowNow[], served: Served, enabledAt: Date): WindowNow | null {
  const own = servingAll(windows, served, enabledAt);
  if (own !== undefined) return own;
  const shared = servingAll(windows, served, null);
  return shared === undefined || shared.openedAt < enabledAt ? null : shared;
}

/** The window that counts for a rule; null when none is open for it. */
export function windowOf(rule: Rule, settleMs: number, windows: readonly WindowNow[]): WindowNow | null {
  return windowFrom(windows, { settleMs, matter: matterOf(rule) }, rule.enabledAt);
}

/** What lies in the shadow until the next event. */
export function storedWindows(windows: readonly WindowNow[]): readonly SettleWindow[] {
  return windows.map(({ settleMs, matter, since, openedAt, was }) => ({ settleMs, matter, since, openedAt, was }));
}

/** What a merge brought along is told as the merge, not again as the net change of the window. */
function oldValues(change: Change): RecordState | null {
  if (change.before === null) return null;
  return change.mergedFromId == null ? change.previous : {};
}

function grown(was: RecordState | null, change: Change, known: RecordState | null): RecordState | null {
  if (was === null || change.after === null) return was;
  // Created once more while it is known: deleted and brought back.
  if (change.before === null) return netChange(change.entity, undoneState(known ?? {}, was), change.after).previous;
  const { custom_fields: customBefore, ...plainBefore } = was;
  const { custom_fields: customPrevious, ...plainPrevious } = change.previous;
  const isMerge = change.mergedFromId != null;
  const plain = together(plainBefore, plainPrevious, change.after, { isMerge, isByPresence: false });
  const custom = together(fieldsOf(customBefore), fieldsOf(customPrevious), fieldsOf(change.after['custom_fields']), {
    isMerge,
    isByPresence: true,
  });
  return Object.keys(custom).length === 0 ? plain : { ...plain, custom_fields: custom };
}

/**
 * Old values over two changes in a row; what came back to its old value is no change any more. A custom field that was edited counts
 * even where both sides of its edit carried one value.
 */
function together(
  before: RecordState,
  previous: RecordState,
  after: RecordState,
  { isMerge, isByPresence }: { readonly isMerge: boolean; readonly isByPresence: boolean },
): RecordState {
  const changed = new Map(Object.entries(before));
  for (const [field, old] of Object.entries(previous)) {
    if (isMerge && !changed.has(field)) continue;
    const first = changed.has(field) ? changed.get(field) : old;
    const isBack = isSame(first ?? null, after[field] ?? null);
    const isEdit = isByPresence && isSame(old ?? null, after[field] ?? null);
    if (isBack && !isEdit) changed.delete(field);
    else changed.set(field, first);
  }
  return Object.fromEntries(changed);
}

function fieldsOf(value: unknown): RecordState {
  return isObject(value) ? value : {};
}
