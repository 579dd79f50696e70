/** How many batches are routed at once: one, and beside slow ones a few more, never more. */

import { makeTurnstile } from '../../../src/platform/turnstile';
import { makeRoutingTurns } from '../../../src/rules/routing-turns';
import { waitUntil } from '../../support/wait-until';

const atOnce = () => Promise.resolve();

/** Begins batches that end when they are told to; says which have begun. */
function batches(inTurn: ReturnType<typeof makeRoutingTurns>, count: number) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = Array.from({ length: count }, (_, index) =>
    inTurn(async () => {
      begun.push(index);
      await new Promise<void>((end) => (ends[index] = end));
    }),
  );
  return { begun, end: (index: number) => ends[index]?.(), all: Promise.all(all) };
}

test('when batches are quick, then one is routed after the other, in order', async () => {
  const { begun, end, all } = batches(makeRoutingTurns({ makeTurnstile, giveWay: atOnce }), 3);

  for (const index of [0, 1, 2]) {
    await waitUntil('the next has begun', () => begun.length === index + 1);
    end(index);
  }
  await all;

  expect(begun).toEqual([0, 1, 2]);
});

test('when batches are slow, then four are routed at once and the fifth waits until one of them has ended', async () => {
  // Every turn is slow at once, so that only the bound on all of them counts.
  const slowAtOnce = (places: number, slowMs?: number) => makeTurnstile(places, slowMs === undefined ? undefined : 0);
  const { begun, end, all } = batches(makeRoutingTurns({ makeTurnstile: slowAtOnce, giveWay: atOnce }), 6);

  await waitUntil('four have begun', () => begun.length === 4);
  await new Promise((later) => setTimeout(later, 20));
  expect(begun).toEqual([0, 1, 2, 3]);
  end(2);
  await waitUntil('a fifth has begun', () => begun.length === 5);
  for (const index of [0, 1, 3, 4]) end(index);
  await waitUntil('the last has begun', () => begun.length === 6);
  end(5);
  await all;
});

test('when something goes before routing, then each batch waits for it in its turn', async () => {
  const order: string[] = [];
  const inTurn = makeRoutingTurns({ makeTurnstile, giveWay: () => Promise.resolve(void order.push('way given')) });

  await Promise.all(['first', 'second'].map((name) => inTurn(() => Promise.resolve(order.push(name)))));

  expect(order).toEqual(['way given', 'first', 'way given', 'second']);
});

test('when routing fails, then its caller hears it and the next has its turn', async () => {
  const inTurn = makeRoutingTurns({ makeTurnstile, giveWay: atOnce });

  await expect(inTurn(() => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
  await expect(inTurn(() => Promise.resolve('routed'))).resolves.toBe('routed');
});
