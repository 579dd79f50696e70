/** The sender over a store in memory: what is due goes, once, and nothing of one delivery's trouble reaches another. */

import { pino } from 'pino';
import type { DeliveryOutcome } from '../../../src/core/delivery';
import { makeDeliverDue, type DeliverDueDependencies } from '../../../src/delivery/deliver-due';
import type { AttemptRecord, ClaimedDelivery, DeliveryStore } from '../../../src/delivery/delivery-ledger';
import { makeTurnstile } from '../../../src/platform/turnstile';
import { PAUSED_REASON } from '../../../src/delivery/space-health';
import { tenantId } from '../../../src/core/tenant';
import { aTenant } from '../../fixtures/record-changes';
import { aClaimedDelivery, aClaimedDestination } from '../../support/builders';
import { waitUntil } from '../../support/wait-until';

const SENT: DeliveryOutcome = { kind: 'sent', httpStatus: 200, messageName: 'm', threadName: null };

const NOTHING_HAPPENS: Pick<DeliveryStore, 'freeze' | 'renew' | 'release'> = {
  freeze: (bodies) => Promise.resolve(bodies.map(() => true)),
  renew: (_delivery, lease) => Promise.resolve(lease),
  release: () => Promise.resolve(),
};

/** A store whose spaces give their next message only when the last one was recorded. */
function aSender(
  queued: readonly ClaimedDelivery[],
  given: Partial<DeliverDueDependencies> = {},
  changed: readonly number[] = [],
) {
  let waiting = [...queued];
  const leased = new Set<string>();
  const posted: string[] = [];
  const recorded: AttemptRecord[] = [];
  const frozen: string[] = [];
  const released: string[] = [];
  const looks: number[] = [];
  const deliverDue = makeDeliverDue({
    store: {
      claimDue(limit) {
        looks.push(limit);
        const claimed: ClaimedDelivery[] = [];
        for (const delivery of waiting) {
          if (claimed.length >= limit || leased.has(delivery.spaceId)) continue;
          leased.add(delivery.spaceId);
          claimed.push(delivery);
        }
        waiting = waiting.filter((delivery) => !claimed.includes(delivery));
        return Promise.resolve({ claimed, unreadable: [], nextMs: null });
      },
      freeze(bodies) {
        frozen.push(...bodies.map(({ delivery, body }) => `${delivery.id} ${body}`));
        return Promise.resolve(bodies.map(({ delivery }) => !changed.includes(delivery.id)));
      },
      renew: NOTHING_HAPPENS.renew,
      release({ spaceId }) {
        released.push(spaceId);
        return Promise.resolve();
      },
    },
    record(attempt) {
      recorded.push(attempt);
      leased.delete(attempt.delivery.spaceId);
      return Promise.resolve();
    },
    screenDue: (delivery) => Promise.resolve(delivery),
    databaseTrouble: () => null,
    mendFold: () => Promise.resolve(false),
    renderBodies: (_tenant, deliveries) => Promise.resolve(new Map(deliveries.map(({ id }) => [id, `body ${id}`]))),
    postBody(delivery, body) {
      posted.push(`${delivery.spaceId} ${body}`);
      return Promise.resolve(SENT);
    },
    log: pino({ level: 'silent' }),
    concurrency: 50,
    makeTurnstile,
    settings: { spaceIntervalMs: 1000, refusalConfirmMs: 20_000, firstProbeMs: 300_000 },
    nowMs: () => 0,
    jitter: () => 0,
    ...given,
  });
  return { deliverDue, posted, recorded, frozen, released, looks, add: (delivery: ClaimedDelivery) => waiting.push(delivery) };
}

const many = (count: number, given: (id: number) => Partial<ClaimedDelivery>) =>
  Array.from({ length: count }, (_, index) => aClaimedDelivery({ id: index + 1, ...given(index + 1) }));

test('when a space has several messages, then one wake sends all of them in order, one after another', async () => {
  let underWay = 0;
  let most = 0;
  const { deliverDue, recorded } = aSender(
    many(5, () => ({})),
    {
      async postBody() {
        most = Math.max(most, (underWay += 1));
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return SENT;
      },
    },
  );

  await deliverDue.wake();
  await waitUntil('all are sent', () => recorded.length === 5);

  expect(most).toBe(1);
  expect(recorded.map(({ delivery }) => delivery.id)).toEqual([1, 2, 3, 4, 5]);
});

