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

function aRelease(given: { gathered?: readonly Regathered[]; holds?: readonly DueHold[]; broken: number }) {
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
      isStillComing: () => Promise.resolve(false),
      postpone: () => Promise.reject(new Error('nothing is quiet here')),
      async release(hold) {
        await Promise.resolve();
        fails(hold);
        done.push(`released ${hold.chatWebhookId}`);
        return 1;
      },
    },
    bell: { ringDeliver: () => (rings += 1) },
    clock: () => new Date('2026-11-26T12:00:00Z'),
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
