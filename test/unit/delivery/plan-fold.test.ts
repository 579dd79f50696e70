/** What of a backlog is told together: what belongs together first, in order, in as few messages as the names allow. */

import fc from 'fast-check';
import { foldLimit, foldStep, planBacklog, planDigest, type FoldCandidate } from '../../../src/delivery/plan-fold';

function aCandidate(id: number, given: Partial<FoldCandidate> = {}): FoldCandidate {
  return {
    ...{ id, type: 'deal.stage_changed', entity: 'deal', entityId: String(id), actorUserId: 1 },
    ...{ correlationId: null, isBulkEdit: false, nameBytes: 0 },
    ...given,
  };
}
const many = (count: number, from: number, given: Partial<FoldCandidate> = {}) =>
  Array.from({ length: count }, (_, index) => aCandidate(from + index, given));
const SETTINGS = { limit: 10, isBurst: false, isGrowing: false, nameRoom: { alone: 1_000, amidOthers: 600 } };

function plan(candidates: readonly FoldCandidate[], headId: number, given: Partial<typeof SETTINGS> = {}) {
  const head = candidates.find(({ id }) => id === headId) ?? aCandidate(headId);
  return planBacklog(head, candidates, { ...SETTINGS, ...given });
}

test.each([
  ['nothing else is due', { due: 1 }, 'single'],
  ['ten are due', { due: 10 }, 'single'],
  ['eleven are due', { due: 11 }, 'fold'],
  ['eleven are due and more is coming', { due: 11, isGrowing: true }, 'gather'],
  ['eleven are due, more is coming and their names fill a message', { due: 11, isGrowing: true, isFull: true }, 'fold'],
  ['it has gathered for four seconds', { due: 11, isGrowing: true, waitedMs: 4_000 }, 'fold'],
  ['two are due on the heels of a fold', { due: 2, isBurst: true }, 'fold'],
  ['one is due on the heels of a fold', { due: 1, isBurst: true, isGrowing: true }, 'single'],
])('when %s, then the next step is the right one', (_when, given, step) => {
  expect(foldStep({ isBurst: false, isGrowing: false, isFull: false, waitedMs: 0, ...given }, 10)).toBe(step);
});

test.each([
  ['a second between writes', null, 1_000, 10],
  ['no time between writes', null, 0, Infinity],
  ['a threshold of its own', 3, 0, 3],
])('when there is %s, then the limit follows from it', (_what, threshold, intervalMs, limit) => {
  expect(foldLimit(threshold, intervalMs)).toBe(limit);
});

test('when a bulk edit and a few other messages are due, then only the bulk edit is folded', () => {
  const bulk = many(37, 1, { isBulkEdit: true });
  const others = [aCandidate(50, { type: 'deal.won', nameBytes: 20 }), aCandidate(51, { type: 'note.created', actorUserId: 2 })];

  const [fold, ...more] = plan([...bulk, ...others], 1);

  expect(more).toEqual([]);
  expect([fold?.leadId, fold?.memberIds.length]).toEqual([1, 36]);
  expect(fold?.memberIds).not.toContain(50);
});

test('when the head belongs to nothing that is folded, then it goes by itself', () => {
  expect(plan([aCandidate(1, { type: 'deal.won', nameBytes: 20 }), ...many(30, 2)], 1)).toEqual([]);
});

test('when one operation did different things, then its correlation id holds them together', () => {
  const operation = [...many(6, 1, { correlationId: 'a' }), ...many(6, 7, { correlationId: 'a', type: 'deal.owner_changed' })];
  const others = Array.from({ length: 5 }, (_, index) => aCandidate(20 + index, { actorUserId: 10 + index }));

  const [fold] = plan([...operation, ...others], 1);

  expect([fold?.leadId, ...(fold?.memberIds ?? [])]).toEqual(operation.map(({ id }) => id));
});

