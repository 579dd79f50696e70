/** Requests before work: rests while many wait, not for a few, not for ever, not without end. */

import { makeRightOfWay } from '../../../src/platform/right-of-way';

describe('makeRightOfWay', () => {
  let clock: { ms: number };
  const nowMs = (): number => clock.ms;
  const arrive = (times: number, { arrive: one }: { arrive(): () => void }): (() => void)[] =>
    Array.from({ length: times }, () => one());
  /** Time passes, and what waits for it goes on. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 5) {
      clock.ms += 5;
      await jest.advanceTimersByTimeAsync(5);
    }
  };
  /** How long work that asks now rests. */
  const restOf = async ({ giveWay }: { giveWay(): Promise<void> }): Promise<number> => {
    const askedAtMs = clock.ms;
    let endedAtMs = Number.NaN;
    void giveWay().then(() => (endedAtMs = clock.ms));
    await jest.advanceTimersByTimeAsync(0);
    await pass(200);
    return endedAtMs - askedAtMs;
  };

  beforeEach(() => {
    clock = { ms: 1_000_000 };
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('when few requests wait, then work goes on at once', async () => {
    const rightOfWay = makeRightOfWay(nowMs);
    arrive(7, rightOfWay);

    expect(await restOf(rightOfWay)).toBe(0);
  });

  test('when many have come and no more do, then work goes on soon', async () => {
    const rightOfWay = makeRightOfWay(nowMs);
    arrive(8, rightOfWay).forEach((leave) => leave());

    expect(await restOf(rightOfWay)).toBe(20);
  });

  test('when many come all the time, then work rests for a while and goes on all the same', async () => {
    const rightOfWay = makeRightOfWay(nowMs);
    arrive(8, rightOfWay);
    const coming = setInterval(() => rightOfWay.arrive(), 5);

    const rest = await restOf(rightOfWay);
    clearInterval(coming);

    expect(rest).toBe(80);
  });

  test('when many come for longer than a burst, then all share until it has been calm', async () => {
    const rightOfWay = makeRightOfWay(nowMs);
    const leaves = arrive(8, rightOfWay);
    const coming = setInterval(() => leaves.push(rightOfWay.arrive()), 5);
    await pass(2_500);
    expect(await restOf(rightOfWay)).toBe(80);
    await pass(500);

    expect(await restOf(rightOfWay)).toBe(0);

    clearInterval(coming);
    leaves.forEach((leave) => leave());
    await pass(1_100);
    arrive(8, rightOfWay);
    expect(await restOf(rightOfWay)).toBe(20);
  });
});
