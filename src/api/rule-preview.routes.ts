/** `POST /rules/preview`: what a draft would have told of the last days. Nothing is stored, sent or asked of Pipedrive. */

import type { Pool } from 'pg';
import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import { titleOf } from '../core/record';
import type { TenantId, TenantProfile } from '../core/tenant';
import { listDestinations, type Destination } from '../delivery/chat-webhook.store';
import { makeNameStore } from '../messages/name.store';
import { referenceKey, type Names } from '../messages/names';
import { referencesOf } from '../messages/references';
import { renderMessage } from '../messages/render-message';
import { makeTurnstile } from '../platform/turnstile';
import { NO_STAGES } from '../rules/kinds-of-transition';
import type { RoutingRules } from '../rules/measure-rule';
import { loadRates } from '../rules/exchange-rate.store';
import { loadStageOrder } from '../rules/stage-order.store';
import { draftRule, previewRule, type Preview, type PreviewedMessage } from '../rules/preview-rule';
import { compileRules } from '../rules/route-events';
import { countMatchesOfOthers, makeWalkStore } from '../rules/walk-events.store';
import { makeWalkEvents } from '../rules/walk-events';
import { accountOf } from './account.store';
import { invalid, tenantEndpoint, type Endpoint } from './endpoint';
import { nameFilters } from './name-filters';
import type { RefreshReferences } from './rule-attention';
import { createRuleBody, draftProblems, newDraft, type RuleDraft } from './rule-draft';
import { summarizePreview } from './summarize-preview';

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly refreshReferences: RefreshReferences;
  readonly clock: () => Date;
  /** `SETTLE_MS`. */
  readonly settleMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const EXAMPLES = 3;
/** Previews at once in this process: each may take seconds of the processor. */
const PREVIEWS_AT_ONCE = 2;

const previewBody = z.strictObject({ rule: createRuleBody, days: z.int().min(1).max(90).default(30) });

export function rulePreviewEndpoints(deps: Deps): Endpoint[] {
  const inTurn = makeTurnstile(PREVIEWS_AT_ONCE);
  return [
    tenantEndpoint({
      ...{ method: 'post', path: '/rules/preview', access: 'read', status: 200 },
      summary: 'What a rule would have told of the last days; nothing is stored or sent',
      body: previewBody,
      handle: async ({ tenantId }, { body: { rule, days }, signal }) => {
        const { filters: given = {}, ...rest } = rule;
        const filters = await nameFilters(deps, tenantId, rule.eventType, given, 'rule.');
        const draft = newDraft({ ...rest, filters }, 0);
        const problems = await draftProblems(deps.prisma, tenantId, draft, { ...rest, filters }, true);
        if (problems.length > 0) throw invalid(problems.map(({ path, message }) => ({ path: `rule.${path}`, message })));
        return { status: 200, body: await inTurn(() => previewed(deps, tenantId, draft, days, signal)) };
      },
    }),
  ];
}

/** Walks and sums up. When the client has left, what is known by then is enough. */
async function previewed(deps: Deps, tenantId: TenantId, draft: RuleDraft, days: number, signal: AbortSignal): Promise<object> {
  const { prisma, pool, clock } = deps;
  const destinations = new Map((await listDestinations(prisma, tenantId)).map((found) => [found.id, found]));
  const tenant = await profileOf(prisma, tenantId);
  const preview = previewRule(await compiled(deps, tenant, draft, destinations));
  const until = clock();
  const from = new Date(until.getTime() - days * DAY_MS);
  const walkEvents = makeWalkEvents({ store: makeWalkStore(pool), nowMs: () => performance.now() });
  const { events, complete, reachedAt } = await walkEvents({ tenantId, from, until, signal, visit: preview.take });
  const messages = signal.aborted ? [] : preview.messages();
  return {
    ...{ events, ...summarizePreview(messages, destinations, tenant.timeZone) },
    otherRules: signal.aborted ? [] : await countMatchesOfOthers(pool, tenantId, preview.matchedEventIds()),
    examples: await examplesOf(pool, tenant, draft, messages, destinations),
    ...{ complete, from, to: complete ? until : (reachedAt ?? from) },
  };
}

type Destinations = ReadonlyMap<number, Destination>;

async function profileOf(prisma: PrismaClient, tenantId: TenantId): Promise<TenantProfile> {
  const { companyId, companyName, companyDomain, locale, timeZone, baseCurrency, settings } = await accountOf(prisma, tenantId);
  return {
    ...{ id: tenantId, companyId, companyName, companyDomain, baseCurrency },
    locale: settings.locale ?? locale,
    timeZone: settings.timeZone ?? timeZone,
  };
}

/** The draft alone, as the router would take it, with the exchange rates that are known: none is asked for. */
async function compiled(deps: Deps, tenant: TenantProfile, draft: RuleDraft, destinations: Destinations): Promise<RoutingRules> {
  const { id, baseCurrency, timeZone } = tenant;
  const loaded = { rules: [draftRule(draft)], destinations: [...destinations.values()], muted: [] };
  const rates = await loadRates(deps.pool, id, baseCurrency);
  const rules = compileRules(loaded, baseCurrency, deps.settleMs);
  const stages = rules.needsStages ? await loadStageOrder(deps.pool, id) : NO_STAGES;
  return { ...rules, rates, stages, timeZone };
}

/** The first few messages as they would have looked, with the names that the ledger knows. */
async function examplesOf(
  pool: Pool,
  tenant: TenantProfile,
  draft: RuleDraft,
  messages: ReturnType<Preview['messages']>,
  destinations: Destinations,
): Promise<readonly object[]> {
  const shown = messages.slice(0, EXAMPLES);
  const names = await namesOf(pool, tenant.id, draft, shown);
  return shown.map(({ eventId, chatWebhookId, change }) => {
    const { locale = null, timeZone = null, threads = 'off' } = destinations.get(chatWebhookId) ?? {};
    const subject = {
      change,
      tenant,
      destination: { locale, timeZone, threads },
      mode: draft.templateMode,
      template: draft.template,
    };
    const { occurredAt, state } = change;
    return { eventId, occurredAt, recordTitle: titleOf(state), message: renderMessage(subject, names) };
  });
}

async function namesOf(
  pool: Pool,
  tenantId: TenantId,
  { templateMode, template }: RuleDraft,
  messages: readonly PreviewedMessage[],
): Promise<Names> {
  const references = messages.flatMap(({ change }) => referencesOf(change, templateMode, template));
  const found = await makeNameStore({ pool }).findNames(references.map((reference) => ({ tenantId, ...reference })));
  return new Map(found.map(({ entity, id, named }) => [referenceKey(entity, id), named]));
}
