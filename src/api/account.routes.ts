/** `/account`: plan, usage, settings, the relay's credentials, and erasing it all. */

import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Prisma, PrismaClient } from '../../prisma/generated/client';
import { isUnreadableSecret } from '../core/errors';
import type { TenantId } from '../core/tenant';
import type { CheckKeys } from '../delivery/check-keys';
import { countDestinations } from '../delivery/chat-webhook.store';
import { reconsiderHeld } from '../delivery/reconsider-held.store';
import type { CurrentPlan } from '../plans/plan-limits';
import { countRules } from '../rules/rule.store';
import { countWatches } from '../rules/watch.store';
import { accountOf, eraseTenant, saveSettings, type Account } from './account.store';
import { countApiKeys } from './api-key.store';
import { attentionNeeds } from './attention';
import { changedFields, type RunChange } from './change.store';
import { tenantEndpoint, type Endpoint, type Principal } from './endpoint';
import { localeField, timeZoneField } from './fields';

/** What a tenant's signing secret is sealed for; what is sealed is the secret's text. */
export type OpenSigningSecret = (tenantId: TenantId, sealed: string) => Promise<string>;

/** Removes our webhooks at Pipedrive and revokes the tokens, as far as Pipedrive lets us. */
export type ForgetTenant = (tenantId: TenantId) => Promise<void>;

interface Deps {
  readonly prisma: PrismaClient;
  readonly checkKeys: CheckKeys;
  readonly pool: Pool;
  readonly runChange: RunChange;
  readonly loadPlan: (client: PrismaClient | Prisma.TransactionClient, tenantId: TenantId) => Promise<CurrentPlan>;
  readonly openSigningSecret: OpenSigningSecret;
  readonly forgetTenant: ForgetTenant;
  /** `RETENTION_DAYS`. */
  readonly retentionDays: number;
  readonly clock: () => Date;
  readonly log: Logger;
}

const updateBody = z.strictObject({
  settings: z
    .strictObject({ locale: localeField.nullable().optional(), timeZone: timeZoneField.nullable().optional() })
    .optional(),
});

export function accountEndpoints(deps: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'get', path: '/account', access: 'read', status: 200, summary: 'Plan, usage and limits, settings' },
      handle: async (principal) => ({ status: 200, body: await shown(deps, principal) }),
    }),
    tenantEndpoint({
      ...{
        method: 'put',
        path: '/account',
        access: 'change',
        status: 200,
        summary: 'Change the settings; null: as Pipedrive says',
      },
      body: updateBody,
      handle: async (principal, { body: { settings } }) => {
        if (settings !== undefined) await change(deps, principal, settings);
        return { status: 200, body: await shown(deps, principal) };
      },
    }),
    tenantEndpoint({
      ...{ method: 'delete', path: '/account', access: 'change', status: 204, summary: 'Erase everything of this company' },
      handle: async ({ tenantId }) => {
        await erase(deps, tenantId);
        return { status: 204 };
      },
    }),
  ];
}

type Settings = NonNullable<z.infer<typeof updateBody>['settings']>;

async function change({ runChange, clock }: Deps, principal: Principal, given: Settings): Promise<void> {
  const { tenantId } = principal;
  await runChange(principal, async (client) => {
    const { settings } = await accountOf(client, tenantId);
    const wanted = {
      locale: given.locale === undefined ? settings.locale : given.locale,
      timeZone: given.timeZone === undefined ? settings.timeZone : given.timeZone,
    };
    await saveSettings(client, tenantId, wanted);
    if (given.timeZone !== undefined) await reconsiderHeld(client, tenantId, 'companyZone', clock());
    const fields = changedFields(settings, wanted);
    const note = fields.length === 0 ? null : { action: 'account.updated', subject: 'account', changes: { fields } };
    return { result: undefined, note };
  });
}

async function erase({ pool, forgetTenant, log }: Deps, tenantId: TenantId): Promise<void> {
  try {
    await forgetTenant(tenantId);
  } catch (error) {
    // Pipedrive may be away or have ended the authorization: the data goes all the same.
    log.warn({ err: error, tenantId }, 'pipedrive could not be told of an erased account');
  }
  await eraseTenant(pool, tenantId);
  log.info({ tenantId }, 'account erased');
}

async function shown(deps: Deps, { tenantId, isAdmin }: Principal): Promise<object> {
  const { prisma, retentionDays } = deps;
  const account = await accountOf(prisma, tenantId);
  const { companyId, companyName, companyDomain, locale, timeZone, baseCurrency, settings, createdAt } = account;
  const current = await deps.loadPlan(prisma, tenantId);
  const { plan, isTrial, trialEndsAt, limits } = current;
  const usage = {
    destinations: await countDestinations(prisma, tenantId),
    activeRules: (await countRules(prisma, tenantId)).active,
    apiKeys: await countApiKeys(prisma, tenantId),
    watches: await countWatches(prisma, tenantId),
  };
  return {
    tenant: { id: tenantId, companyId, companyName, companyDomain, locale, timeZone, baseCurrency, createdAt },
    ...{ plan, isTrial, trialEndsAt, limits, usage, settings },
    needsAttention: await attentionNeeds(deps, tenantId, current),
    retentionDays: Math.min(retentionDays, limits.retentionDays),
    ...(isAdmin ? { webhook: await relayCredentials(deps, tenantId, account) } : {}),
  };
}

async function relayCredentials({ openSigningSecret }: Deps, tenantId: TenantId, account: Account): Promise<object> {
  const { publicId: tenantPublicId, sealedSigningSecret } = account;
  try {
    return { tenantPublicId, signingSecret: await openSigningSecret(tenantId, sealedSigningSecret) };
  } catch (error) {
    // The account says so, and all the rest of it is as it was.
    if (isUnreadableSecret(error)) return { tenantPublicId, signingSecret: null };
    throw error;
  }
}
