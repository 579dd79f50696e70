/** What waits for a person, the most urgent first: `GET /account` lists it, and our own pages word it and offer what mends it. */

import type { Pool } from 'pg';
import type { PrismaClient } from '../../prisma/generated/client';
import { WEBHOOK_ENTITIES } from '../core/record';
import type { TenantId } from '../core/tenant';
import { countDestinations } from '../delivery/chat-webhook.store';
import { troubledDestinations, type TroubledDestination } from '../delivery/troubled-destination.store';
import type { CurrentPlan } from '../plans/plan-limits';
import { listRules } from '../rules/rule.store';
import { connectionHealth, heardObjects, type EndedConnection } from './attention.store';
import { attentionOfRules } from './rule-attention';

export type AttentionNeed =
  /** Kinds of records of which no webhook tells; `isDeaf`: that is all of them. */
  | { readonly kind: 'webhooks'; readonly missing: readonly string[]; readonly isDeaf: boolean }
  /** Only what the connected users may see is heard of. */
  | { readonly kind: 'noAdmin' }
  | ({ readonly kind: 'connection' } & EndedConnection)
  | ({ readonly kind: 'destination' } & TroubledDestination)
  | { readonly kind: 'rule'; readonly ruleId: number; readonly name: string; readonly reason: string }
  /** Everything that the plan allows is in use. */
  | { readonly kind: 'limit'; readonly limit: 'destinations' | 'activeRules'; readonly allowed: number }
  | { readonly kind: 'trialEnds'; readonly at: Date };

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly clock: () => Date;
}

/** Reads it all. */
export async function attentionNeeds(deps: Deps, tenantId: TenantId, plan: CurrentPlan): Promise<readonly AttentionNeed[]> {
  const { prisma, pool, clock } = deps;
  const [heard, connections, troubled, rules, destinations] = await Promise.all([
    heardObjects(prisma, tenantId),
    connectionHealth(prisma, tenantId),
    troubledDestinations(pool, tenantId),
    listRules(prisma, tenantId),
    countDestinations(prisma, tenantId),
  ]);
  const needOf = await attentionOfRules(pool, tenantId, rules);
  const missing = WEBHOOK_ENTITIES.filter((entity) => !heard.has(entity));
  const usage = { destinations, activeRules: rules.filter(({ enabled }) => enabled).length };
  return [
    ...(missing.length === 0 ? [] : [{ kind: 'webhooks', missing, isDeaf: missing.length === WEBHOOK_ENTITIES.length } as const]),
    ...(connections.hasAdmin ? [] : [{ kind: 'noAdmin' } as const]),
    ...connections.ended.map((ended) => ({ kind: 'connection', ...ended }) as const),
    ...troubled.map((trouble) => ({ kind: 'destination', ...trouble }) as const),
    ...rules.flatMap((rule) =>
      needOf(rule)
        .attention.slice(0, 1)
        .map(({ message }) => ({ kind: 'rule', ruleId: rule.id, name: rule.name, reason: message }) as const),
    ),
    ...planNeeds(plan, usage, clock()),
  ];
}

const DAY_MS = 86_400_000;
const TRIAL_WARNING_DAYS = 5;

function planNeeds(
  { limits, trialEndsAt }: CurrentPlan,
  usage: { readonly destinations: number; readonly activeRules: number },
  now: Date,
): AttentionNeed[] {
  const full = (['destinations', 'activeRules'] as const).filter((limit) => usage[limit] >= limits[limit]);
  const isEnding = trialEndsAt !== null && trialEndsAt.getTime() - now.getTime() <= TRIAL_WARNING_DAYS * DAY_MS;
  return [
    ...full.map((limit) => ({ kind: 'limit', limit, allowed: limits[limit] }) as const),
    ...(isEnding ? [{ kind: 'trialEnds', at: trialEndsAt } as const] : []),
  ];
}
