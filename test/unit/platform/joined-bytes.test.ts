/** Bytes joined in memory that is used again: whole, and never that of another use. */

import { makeWithJoined } from '../../../src/platform/joined-bytes';

const bytes = (text: string): Buffer => Buffer.from(text);
/** What a use was given, as it stands at the end of the use. */
const read = (joined: Buffer): Promise<string> => Promise.resolve(joined.toString());

describe('makeWithJoined', () => {
  test('when parts are joined, then they are there in order, also none and empty ones', async () => {
    const withJoined = makeWithJoined();

    expect(await withJoined([bytes('a'), bytes(''), bytes('bc')], read)).toBe('abc');
    expect(await withJoined([], read)).toBe('');
  });

  test('when one use follows another, then it gets the same memory, as long as that is large enough', async () => {
    const withJoined = makeWithJoined();
    const memoryOf = (text: string) => withJoined([bytes(text)], (joined) => Promise.resolve(joined.buffer));

    const first = await memoryOf('12345678');

    expect(await memoryOf('abc')).toBe(first);
    expect(await memoryOf('x'.repeat(1_000))).not.toBe(first);
    expect(await withJoined([bytes('after')], read)).toBe('after');
  });

  test('when uses overlap, then none writes over what another was given', async () => {
    const withJoined = makeWithJoined();
    let goOn = (): void => undefined;
    const both = new Promise<void>((resolve) => (goOn = resolve));
    const slowly = async (joined: Buffer): Promise<string> => {
      await both;
      return joined.toString();
    };

    await withJoined([bytes('earlier')], read);
    const answers = [withJoined([bytes('first')], slowly), withJoined([bytes('other')], slowly)];
    goOn();

    expect(await Promise.all(answers)).toEqual(['first', 'other']);
  });

  test('when a use fails, then its caller hears of it and the memory is used again', async () => {
    const withJoined = makeWithJoined();
    let failed: ArrayBufferLike | undefined;

    const failing = withJoined([bytes('12345678')], (joined) => {
      failed = joined.buffer;
      return Promise.reject(new Error('no'));
    });

    await expect(failing).rejects.toThrow('no');
    expect(await withJoined([bytes('next')], (joined) => Promise.resolve(joined.buffer))).toBe(failed);
  });

  test('when more is joined than is kept, then it is whole all the same and its memory is let go', async () => {
    const withJoined = makeWithJoined();
    const large = Buffer.alloc(5_000_000, 'z');

    const first = await withJoined([large, bytes('!')], (joined) =>
      Promise.resolve({ end: joined.at(-1), memory: joined.buffer }),
    );
    const second = await withJoined([bytes('small')], (joined) => Promise.resolve(joined.buffer));

    expect(first.end).toBe('!'.charCodeAt(0));
    expect(second).not.toBe(first.memory);
  });
});
