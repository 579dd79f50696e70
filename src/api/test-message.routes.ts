/** `POST /test`: a sample message now, so that people see that a destination works and what a rule looks like. */

import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { findDestination } from '../delivery/chat-webhook.store';
import { findRule } from '../rules/rule.store';
import { missing, tenantEndpoint, type Endpoint } from './endpoint';
import { idField } from './fields';

/** What is tested; it is the tenant's own. */
export type TestTarget = { readonly tenantId: TenantId } & ({ readonly ruleId: number } | { readonly chatWebhookId: number });

/** Sends at once, records the attempt, never throws because of Google Chat. */
export type SendTest = (target: TestTarget) => Promise<{
  readonly status: 'success' | 'failure';
  readonly httpStatus: number | null;
  readonly errorMessage?: string | null;
}>;

interface Deps {
  readonly prisma: PrismaClient;
  readonly sendTest: SendTest;
}

const body = z.union([z.strictObject({ ruleId: idField }), z.strictObject({ chatWebhookId: idField })], {
  error: 'must have either a ruleId or a chatWebhookId',
});

export function testMessageEndpoints({ prisma, sendTest }: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{
        method: 'post',
        path: '/test',
        access: 'change',
        status: 200,
        summary: 'Send a sample message now, by a rule or to a destination',
      },
      body,
      handle: async ({ tenantId }, { body: target }) => {
        if ('ruleId' in target && (await findRule(prisma, tenantId, target.ruleId)) === null) throw missing('rule');
        if ('chatWebhookId' in target && (await findDestination(prisma, tenantId, target.chatWebhookId)) === null) {
          throw missing('Chat webhook');
        }
        return { status: 200, body: await sendTest({ tenantId, ...target }) };
      },
    }),
  ];
}
