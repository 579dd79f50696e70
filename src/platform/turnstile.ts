/** Lets at most a few pieces of work run at once in this process; the others wait their turn, first come first served. */

export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/** `places` is how many may be inside. What `work` throws reaches its own caller only. */
export function makeTurnstile(places: number): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;

  return async (work) => {
    if (inside >= places) await new Promise<void>((enter) => waiting.push(enter));
    else inside++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place is handed over, not freed: nobody can slip in between.
      if (next === undefined) inside--;
      else next();
    }
  };
}
