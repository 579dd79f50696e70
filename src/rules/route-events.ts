/** Routes a tenant's events: batches out of the ledger, decided in the order in which they came, written in one transaction each. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DecisionCode } from '../core/decision';
import { NO_RATES, type ExchangeRates } from '../core/exchange-rates';
import type { Bell } from '../core/jobs';
import { parseWebhook } from '../core/pipedrive-event';
import { isObject } from '../core/record';
import type { Rule } from '../core/rule';
import type { TenantId } from '../core/tenant';
import type { StoredEvent } from './batch-state';
import { leadNamedBy } from './convert-lead';
import { doubtfulTellings, toldKey } from './corrections';
import { doubtfulGone } from './late-merge';
import { NO_STAGES, type StageOrder } from './kinds-of-transition';
import type { RoutingRules } from './measure-rule';
import { indexRules } from './match-rules';
import { planBatch, type BatchPlan } from './plan-batch';
import { settleClocks } from './settle-windows';
import { watchedKeys, type Watch } from './watch-rules';
import {
  recordKey,
  type Destination,
  type HeldBack,
  type PendingDelivery,
  type ShadowMap,
  type ToldChange,
  type WatchedTelling,
} from './routing-ledger';

const BATCH_SIZE = 200;
/** A job that runs longer hands over to the next ring, so that no tenant holds its worker. */
const MAX_JOB_MS = 5_000;
/** A change of settings is most often over before; meanwhile nothing is held, no connection and no other tenant. */
const LOOK_AGAIN_MS = 20;

/** An event as it lies in the ledger. */
export interface RawEvent {
  readonly id: number;
  readonly receivedAt: Date;
  readonly payload: Buffer;
}

/** Whether this transaction may route the tenant. */
export type TenantRouting =
  | { readonly kind: 'locked'; readonly rulesVersion: number; readonly baseCurrency: string; readonly timeZone: string }
  /** Another worker is at it. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'gone' };

export interface TenantRules {
  /** Enabled rules, in order. */
  readonly rules: readonly Rule[];
  readonly destinations: readonly Destination[];
  /** Records of which nothing is told. */
  readonly muted: readonly { readonly entity: string; readonly entityId: string }[];
  /** Some record is watched. */
  readonly hasWatches: boolean;
}

export type LoadRules<Client> = (client: Client, tenantId: TenantId) => Promise<TenantRules>;

type Wanted = readonly { readonly entity: string; readonly entityId: string }[];

/** One message: of that event, by that rule, to that destination. */
export type MessageName = Pick<ToldChange, 'eventId' | 'ruleId' | 'chatWebhookId'>;

/** Whose settings a batch was planned by, and which. */
export interface PlannedBy {
  readonly tenantId: TenantId;
  readonly rulesVersion: number;
}

export interface RoutingTransaction {
  lockTenant(tenantId: TenantId): Promise<TenantRouting>;
  /** Nobody changes the tenant's settings until the transaction is over; false, at once, when somebody is changing them. */
  holdSettings(tenantId: TenantId): Promise<boolean>;
  unroutedEvents(tenantId: TenantId, limit: number): Promise<readonly RawEvent[]>;
  loadRules(tenantId: TenantId): Promise<TenantRules>;
  loadRates(tenantId: TenantId, baseCurrency: string): Promise<ExchangeRates>;
  loadStageOrder(tenantId: TenantId): Promise<StageOrder>;
  loadShadows(tenantId: TenantId, wanted: Wanted, correlationIds: readonly string[]): Promise<ShadowMap>;
  loadPending(tenantId: TenantId, wanted: Wanted): Promise<readonly PendingDelivery[]>;
  /** The watches of these records. */
  loadWatches(tenantId: TenantId, wanted: Wanted): Promise<readonly Watch[]>;
  /** Those of these messages that were dropped or given up. */
  loadUntold(tenantId: TenantId, told: readonly MessageName[]): Promise<readonly MessageName[]>;
  /** Messages of these watches about these records that were not told, or not yet. */
  loadHeldBack(tenantId: TenantId, told: readonly WatchedTelling[]): Promise<readonly HeldBack[]>;
  /** False when settings are other ones by now, or are being changed: the transaction must then be undone. */
  write(by: PlannedBy, plan: BatchPlan, ignored: readonly { readonly id: number; readonly reason: string }[]): Promise<boolean>;
}

