/** Calls share a statement; what one of them is to blame for is only its own. */

import { shareStatement } from '../../../src/platform/share-statement';

test('when calls come together, then they share a statement, and each gets its own answer', async () => {
  const statements: (readonly number[])[] = [];
  const double = shareStatement((calls: readonly number[]) => {
    statements.push(calls);
    return Promise.resolve(calls.map((call) => call * 2));
  });

  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(statements).toEqual([[1, 2, 3]]);
});

test.each([
  ['something that the database does not take', new Error('invalid input syntax'), ['kept', 'invalid input syntax']],
  ['while it cannot be reached', Object.assign(new Error('cut off'), { code: 'ECONNRESET' }), ['cut off', 'cut off']],
])('when one of them brings %s, then that is told to whom it concerns', async (_what, error, outcomes) => {
  const keep = shareStatement((calls: readonly string[]) =>
    calls.includes('bad') ? Promise.reject(error) : Promise.resolve(calls.map(() => 'kept')),
  );

  const settled = await Promise.allSettled(['good', 'bad'].map(keep));

  expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))).toEqual(outcomes);
});
