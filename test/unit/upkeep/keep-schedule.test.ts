/** What comes by the clock stays scheduled, also when the queue forgets it. */

import { pino } from 'pino';
import { makeKeepSchedule } from '../../../src/upkeep/keep-schedule';
import { waitUntil } from '../../support/wait-until';

const SCHEDULE = { reconcile: '* * * * *', 'renew-tokens': '41 4 * * *' };
const HALF_A_MINUTE_MS = 30_000;

/** A queue of which a test says what it has. */
function make() {
  const known = new Map<string, string>();
  const asked: string[] = [];
  const state = { nowMs: 0, isAway: false };
  const keeper = makeKeepSchedule({
    queue: {
      async schedule(key, pattern) {
        await Promise.resolve();
        if (state.isAway) throw new Error('away');
        known.set(key, pattern);
      },
      async isScheduled(key) {
        await Promise.resolve();
        asked.push(key);
        if (state.isAway) throw new Error('away');
        return known.has(key);
      },
    },
    ...{ schedule: SCHEDULE, nowMs: () => state.nowMs, log: pino({ level: 'silent' }) },
  });
  const untilKnown = (): Promise<void> => waitUntil('all is scheduled', () => known.size === 2);
  return { known, asked, state, keeper, untilKnown };
}

test('when the queue has forgotten all or some of it, then that is scheduled anew, and the rest is left alone', async () => {
  const { known, state, keeper, untilKnown } = make();
  keeper.anew();
  await untilKnown();
  known.clear();
  known.set('reconcile', 'as it was');

  state.nowMs += HALF_A_MINUTE_MS;
  keeper.mend();
  await untilKnown();

  expect(Object.fromEntries(known)).toEqual({ ...SCHEDULE, reconcile: 'as it was' });
});

test('when it is asked for often, then the queue is looked at twice a minute', async () => {
  const { asked, state, keeper, untilKnown } = make();
  keeper.anew();
  await untilKnown();

  for (const _second of Array.from({ length: 60 })) {
    state.nowMs += 1_000;
    keeper.mend();
    await new Promise(setImmediate);
  }

  expect(asked).toEqual(['reconcile', 'renew-tokens', 'reconcile', 'renew-tokens']);
});

test('when the queue is away, then it is looked at again later', async () => {
  const { asked, state, keeper, untilKnown } = make();
  state.isAway = true;
  keeper.anew();
  state.nowMs += HALF_A_MINUTE_MS;
  keeper.mend();
  await waitUntil('it was looked at in vain', () => asked.length === 2);
  await new Promise(setImmediate);

  state.isAway = false;
  state.nowMs += HALF_A_MINUTE_MS;
  keeper.mend();
  await untilKnown();
});
