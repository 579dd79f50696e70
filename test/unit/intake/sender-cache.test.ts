/** The memory of credentials: one question per user and life time, and no failure kept. */

import { tenantId } from '../../../src/core/tenant';
import { makeSenderCache } from '../../../src/intake/sender-cache';
import type { SenderCredential } from '../../../src/intake/verify-sender';

const KNOWN: SenderCredential = { tenantId: tenantId(1), credentialHash: new Uint8Array(32) };

function aCache(answer: (user: string) => Promise<SenderCredential | null>) {
  const asked: string[] = [];
  const clock = { ms: 0 };
  const source = {
    findCredential: (user: string) => {
      asked.push(user);
      return answer(user);
    },
    findSigningSecret: () => Promise.resolve(null),
  };
  return { cache: makeSenderCache(source, () => clock.ms), asked, clock };
}

test('when a known user comes often, then the source is asked once per life time', async () => {
  const { cache, asked, clock } = aCache(() => Promise.resolve(KNOWN));

  await Promise.all([cache.findCredential('a'), cache.findCredential('a')]);
  clock.ms = 14_999;
  expect(await cache.findCredential('a')).toBe(KNOWN);
  expect(asked).toEqual(['a']);
  clock.ms = 15_000;
  await cache.findCredential('a');

  expect(asked).toEqual(['a', 'a']);
});

test('when a user is unknown, then the source is asked again after a second', async () => {
  const { cache, asked, clock } = aCache(() => Promise.resolve(null));

  await cache.findCredential('a');
  clock.ms = 999;
  await cache.findCredential('a');
  expect(asked).toHaveLength(1);
  clock.ms = 1000;
  await cache.findCredential('a');

  expect(asked).toHaveLength(2);
});

test('when the source fails, then the asker hears of it and the next one asks anew', async () => {
  let isDown = true;
  const { cache, asked } = aCache(() => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(KNOWN)));

  await expect(cache.findCredential('a')).rejects.toThrow('down');
  isDown = false;

  expect(await cache.findCredential('a')).toBe(KNOWN);
  expect(asked).toHaveLength(2);
});

test('when strangers try endless users, then the memory stays bounded and known users still get in', async () => {
  const { cache, asked } = aCache((user) => Promise.resolve(user === 'known' ? KNOWN : null));
  await cache.findCredential('known');

  for (let stranger = 0; stranger < 20_000; stranger += 1) await cache.findCredential(`stranger ${stranger}`);
  await cache.findCredential('known');

  // Asked again, because the full memory was emptied; it never held more than its bound.
  expect(asked.filter((user) => user === 'known')).toHaveLength(2);
});
