/** What the messages of a preview come to: how many a day, how many in the busiest minute and hour, how many in quiet hours. Pure. */

import type { QuietHours } from '../core/destination';
import { isQuiet } from '../delivery/quiet-hours';
import { dayOf } from '../rules/calendar-day';
import type { PreviewedMessage } from '../rules/preview-rule';

const MINUTE_MS = 60_000;

export interface PreviewedDestination {
  readonly timeZone: string | null;
  readonly quietHours: QuietHours | null;
}

export interface PreviewSummary {
  readonly messages: number;
  /** Days that have messages, by the tenant's calendar. */
  readonly perDay: readonly { readonly date: string; readonly messages: number }[];
  readonly maxPerMinute: number;
  readonly maxPerHour: number;
  readonly quietHours: number;
}

/** `timeZone` is the tenant's; a destination may have one of its own for its quiet hours. */
export function summarizePreview(
  messages: readonly PreviewedMessage[],
  destinations: ReadonlyMap<number, PreviewedDestination>,
  timeZone: string,
): PreviewSummary {
  const quiet = messages.filter(({ chatWebhookId, dueAt }) => {
    const destination = destinations.get(chatWebhookId);
    if (destination === undefined || destination.quietHours === null) return false;
    return isQuiet(destination.quietHours, destination.timeZone ?? timeZone, dueAt);
  });
  const dueTimes = messages.map(({ dueAt }) => dueAt.getTime());
  return {
    messages: messages.length,
    perDay: countByDay(messages, timeZone),
    maxPerMinute: most(dueTimes, MINUTE_MS),
    maxPerHour: most(dueTimes, 60 * MINUTE_MS),
    quietHours: quiet.length,
  };
}

function countByDay(messages: readonly PreviewedMessage[], timeZone: string): PreviewSummary['perDay'] {
  const counts = new Map<string, number>();
  for (const { dueAt } of messages) {
    const date = dayOf(dueAt.toISOString(), timeZone) ?? '';
    counts.set(date, (counts.get(date) ?? 0) + 1);
  }
  return [...counts].map(([date, count]) => ({ date, messages: count })).sort((a, b) => a.date.localeCompare(b.date));
}

/** The most that fall into any time of this length, wherever it begins. */
function most(times: readonly number[], lengthMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let first = 0;
  let found = 0;
  for (const [at, time] of sorted.entries()) {
    while (time - (sorted[first] ?? time) >= lengthMs) first += 1;
    found = Math.max(found, at - first + 1);
  }
  return found;
}