export interface RoutingStore {
  inTransaction<T>(work: (transaction: RoutingTransaction) => Promise<T>): Promise<T>;
  /** Tenants that have unrouted events. */
  tenantsWithWork(): Promise<readonly TenantId[]>;
}

export interface RouteEventsDependencies {
  readonly store: RoutingStore;
  readonly bell: Bell;
  readonly log: Logger;
  readonly settleMs: number;
  readonly nowMs: () => number;
  /** Asks for rates between these currencies, within seconds; true when it is worth deciding again. */
  readonly refreshRates: (tenantId: TenantId, currencies: readonly string[]) => Promise<boolean>;
  /** Reads the list of stages, within seconds; true when it is worth deciding again. */
  readonly refreshStages: (tenantId: TenantId) => Promise<boolean>;
}

/** Routes everything that a tenant has waiting. Safe to run twice, anywhere, at any time: the ledger lets one through. */
export type RouteEvents = (tenantId: TenantId) => Promise<void>;

interface CachedRules {
  readonly version: number;
  readonly baseCurrency: string;
  readonly rules: CompiledRules;
}

/**
 * What a batch came to; `lacksFacts`: nothing was written, because a decision needs rates or stages that are not known; `changing`: nor
 * was it, because somebody is changing the settings.
 */
type Progress = Batch | Lacking | { readonly kind: 'changing' };

interface Lacking {
  readonly kind: 'lacksFacts';
  readonly lacking: LackedFacts;
}

/** Undoes the transaction of a batch that was planned by settings which are others by now. */
class SettingsChanged extends Error {}

interface Approach {
  /** For what decisions lack. */
  readonly mayAsk: boolean;
  /** Settings are held before anything is planned by them, and not only when it is written. */
  readonly holdsSettings: boolean;
}

interface Batch {
  readonly kind: 'more' | 'done';
  /** Google spaces that were given messages. */
  readonly spaceIds: readonly string[];
}

const NOTHING_DONE: Batch = { kind: 'done', spaceIds: [] };

