/** The wall clock against one that never jumps. */

import { makeClockWatch } from '../../../src/upkeep/clock-watch';

const DAY_MS = 86_400_000;

test('when the wall clock is set back, then that is told once; steps ahead and small ones are not', () => {
  let [wallMs, steadyMs] = [1_000_000_000_000, 0];
  const told: number[] = [];
  const look = makeClockWatch({ clock: () => new Date(wallMs), nowMs: () => steadyMs, onSetBack: (byMs) => told.push(byMs) });
  const later = (jumpMs: number) => {
    steadyMs += 2_000;
    wallMs += 2_000 + jumpMs;
    look();
  };

  for (const jumpMs of [0, 3 * DAY_MS, 0, -3 * DAY_MS, 0, -5_000, 0]) later(jumpMs);

  expect(told).toEqual([3 * DAY_MS]);
});
