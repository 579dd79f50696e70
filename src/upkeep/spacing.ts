/** Keeps a question from being asked too often: each time it is asked in vain, the wait before the next time doubles. */

export interface Spacing {
  /** True when it may be asked now; that counts as asked. */
  take(key: string): boolean;
}

interface Asked {
  readonly nextAtMs: number;
  readonly waitMs: number;
}

/** Waits `first` milliseconds after the first time, then twice as long, up to `longest`; after a long pause it begins anew. */
export function makeSpacing({ first, longest, clock }: { first: number; longest: number; clock: () => Date }): Spacing {
  const asked = new Map<string, Asked>();

  /** What is forgotten is what nobody asked for in a long time, so the map holds no more than what counts now. */
  function forgetOld(nowMs: number): void {
    for (const [key, { nextAtMs }] of asked) if (nextAtMs + 2 * longest < nowMs) asked.delete(key);
  }

  return {
    take(key) {
      const nowMs = clock().getTime();
      const last = asked.get(key);
      if (last !== undefined && nowMs < last.nextAtMs) return false;
      if (last === undefined) forgetOld(nowMs);
      const isFresh = last === undefined || nowMs > last.nextAtMs + 2 * longest;
      const waitMs = isFresh ? first : Math.min(last.waitMs * 2, longest);
      asked.set(key, { nextAtMs: nowMs + waitMs, waitMs });
      return true;
    },
  };
}
