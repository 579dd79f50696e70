/** What a soak waits for has a name and a limit, so that one that hangs ends, and says by what. */

export interface Waits {
  /** The work's result; rejects with its name when it takes longer. */
  within<T>(what: string, limitMs: number, work: Promise<T>): Promise<T>;
  /** What is waited for now, longest first. */
  current(): readonly string[];
}

export function nameWaits(nowMs: () => number): Waits {
  const open = new Map<symbol, { readonly what: string; readonly sinceMs: number }>();
  return {
    async within(what, limitMs, work) {
      const id = Symbol(what);
      open.set(id, { what, sinceMs: nowMs() });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`not within ${limitMs / 1000} s: ${what}`)), limitMs);
      });
      try {
        return await Promise.race([work, late]);
      } finally {
        clearTimeout(timer);
        open.delete(id);
      }
    },
    current: () => [...open.values()].map(({ what, sinceMs }) => `${what} (for ${((nowMs() - sinceMs) / 1000).toFixed(1)} s)`),
  };
}