/** Makes the use case. It rejects when the database cannot be reached; nothing is lost then. */
export function makeRouteEvents(dependencies: RouteEventsDependencies): RouteEvents {
  const { store, bell, log, nowMs } = dependencies;
  const cache = new Map<TenantId, CachedRules>();

  async function routeBatch(
    transaction: RoutingTransaction,
    tenantId: TenantId,
    { mayAsk, holdsSettings }: Approach,
  ): Promise<Progress> {
    const areHeld = !holdsSettings || (await transaction.holdSettings(tenantId));
    const tenant = await transaction.lockTenant(tenantId);
    if (tenant.kind !== 'locked') return NOTHING_DONE;
    if (!areHeld) return { kind: 'changing' };
    const raw = await transaction.unroutedEvents(tenantId, BATCH_SIZE);
    if (raw.length === 0) return NOTHING_DONE;
    const { events, ignored } = parseAll(raw);
    const compiled = await rulesOf(transaction, tenantId, tenant);
    const rates = compiled.needsRates ? await transaction.loadRates(tenantId, tenant.baseCurrency) : NO_RATES;
    const stages = compiled.needsStages ? await transaction.loadStageOrder(tenantId) : NO_STAGES;
    const rules: RoutingRules = { ...compiled, rates, stages, timeZone: tenant.timeZone };
    const wanted = wantedRecords(events);
    const shadows = await transaction.loadShadows(tenantId, wanted, correlationIds(events));
    const watched = compiled.hasWatches ? watchedRecords(events, shadows) : [];
    const watches = watched.length === 0 ? [] : await transaction.loadWatches(tenantId, watched);
    const settles = rules.clocks.size > 0 || watches.length > 0;
    const pending = !settles ? [] : await transaction.loadPending(tenantId, withFound(wanted, shadows));
    const doubtful = [...doubtfulTellings(events, shadows), ...doubtfulGone(events, shadows)];
    const untold = doubtful.length === 0 ? [] : await transaction.loadUntold(tenantId, doubtful);
    const planWith = (heldBack: readonly HeldBack[]): BatchPlan =>
      planBatch(events, shadows, pending, rules, new Set(untold.map(toldKey)), watches, heldBack);
    const first = planWith([]);
    // Where a rule is silent because a watch has told all of it, which is seldom, the ledger is asked whether it has.
    const heldBack = first.toldByWatches.length === 0 ? [] : await transaction.loadHeldBack(tenantId, first.toldByWatches);
    const plan = heldBack.length === 0 ? first : planWith(heldBack);
    const lacking = mayAsk && (compiled.needsRates || compiled.needsStages) ? lackedFacts(plan) : null;
    if (lacking !== null) return { kind: 'lacksFacts', lacking };
    const isWritten = await transaction.write({ tenantId, rulesVersion: tenant.rulesVersion }, plan, ignored);
    if (!isWritten) throw new SettingsChanged();
    log.debug({ tenantId, events: events.length, deliveries: plan.created.length }, 'events routed');
    const spaceIds = [...new Set(plan.created.map(({ destination }) => destination.spaceId))];
    return { kind: raw.length === BATCH_SIZE ? 'more' : 'done', spaceIds };
  }

  async function rulesOf(
    transaction: RoutingTransaction,
    tenantId: TenantId,
    tenant: { rulesVersion: number; baseCurrency: string },
  ): Promise<CompiledRules> {
    const cached = cache.get(tenantId);
    if (cached?.version === tenant.rulesVersion && cached.baseCurrency === tenant.baseCurrency) return cached.rules;
    const rules = compileRules(await transaction.loadRules(tenantId), tenant.baseCurrency, dependencies.settleMs);
    cache.set(tenantId, { version: tenant.rulesVersion, baseCurrency: tenant.baseCurrency, rules });
    return rules;
  }

  async function attempt(tenantId: TenantId, approach: Approach): Promise<Progress> {
    try {
      return await store.inTransaction((transaction) => routeBatch(transaction, tenantId, approach));
    } catch (error) {
      if (error instanceof SettingsChanged) return { kind: 'changing' };
      throw error;
    }
  }

  /**
   * A batch that was planned by settings which somebody changed meanwhile is planned anew at once, or as soon as they are changed; then
   * nobody changes them before it is written, so that changes one after another hold it up no longer.
   */
  async function routeAsSet(tenantId: TenantId, mayAsk: boolean, endsAtMs: number): Promise<Batch | Lacking> {
    let progress = await attempt(tenantId, { mayAsk, holdsSettings: false });
    while (progress.kind === 'changing' && nowMs() < endsAtMs) {
      progress = await attempt(tenantId, { mayAsk, holdsSettings: true });
      if (progress.kind === 'changing') await delay(LOOK_AGAIN_MS);
    }
    return progress.kind === 'changing' ? { kind: 'more', spaceIds: [] } : progress;
  }

  /** A batch that lacks rates or stages is decided again once they have been asked for, with or without them. */
  async function route(tenantId: TenantId, endsAtMs: number): Promise<Batch> {
    const progress = await routeAsSet(tenantId, true, endsAtMs);
    if (progress.kind !== 'lacksFacts') return progress;
    const { currencies, stages } = progress.lacking;
    if (currencies.length > 0) await dependencies.refreshRates(tenantId, currencies);
    if (stages) await dependencies.refreshStages(tenantId);
    const again = await routeAsSet(tenantId, false, endsAtMs);
    return again.kind === 'lacksFacts' ? NOTHING_DONE : again;
  }

  return async (tenantId) => {
    const endsAtMs = nowMs() + MAX_JOB_MS;
    let progress: 'more' | 'done' = 'more';
    while (progress === 'more' && nowMs() < endsAtMs) {
      const batch = await route(tenantId, endsAtMs);
      if (batch.spaceIds.length > 0) bell.ringDeliver(batch.spaceIds);
      progress = batch.kind;
    }
    if (progress === 'more') bell.ringRoute(tenantId);
  };
}

/** Rules as they are kept between batches; rates and zone may change without them. */
export interface CompiledRules extends Omit<RoutingRules, 'rates' | 'stages' | 'timeZone'> {
  /** Some rule compares money. */
  readonly needsRates: boolean;
  /** Some rule asks whether a deal moved forward or back. */
  readonly needsStages: boolean;
  readonly hasWatches: boolean;
}

/** Rules made ready for deciding: indexed by what they listen to. */
export function compileRules(loaded: TenantRules, baseCurrency: string, defaultSettleMs: number): CompiledRules {
  const clocks = settleClocks(loaded.rules, defaultSettleMs);
  return {
    index: indexRules(loaded.rules),
    byId: new Map(loaded.rules.map((rule) => [rule.id, rule])),
    destinations: new Map(loaded.destinations.map((destination) => [destination.id, destination])),
    muted: new Set(loaded.muted.map(({ entity, entityId }) => recordKey(entity, entityId))),
    baseCurrency,
    defaultSettleMs,
    clocks,
    needsRates: loaded.rules.some(({ filters }) => filters.minValue !== undefined || filters.conditions !== undefined),
    needsStages: loaded.rules.some(({ eventType, filters }) => eventType === 'deal.stage_changed' && filters.kinds !== undefined),
    hasWatches: loaded.hasWatches,
  };
}

