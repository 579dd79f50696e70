/** Looking at what is due: it fails for whoever asks, and for nobody else. */

import { makeScreenDue } from '../../../src/delivery/screen-due';
import { aClaimedDelivery } from '../../support/builders';

test('when one message cannot be looked at, then it fails with the reason, and the others go', async () => {
  const notNow = () => Promise.reject(new Error('nothing of that'));
  const screenDue = makeScreenDue({
    folds: {
      backlogOf: ({ delivery: { id } }) => (id === 2 ? Promise.reject(new Error('it is odd')) : Promise.resolve(null)),
      ...{ fold: notNow, takeApart: notNow, putOff: notNow, putOffAlone: notNow, members: notNow, halve: notNow },
    },
    aside: { setAside: notNow, endQuiet: notNow },
    releaseHeld: notNow,
    spaceIntervalMs: 1_000,
    clock: () => new Date(),
  });
  const [first, second, third] = [1, 2, 3].map((id) => aClaimedDelivery({ id, spaceId: `space ${id}` }));
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');

  const looks = await Promise.allSettled([first, second, third].map(screenDue));

  expect(looks).toEqual([
    { status: 'fulfilled', value: first },
    { status: 'rejected', reason: new Error('it is odd') },
    { status: 'fulfilled', value: third },
  ]);
});
