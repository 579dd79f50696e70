/** Measures a rule by one event of a record: by that event alone, or by the net change since its settle window opened. Pure. */

import type { ExchangeRates } from '../core/exchange-rates';
import type { RecordEntity, RecordState } from '../core/record';
import type { Rule } from '../core/rule';
import type { Cause, RecordChange } from '../core/transition';
import type { BatchState, StoredEvent } from './batch-state';
import type { StageOrder } from './kinds-of-transition';
import { heard, matchRule, type Match, type RuleIndex } from './match-rules';
import { netOfWindow, shownBeforeEvent, type Shown } from './net-transitions';
import type { Destination, HeldBack, PendingDelivery, ToldChange } from './routing-ledger';
import { settleTimeOf, windowOf, type SettleClock, type WindowNow } from './settle-windows';
import type { Story } from './tell-story';

/** What routing of a tenant goes by. */
export interface RoutingRules {
  readonly index: RuleIndex;
  readonly byId: ReadonlyMap<number, Rule>;
  readonly destinations: ReadonlyMap<number, Destination>;
  readonly baseCurrency: string;
  readonly rates: ExchangeRates;
  /** The order of the tenant's stages; absent when no rule asks for it. */
  readonly stages?: StageOrder;
  /** IANA zone of the tenant. */
  readonly timeZone: string;
  /** The installation's `SETTLE_MS`, for rules without one of their own. */
  readonly defaultSettleMs: number;
  /** The settle times of each kind of record; none: nothing settles. */
  readonly clocks: ReadonlyMap<RecordEntity, SettleClock>;
  /** Records of which nothing is told, by `recordKey`. */
  readonly muted: ReadonlySet<string>;
}

/** Everything that deciding one event needs. */
export interface Scene {
  readonly stored: StoredEvent;
  readonly story: Story;
  /** What this event alone shows. */
  readonly own: Basis;
  /** The record's settle windows; none where nothing settles, or another record is told of. */
  readonly windows: readonly WindowNow[];
  /** Messages about the same record that still wait. */
  readonly waiting: readonly PendingDelivery[];
  /** What was told of the record lately. */
  readonly told: readonly ToldChange[];
  readonly state: BatchState;
  readonly rules: RoutingRules;
  /** The record's watches, as rules. */
  readonly watchers: readonly Rule[];
  /** Destinations that a rule with `stopAfter` told of this change, and by which rule. */
  readonly toldBy: Map<number, Rule>;
  /** Destinations that such a rule was about to tell and does not any more: the rules behind it may speak again. */
  readonly freed: Map<number, PendingDelivery>;
  /** What rules were about to tell a destination and do not any more: watches may tell it there. */
  readonly untold: Map<number, readonly PendingDelivery[]>;
}

/** Who began a change, when and how. */
export interface Beginning extends Pick<RecordChange, 'actorUserId' | 'occurredAt'> {
  readonly cause: Cause;
}

/** The rule, or the watch, of this id; undefined when there is none any more. */
export function ruleOf(id: number, { rules, watchers }: Pick<Scene, 'rules' | 'watchers'>): Rule | undefined {
  return rules.byId.get(id) ?? watchers.find((watcher) => watcher.id === id);
}

/** Measures the rule by this change, which somebody began. */
export function measure(
  rule: Rule,
  scene: Scene,
  { transitions, previous }: Shown,
  { actorUserId, cause }: Beginning,
  state: RecordState = scene.story.state,
): Match {
  const { stored, rules } = scene;
  const type = heard(rule, transitions)?.type ?? rule.eventType;
  return matchRule(rule, {
    transitions,
    previous,
    state,
    event: { actor_user_id: actorUserId, change_source: cause.changeSource, is_bulk_edit: cause.isBulkEdit },
    // What happened before a rule was switched on is the past, however late it was found.
    receivedAt: stored.happened?.get(type) ?? stored.receivedAt,
    baseCurrency: rules.baseCurrency,
    rates: rules.rates,
    timeZone: rules.timeZone,
    ...(rules.stages !== undefined && { stages: rules.stages }),
  });
}

