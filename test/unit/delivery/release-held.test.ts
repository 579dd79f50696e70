/** Letting go what was held: one that fails keeps no other from its time. */

import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import type { DueHold, Regathered } from '../../../src/delivery/held.store';
import { makeReleaseHeld } from '../../../src/delivery/release-held';

const SETTINGS = { settings: { tenantId: tenantId(1), version: 1 }, quietHours: null, timeZone: 'Europe/Berlin' };
const NEVER = { viaWebhookId: null, ...SETTINGS };

function aHold(chatWebhookId: number): DueHold {
  return { chatWebhookId, heldFor: 'quiet', isEarly: false, isUrgent: false, fold: 'auto', ...NEVER };
}

function whatWasGathered(chatWebhookId: number): Regathered {
  return { ruleId: 1, chatWebhookId, digest: { every: 'day', at: '09:00' }, ...NEVER };
}

interface Given {
  readonly gathered?: readonly Regathered[];
  readonly holds?: readonly DueHold[];
  readonly broken?: number;
  readonly isStillComing?: () => boolean;
  readonly clock?: () => Date;
}

function aRelease(given: Given) {
  const done: string[] = [];
  const logged: string[] = [];
  let rings = 0;
  const fails = ({ chatWebhookId }: { chatWebhookId: number }): void => {
    if (chatWebhookId === given.broken) throw new Error('it cannot be read');
  };
  const releaseHeld = makeReleaseHeld({
    store: {
      regathered: () => Promise.resolve({ due: given.gathered ?? [], unreadable: [] }),
      async gatherAnew(item) {
        await Promise.resolve();
        fails(item);
        done.push(`gathered ${item.chatWebhookId}`);
      },
      dueHolds: () => Promise.resolve({ due: given.holds ?? [], unreadable: [] }),
      isStillComing: () => Promise.resolve(given.isStillComing?.() ?? false),
      postpone: () => Promise.reject(new Error('nothing is quiet here')),
      async release(hold) {
        await Promise.resolve();
        fails(hold);
        done.push(`released ${hold.chatWebhookId}`);
        return 1;
      },
    },
    bell: { ringDeliver: () => (rings += 1) },
    clock: given.clock ?? (() => new Date('2026-11-26T12:00:00Z')),
    log: pino({}, { write: (line: string) => logged.push(line) }),
  });
  return { releaseHeld, done, logged, rings: () => rings };
}

test('when what one destination holds cannot be let go, then the others are let go, it rings for them, and the failure is told', async () => {
  const { releaseHeld, done, logged, rings } = aRelease({ holds: [aHold(1), aHold(2), aHold(3)], broken: 2 });

  await releaseHeld();

  expect(done).toEqual(['released 1', 'released 3']);
  expect(rings()).toBe(1);
  expect(logged.join()).toContain('"chatWebhookId":2');
  expect(logged.join()).toContain('it cannot be read');
});

test('when what one rule gathered cannot be given its new time, then the others are, and what is due is let go', async () => {
  const gathered = [whatWasGathered(1), whatWasGathered(2)];
  const { releaseHeld, done } = aRelease({ gathered, holds: [aHold(3)], broken: 1 });

  await releaseHeld();

  expect(done).toEqual(['gathered 2', 'released 3']);
});

describe('when more of a digest is still on its way', () => {
  const digest: DueHold = { ...aHold(1), heldFor: 'daily' };
  const NOON = Date.parse('2026-11-26T12:00:00Z');

  test('then it waits for that, however long its time is over, and goes when it has come', async () => {
    let isStillComing = true;
    const { releaseHeld, done } = aRelease({ holds: [digest], isStillComing: () => isStillComing });

    await releaseHeld();
    await releaseHeld();
    const before = [...done];
    isStillComing = false;
    await releaseHeld();

    expect([before, done]).toEqual([[], ['released 1']]);
  });

  test('then it waits for three minutes, no longer, and the next one as long again', async () => {
    let now = NOON;
    const releasedAt: number[] = [];
    const { releaseHeld, done } = aRelease({ holds: [digest], isStillComing: () => true, clock: () => new Date(now) });

    for (let seconds = 0; seconds <= 400; seconds += 20) {
      now = NOON + seconds * 1_000;
      await releaseHeld();
      if (done.splice(0).length > 0) releasedAt.push(seconds);
    }

    expect(releasedAt).toEqual([180, 380]);
  });

  test('and the clock is set back by hours, then it does not wait for those', async () => {
    const times = [NOON, NOON - 7_200_000];
    const { releaseHeld, done } = aRelease({
      ...{ holds: [digest], isStillComing: () => true },
      clock: () => new Date(times.shift() ?? NOON),
    });

    await releaseHeld();
    await releaseHeld();

    expect(done).toEqual(['released 1']);
  });
});
