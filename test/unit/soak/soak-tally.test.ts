/** The soak's own judgement: each broken promise is seen. */

import { nameWaits } from '../../soak/name-waits';
import { brokenPromises, fallLine, isUnexpected, tallyUp, titleOf, type Evidence } from '../../soak/soak-tally';

const change = (deal: number, step: number) => ({ spaceId: 'A', deal, step });
const accepted = [change(1, 1), change(2, 1), change(1, 2), change(1, 11)];
type Step = readonly [deal: number, step: number];
const single = ([deal, step]: Step) => ({ name: `m ${deal} ${step}`, text: `Value changed\n${titleOf({ deal, step })}` });
const told = (...order: readonly Step[]): Evidence['messages'] => new Map([['A', order.map(single)]]);
const right: Evidence = {
  messages: told([2, 1], [1, 1], [1, 2], [1, 11]),
  folds: new Map(),
  requests: new Map([['A', [0, 1_000, 2_500]]]),
  changedBodies: 0,
};
/** Tells all four, and shows the last of each deal. */
const fold = { name: 'fold', text: `2 deals’ values changed\n${titleOf(change(1, 11))}\n${titleOf(change(2, 1))}` };

test('when each change was told once and in order of its record, then no promise is broken', () => {
  const tally = tallyUp(accepted, right);

  expect(tally).toMatchObject({ accepted: 4, told: 4, folded: 0 });
  expect(brokenPromises(tally)).toEqual([]);
});

test('when a fold tells changes that its text does not show, then they count as told by it, and those that do not point to it as lost', () => {
  const folded = (...titles: readonly string[]) =>
    tallyUp(accepted, { ...right, messages: new Map([['A', [fold]]]), folds: new Map([['fold', titles]]) });

  const all = folded(...accepted.map(titleOf));
  expect(all).toMatchObject({ told: 4, folded: 4 });
  expect(brokenPromises(all)).toEqual([]);
  expect(brokenPromises(folded(...accepted.slice(1).map(titleOf)))).toEqual(['lost: Deal 1 step 1.']);
});

test.each<readonly [string, Partial<Evidence>, string]>([
  ['one is missing', { messages: told([2, 1], [1, 1], [1, 11]) }, 'lost: Deal 1 step 2.'],
  ['one came twice', { messages: told([2, 1], [1, 1], [1, 2], [1, 2], [1, 11]) }, 'doubled: Deal 1 step 2.'],
  ['one was overtaken', { messages: told([2, 1], [1, 2], [1, 1], [1, 11]) }, 'out of order: Deal 1 step 2.'],
  [
    'one came singly and in a fold',
    { messages: new Map([['A', [single([1, 1]), fold]]]), folds: new Map([['fold', accepted.map(titleOf)]]) },
    'doubled: Deal 1 step 1.',
  ],
  [
    'a fold counts wrong',
    {
      messages: new Map([['A', [{ ...fold, text: '12 deals’ values changed' }]]]),
      folds: new Map([['fold', accepted.map(titleOf)]]),
    },
    'miscounted: fold tells of 2 deals: 12 deals’ values changed',
  ],
  ['two writes were too close', { requests: new Map([['A', [0, 900]]]) }, 'over quota: A after 900 ms'],
  ['a body changed', { changedBodies: 2 }, 'bodies changed under their request id: 2'],
])('when %s, then that is said', (_what, evidence, said) => {
  expect(brokenPromises(tallyUp(accepted, { ...right, ...evidence }))).toEqual([said]);
});

test('when a process ends by itself, then that is expected only where it may have found no database at its start', () => {
  const fall = { entry: 'web' as const, code: 1, afterMs: 2_340, output: 'connect ECONNREFUSED\n    at Socket\n' };

  expect(isUnexpected(fall)).toBe(false);
  expect(isUnexpected({ afterMs: 25_000 })).toBe(true);
  expect(fallLine(fall)).toBe('web ended by itself with 1 after 2.3 s: connect ECONNREFUSED');
  const uncaught =
    "node:events:502\n      throw er; // Unhandled 'error' event\n      ^\n\nerror: terminating connection\n    at Socket\n";
  expect(fallLine({ ...fall, output: uncaught })).toBe('web ended by itself with 1 after 2.3 s: error: terminating connection');
});

test('when something hangs, then its wait ends with its name, and until then it is among what is waited for', async () => {
  const waits = nameWaits(() => 0);

  const hanging = waits.within('a deal is accepted', 20, new Promise(() => undefined));
  await waits.within('something quick', 20, Promise.resolve());

  expect(waits.current()).toEqual(['a deal is accepted (for 0.0 s)']);
  await expect(hanging).rejects.toThrow('not within 0.02 s: a deal is accepted');
  expect(waits.current()).toEqual([]);
});
