/** Lets at most a few pieces of work run at once in this process; the others wait their turn, first come first served. */

export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * `places` is how many may be inside. What `work` throws reaches its own caller only. Work that takes longer than `slowMs` goes on, but
 * keeps nobody waiting any more.
 */
export function makeTurnstile(places: number, slowMs = Number.POSITIVE_INFINITY): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;

  /** The place is handed over, not freed: nobody can slip in between. */
  function handOver(): void {
    const next = waiting.shift();
    if (next === undefined) inside--;
    else next();
  }

  return async (work) => {
    if (inside >= places) await new Promise<void>((enter) => waiting.push(enter));
    else inside++;
    let isInside = true;
    const leave = (): void => {
      if (isInside) handOver();
      isInside = false;
    };
    const slow = Number.isFinite(slowMs) ? setTimeout(leave, slowMs) : undefined;
    try {
      return await work();
    } finally {
      clearTimeout(slow);
      leave();
    }
  };
}
