/** The bell of delivery: a space is marked before it is rung for, and none waits for another that is busy. */

import { pino } from 'pino';
import { makeBell } from '../../src/bell';
import { waitUntil } from '../support/wait-until';

function aBell(mark: (spaceIds: readonly string[]) => Promise<readonly string[]>) {
  const happened: string[] = [];
  const warned: string[] = [];
  const bell = makeBell({
    routeQueue: { ring: (key) => happened.push(key) },
    deliverQueue: { ring: () => happened.push('rung') },
    dueSpaces: {
      async mark(spaceIds) {
        const busy = await mark(spaceIds);
        happened.push(...spaceIds.filter((spaceId) => !busy.includes(spaceId)));
        return busy;
      },
      markForgotten: () => Promise.resolve(void happened.push('whatever was forgotten')),
    },
    log: pino({}, { write: (line: string) => warned.push(line) }),
  });
  return { bell, happened, warned };
}

test('when spaces were given messages, then they are marked together, each once, and then it rings', async () => {
  const asked: (readonly string[])[] = [];
  const { bell, happened } = aBell((spaceIds) => {
    asked.push(spaceIds);
    return Promise.resolve([]);
  });

  bell.ringDeliver(['one', 'two']);
  bell.ringDeliver(['one']);
  await waitUntil('it rings', () => happened.filter((what) => what === 'rung').length === 3);

  expect(asked).toEqual([['one', 'two']]);
  expect(happened.slice(0, 3)).toEqual(['one', 'two', 'rung']);
});

test('when a space is busy, then the other is rung for at once, and the busy one when it is free', async () => {
  let isBusy = true;
  const { bell, happened } = aBell((spaceIds) => Promise.resolve(spaceIds.filter((spaceId) => spaceId === 'busy' && isBusy)));

  bell.ringDeliver(['busy', 'free']);
  await waitUntil('it rings', () => happened.includes('rung'));

  expect(happened).toEqual(['free', 'rung']);
  isBusy = false;
  await waitUntil('it rings', () => happened.length === 4);
  expect(happened).toEqual(['free', 'rung', 'busy', 'rung']);
});

test('when a space stays busy, then it is left to the sweep in the end', async () => {
  let asked = 0;
  const { bell, happened } = aBell((spaceIds) => {
    asked += 1;
    return Promise.resolve(spaceIds);
  });

  bell.ringDeliver(['busy']);
  await waitUntil('it rings', () => happened.length > 0);

  expect(happened).toEqual(['rung']);
  expect(asked).toBe(40);
});

test('when any space may have been given messages, then those that nobody marked are found first', async () => {
  const { bell, happened } = aBell(() => Promise.resolve([]));

  bell.ringDeliver();
  await waitUntil('it rings', () => happened.includes('rung'));

  expect(happened).toEqual(['whatever was forgotten', 'rung']);
});

test('when the ledger cannot be reached, then it is logged and nothing is rung', async () => {
  const { bell, happened, warned } = aBell(() => Promise.reject(new Error('the ledger is away')));

  bell.ringDeliver(['one']);
  await waitUntil('it is logged', () => warned.length > 0);

  expect(warned.join()).toContain('the ledger is away');
  expect(happened).toEqual([]);
});
