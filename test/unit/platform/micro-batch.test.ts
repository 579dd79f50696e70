/** Gathering calls into batches: order, bounds, and one bad item that takes no other with it. */

import { microBatch } from '../../../src/platform/micro-batch';

const OPTIONS = { maxItems: 3, inFlight: 1, isItemFault: () => true };

/** Writes what it is given, and keeps each batch with when it came. */
function recorder() {
  const batches: { readonly items: readonly number[]; readonly atMs: number }[] = [];
  const record = (items: readonly number[]) => {
    batches.push({ items, atMs: performance.now() });
    return Promise.resolve(items);
  };
  return { batches, record, items: () => batches.map(({ items }) => items) };
}

test('when many calls come together, then they go in few batches and each gets its own answer', async () => {
  const batches: (readonly number[])[] = [];
  const double = microBatch((items: readonly number[]) => {
    batches.push(items);
    return Promise.resolve(items.map((item) => item * 2));
  }, OPTIONS);

  const answers = await Promise.all([1, 2, 3, 4, 5].map(double));

  expect(answers).toEqual([2, 4, 6, 8, 10]);
  expect(batches).toEqual([
    [1, 2, 3],
    [4, 5],
  ]);
});

test('when one item is bad, then it alone fails', async () => {
  const write = microBatch(
    (items: readonly number[]) => (items.includes(2) ? Promise.reject(new Error('2 is bad')) : Promise.resolve(items)),
    OPTIONS,
  );

  const results = await Promise.allSettled([1, 2, 3].map(write));

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('when the store is down, then the batch fails at once and is not tried one by one', async () => {
  let writes = 0;
  const write = microBatch(
    () => {
      writes += 1;
      return Promise.reject(new Error('down'));
    },
    { ...OPTIONS, isItemFault: () => false },
  );

  const results = await Promise.allSettled([1, 2, 3].map(write));

  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  expect(writes).toBe(1);
});

test.each([1, 2])(
  'when batches are slow, then at most %d run at a time and what came meanwhile goes together',
  async (inFlight) => {
    const open: (() => void)[] = [];
    const sizes: number[] = [];
    let running = 0;
    let most = 0;
    const write = microBatch(
      async (items: readonly number[]) => {
        sizes.push(items.length);
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => open.push(resolve));
        running -= 1;
        return items;
      },
      { ...OPTIONS, inFlight },
    );
    const turn = () => new Promise((resolve) => setImmediate(resolve));

    const calls = Array.from({ length: 12 }, (_, index) => write(index));
    let isDone = false;
    void Promise.all(calls).then(() => (isDone = true));
    while (!isDone) {
      await turn();
      open.shift()?.();
    }

    expect(most).toBe(inFlight);
    expect(sizes).toEqual([3, 3, 3, 3]);
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 12 }, (_, index) => index));
  },
);

test('when a batch answers fewer items than it was given, then the rest fail and do not hang', async () => {
  const write = microBatch((items: readonly number[]) => Promise.resolve(items.slice(0, 1)), OPTIONS);

  const results = await Promise.allSettled([1, 2].map(write));

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

test('when a batch throws at once, then its callers hear of it and later calls work', async () => {
  let isBroken = true;
  const write = microBatch(
    (items: readonly number[]) => {
      if (isBroken) throw new Error('broken');
      return Promise.resolve(items);
    },
    { ...OPTIONS, isItemFault: () => false },
  );

  await expect(write(1)).rejects.toThrow('broken');
  isBroken = false;

  expect(await write(2)).toBe(2);
});

test('when batches are spaced, then neither the first nor a full one waits', async () => {
  const { record, items } = recorder();
  const write = microBatch(record, { ...OPTIONS, spacingMs: 600_000 });

  await write(1);
  await Promise.all([2, 3, 4].map(write));

  expect(items()).toEqual([[1], [2, 3, 4]]);
});

test('when batches are spaced, then neither as many as are enough nor what comes after so many waits', async () => {
  const { record, items } = recorder();
  const write = microBatch(record, { ...OPTIONS, spacingMs: 600_000, enough: 2 });

  await write(1);
  await Promise.all([2, 3].map(write));
  await write(4);

  expect(items()).toEqual([[1], [2, 3], [4]]);
});

test('when batches are spaced, then what comes meanwhile goes together when the time is over', async () => {
  const { batches, record, items } = recorder();
  const write = microBatch(record, { ...OPTIONS, spacingMs: 50 });

  await write(1);
  const later = [write(2)];
  await new Promise((resolve) => setImmediate(resolve));
  later.push(write(3));
  await Promise.all(later);

  const [first, second] = batches;
  expect(items()).toEqual([[1], [2, 3]]);
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(48);
});

test('when a batch is written, then the next one is under way before anybody goes on with an answer', async () => {
  const happened: string[] = [];
  const write = microBatch((items: readonly number[]) => {
    happened.push(`written ${items.join()}`);
    return Promise.resolve(items);
  }, OPTIONS);

  await Promise.all([1, 2, 3, 4].map(async (item) => happened.push(`answered ${await write(item)}`)));

  expect(happened).toEqual(['written 1,2,3', 'written 4', 'answered 1', 'answered 2', 'answered 3', 'answered 4']);
});
