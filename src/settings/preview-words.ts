/** The API's preview of a rule in words. Pure. */

import { z } from 'zod';
import type { RulePreviewView } from '../../views/settings/rule-preview';
import type { ChatMessage } from '../core/chat-message';
import type { TenantProfile } from '../core/tenant';
import { chatMessageSchema } from './chat-answer';
import { counted, momentWords } from './words';

/** What `POST /rules/preview` answers, as far as it is shown. */
export const previewAnswer = z.object({
  events: z.number(),
  messages: z.number(),
  maxPerMinute: z.number(),
  quietHours: z.number(),
  perDay: z.array(z.object({ date: z.string(), messages: z.number() })),
  otherRules: z.array(z.object({ ruleId: z.number(), ruleName: z.string(), events: z.number() })),
  examples: z.array(z.object({ occurredAt: z.coerce.date(), recordTitle: z.string().nullable(), message: chatMessageSchema })),
  complete: z.boolean(),
  to: z.coerce.date(),
});
export type PreviewAnswer = z.infer<typeof previewAnswer>;

/** `sample` is what is drawn when nothing matched. */
export function previewView(answer: PreviewAnswer, days: number, sample: ChatMessage, tenant: TenantProfile): RulePreviewView {
  const last = answer.examples.at(-1);
  return {
    summary: summaryOf(answer, days),
    notes: notesOf(answer, tenant),
    caption:
      last === undefined
        ? 'Nothing of late fits, so this is a made-up example:'
        : `${last.recordTitle ?? 'A record without a title'}, ${momentWords(last.occurredAt, tenant)}:`,
    message: last?.message ?? sample,
  };
}

function summaryOf({ messages, maxPerMinute, perDay, complete }: PreviewAnswer, days: number): string {
  if (messages === 0) return `This rule would have sent no message in the last ${days} days.`;
  const most = Math.max(...perDay.map((day) => day.messages));
  const atLeast = complete ? '' : 'at least ';
  return `This rule would have sent ${atLeast}${counted(messages, 'message')} in the last ${days} days, at most ${most} a day and ${maxPerMinute} a minute.`;
}

function notesOf({ events, messages, quietHours, otherRules, complete, to }: PreviewAnswer, tenant: TenantProfile): string[] {
  const others = otherRules.map(({ ruleName, events: count }) => `${ruleName} (${counted(count, 'event')})`);
  return [
    ...(events === 0 ? ['Dealbell has heard of nothing from Pipedrive in this time yet.'] : []),
    ...(complete ? [] : [`There was so much that only what came until ${momentWords(to, tenant)} was looked at.`]),
    ...(quietHours === 0 ? [] : [`${quietHours} of them would have fallen into quiet hours.`]),
    ...(others.length === 0 ? [] : [`The same was told by other rules too: ${new Intl.ListFormat('en').format(others)}.`]),
    ...(messages > 0 && others.length === 0 ? ['No other rule told of the same.'] : []),
  ];
}
