/** Events, rules, shadows and messages under way for tests: believable ones, of which a test states only what it is about. */

import type { ClaimedDelivery, ClaimedDestination } from '../../src/delivery/delivery-ledger';
import type { PipedriveEvent } from '../../src/core/pipedrive-event';
import type { RecordState } from '../../src/core/record';
import type { Rule, RuleFilters } from '../../src/core/rule';
import { aChange, aTenant } from '../fixtures/record-changes';

/** The moment from which tests count milliseconds. */
export const NOON_MS = Date.parse('2026-11-23T12:00:00.000Z');

export function at(ms: number): Date {
  return new Date(NOON_MS + ms);
}

/** A deal as Pipedrive's webhooks v2 show it. */
export function dealState(given: RecordState = {}): RecordState {
  return {
    id: 8,
    title: 'Acme licence',
    value: 100,
    currency: 'EUR',
    status: 'open',
    owner_id: 1,
    pipeline_id: 1,
    stage_id: 11,
    person_id: null,
    org_id: null,
    expected_close_date: null,
    first_won_time: null,
    won_time: null,
    lost_time: null,
    lost_reason: null,
    close_time: null,
    label_ids: [],
    origin: 'ManuallyCreated',
    origin_id: null,
    is_archived: false,
    custom_fields: {},
    ...given,
  };
}

interface GivenEvent extends Partial<Omit<PipedriveEvent, 'state' | 'occurredAt'>> {
  readonly atMs?: number;
  /** Laid over a whole deal. */
  readonly state?: RecordState | null;
}

/** A parsed event of deal 8; `previous` given makes it a change, else it is a creation. */
export function aDealEvent(given: GivenEvent = {}): PipedriveEvent {
  const { atMs, state, ...rest } = given;
  const action = given.action ?? (given.previous == null ? 'create' : 'change');
  return {
    entity: 'deal',
    entityId: '8',
    action,
    metaId: '00000000-0000-4000-8000-000000000001',
    occurredAt: at(atMs ?? 0),
    actorUserId: 1,
    correlationId: null,
    isBulkEdit: false,
    changeSource: 'app',
    mergedToId: null,
    mergedFromId: null,
    previous: null,
    ...rest,
    state: action === 'delete' || state === null ? null : dealState(state),
  };
}

type GivenRule = Partial<Omit<Rule, 'filters' | 'enabledAt'>> & RuleFilters & { readonly enabledAtMs?: number };

/** A rule on won deals without filters; filters are given beside the rule's own fields. */
export function aRule(given: GivenRule = {}): Rule {
  const { pipelineIds, stageIds, fromStageIds, ownerIds, minValue, currency, crossing, kinds, fields, conditions, ...rest } =
    given;
  const { enabledAtMs, ...own } = rest;
  const filters = { pipelineIds, stageIds, fromStageIds, ownerIds, minValue, currency, crossing, kinds, fields, conditions };
  return {
    id: 1,
    name: 'Wins',
    eventType: 'deal.won',
    targetWebhookIds: [1],
    templateMode: 'compact',
    template: null,
    settleMs: null,
    position: 1,
    stopAfter: false,
    urgent: false,
    digest: null,
    enabled: true,
    ...own,
    filters: Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)),
    enabledAt: at(enabledAtMs ?? -86_400_000),
  };
}

interface GivenWebhook {
  readonly entity?: string;
  readonly id?: string | number;
  readonly action?: string;
  /** When it happened and, unless `receivedMs` says otherwise, came in. */
  readonly atMs?: number;
  readonly receivedMs?: number;
  readonly data?: unknown;
  readonly previous?: unknown;
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface SentWebhook {
  readonly body: Buffer;
  readonly receivedAt: Date;
}

let lastMetaId = 0;

/** A webhook body as Pipedrive sends it, with a `meta.id` of its own. */
export function aWebhook(given: GivenWebhook = {}): SentWebhook {
  const { entity = 'deal', id = 8, atMs = 0, data = null, previous = null } = given;
  const action = given.action ?? (previous === null ? 'create' : 'change');
  lastMetaId += 1;
  const meta = {
    action,
    company_id: '12345',
    correlation_id: null,
    entity,
    entity_id: String(id),
    id: `00000000-0000-4000-8000-${String(lastMetaId).padStart(12, '0')}`,
    is_bulk_edit: false,
    timestamp: at(atMs).toISOString(),
    type: 'application',
    user_id: '1',
    version: '2.0',
    change_source: 'app',
    attempt: 1,
    host: 'acme.pipedrive.com',
    ...given.meta,
  };
  return { body: Buffer.from(JSON.stringify({ data, previous, meta })), receivedAt: at(given.receivedMs ?? atMs) };
}

/** A deal webhook whose `data` is a whole deal with these fields. */
export function aDealWebhook(given: Omit<GivenWebhook, 'data'> & { readonly data?: RecordState } = {}): SentWebhook {
  return aWebhook({ ...given, data: dealState({ id: given.id ?? 8, ...given.data }) });
}

/** A healthy destination, as a claimed delivery shows it. */
export function aClaimedDestination(given: Partial<ClaimedDestination> = {}): ClaimedDestination {
  return {
    sealedCredentials: 'sealed',
    threads: 'off',
    locale: null,
    timeZone: null,
    fold: 'auto',
    foldThreshold: null,
    quietHours: null,
    holdHours: 24,
    isPaused: false,
    health: 'healthy',
    healthReason: null,
    refusals: 0,
    sinceLastRefusalMs: null,
    sinceChangeMs: 3_600_000,
    probes: 0,
    ...given,
  };
}

/** A message claimed for its first attempt. */
export function aClaimedDelivery(given: Partial<ClaimedDelivery> = {}): ClaimedDelivery {
  return {
    id: 1,
    version: '1',
    eventId: 1,
    ruleId: 1,
    chatWebhookId: 1,
    viaWebhookId: null,
    meantFor: null,
    spaceId: 'AAAA',
    lease: 'lease',
    troubles: 0,
    attempts: 1,
    ageMs: 0,
    cameMs: 0,
    waitingMs: 0,
    uncertain: 0,
    isProbe: false,
    isHeldBefore: false,
    requestId: '00000000-0000-4000-8000-000000000001',
    renderedBody: null,
    isPlain: false,
    isUnthreaded: false,
    mode: 'compact',
    template: null,
    foldKind: null,
    releasedAt: null,
    isUrgent: false,
    isReplay: false,
    digest: null,
    change: aChange('deal.won'),
    tenant: aTenant(),
    settingsVersion: 1,
    isUninstalled: false,
    destination: aClaimedDestination(),
    ...given,
  };
}
