/** Decisions share entries in the ledger and come out of it one per rule. */

import fc from 'fast-check';
import type { Decision } from '../../../src/core/decision';
import { packDecisions, unpackDecisions } from '../../../src/rules/packed-decisions';

const byOwner = (ruleId: number, actual: unknown = 7): Decision => ({ ruleId, matched: false, code: 'owner', actual });

test('when rules in a row are silent for one reason, then they share an entry', () => {
  const told: Decision = { ruleId: 3, matched: true, code: 'matched' };

  const packed = packDecisions([byOwner(1), byOwner(2), told, byOwner(4), byOwner(5), byOwner(6)]);

  expect(packed).toEqual([
    { ruleIds: [1, 2], matched: false, code: 'owner', actual: 7 },
    told,
    { ruleIds: [4, 5, 6], matched: false, code: 'owner', actual: 7 },
  ]);
});

test('when silent rules differ in what was there, also in its type alone, then each keeps its own entry', () => {
  const decisions = [byOwner(1, 7), byOwner(2, '7'), byOwner(3, null), { ruleId: 4, matched: false, code: 'owner' } as const];

  expect(packDecisions(decisions)).toEqual(decisions);
});

test('when a message of another event tells them, then decisions stay alone: that may be taken back', () => {
  const settled = (ruleId: number): Decision => ({ ruleId, matched: false, code: 'settled', toldByEventId: 9 });

  expect(packDecisions([settled(1), settled(2)])).toEqual([settled(1), settled(2)]);
});

test('whatever the decisions are, when they were written and are read, then they are the same in the same order', () => {
  const decision = fc.record(
    {
      ruleId: fc.integer({ min: 1, max: 9 }),
      matched: fc.boolean(),
      code: fc.constantFrom('owner', 'stage', 'settled', 'matched'),
      actual: fc.constantFrom<unknown>(1, '1', null, [1], { id: 1 }),
      toldByEventId: fc.constantFrom(1, 2),
    },
    { requiredKeys: ['ruleId', 'matched', 'code'] },
  );

  fc.assert(
    fc.property(fc.array(decision, { maxLength: 12 }), (decisions) => {
      const stored: Parameters<typeof unpackDecisions>[0] = JSON.parse(JSON.stringify(packDecisions(decisions)));
      expect(unpackDecisions(stored)).toEqual(decisions);
    }),
  );
});
