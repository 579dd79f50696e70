/** What waits for a person, the most urgent first: `GET /account` lists it, and our own pages word it and offer what mends it. */

import type { Pool } from 'pg';
import type { PrismaClient } from '../../prisma/generated/client';
import { WEBHOOK_ENTITIES } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { CheckKeys } from '../delivery/check-keys';
import { listDestinations } from '../delivery/chat-webhook.store';
import { neverEnds } from '../delivery/quiet-hours';
import { isMendedByUrl, unreadableReason } from '../delivery/read-destination';
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
  /** `isMendedByUrl`: it needs a new URL; else its settings have to be saved anew. */
  | ({ readonly kind: 'destination'; readonly isMendedByUrl: boolean } & TroubledDestination)
  /** Its quiet hours never end, and what comes is held until they do. */
  | { readonly kind: 'quietForEver'; readonly chatWebhookId: number; readonly name: string }
  | { readonly kind: 'rule'; readonly ruleId: number; readonly name: string; readonly reason: string }
  /** Everything that the plan allows is in use. */
  | { readonly kind: 'limit'; readonly limit: 'destinations' | 'activeRules'; readonly allowed: number }
  | { readonly kind: 'trialEnds'; readonly at: Date };

interface Deps {
  readonly prisma: PrismaClient;
  readonly pool: Pool;
  readonly checkKeys: CheckKeys;
  readonly clock: () => Date;
}

/** Reads it all. */
export async function attentionNeeds(deps: Deps, tenantId: TenantId, plan: CurrentPlan): Promise<readonly AttentionNeed[]> {
  const { prisma, pool, clock } = deps;
  const destinations = await deps.checkKeys(tenantId, await listDestinations(prisma, tenantId));
  const unreadable = destinations.filter((destination) => destination.unreadable.length > 0);
  const [heard, connections, troubled, rules] = await Promise.all([
    heardObjects(prisma, tenantId),
    connectionHealth(prisma, tenantId),
    troubledDestinations(
      pool,
      tenantId,
      unreadable.map(({ id }) => id),
    ),
    listRules(prisma, tenantId),
  ]);
  const needOf = await attentionOfRules(pool, tenantId, rules);
  const missing = WEBHOOK_ENTITIES.filter((entity) => !heard.has(entity));
  const unread = new Map(unreadable.map((destination) => [destination.id, destination]));
  const usage = { destinations: destinations.length, activeRules: rules.filter(({ enabled }) => enabled).length };
  return [
    ...(missing.length === 0 ? [] : [{ kind: 'webhooks', missing, isDeaf: missing.length === WEBHOOK_ENTITIES.length } as const]),
    ...(connections.hasAdmin ? [] : [{ kind: 'noAdmin' } as const]),
    ...connections.ended.map((ended) => ({ kind: 'connection', ...ended }) as const),
    ...troubled.map((trouble): AttentionNeed => {
      const destination = unread.get(trouble.chatWebhookId);
      if (destination === undefined) return { kind: 'destination', ...trouble, isMendedByUrl: true };
      const reason = unreadableReason(destination);
      return { kind: 'destination', ...trouble, health: 'broken', reason, isMendedByUrl: isMendedByUrl(destination) };
    }),
    ...destinations
      .filter(({ quietHours }) => quietHours?.mode === 'hold' && neverEnds(quietHours))
      .map(({ id, name }) => ({ kind: 'quietForEver', chatWebhookId: id, name }) as const),
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
