/** Equality of JSON values, in which 9 and "9" are one id and the order of an object's keys means nothing. */

import { isDeepStrictEqual } from 'node:util';

/** True when two JSON values mean the same. */
export function isSame(left: unknown, right: unknown): boolean {
  if (typeof left === 'number' && typeof right === 'string') return String(left) === right;
  if (typeof left === 'string' && typeof right === 'number') return left === String(right);
  return left === right || isDeepStrictEqual(left, right);
}
