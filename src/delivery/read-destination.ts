/**
 * Reads the row of a destination. What this version cannot read of it, because a newer one wrote it or it is damaged, is named beside it and
 * harms nothing else. Pure.
 */

import { z } from 'zod';
import {
  FOLD_POLICIES,
  quietHoursSchema,
  THREAD_POLICIES,
  type FoldPolicy,
  type QuietHours,
  type ThreadPolicy,
} from '../core/destination';
import { KNOWN_HEALTHS, type KnownHealth } from './space-health';

/** What of a destination may not be readable. `url`: its key and token. */
export type UnreadablePart = 'url' | 'health' | 'threads' | 'fold' | 'quietHours';

/** A destination as the API and the pages show it. */
export interface Destination {
  readonly id: number;
  readonly name: string;
  readonly spaceId: string;
  readonly health: KnownHealth;
  readonly healthReason: string | null;
  readonly healthSince: Date;
  readonly paused: boolean;
  readonly threads: ThreadPolicy;
  /** The space rejected a thread: its messages go without. */
  readonly threadingUnsupported: boolean;
  /** Takes its messages while it is broken. */
  readonly fallbackWebhookId: number | null;
  /** A message held for longer is dropped. */
  readonly holdHours: number;
  readonly fold: FoldPolicy;
  /** Null: as many as can go within the latency goal. */
  readonly foldThreshold: number | null;
  readonly timeZone: string | null;
  readonly locale: string | null;
  readonly quietHours: QuietHours | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** It takes no message until these are set anew; in their places stands what a new destination has. */
  readonly unreadable: readonly UnreadablePart[];
}

type Words = 'health' | 'threads' | 'fold';
type DestinationRow = Omit<Destination, Words | 'quietHours' | 'unreadable'> &
  Readonly<Record<Words, string>> & { readonly quietHours: unknown };

/** Never throws. Whether its key can be opened, `checkKeys` says. */
export function readDestination(row: DestinationRow): Destination {
  const unreadable: UnreadablePart[] = [];
  const read = <Read>(part: UnreadablePart, schema: z.ZodType<Read>, written: unknown, otherwise: Read): Read => {
    const result = schema.safeParse(written);
    if (!result.success) unreadable.push(part);
    return result.success ? result.data : otherwise;
  };
  return {
    id: row.id,
    name: row.name,
    spaceId: row.spaceId,
    health: read('health', z.enum(KNOWN_HEALTHS), row.health, 'broken'),
    healthReason: row.healthReason,
    healthSince: row.healthSince,
    paused: row.paused,
    threads: read('threads', z.enum(THREAD_POLICIES), row.threads, 'off'),
    threadingUnsupported: row.threadingUnsupported,
    fallbackWebhookId: row.fallbackWebhookId,
    holdHours: row.holdHours,
    fold: read('fold', z.enum(FOLD_POLICIES), row.fold, 'auto'),
    foldThreshold: row.foldThreshold,
    timeZone: row.timeZone,
    locale: row.locale,
    quietHours: read('quietHours', quietHoursSchema.nullable(), row.quietHours, null),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    unreadable,
  };
}

const PART_WORDS: Readonly<Record<UnreadablePart, string>> = {
  url: 'key',
  health: 'state',
  threads: 'setting for threads',
  fold: 'setting for folding',
  quietHours: 'quiet hours',
};

/** Why it takes no messages, and what mends it; null: everything can be read. */
export function unreadableReason({ unreadable }: Pick<Destination, 'unreadable'>): string | null {
  if (unreadable.length === 0) return null;
  const parts = new Intl.ListFormat('en').format(unreadable.map((part) => PART_WORDS[part]));
  return `Dealbell cannot read the ${parts} of this space. ${isMendedByUrl({ unreadable }) ? 'Replace its URL' : 'Save its settings anew'}.`;
}

/** A new URL is what it needs; else its settings have to be saved anew. */
export function isMendedByUrl({ unreadable }: Pick<Destination, 'unreadable'>): boolean {
  return unreadable.includes('url') || unreadable.includes('health');
}
