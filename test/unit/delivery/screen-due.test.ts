/** Looking at what is due: one that fails keeps no other from its way. */

import { pino } from 'pino';
import { makeScreenDue } from '../../../src/delivery/screen-due';
import { aClaimedDelivery } from '../../support/builders';

test('when one message cannot be looked at, then the others of its company go, and the failure is told', async () => {
  const logged: string[] = [];
  const notNow = () => Promise.reject(new Error('nothing of that'));
  const screenDue = makeScreenDue({
    folds: {
      backlogOf: ({ delivery: { id } }) => (id === 2 ? Promise.reject(new Error('it is odd')) : Promise.resolve(null)),
      ...{ fold: notNow, takeApart: notNow, putOff: notNow, putOffAlone: notNow },
    },
    held: { setAside: notNow, endQuiet: notNow },
    releaseHeld: notNow,
    spaceIntervalMs: 1_000,
    clock: () => new Date(),
    log: pino({}, { write: (line: string) => logged.push(line) }),
  });

  const going = await screenDue([1, 2, 3].map((id) => aClaimedDelivery({ id, spaceId: `space ${id}` })));

  expect(going.map(({ id }) => id)).toEqual([1, 3]);
  expect(logged.join()).toContain('"deliveryId":2');
  expect(logged.join()).toContain('it is odd');
});
