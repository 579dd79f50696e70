/** A ledger in memory for the router: real webhook bodies in, decisions and owed messages out, in as many batches as a test likes. */

import { NO_RATES, type ExchangeRates } from '../../src/core/exchange-rates';
import { pino } from 'pino';
import type { Decision } from '../../src/core/decision';
import type { Rule } from '../../src/core/rule';
import { tenantId } from '../../src/core/tenant';
import type { RecordChange } from '../../src/core/transition';
import { NO_STAGES, type StageOrder } from '../../src/rules/kinds-of-transition';
import type { BatchPlan } from '../../src/rules/plan-batch';
import { makeRouteEvents, type RoutingStore, type RoutingTransaction } from '../../src/rules/route-events';
import {
  recordKey,
  type Destination,
  type PendingDelivery,
  type Shadow,
  type ShadowMap,
  type WatchedTelling,
} from '../../src/rules/routing-ledger';
import type { Watch } from '../../src/rules/watch-rules';
import { NOON_MS, type SentWebhook } from './builders';

const TENANT = tenantId(1);

interface LedgerEvent {
  readonly id: number;
  readonly receivedAt: Date;
  readonly payload: Buffer;
  transitions: readonly string[] | null;
  decisions: readonly Decision[];
  ignoredReason: string | null;
}

interface LedgerDelivery {
  readonly id: number;
  readonly eventId: number;
  readonly ruleId: number;
  readonly chatWebhookId: number;
  readonly spaceId: string;
  readonly notBefore: Date;
  readonly recordBefore: PendingDelivery['recordBefore'];
  change: RecordChange;
  /** A test holds what waits for the end of quiet hours. */
  state: 'queued' | 'sent' | 'held' | 'dropped';
  reason: string | null;
}

export interface LedgerSettings {
  readonly rules: readonly Rule[];
  readonly settleMs?: number;
  /** Destinations by id; each its own space unless `spaceOf` says otherwise. */
  readonly destinations?: readonly Destination[];
  readonly baseCurrency?: string;
  readonly rates?: ExchangeRates;
  readonly stages?: StageOrder;
  readonly timeZone?: string;
  readonly muted?: readonly { readonly entity: string; readonly entityId: string }[];
  readonly watches?: readonly Watch[];
}

export interface Told {
  readonly rule: number;
  readonly event: number;
  readonly to: number;
  readonly type: string;
  /** Milliseconds after noon. */
  readonly dueMs: number;
  /** "from>to" of each changed field. */
  readonly ways: readonly string[];
}

export interface MemoryLedger {
  /** Routes these webhooks as one batch; events are numbered from 1 in the order in which they came. */
  route(...webhooks: readonly SentWebhook[]): Promise<void>;
  /** Sends what is due by then: from now on it can neither be retold nor dropped. */
  sendUntil(ms: number): void;
  /** Every message that was or will be sent. */
  told(): readonly Told[];
  dropped(): readonly { readonly rule: number; readonly event: number; readonly reason: string }[];
  deliveries(): readonly LedgerDelivery[];
  event(id: number): LedgerEvent;
  /** "rule:code" of each decision on an event. */
  codes(eventId: number): readonly string[];
  shadow(entity: string, entityId: string): Shadow | undefined;
  shadows(): ReadonlyMap<string, Shadow>;
  watches(): readonly Watch[];
}

/** What a JSON column gives back. */
function stored<T>(value: T): T {
  const dates = new Map<string, Date>();
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key: string, item: unknown) {
    const own = this[key];
    if (!(own instanceof Date)) return item;
    const mark = `date ${String(dates.size)}`;
    dates.set(mark, own);
    return mark;
  });
  return JSON.parse(text, (_key, item: unknown) => (typeof item === 'string' ? (dates.get(item) ?? item) : item));
}

