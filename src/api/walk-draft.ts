/** A rule that is not saved: judged as `POST /rules` would, walked over stored events, and the messages that it would have told of them. */

import type { Pool } from 'pg';
import type { PrismaClient } from '../../prisma/generated/client';
import type { Rule } from '../core/rule';
import type { TenantId, TenantProfile } from '../core/tenant';
import { listDestinations } from '../delivery/chat-webhook.store';
import type { Destination } from '../delivery/read-destination';
import { makeNameStore } from '../messages/name.store';
import { referenceKey, type Names } from '../messages/names';
import { referencesOf } from '../messages/references';
import type { MessageSubject } from '../messages/render-message';
import { makeTurnstile } from '../platform/turnstile';
import { NO_STAGES } from '../rules/kinds-of-transition';
import type { RoutingRules } from '../rules/measure-rule';
import { loadRates } from '../rules/exchange-rate.store';
import { loadStageOrder } from '../rules/stage-order.store';
import {
  draftRule,
  previewRule,
  stoppingRules,
  type DraftPlace,
  type PreviewedMessage,
  type StoppingRule,
} from '../rules/preview-rule';
import { compileRules } from '../rules/route-events';
import { listRules } from '../rules/rule.store';
import { makeWalkStore } from '../rules/walk-events.store';
import { makeWalkEvents, type Walk } from '../rules/walk-events';
import { accountOf } from './account.store';
import { invalid } from './endpoint';
import { nameFilters } from './name-filters';
import type { RefreshReferences } from './rule-attention';
import { draftProblems, newDraft, type RuleBody, type RuleDraft } from './rule-draft';

export interface WalkDraftDeps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly refreshReferences: RefreshReferences;
  readonly clock: () => Date;
  /** `SETTLE_MS`. */
  readonly settleMs: number;
}

export interface DraftWalk {
  readonly tenantId: TenantId;
  readonly draft: RuleDraft;
  readonly days: number;
  /** Only so many of the newest events; null: all of these days. */
  readonly newest: number | null;
  /** Where it stands among the rules, of which those above may stop it; null: it is walked alone. */
  readonly place: DraftPlace | null;
  readonly signal: AbortSignal;
}

export interface WalkedDraft {
  readonly tenant: TenantProfile;
  readonly destinations: ReadonlyMap<number, Destination>;
  readonly walk: Pick<Walk, 'events' | 'complete'> & { readonly from: Date; readonly to: Date };
  /** In the order of their events; none when nobody waits for them any more. */
  readonly messages: readonly PreviewedMessage[];
  readonly matchedEventIds: readonly number[];
  readonly stoppedBy: readonly StoppingRule[];
}

/** What is rendered of a message, and with the names that the ledger knows. */
export interface DraftMessage {
  readonly subject: MessageSubject;
  readonly names: Names;
}

