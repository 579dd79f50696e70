/** `POST /rules/preview`: what a draft would have told of the last days. Nothing is stored, sent or asked of Pipedrive. */

import type { Pool } from 'pg';
import { z } from 'zod';
import { titleOf } from '../core/record';
import { renderMessage } from '../messages/render-message';
import { countMatchesOfOthers } from '../rules/walk-events.store';
import { MAX_WALKED_EVENTS } from '../rules/walk-events';
import { tenantEndpoint, type Endpoint } from './endpoint';
import { idField } from './fields';
import { createRuleBody, type RuleDraft } from './rule-draft';
import { summarizePreview } from './summarize-preview';
import type { DraftWalks, WalkedDraft } from './walk-draft';

interface Deps {
  readonly pool: Pool;
  readonly draftWalks: DraftWalks;
}

/** The newest of the messages. */
const EXAMPLES = 3;

const previewBody = z.strictObject({
  rule: createRuleBody,
  ruleId: idField.optional().describe('The rule that it changes, in whose place it stands; without one it stands behind all'),
  days: z.int().min(1).max(90).default(30),
  /** Looks at so many of the newest events only, for an answer at once. */
  newest: z.int().min(1).max(MAX_WALKED_EVENTS).optional(),
});

export function rulePreviewEndpoints({ pool, draftWalks }: Deps): Endpoint[] {
  return [
    tenantEndpoint({
      ...{ method: 'post', path: '/rules/preview', access: 'read', status: 200 },
      summary: 'What a rule would have told of the last days; nothing is stored or sent',
      body: previewBody,
      handle: async ({ tenantId }, { body: { rule, ruleId = null, days, newest = null }, signal }) => {
        const draft = await draftWalks.judge(tenantId, rule);
        const place = { ruleId, position: rule.position ?? null };
        const walked = await draftWalks.walk({ tenantId, draft, days, newest, place, signal });
        return { status: 200, body: await shown({ pool, draftWalks }, draft, walked, ruleId) };
      },
    }),
  ];
}

/** `ruleId`: the rule that the draft would take the place of. */
async function shown({ pool, draftWalks }: Deps, draft: RuleDraft, walked: WalkedDraft, ruleId: number | null): Promise<object> {
  const { tenant, destinations, messages, matchedEventIds, stoppedBy } = walked;
  const { events, complete, from, to } = walked.walk;
  const examples = messages.slice(-EXAMPLES);
  const told = await draftWalks.tell(walked, draft, examples);
  const matched = await countMatchesOfOthers(pool, tenant.id, matchedEventIds);
  return {
    ...{ events, ...summarizePreview(messages, destinations, tenant.timeZone) },
    stoppedBy,
    otherRules: matched.filter((other) => other.ruleId !== ruleId),
    examples: told.map(({ subject, names }, index) => {
      const { occurredAt, state } = subject.change;
      return {
        eventId: examples[index]?.eventId,
        occurredAt,
        recordTitle: titleOf(state),
        message: renderMessage(subject, names),
      };
    }),
    ...{ complete, from, to },
  };
}