interface LackedFacts {
  readonly currencies: readonly string[];
  /** The order of stages. */
  readonly stages: boolean;
}

function lackedFacts(plan: BatchPlan): LackedFacts | null {
  const currencies = lackingCurrencies(plan);
  const stages = plan.routed.some(({ decisions }) => decisions.some(({ code, actual }) => code === 'kind' && actual === null));
  return currencies.length > 0 || stages ? { currencies, stages } : null;
}

/** Currencies between which a decision needed a rate that is not known. */
function lackingCurrencies(plan: BatchPlan): readonly string[] {
  const currencies = plan.routed.flatMap(({ decisions }) =>
    decisions.flatMap(({ code, actual }) => currenciesLackedBy(code, actual)),
  );
  return [...new Set(currencies)];
}

function currenciesLackedBy(code: DecisionCode, actual: unknown): readonly string[] {
  if (!isObject(actual)) return [];
  if (code === 'otherCurrency') return [actual['currency'], actual['wanted']].filter((item) => typeof item === 'string');
  if (code !== 'conditions' || actual['lacksRate'] !== true) return [];
  return [actual['actual'], actual['before'], actual['wanted']].flatMap((side) => {
    const sides: readonly unknown[] = Array.isArray(side) ? side : [side];
    return sides.map((item) => (isObject(item) ? item['currency'] : null)).filter((item) => typeof item === 'string');
  });
}

function parseAll(raw: readonly RawEvent[]): {
  events: readonly StoredEvent[];
  ignored: readonly { id: number; reason: string }[];
} {
  const events: StoredEvent[] = [];
  const ignored: { id: number; reason: string }[] = [];
  for (const { id, receivedAt, payload } of raw) {
    const parsed = parseWebhook(payload);
    if (parsed.kind === 'event') events.push({ id, receivedAt, event: parsed.event });
    else ignored.push({ id, reason: parsed.reason });
  }
  return { events, ignored };
}

/** Every record that deciding these events may look at, each once. */
export function wantedRecords(events: readonly StoredEvent[]): Wanted {
  const wanted = new Map<string, { entity: string; entityId: string }>();
  const want = (entity: string, entityId: string | null): void => {
    if (entityId !== null) wanted.set(`${entity}/${entityId}`, { entity, entityId });
  };
  for (const { event } of events) {
    want(event.entity, event.entityId);
    want(event.entity, event.mergedToId);
    want(event.entity, event.mergedFromId);
    if (event.entity === 'deal' && event.action === 'create') want('lead', leadNamedBy(event.state ?? {}));
  }
  return [...wanted.values()];
}

/** Also the records that were found by their correlation id: a conversion replaces what waits to be told of its deal. */
export function withFound(wanted: Wanted, shadows: ShadowMap): Wanted {
  const known = new Set(wanted.map(({ entity, entityId }) => recordKey(entity, entityId)));
  const found = [...shadows.values()].filter(({ entity, entityId }) => !known.has(recordKey(entity, entityId)));
  return [...wanted, ...found.map(({ entity, entityId }) => ({ entity, entityId }))];
}

/** Records whose watches may hear of these events, each once. */
function watchedRecords(events: readonly StoredEvent[], shadows: ShadowMap): Wanted {
  const keys = events.flatMap(({ event: { entity, entityId, state } }) => watchedKeys({ entity, entityId, state: state ?? {} }));
  const named = withFound(wantedRecords(events), shadows).flatMap((record) => watchedKeys({ ...record, state: {} }));
  return [...new Set([...keys, ...named])].map((key) => {
    const parted = key.indexOf('/');
    return { entity: key.slice(0, parted), entityId: key.slice(parted + 1) };
  });
}

/** Correlation ids by which the other half of a lead conversion may be found. */
export function correlationIds(events: readonly StoredEvent[]): readonly string[] {
  const ids = events
    .filter(
      ({ event }) =>
        (event.entity === 'deal' && event.action === 'create') || (event.entity === 'lead' && event.action !== 'create'),
    )
    .map(({ event }) => event.correlationId);
  return [...new Set(ids.filter((id) => id !== null))];
}
