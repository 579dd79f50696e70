/** Properties of conditions over any JSON: evaluation never throws, negation is the complement, groups are dual. */

import fc from 'fast-check';
import { conditionTreeSchema, OPERATORS, type ConditionTree } from '../../../src/core/condition';
import { evaluateConditions, type ConditionSubject } from '../../../src/rules/evaluate-conditions';
import { explainCondition } from '../../../src/rules/explain-condition';

const KEY = 'a'.repeat(40);
const FIELDS = ['title', 'value', 'currency', 'label_ids', 'won_time', 'is_bulk_edit', '__proto__', KEY, `${KEY}_until`];
const wild = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    '2026-11-23',
    '2026-11-23 10:00:00',
    '09:30',
    '12',
    'EUR',
    { type: 'enum', id: 3 },
    { amount: 5, currency: 'EUR' },
  ),
);
const wildState = fc
  .dictionary(fc.constantFrom(...FIELDS), wild)
  .chain((state) => fc.dictionary(fc.constant(KEY), wild).map((custom_fields) => ({ ...state, custom_fields })));

const scalar = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.integer({ min: -5, max: 20 }),
  fc.boolean(),
  fc.constantFrom({ id: 3, name: 'x' }, { days: 0 }, 'today', '2026-11-23', '12'),
);
const values = fc.oneof(
  fc.constant(undefined),
  fc.constant(null),
  scalar,
  fc.array(scalar, { minLength: 1, maxLength: 3 }),
  fc.tuple(fc.integer(), fc.integer()),
  fc.constantFrom({ percent: 10 }, { days: 3 }, { amount: 5, currency: 'EUR' }),
);
/** Leaves that the grammar takes, whatever their operator. */
const leaf = fc
  .record({ field: fc.constantFrom(...FIELDS), op: fc.constantFrom(...OPERATORS), value: values })
  .map((given) => conditionTreeSchema.safeParse(given))
  .filter(({ success }) => success)
  .map(({ data }): ConditionTree => data ?? { all: [] });
const { tree } = fc.letrec<{ tree: ConditionTree }>((tie) => {
  const branch = fc.array(tie('tree'), { minLength: 1, maxLength: 3 });
  return {
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      branch.map((all): ConditionTree => ({ all })),
      branch.map((any): ConditionTree => ({ any })),
      branch.map((not): ConditionTree => ({ not })),
      tie('tree').map((not): ConditionTree => ({ not })),
    ),
  };
});

const subject = fc
  .record({ state: wildState, previous: fc.option(wildState), event: wildState })
  .map((given): ConditionSubject => ({
    ...given,
    rates: { base: 'EUR', perUnit: new Map() },
    timeZone: 'Europe/Berlin',
    now: new Date('2026-11-23T12:00:00Z'),
  }));

const holds = (given: ConditionTree, at: ConditionSubject): boolean => evaluateConditions(given, at).holds;
/** All money is in the base currency here, or in one that has no rate: then nothing is decided. */
const isDecided = (given: ConditionTree, at: ConditionSubject): boolean => {
  const result = evaluateConditions(given, at);
  return result.holds || result.failed.lacksRate !== true;
};

test('when states are any JSON, then any valid tree is evaluated and every failure is worded', () => {
  fc.assert(
    fc.property(tree, subject, (given, at) => {
      const result = evaluateConditions(given, at);

      if (!result.holds) {
        const stored: unknown = JSON.parse(JSON.stringify(result.failed));
        expect(explainCondition(stored, () => null)).toMatch(/^Not matched: .+\.$/s);
      }
    }),
    { numRuns: 400 },
  );
});

test('when a tree is negated, then it holds where the tree does not', () => {
  fc.assert(
    fc.property(tree, subject, (given, at) => {
      fc.pre(isDecided(given, at));

      expect(holds({ not: given }, at)).toBe(!holds(given, at));
    }),
    { numRuns: 400 },
  );
});

test('when trees are grouped, then not-any is all-not and not-all is any-not', () => {
  fc.assert(
    fc.property(fc.array(tree, { minLength: 1, maxLength: 3 }), subject, (trees, at) => {
      fc.pre(trees.every((one) => isDecided(one, at)));
      const negated = trees.map((not): ConditionTree => ({ not }));

      expect(holds({ not: { any: trees } }, at)).toBe(holds({ all: negated }, at));
      expect(holds({ not: { all: trees } }, at)).toBe(holds({ any: negated }, at));
      expect(holds({ not: trees }, at)).toBe(holds({ all: negated }, at));
    }),
    { numRuns: 400 },
  );
});

test('when an operator has an opposite, then just one of the two holds', () => {
  const pairs = [
    ['is', 'isNot'],
    ['in', 'notIn'],
    ['contains', 'notContains'],
    ['isEmpty', 'isNotEmpty'],
    ['includesAny', 'includesNone'],
  ] as const;
  fc.assert(
    fc.property(fc.constantFrom(...pairs), fc.constantFrom(...FIELDS), values, subject, ([op, opposite], field, value, at) => {
      const [one, other] = [op, opposite].map((name) => conditionTreeSchema.safeParse({ field, op: name, value }));
      if (one?.success !== true || other?.success !== true) return;
      fc.pre(isDecided(one.data, at));

      expect(holds(other.data, at)).toBe(!holds(one.data, at));
    }),
    { numRuns: 400 },
  );
});
