/** Which messages meet time limits of the database by themselves. */

import { makeTimeLimits } from '../../../src/delivery/time-limits';
import { databaseTrouble } from '../../../src/platform/database-errors';

test('when a message meets time limits, then the third in a row is its own, and each after it', () => {
  const limits = makeTimeLimits();

  expect([1, 1, 1, 1].map((id) => limits.met(id))).toEqual([
    null,
    null,
    { times: 3, isAlone: true },
    { times: 4, isAlone: true },
  ]);
});

test('when it was made ready in between, then they are counted anew', () => {
  const limits = makeTimeLimits();
  const before = [1, 1].map((id) => limits.met(id));

  limits.passed(1);

  expect([...before, limits.has(1), limits.met(1), limits.has(1)]).toEqual([null, null, false, null, true]);
});

test('when another one meets one too, then it is not alone, until any is made ready', () => {
  const limits = makeTimeLimits();

  const together = [1, 2, 1, 2, 1].map((id) => limits.met(id));
  limits.passed(3);

  expect(together.at(-1)).toEqual({ times: 3, isAlone: false });
  expect(limits.met(1)).toEqual({ times: 4, isAlone: true });
});

test.each([
  ['a statement took too long', { code: '57014' }, 'timeLimit'],
  ['a lock was not given in time', { code: '55P03' }, 'timeLimit'],
  ['no answer came', { message: 'Query read timeout' }, 'timeLimit'],
  ['it is shutting down', { code: '57P01' }, 'away'],
  ['it is full', { code: '53100' }, 'away'],
  ['no connection is free', { message: 'timeout exceeded when trying to connect' }, 'away'],
  ['what it was given is odd', { code: '22P02' }, null],
])('when the database says that %s, then that is what its failure means', (_what, error, trouble) => {
  expect(databaseTrouble(Object.assign(new Error('odd'), error))).toBe(trouble);
});
