import { makeTurnstile } from '../../../src/platform/turnstile';

describe('makeTurnstile', () => {
  test('when more work comes than there are places, then never more than that runs at once and all of it is done in order', async () => {
    const turn = makeTurnstile(2);
    const begun: number[] = [];
    let inside = 0;
    let most = 0;

    const results = await Promise.all(
      [1, 2, 3, 4, 5].map((id) =>
        turn(async () => {
          begun.push(id);
          most = Math.max(most, ++inside);
          await Promise.resolve();
          inside--;
          return id * 10;
        }),
      ),
    );

    expect(most).toBe(2);
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    expect(results).toEqual([10, 20, 30, 40, 50]);
  });

  test('when work throws, then its own caller hears it and the place is free again', async () => {
    const turn = makeTurnstile(1);

    const failing = turn(() => Promise.reject(new Error('no')));

    await expect(failing).rejects.toThrow('no');
    await expect(turn(() => Promise.resolve('next'))).resolves.toBe('next');
  });

  test('when work is slow, then it keeps its place from nobody, and ends as it would', async () => {
    const turn = makeTurnstile(1, 5);
    let finish: (value: string) => void = () => undefined;

    const slow = turn(() => new Promise<string>((resolve) => (finish = resolve)));
    const next = await turn(() => Promise.resolve('next'));
    finish('slow');

    expect([next, await slow]).toEqual(['next', 'slow']);
    await expect(turn(() => Promise.resolve('last'))).resolves.toBe('last');
  });
});
