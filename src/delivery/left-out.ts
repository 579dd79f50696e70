/** What this version cannot read (a newer one wrote it, or it is damaged) is left out for a while, so that it keeps nothing else waiting. */

import type { z } from 'zod';

/** And is told of in the log so often. */
const LEFT_OUT_MS = 60_000;

/** Of a row of the ledger that could not be read. */
export interface Unreadable {
  readonly row: unknown;
  readonly error: unknown;
}

/** Reads each row by itself. */
export function readEach<Read>(
  rows: readonly unknown[],
  schema: z.ZodType<Read>,
): { readonly read: readonly Read[]; readonly unreadable: readonly Unreadable[] } {
  const read: Read[] = [];
  const unreadable: Unreadable[] = [];
  for (const row of rows) {
    const result = schema.safeParse(row);
    if (result.success) read.push(result.data);
    else unreadable.push({ row, error: result.error });
  }
  return { read, unreadable };
}

export interface LeftOut<Key> {
  add(key: Key, now: Date): void;
  /** What is not asked for now. */
  keys(now: Date): readonly Key[];
}

/** Makes an empty one. Each process has its own: one of a newer version reads what the others cannot. */
export function makeLeftOut<Key>(): LeftOut<Key> {
  const since = new Map<Key, number>();
  return {
    add: (key, now) => since.set(key, now.getTime()),
    keys(now) {
      // Either way: a clock may be set back.
      for (const [key, at] of since) if (Math.abs(now.getTime() - at) >= LEFT_OUT_MS) since.delete(key);
      return [...since.keys()];
    },
  };
}
