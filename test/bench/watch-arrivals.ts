/** What comes in at the stand-in Chat: how many messages, when, and whether each deal's are in the order of its events. */

import type { FakeGoogleChat } from '../fakes/google-chat/fake-google-chat';

/** Listens from now on; a message is known by its deal and round. */
export function watchArrivals(chat: FakeGoogleChat) {
  const lastRound = new Map<string, number>();
  const atMs: number[] = [];
  let outOfOrder = 0;
  const stop = chat.onRequest(({ rawBody }) => {
    const [, dealId = '', round = ''] = /Deal (\d+), round (\d+)\./.exec(rawBody) ?? [];
    if (Number(round) < (lastRound.get(dealId) ?? 0)) outOfOrder += 1;
    lastRound.set(dealId, Number(round));
    atMs.push(performance.now());
  });
  return {
    stop,
    count: () => atMs.length,
    outOfOrder: () => outOfOrder,
    /** From the first to the last. */
    perSecond: () => (atMs.length / ((atMs.at(-1) ?? Number.NaN) - (atMs[0] ?? Number.NaN))) * 1000,
    /** Messages per second in each tenth of the time: a figure that falls would show tables or caches that grow. */
    perSecondInTenths(startedAtMs: number, elapsedMs: number): readonly number[] {
      const tenths = Array.from({ length: 10 }, () => 0);
      for (const at of atMs) {
        const tenth = Math.min(9, Math.floor(((at - startedAtMs) / elapsedMs) * 10));
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      return tenths.map((count) => count / (elapsedMs / 10_000));
    },
  };
}
