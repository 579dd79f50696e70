/** The API's preview of a rule in words. Pure. */

import { z } from 'zod';
import type { RulePreviewView } from '../../views/settings/rule-preview';
import type { ChatMessage } from '../core/chat-message';
import { counted } from '../core/counted';
import type { TenantProfile } from '../core/tenant';
import { chatMessageSchema } from './chat-answer';
import { momentWords } from './words';

/** What `POST /rules/preview` answers, as far as it is shown. */
export const previewAnswer = z.object({
  events: z.number(),
  messages: z.number(),
  maxPerHour: z.number(),
  quietHours: z.number(),
  perDay: z.array(z.object({ date: z.string(), messages: z.number() })),
  stoppedBy: z.array(z.object({ ruleName: z.string(), events: z.number() })),
  otherRules: z.array(z.object({ ruleId: z.number(), ruleName: z.string(), events: z.number() })),
  examples: z.array(z.object({ occurredAt: z.coerce.date(), recordTitle: z.string().nullable(), message: chatMessageSchema })),
  complete: z.boolean(),
  from: z.coerce.date(),
  to: z.coerce.date(),
});
export type PreviewAnswer = z.infer<typeof previewAnswer>;

/** `sample` is what is drawn when nothing matched. */
export function previewView(answer: PreviewAnswer, days: number, sample: ChatMessage, tenant: TenantProfile): RulePreviewView {
  const last = answer.examples.at(-1);
  return {
    ...summaryOf(answer, days, tenant),
    notes: notesOf(answer, days, tenant),
    caption:
      last === undefined
        ? 'No recent event matches. Here is a sample:'
        : `${last.recordTitle ?? 'A record without a title'}, ${momentWords(last.occurredAt, tenant)}:`,
    message: last?.message ?? sample,
  };
}

const DAY_MS = 86_400_000;

/** Only the newest events were looked at, and they do not reach back so far. */
function isPart({ from, to, complete }: PreviewAnswer, days: number): boolean {
  return complete && to.getTime() - from.getTime() < (days - 1) * DAY_MS;
}

function summaryOf(answer: PreviewAnswer, days: number, tenant: TenantProfile): Pick<RulePreviewView, 'summary' | 'said'> {
  const { messages, maxPerHour, perDay, complete, from } = answer;
  const time = isPart(answer, days) ? `since ${momentWords(from, tenant)}` : `in the last ${days} days`;
  if (messages === 0) return { summary: `This rule would have sent no message ${time}.`, said: `No message ${time}` };
  const atLeast = complete ? '' : 'at least ';
  const said = `${atLeast}${counted(messages, 'message')} ${time}`;
  const most = Math.max(...perDay.map((day) => day.messages));
  const rate = messages === 1 ? '' : `, at most ${most} a day and ${maxPerHour} an hour`;
  return { summary: `This rule would have sent ${said}${rate}.`, said };
}

function notesOf(answer: PreviewAnswer, days: number, tenant: TenantProfile): string[] {
  const { events, messages, quietHours, stoppedBy, otherRules, complete, to } = answer;
  const others = otherRules.map(({ ruleName, events: count }) => `${ruleName} (${counted(count, 'event')})`);
  return [
    ...(events === 0 ? ['Dealbell has heard of nothing from Pipedrive in this time yet.'] : []),
    ...(isPart(answer, days) ? [`Preview, below, counts the whole ${days} days.`] : []),
    ...(complete ? [] : [`There was so much that only what came until ${momentWords(to, tenant)} was looked at.`]),
    ...(quietHours === 0 ? [] : [`${quietHours} of them would have fallen into quiet hours.`]),
    ...(others.length === 0 ? [] : [`Other rules posted these too: ${new Intl.ListFormat('en').format(others)}.`]),
    ...stoppedBy.map(stoppedWords),
    ...(messages > 0 && others.length === 0 ? ['No other rule posted these.'] : []),
  ];
}

/** What is left out of the count. */
function stoppedWords({ ruleName, events }: PreviewAnswer['stoppedBy'][number]): string {
  return `Not counted: ${counted(events, 'event')} that “${ruleName}” posts in the same space, as it stops the rules below it.`;
}
