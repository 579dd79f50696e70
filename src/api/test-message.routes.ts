/** `POST /test`: a sample message now, so that people see that a destination works and what a rule looks like, saved or not. */

import { z } from 'zod';
import type { PrismaClient } from '../../prisma/generated/client';
import type { TenantId } from '../core/tenant';
import { findDestination } from '../delivery/chat-webhook.store';
import type { DraftTest } from '../delivery/send-test';
import { findRule } from '../rules/rule.store';
import { missing, tenantEndpoint, type Endpoint } from './endpoint';
import { idField } from './fields';
import { createRuleBody, type RuleBody } from './rule-draft';
import type { DraftWalks } from './walk-draft';

/** What is tested; it is the tenant's own. */
export type TestTarget = { readonly tenantId: TenantId } & (
  { readonly ruleId: number } | { readonly chatWebhookId: number } | DraftTest
);

/** Sends at once, records the attempt, never throws because of Google Chat. */
export type SendTest = (target: TestTarget) => Promise<{
  readonly status: 'success' | 'failure';
  readonly httpStatus: number | null;
  readonly errorMessage?: string | null;
}>;

interface Deps {
  readonly prisma: PrismaClient;
  readonly draftWalks: DraftWalks;
  readonly sendTest: SendTest;
}

const body = z
  .strictObject({
    ruleId: idField.optional(),
    chatWebhookId: idField.optional(),
    rule: createRuleBody.optional().describe('A rule that is not saved, as POST /rules takes it'),
  })
  .refine((given) => Object.values(given).filter((one) => one !== undefined).length === 1, {
    error: 'must have either a ruleId, a chatWebhookId or a rule',
  });

export function testMessageEndpoints(deps: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'post', path: '/test', access: 'change', status: 200 },
      summary: 'Send a sample message now: by a rule, to a destination, or by a draft, of the last that it would have told',
      body,
      handle: async ({ tenantId }, { body: given, signal }) => {
        const target = await targetOf(deps, tenantId, given, signal);
        return { status: 200, body: await deps.sendTest({ tenantId, ...target }) };
      },
    }),
  ];
}

async function targetOf(
  { prisma, draftWalks }: Deps,
  tenantId: TenantId,
  { rule, ruleId, chatWebhookId }: z.infer<typeof body>,
  signal: AbortSignal,
): Promise<{ readonly ruleId: number } | { readonly chatWebhookId: number } | DraftTest> {
  if (rule !== undefined) return await draftTest(draftWalks, tenantId, rule, signal);
  if (ruleId !== undefined) {
    if ((await findRule(prisma, tenantId, ruleId)) === null) throw missing('rule');
    return { ruleId };
  }
  if (chatWebhookId === undefined || (await findDestination(prisma, tenantId, chatWebhookId)) === null) {
    throw missing('Chat webhook');
  }
  return { chatWebhookId };
}

const DAYS = 30;
/** Events among which a real example is looked for: a person waits. */
const NEWEST = 2_000;

/** The draft, and the last thing that it would have told; a sample is made up when there was none. */
async function draftTest(walks: DraftWalks, tenantId: TenantId, rule: RuleBody, signal: AbortSignal): Promise<DraftTest> {
  const draft = await walks.judge(tenantId, rule);
  const walked = await walks.walk({ tenantId, draft, days: DAYS, newest: NEWEST, place: null, signal });
  const [last] = await walks.tell(walked, draft, walked.messages.slice(-1));
  const { eventType, templateMode, template, targetWebhookIds } = draft;
  return {
    draft: { eventType, mode: templateMode, template, chatWebhookIds: targetWebhookIds },
    real: last === undefined ? null : { change: last.subject.change, names: last.names },
  };
}