test('when a record has an earlier message that would stay outside, then that is folded too', () => {
  const note = aCandidate(1, { entityId: '9', type: 'deal.won', nameBytes: 20, actorUserId: 5 });
  const bulk = [...many(20, 2), aCandidate(30, { entityId: '9' })];

  const [fold] = plan([note, ...bulk], 2);

  expect(fold?.memberIds).toContain(1);
});

test('when only a few are due on the heels of a fold, then what belongs together is folded and the rest goes singly', () => {
  const candidates = [...many(2, 1), aCandidate(3, { type: 'note.created', actorUserId: 2 })];

  expect(plan(candidates, 1, { isBurst: true })).toEqual([{ leadId: 1, memberIds: [2] }]);
  expect(plan(candidates, 3, { isBurst: true })).toEqual([]);
});

test('when the names of deals won do not fit into one message, then the next one begins, in order', () => {
  const candidates = many(25, 1, { type: 'deal.won', nameBytes: 100 });

  const folds = planDigest(candidates, SETTINGS.nameRoom);

  expect(folds.map(({ leadId, memberIds }) => [leadId, memberIds.length])).toEqual([
    [1, 9],
    [11, 9],
    [21, 4],
  ]);
});

test('when a message tells other things besides, then it has less room for names', () => {
  const candidates = [...many(8, 1, { type: 'deal.won', nameBytes: 100 }), ...many(2, 9), aCandidate(11, { nameBytes: 100 })];

  const folds = planDigest(candidates, SETTINGS.nameRoom);

  expect(folds.map(({ leadId, memberIds }) => [leadId, memberIds.length])).toEqual([
    [1, 7],
    [9, 2],
  ]);
});

test('when more is on its way, then only full messages are folded, and the last one when nothing else is', () => {
  const candidates = many(25, 1, { type: 'deal.won', nameBytes: 100 });

  const leads = (given: Partial<typeof SETTINGS>, count = 25) =>
    plan(candidates.slice(0, count), 1, given).map(({ leadId }) => leadId);

  expect(leads({ isGrowing: true })).toEqual([1, 11]);
  expect(leads({ isGrowing: false })).toEqual([1, 11, 21]);
  expect(leads({ isGrowing: true, limit: 5 }, 10)).toEqual([1]);
});

test('when anything is planned, then each message is in one fold at most, and no record is told out of turn', () => {
  const candidate = fc.record({
    entityId: fc.constantFrom('1', '2', '3'),
    type: fc.constantFrom('deal.won' as const, 'deal.stage_changed' as const, 'note.created' as const),
    actorUserId: fc.constantFrom(1, 2, null),
    correlationId: fc.constantFrom('a', null),
    nameBytes: fc.constantFrom(0, 300),
  });
  const isBurst = fc.boolean();
  fc.assert(
    fc.property(fc.array(candidate, { minLength: 1, maxLength: 40 }), isBurst, fc.nat(), (given, burst, pick) => {
      const candidates = given.map((fields, index) => aCandidate(index + 1, fields));
      // The head of a space has no earlier message of its record before it.
      const heads = candidates.filter(({ id, entityId }) => !candidates.some((one) => one.id < id && one.entityId === entityId));
      const head = heads[pick % heads.length] ?? aCandidate(1);

      const folds = planBacklog(head, candidates, { ...SETTINGS, limit: 5, isBurst: burst, isGrowing: pick % 2 === 0 });

      const order = folds.flatMap(({ leadId, memberIds }) => [leadId, ...memberIds]);
      expect(new Set(order).size).toBe(order.length);
      if (folds.length > 0) expect(folds[0]?.leadId).toBe(head.id);
      for (const entityId of ['1', '2', '3']) {
        const ids = candidates.filter((one) => one.entityId === entityId).map(({ id }) => id);
        const told = order.filter((id) => ids.includes(id));
        expect(told).toEqual(ids.slice(0, told.length));
      }
    }),
  );
});
