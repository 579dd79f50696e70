/** Gathers single calls into batches: while one batch is being written the next one fills, so no call waits for a timer. */

interface Waiting<In, Out> {
  readonly item: In;
  resolve(value: Out): void;
  reject(error: unknown): void;
}

/**
 * Turns `write` (many at once, answers in the same order) into a function for one item. At most `inFlight` batches of at
 * most `maxItems` run at a time; beside a running one only a full one is begun, because few large batches cost less than many small.
 * For their sake too two batches of fewer than `enough` items each (as many as may be, unless said otherwise) begin `spacingMs` apart. When
 * a batch fails as a whole, `isItemFault` decides whether its items are tried one by one, so that one bad item cannot take others with it.
 */
export function microBatch<In, Out>(
  write: (items: readonly In[]) => Promise<readonly Out[]>,
  options: { maxItems: number; inFlight: number; isItemFault: (error: unknown) => boolean; spacingMs?: number; enough?: number },
): (item: In) => Promise<Out> {
  const { spacingMs = 0, enough = options.maxItems } = options;
  let waiting: Waiting<In, Out>[] = [];
  let running = 0;
  let isScheduled = false;
  let begunAtMs = Number.NEGATIVE_INFINITY;
  let lastSize = 0;
  let timer: NodeJS.Timeout | undefined;

  function pump(): void {
    isScheduled = false;
    clearTimeout(timer);
    while (running < options.inFlight && waiting.length >= (running === 0 ? 1 : options.maxItems)) {
      const restMs = begunAtMs + spacingMs - performance.now();
      if (restMs > 0 && lastSize < enough && waiting.length < enough) {
        timer = setTimeout(pump, restMs);
        return;
      }
      begunAtMs = performance.now();
      const batch = waiting.slice(0, options.maxItems);
      waiting = waiting.slice(options.maxItems);
      lastSize = batch.length;
      running += 1;
      void run(batch);
    }
  }

  /** The next batch is under way before the callers of this one go on: the database need not wait for what they do with their answers. */
  async function run(batch: readonly Waiting<In, Out>[]): Promise<void> {
    const settle = await attempt(batch);
    running -= 1;
    pump();
    settle();
  }

  async function attempt(batch: readonly Waiting<In, Out>[]): Promise<() => void> {
    try {
      const results = await write(batch.map((entry) => entry.item));
      return () => answer(batch, results);
    } catch (error) {
      if (batch.length === 1 || !options.isItemFault(error)) return () => batch.forEach((entry) => entry.reject(error));
      const singles: (() => void)[] = [];
      for (const entry of batch) singles.push(await attempt([entry]));
      return () => singles.forEach((settle) => settle());
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(pump);
    });
}

function answer<In, Out>(batch: readonly Waiting<In, Out>[], results: readonly Out[]): void {
  for (const [index, entry] of batch.entries()) {
    const result = results[index];
    if (result === undefined) entry.reject(new Error('a batch answered fewer items than it was given'));
    else entry.resolve(result);
  }
}
