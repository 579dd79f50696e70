/** The soak's own judgement: each broken promise is seen. */

import { brokenPromises, tallyUp, titleOf } from '../../soak/soak-tally';

const change = (deal: number, step: number) => ({ spaceId: 'A', deal, step });
const accepted = [change(1, 1), change(2, 1), change(1, 2), change(1, 11)];
const told = (...order: readonly (readonly [number, number])[]) =>
  new Map([['A', order.map(([deal, step]) => `Value changed\n${titleOf({ deal, step })}`)]]);
const spaced = new Map([['A', [0, 1_000, 2_500]]]);

test('when each change was told once and in order of its record, then no promise is broken', () => {
  const tally = tallyUp(accepted, told([2, 1], [1, 1], [1, 2], [1, 11]), spaced, 0);

  expect(tally).toMatchObject({ accepted: 4, sent: 4 });
  expect(brokenPromises(tally)).toEqual([]);
});

test.each([
  ['one is missing', told([2, 1], [1, 1], [1, 11]), spaced, 0, 'lost: Deal 1 step 2.'],
  ['one came twice', told([2, 1], [1, 1], [1, 2], [1, 2], [1, 11]), spaced, 0, 'doubled: Deal 1 step 2.'],
  ['one was overtaken', told([2, 1], [1, 2], [1, 1], [1, 11]), spaced, 0, 'out of order: Deal 1 step 2.'],
  [
    'two writes were too close',
    told([2, 1], [1, 1], [1, 2], [1, 11]),
    new Map([['A', [0, 900]]]),
    0,
    'over quota: A after 900 ms',
  ],
  ['a body changed', told([2, 1], [1, 1], [1, 2], [1, 11]), spaced, 2, 'bodies changed under their request id: 2'],
])('when %s, then that is said', (_what, messages, requests, changedBodies, said) => {
  expect(brokenPromises(tallyUp(accepted, messages, requests, changedBodies))).toEqual([said]);
});