/** Makes an empty ledger for one tenant with these rules. */
export function makeMemoryLedger(settings: LedgerSettings): MemoryLedger {
  const events: LedgerEvent[] = [];
  const deliveries: LedgerDelivery[] = [];
  const shadows = new Map<string, Shadow>();
  let watches = settings.watches ?? [];
  const destinations = settings.destinations ?? [1, 2, 3].map((id) => ({ id, spaceId: `space ${id}` }));

  function eventOf(id: number): LedgerEvent {
    const event = events[id - 1];
    if (event === undefined) throw new Error(`there is no event ${id}`);
    return event;
  }

  const transaction: RoutingTransaction = {
    lockTenant: () =>
      Promise.resolve({
        kind: 'locked',
        rulesVersion: 1,
        baseCurrency: settings.baseCurrency ?? 'EUR',
        timeZone: settings.timeZone ?? 'UTC',
      }),
    holdSettings: () => Promise.resolve(true),
    unroutedEvents: (_tenant, limit) => Promise.resolve(events.filter((event) => event.transitions === null).slice(0, limit)),
    loadRules: () =>
      Promise.resolve({ rules: settings.rules, destinations, muted: settings.muted ?? [], hasWatches: watches.length > 0 }),
    loadWatches: (_tenant, wanted) =>
      Promise.resolve(
        watches.filter((watch) => wanted.some((one) => one.entity === watch.entity && one.entityId === watch.entityId)),
      ),
    loadRates: () => Promise.resolve(settings.rates ?? NO_RATES),
    loadStageOrder: () => Promise.resolve(settings.stages ?? NO_STAGES),
    loadShadows: (_tenant, wanted, correlationIds) => Promise.resolve(loadShadows(shadows, wanted, correlationIds)),
    loadPending: (_tenant, wanted) => Promise.resolve(wanted.flatMap(({ entity, entityId }) => pendingOf(entity, entityId))),
    loadUntold: (_tenant, told) =>
      Promise.resolve(
        told.filter((name) =>
          deliveries.some(
            (row) =>
              row.state === 'dropped' &&
              row.eventId === name.eventId &&
              row.ruleId === name.ruleId &&
              row.chatWebhookId === name.chatWebhookId,
          ),
        ),
      ),
    loadHeldBack: (_tenant, told) =>
      Promise.resolve(
        deliveries
          .filter(({ state, reason, ruleId, change }) => {
            const isOf = ({ watchId, entity, entityId }: WatchedTelling): boolean =>
              ruleId === -watchId && change.entity === entity && change.entityId === entityId;
            return (state === 'held' || (state === 'dropped' && reason === null)) && told.some(isOf);
          })
          .map(({ id, ruleId, eventId, state, change: { transition } }) => {
            const { receivedAt } = eventOf(eventId);
            return { id, ruleId, transition, receivedAt, isHeld: state === 'held', isAlone: true };
          }),
      ),
    write(_by, plan, ignored) {
      write(plan, ignored);
      return Promise.resolve(true);
    },
  };
  const store: RoutingStore = { inTransaction: (work) => work(transaction), tenantsWithWork: () => Promise.resolve([TENANT]) };
  const routeEvents = makeRouteEvents({
    store,
    bell: { ringRoute: () => undefined, ringDeliver: () => undefined },
    log: pino({ level: 'silent' }),
    settleMs: settings.settleMs ?? 1500,
    nowMs: () => 0,
    refreshRates: () => Promise.resolve(false),
    refreshStages: () => Promise.resolve(false),
  });

  function pendingOf(entity: string, entityId: string): PendingDelivery[] {
    return deliveries
      .filter(({ state, change }) => state === 'queued' && change.entity === entity && change.entityId === entityId)
      .map((delivery) => ({ ...stored(delivery), receivedAt: eventOf(delivery.eventId).receivedAt, created: null }));
  }

  function write(plan: BatchPlan, ignored: readonly { readonly id: number; readonly reason: string }[]): void {
    for (const shadow of plan.shadows) shadows.set(recordKey(shadow.entity, shadow.entityId), stored(shadow));
    for (const { id, transitions, decisions } of plan.routed) Object.assign(eventOf(id), { transitions, decisions });
    for (const { id, reason } of ignored) Object.assign(eventOf(id), { transitions: [], ignoredReason: reason });
    for (const { id, change, recordBefore } of plan.retold)
      for (const row of deliveries) if (row.id === id) Object.assign(row, stored({ change, recordBefore }));
    for (const { id, reason } of plan.dropped)
      for (const row of deliveries) if (row.id === id) Object.assign(row, { state: 'dropped', reason });
    watches = watches.flatMap((watch) => {
      const move = plan.moved.find(({ id }) => id === watch.id);
      return move === undefined ? [watch] : move.to === null ? [] : [{ ...watch, ...move.to }];
    });
    for (const { rule, destination, eventId, notBefore, recordBefore, change } of plan.created) {
      const ids = { id: deliveries.length + 1, eventId, ruleId: rule.id, chatWebhookId: destination.id };
      const row = { ...ids, spaceId: destination.spaceId, notBefore, ...stored({ recordBefore, change }) };
      deliveries.push({ ...row, state: 'queued', reason: null });
    }
  }

  return {
    async route(...webhooks) {
      for (const { body, receivedAt } of webhooks) {
        const id = events.length + 1;
        events.push({ id, receivedAt, payload: body, transitions: null, decisions: [], ignoredReason: null });
      }
      await routeEvents(TENANT);
    },
    sendUntil(ms) {
      for (const row of deliveries) if (row.state === 'queued' && row.notBefore.getTime() <= NOON_MS + ms) row.state = 'sent';
    },
    told: () => deliveries.filter((row) => row.state !== 'dropped').map(toldBy),
    dropped: () =>
      deliveries
        .filter((row) => row.state === 'dropped')
        .map((row) => ({ rule: row.ruleId, event: row.eventId, reason: row.reason ?? '' })),
    deliveries: () => deliveries,
    event: eventOf,
    codes: (eventId) => eventOf(eventId).decisions.map(({ ruleId, code }) => `${ruleId}:${code}`),
    shadow: (entity, entityId) => shadows.get(recordKey(entity, entityId)),
    shadows: () => shadows,
    watches: () => watches,
  };
}

function loadShadows(
  all: ReadonlyMap<string, Shadow>,
  wanted: readonly { readonly entity: string; readonly entityId: string }[],
  correlationIds: readonly string[],
): ShadowMap {
  const keys = new Set(wanted.map(({ entity, entityId }) => recordKey(entity, entityId)));
  const halves = new Set(correlationIds);
  const found = [...all].filter(
    ([key, { conversionKey }]) => keys.has(key) || (conversionKey !== null && halves.has(conversionKey)),
  );
  return new Map(found.map(([key, shadow]) => [key, stored(shadow)]));
}

function toldBy(row: LedgerDelivery): Told {
  const { transition } = row.change;
  const ways = transition.changes.map(({ from, to }) => `${JSON.stringify(from)}>${JSON.stringify(to)}`);
  return {
    rule: row.ruleId,
    event: row.eventId,
    to: row.chatWebhookId,
    type: transition.type,
    dueMs: row.notBefore.getTime() - NOON_MS,
    ways,
  };
}