/** The event as the beginning of a change. */
export function beginningOf({ stored }: Pick<Scene, 'stored'>): Beginning {
  const { actorUserId, occurredAt, changeSource, isBulkEdit, correlationId, reconciled } = stored.event;
  const operation = correlationId === null ? {} : { correlationId };
  const late = reconciled === undefined ? {} : { isLate: true };
  return { actorUserId, occurredAt, cause: { changeSource, isBulkEdit, ...operation, ...late } };
}

/** Who began what a message tells; not the automation that tidied up a second later. */
export function begunBy({ change }: PendingDelivery, scene: Scene): Beginning {
  const { actorUserId, occurredAt, transition } = change;
  return { actorUserId, occurredAt, cause: transition.cause ?? beginningOf(scene).cause };
}

/** How long the rule waits for later edits, in milliseconds. */
export function settleMsOf(rule: Rule, rules: RoutingRules): number {
  return settleTimeOf(rule, rules.defaultSettleMs);
}

/** The settle window that counts for the rule; null when it has none. */
export function windowFor(rule: Rule, scene: Scene): WindowNow | null {
  const settleMs = settleMsOf(rule, scene.rules);
  return settleMs === 0 ? null : windowOf(rule, settleMs, scene.windows);
}

const NONE_WAITING: readonly PendingDelivery[] = [];

/** Messages of the rule that were owed since its open window began: this event decides them anew. */
export function waitingOf(rule: Rule, scene: Scene): readonly PendingDelivery[] {
  const window = windowFor(rule, scene);
  if (window === null || window.isNew) return NONE_WAITING;
  return scene.waiting.filter(({ ruleId, receivedAt }) => ruleId === rule.id && receivedAt >= window.openedAt);
}

/** Whether a message shows this event too: it is owed for it, or was decided anew by it. */
export function isUpToDate({ eventId, ruleId, receivedAt }: PendingDelivery, scene: Scene): boolean {
  if (eventId === scene.stored.id) return true;
  const rule = ruleOf(ruleId, scene);
  const window = rule === undefined ? null : windowFor(rule, scene);
  return window !== null && !window.isNew && receivedAt >= window.openedAt;
}

/** Whether a message counts as told where it goes: a digest is a summary, and does not. */
export function isTelling({ ruleId }: PendingDelivery, scene: Scene): boolean {
  const rule = ruleOf(ruleId, scene);
  return rule !== undefined && rule.digest === null;
}

/** From which state on a rule measures the change, and since when its window is open. */
export interface Basis extends Shown {
  readonly before: RecordState | null;
  readonly openedAtMs: number;
  readonly beginning: Beginning;
  /** The watch that has told all of it before this event. */
  readonly toldBy?: Rule;
  /** What the watch was to tell of it and has not. */
  readonly heldBack?: readonly HeldBack[];
}

/** Made once per event, as `Scene.own`. */
export function ownBasis({ story, stored }: Pick<Scene, 'story' | 'stored'>): Basis {
  const { before, previous } = story.change;
  return {
    transitions: story.transitions,
    previous: before === null ? null : previous,
    before,
    openedAtMs: stored.receivedAt.getTime(),
    beginning: beginningOf({ stored }),
  };
}

/** The net change since the window opened, unless that was told already and the message has left: then this event alone. */
export function basisFor(rule: Rule, scene: Scene): Basis {
  const { story } = scene;
  const window = windowFor(rule, scene);
  if (window === null || window.isNew) return scene.own;
  const { beginning } = scene.own;
  const openedAtMs = window.openedAt.getTime();
  const wasTold = measure(rule, scene, shownBeforeEvent(window, story), beginning, story.change.before ?? {}).matched;
  return wasTold ? { ...scene.own, openedAtMs } : { ...netOfWindow(window, story), openedAtMs, beginning };
}
