/** An earlier state kept as what has to be undone: always the whole state again, and small. */

import fc from 'fast-check';
import { stateUndoSchema, undone, undoTo } from '../../../src/rules/state-undo';

const state = fc
  .record(
    {
      title: fc.jsonValue({ maxDepth: 2 }),
      stage_id: fc.integer({ min: 1, max: 3 }),
      custom_fields: fc.oneof(fc.dictionary(fc.constantFrom('a', 'b', 'old', 'added'), fc.jsonValue()), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  .chain((known) => fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue()).map((more) => ({ ...more, ...known })))
  .map((made): unknown => JSON.parse(JSON.stringify(made)))
  .map((made) => Object.fromEntries(Object.entries(made ?? {})));

test('when any two states follow each other, then the earlier one comes back out of the later one', () => {
  fc.assert(
    fc.property(state, state, (before, after) => {
      const kept: unknown = JSON.parse(JSON.stringify(undoTo(before, after)));

      expect(undone(after, stateUndoSchema.parse(kept))).toEqual(before);
    }),
  );
});

test.each(['{"__proto__":1}', '{"custom_fields":{"__proto__":false}}'])(
  'when a field of %s has a name that objects keep for themselves, then it comes back too',
  (text) => {
    const before = stateUndoSchema.shape.old.parse(JSON.parse(text));
    const kept: unknown = JSON.parse(JSON.stringify(undoTo(before, { custom_fields: {} })));

    expect(JSON.stringify(undone({ custom_fields: {} }, stateUndoSchema.parse(kept)))).toBe(text);
  },
);

test('when a few of many fields changed, then only those are kept', () => {
  const same = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, { type: 'varchar', value: 'x' }]));
  const before = { title: 'Fleet', stage_id: 1, gone: true, custom_fields: { ...same, a: 1, left: 2 } };
  const after = { title: 'Fleet', stage_id: 2, custom_fields: { ...same, a: 3, came: 4 } };

  expect(undoTo(before, after)).toEqual({
    old: { stage_id: 1, gone: true },
    added: [],
    custom: { old: { a: 1, left: 2 }, added: ['came'] },
  });
});

test('when the record was created, then there is nothing to undo and no record before', () => {
  expect(undoTo(null, { id: 1 })).toBeNull();
  expect(undone({ id: 1 }, null)).toBeNull();
});