export interface DraftWalks {
  /** Throws an AppError (422) that names what is wrong with the draft, below `rule`. */
  judge(tenantId: TenantId, rule: RuleBody): Promise<RuleDraft>;
  /** Walks; when the client has left, what is known by then is enough. Throws an AppError (422) when it changes no rule of the tenant. */
  walk(request: DraftWalk): Promise<WalkedDraft>;
  /** The same messages, ready to be rendered. */
  tell(walked: WalkedDraft, draft: RuleDraft, messages: readonly PreviewedMessage[]): Promise<readonly DraftMessage[]>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** At once in this process: each may take seconds of the processor. */
const WALKS_AT_ONCE = 2;

/** Makes them. Nothing is stored, sent or asked of Pipedrive but names in filters that nobody knows yet. */
export function makeDraftWalks(deps: WalkDraftDeps): DraftWalks {
  const inTurn = makeTurnstile(WALKS_AT_ONCE);
  return {
    async judge(tenantId, { filters: given = {}, ...rest }) {
      const filters = await nameFilters(deps, tenantId, rest.eventType, given, 'rule.');
      const draft = newDraft({ ...rest, filters }, 0);
      const problems = await draftProblems(deps.prisma, tenantId, draft, { ...rest, filters }, true);
      if (problems.length > 0) throw invalid(problems.map(({ path, message }) => ({ path: `rule.${path}`, message })));
      return draft;
    },
    walk: (request) => inTurn(() => walked(deps, request)),
    async tell({ tenant, destinations }, { templateMode: mode, template }, messages) {
      const names = await namesOf(deps.pool, tenant.id, { mode, template }, messages);
      return messages.map(({ chatWebhookId, change }) => {
        const { locale = null, timeZone = null, threads = 'off' } = destinations.get(chatWebhookId) ?? {};
        return { subject: { change, tenant, destination: { locale, timeZone, threads }, mode, template }, names };
      });
    },
  };
}

async function walked(deps: WalkDraftDeps, { tenantId, draft, days, newest, place, signal }: DraftWalk): Promise<WalkedDraft> {
  const { prisma, pool, clock } = deps;
  const destinations = new Map((await listDestinations(prisma, tenantId)).map((found) => [found.id, found]));
  const tenant = await profileOf(prisma, tenantId);
  const above = place === null ? [] : await rulesAbove(prisma, tenantId, draft, place);
  const preview = previewRule(await compiled(deps, tenant, [...above, draftRule(draft)], destinations));
  const until = clock();
  const since = new Date(until.getTime() - days * DAY_MS);
  const walkEvents = makeWalkEvents({ store: makeWalkStore(pool), nowMs: () => performance.now() });
  const { events, complete, beganAt, reachedAt } = await walkEvents({
    ...{ tenantId, from: since, until, newest, signal },
    visit: preview.take,
  });
  const from = events === newest ? (beganAt ?? since) : since;
  return {
    ...{ tenant, destinations },
    walk: { events, complete, from, to: complete ? until : (reachedAt ?? from) },
    messages: signal.aborted ? [] : preview.messages(),
    matchedEventIds: signal.aborted ? [] : preview.matchedEventIds(),
    stoppedBy: signal.aborted ? [] : preview.stoppedBy(),
  };
}

async function rulesAbove(
  prisma: PrismaClient,
  tenantId: TenantId,
  draft: RuleDraft,
  place: DraftPlace,
): Promise<readonly Rule[]> {
  const rules = await listRules(prisma, tenantId);
  if (place.ruleId !== null && rules.every(({ id }) => id !== place.ruleId))
    throw invalid([{ path: 'ruleId', message: `There is no rule ${place.ruleId}` }]);
  return stoppingRules(rules, draft, place);
}

async function profileOf(prisma: PrismaClient, tenantId: TenantId): Promise<TenantProfile> {
  const { companyId, companyName, companyDomain, locale, timeZone, baseCurrency, settings } = await accountOf(prisma, tenantId);
  return {
    ...{ id: tenantId, companyId, companyName, companyDomain, baseCurrency },
    locale: settings.locale ?? locale,
    timeZone: settings.timeZone ?? timeZone,
  };
}

/** The draft and what may stop it, as the router would take them, with the exchange rates that are known: none is asked for. */
async function compiled(
  { pool, settleMs }: WalkDraftDeps,
  { id, baseCurrency, timeZone }: TenantProfile,
  walkedRules: readonly Rule[],
  destinations: ReadonlyMap<number, Destination>,
): Promise<RoutingRules> {
  const loaded = { rules: [...walkedRules], destinations: [...destinations.values()], muted: [], hasWatches: false };
  const rates = await loadRates(pool, id, baseCurrency);
  const rules = compileRules(loaded, baseCurrency, settleMs);
  const stages = rules.needsStages ? await loadStageOrder(pool, id) : NO_STAGES;
  return { ...rules, rates, stages, timeZone };
}

async function namesOf(
  pool: Pool,
  tenantId: TenantId,
  { mode, template }: Pick<MessageSubject, 'mode' | 'template'>,
  messages: readonly PreviewedMessage[],
): Promise<Names> {
  const references = messages.flatMap(({ change }) => referencesOf(change, mode, template));
  const found = await makeNameStore({ pool }).findNames(references.map((reference) => ({ tenantId, ...reference })));
  return new Map(found.map(({ entity, id, named }) => [referenceKey(entity, id), named]));
}