test('when many spaces have messages, then no more than the allowed number are under way', async () => {
  let underWay = 0;
  let most = 0;
  const { deliverDue, recorded } = aSender(
    many(20, (id) => ({ spaceId: `space ${id}` })),
    {
      concurrency: 3,
      async postBody() {
        most = Math.max(most, (underWay += 1));
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return SENT;
      },
    },
  );

  await deliverDue.wake();
  await waitUntil('all are sent', () => recorded.length === 20);

  expect(most).toBe(3);
});

test('when posts take their time, then twice as many as may be posted at once are claimed and made ready ahead, and no more', async () => {
  const posts: (() => void)[] = [];
  const { deliverDue, frozen, recorded } = aSender(
    many(20, (id) => ({ spaceId: `space ${id}` })),
    { concurrency: 2, postBody: () => new Promise((resolve) => posts.push(() => resolve(SENT))) },
  );

  await deliverDue.wake();
  await waitUntil('the next ones wait', () => posts.length === 2 && frozen.length === 2 + 4);
  await deliverDue.wake();

  expect(frozen).toHaveLength(2 + 4);
  while (recorded.length < 20) {
    posts.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(posts).toEqual([]);
});

test('when a body was frozen before, then those very bytes are posted and nothing is rendered', async () => {
  const { deliverDue, posted, frozen } = aSender([aClaimedDelivery({ renderedBody: 'frozen' })]);

  await deliverDue.wake();
  await deliverDue.close();

  expect(posted).toEqual(['AAAA frozen']);
  expect(frozen).toEqual(['1 frozen']);
});

test('when a message was changed since it was claimed, then it is not posted and its space is given back', async () => {
  const sender = aSender(
    many(2, (id) => ({ spaceId: `space ${id}` })),
    {},
    [2],
  );

  await sender.deliverDue.wake();
  await sender.deliverDue.close();

  expect(sender.posted).toEqual(['space 1 body 1']);
  expect(sender.released).toEqual(['space 2']);
  expect(sender.recorded.map(({ delivery }) => delivery.id)).toEqual([1]);
});

test('when a body is new, then it is frozen before it is posted', async () => {
  const order: string[] = [];
  const { deliverDue } = aSender([aClaimedDelivery()], {
    store: {
      claimDue: (() => {
        let left = [aClaimedDelivery()];
        return () => {
          const claimed = left;
          left = [];
          return Promise.resolve({ claimed, unreadable: [], nextMs: null });
        };
      })(),
      freeze(bodies) {
        order.push('freeze');
        return Promise.resolve(bodies.map(() => true));
      },
      renew: NOTHING_HAPPENS.renew,
      release: NOTHING_HAPPENS.release,
    },
    postBody: () => {
      order.push('post');
      return Promise.resolve(SENT);
    },
  });

  await deliverDue.wake();
  await deliverDue.close();

  expect(order).toEqual(['freeze', 'post']);
});

test.each<[string, ClaimedDelivery['destination'], string, string]>([
  ['was removed', null, 'dropped', 'The destination was removed.'],
  ['is paused', aClaimedDestination({ isPaused: true }), 'held', PAUSED_REASON],
  ['is broken', aClaimedDestination({ health: 'broken', healthReason: 'HTTP 404' }), 'held', 'HTTP 404'],
  [
    'has just refused',
    aClaimedDestination({ health: 'doubtful', healthReason: 'HTTP 401', refusals: 1, sinceLastRefusalMs: 5 }),
    ...(['queued', 'HTTP 401'] as const),
  ],
])('when the destination %s, then nothing is posted and the reason is recorded', async (_name, destination, state, reason) => {
  const { deliverDue, posted, recorded } = aSender([aClaimedDelivery({ destination })]);

  await deliverDue.wake();
  await deliverDue.close();

  expect(posted).toEqual([]);
  expect(recorded).toMatchObject([{ state, stateReason: reason, wrote: null }]);
});

test('when a broken destination is on trial, then that one message is posted', async () => {
  const destination = aClaimedDestination({ health: 'broken', refusals: 3, sinceLastRefusalMs: 5 });
  const { deliverDue, posted, recorded } = aSender([aClaimedDelivery({ destination, isProbe: true })]);

  await deliverDue.wake();
  await deliverDue.close();

  expect(posted).toHaveLength(1);
  expect(recorded).toMatchObject([{ state: 'sent', health: { state: 'healthy', isHealed: true } }]);
});

test('when the fallback that it should go to was removed, then it is not dropped but looked at again', async () => {
  const { deliverDue, posted, recorded } = aSender([aClaimedDelivery({ destination: null, viaWebhookId: 9, meantFor: 'Sales' })]);

  await deliverDue.wake();
  await deliverDue.close();

  expect(posted).toEqual([]);
  expect(recorded).toMatchObject([{ state: 'queued', wrote: null }]);
});

test('when one message cannot be rendered, then the others of its tenant go and it is tried again', async () => {
  const { deliverDue, posted, recorded } = aSender(
    many(3, (id) => ({ spaceId: `space ${id}` })),
    {
      renderBodies: (_tenant, deliveries) =>
        deliveries.some(({ id }) => id === 2)
          ? Promise.reject(new Error('cannot be rendered'))
          : Promise.resolve(new Map(deliveries.map(({ id }) => [id, `body ${id}`]))),
    },
  );

  await deliverDue.wake();
  await deliverDue.close();

  expect(posted.sort()).toEqual(['space 1 body 1', 'space 3 body 3']);
  expect(recorded.find(({ delivery }) => delivery.id === 2)).toMatchObject({ state: 'queued', isUnprepared: true, wrote: null });
});

test('when one attempt cannot be recorded, then the others are', async () => {
  const recorded: number[] = [];
  const { deliverDue } = aSender(
    many(3, (id) => ({ spaceId: `space ${id}` })),
    {
      record: ({ delivery }) =>
        delivery.id === 2 ? Promise.reject(new Error('down')) : Promise.resolve(void recorded.push(delivery.id)),
    },
  );

  await deliverDue.wake();
  await deliverDue.close();

  expect(recorded).toEqual([1, 3]);
});

test('when messages belong to several tenants, then each tenant is rendered for itself', async () => {
  const groups: number[][] = [];
  const deliveries = many(4, (id) => ({ spaceId: `space ${id}`, tenant: aTenant({ id: tenantId((id % 2) + 1) }) }));
  const { deliverDue } = aSender(deliveries, {
    renderBodies: (_tenant, group) => {
      groups.push(group.map(({ id }) => id));
      return Promise.resolve(new Map(group.map(({ id }) => [id, 'body'])));
    },
  });

  await deliverDue.wake();
  await deliverDue.close();

  expect(groups).toEqual([
    [1, 3],
    [2, 4],
  ]);
});

test('when it is woken during a look, then it looks once more', async () => {
  const ends: (() => void)[] = [];
  const { deliverDue } = aSender([], {
    store: {
      claimDue: () => new Promise((resolve) => ends.push(() => resolve({ unreadable: [], claimed: [], nextMs: null }))),
      ...NOTHING_HAPPENS,
    },
  });
  const first = deliverDue.wake();
  await waitUntil('it looks', () => ends.length === 1);

  const second = deliverDue.wake();
  ends[0]?.();

  await waitUntil('it looks once more', () => ends.length === 2, 1000);
  ends[1]?.();
  await Promise.all([first, second]);
});

test('when it is woken in the very moment in which a look ends, then what was added is sent', async () => {
  const sender = aSender([]);

  // The wake of the first continuation runs before anything that waits for the look has run.
  for (let round = 1; round <= 20; round += 1) {
    const look = sender.deliverDue.wake();
    for (let turn = 0; turn < round % 6; turn += 1) await Promise.resolve();
    sender.add(aClaimedDelivery({ id: round }));
    void sender.deliverDue.wake();
    await look;
    await waitUntil('it is sent', () => sender.recorded.length === round, 1000);
  }

  expect(sender.recorded).toHaveLength(20);
});

test('when the next message is due later, then it is sent then, without another wake', async () => {
  let looks = 0;
  const { deliverDue, recorded } = aSender([], {
    store: {
      claimDue: () => {
        looks += 1;
        return Promise.resolve({
          unreadable: [],
          claimed: looks === 2 ? [aClaimedDelivery()] : [],
          nextMs: looks === 1 ? 20 : null,
        });
      },
      ...NOTHING_HAPPENS,
    },
  });

  await deliverDue.wake();
  await waitUntil('it is sent', () => recorded.length === 1);

  await deliverDue.close();
});

test('when a look fails, then whoever woke hears of it and the next wake works', async () => {
  let isDown = true;
  const { deliverDue } = aSender([], {
    store: {
      claimDue: () =>
        isDown ? Promise.reject(new Error('down')) : Promise.resolve({ unreadable: [], claimed: [], nextMs: null }),
      ...NOTHING_HAPPENS,
    },
  });

  await expect(deliverDue.wake()).rejects.toThrow('down');
  isDown = false;

  await expect(deliverDue.wake()).resolves.toBeUndefined();
});

test('when it closes, then what is under way ends and nothing new begins', async () => {
  const finish: ((outcome: DeliveryOutcome) => void)[] = [];
  const { deliverDue, recorded, looks, add } = aSender([aClaimedDelivery()], {
    postBody: () => new Promise((resolve) => finish.push(resolve)),
  });
  await deliverDue.wake();
  await waitUntil('it is under way', () => finish.length > 0);
  add(aClaimedDelivery({ id: 2 }));

  const closing = deliverDue.close();
  for (const done of finish) done(SENT);
  await closing;
  await deliverDue.wake();

  expect(recorded.map(({ delivery }) => delivery.id)).toEqual([1]);
  expect(looks).toHaveLength(1);
});

test('when it closes while a look fails, then it still closes', async () => {
  const failures: (() => void)[] = [];
  const { deliverDue } = aSender([], {
    store: { claimDue: () => new Promise((_, reject) => failures.push(() => reject(new Error('down')))), ...NOTHING_HAPPENS },
  });
  const look = deliverDue.wake();
  await waitUntil('it looks', () => failures.length === 1);

  const closing = deliverDue.close();
  failures[0]?.();

  await expect(look).rejects.toThrow('down');
  await expect(closing).resolves.toBeUndefined();
});

test('when some messages take long, then they keep no place from the others', async () => {
  const slow = new Set(['space 1', 'space 2', 'space 3']);
  const { deliverDue, recorded } = aSender(
    many(8, (id) => ({ spaceId: `space ${id}` })),
    {
      concurrency: 2,
      postBody: ({ spaceId }) => (slow.has(spaceId) ? new Promise(() => undefined) : Promise.resolve(SENT)),
    },
  );

  await deliverDue.wake();
  await waitUntil('the others are sent', () => recorded.length === 5);

  expect(recorded.map(({ delivery }) => delivery.id).sort()).toEqual([4, 5, 6, 7, 8]);
});

test('when the names for one tenant’s messages are never had, then these keep no place from another tenant’s', async () => {
  const [hung, calm] = [tenantId(1), tenantId(2)];
  const { deliverDue, recorded } = aSender(
    many(8, (id) => ({ spaceId: `space ${id}`, tenant: aTenant({ id: id <= 4 ? hung : calm }) })),
    {
      concurrency: 2,
      renderBodies: ({ id }, deliveries) =>
        id === hung ? new Promise(() => undefined) : Promise.resolve(new Map(deliveries.map((one) => [one.id, 'body']))),
    },
  );

  await deliverDue.wake();
  await waitUntil('the others are sent', () => recorded.length === 4);

  expect(recorded.map(({ delivery }) => delivery.id).sort()).toEqual([5, 6, 7, 8]);
});

test.each([
  ['answered at once', { writtenAtMs: 10, answeredAtMs: 30 }, 1000],
  ['answered late', { writtenAtMs: 10, answeredAtMs: 510 }, 1000],
  ['answered very late', { writtenAtMs: 10, answeredAtMs: 1_510 }, 500],
  ['answered later than the interval', { writtenAtMs: 10, answeredAtMs: 5_000 }, 0],
  ['never written', { writtenAtMs: null, answeredAtMs: 5_000 }, 1000],
])(
  'when a message is %s, then the space rests for a second from when Chat had it at the latest',
  async (_name, { writtenAtMs, answeredAtMs }, slotAfterMs) => {
    let now = 0;
    const { deliverDue, recorded } = aSender([aClaimedDelivery()], {
      nowMs: () => now,
      postBody(_delivery, _body, _isThreaded, onWritten) {
        now = writtenAtMs ?? 0;
        if (writtenAtMs !== null) onWritten();
        now = answeredAtMs;
        return Promise.resolve(SENT);
      },
    });

    await deliverDue.wake();
    await deliverDue.close();

    expect(recorded).toMatchObject([{ slotAfterMs }]);
  },
);

test('when a time limit of the database ended the preparation of a message, then the next time others of its company are made ready without it', async () => {
  const groups: number[][] = [];
  const { deliverDue, posted, add } = aSender([aClaimedDelivery({ id: 1, spaceId: 'A' })], {
    databaseTrouble: () => 'timeLimit',
    renderBodies(_tenant, deliveries) {
      const ids = deliveries.map(({ id }) => id);
      groups.push(ids);
      return ids.includes(1)
        ? Promise.reject(new Error('too slow'))
        : Promise.resolve(new Map(ids.map((id) => [id, `body ${id}`])));
    },
  });
  await deliverDue.wake();
  await waitUntil('it was tried', () => groups.length === 1);

  for (const id of [1, 2, 3]) add(aClaimedDelivery({ id, spaceId: `B${id}` }));
  await deliverDue.wake();
  await deliverDue.close();

  expect(groups).toHaveLength(3);
  expect(groups).toEqual(expect.arrayContaining([[1], [2, 3]]));
  expect([...posted].sort()).toEqual(['B2 body 2', 'B3 body 3']);
});
