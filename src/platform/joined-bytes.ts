/** Joins bytes for a statement in memory that is used again: a new buffer for each would be garbage that the engine soon stops everything for. */

/** Kept for the next one up to this size. */
const MOST_KEPT_BYTES = 4_194_304;

export type WithJoined = <T>(parts: readonly Uint8Array[], use: (joined: Buffer) => Promise<T>) => Promise<T>;

/** Makes it. What `use` is given holds good until its promise settles; uses at the same time get memory of their own. */
export function makeWithJoined(): WithJoined {
  const free: Buffer[] = [];
  return async (parts, use) => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const memory = take(free, length);
    let end = 0;
    for (const part of parts) {
      memory.set(part, end);
      end += part.length;
    }
    try {
      return await use(memory.subarray(0, length));
    } finally {
      if (memory.length <= MOST_KEPT_BYTES) free.push(memory);
    }
  };
}

function take(free: Buffer[], length: number): Buffer {
  const memory = free.pop();
  if (memory !== undefined && memory.length >= length) return memory;
  // Twice as much as is needed, so that it does not grow by every batch that is a little larger.
  return Buffer.allocUnsafeSlow(Math.max(length, Math.min(2 * length, MOST_KEPT_BYTES)));
}
