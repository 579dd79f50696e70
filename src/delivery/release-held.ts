/** Lets go what has waited for its time: what came in quiet hours, and digests, each as one message. Whoever looks first does it, once. */

import type { Logger } from 'pino';
import type { Bell } from '../core/jobs';
import { WON_NAMES_BYTES } from '../messages/render-fold';
import type { DueHold, HeldStore, Regathered, Waiting } from './held.store';
import { judgeDue } from './judge-due';
import { makeLeftOut } from './left-out';
import { planDigest, type Fold, type FoldCandidate } from './plan-fold';

export interface ReleaseHeldDependencies {
  readonly store: Pick<HeldStore, 'regathered' | 'gatherAnew' | 'dueHolds' | 'isStillComing' | 'postpone' | 'release'>;
  readonly bell: Pick<Bell, 'ringDeliver'>;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** What came before the time of a digest settles and is routed within this time, where nothing is in its way. */
const PATIENCE_MS = 180_000;

/** Makes the use case. It rejects when the database cannot be reached; what is due stays due. */
export function makeReleaseHeld({ store, bell, clock, log }: ReleaseHeldDependencies): () => Promise<void> {
  const leftOut = makeLeftOut<string>();
  /** Since when this process waits for more of a digest that is due: after a downtime its time is long over. */
  const awaitedSinceMs = new Map<string, number>();

  async function isAwaited(digest: DueHold, now: Date): Promise<boolean> {
    const key = [digest.chatWebhookId, digest.viaWebhookId, digest.heldFor].join();
    const sinceMs = awaitedSinceMs.get(key) ?? now.getTime();
    // Either way: a clock may be set back.
    const isPatient = Math.abs(now.getTime() - sinceMs) < PATIENCE_MS;
    const isComing = isPatient && (await store.isStillComing(digest, now));
    if (isComing) awaitedSinceMs.set(key, sinceMs);
    else awaitedSinceMs.delete(key);
    return isComing;
  }

  async function gatherAnew(gathered: Regathered, now: Date): Promise<number> {
    const verdict = judgeDue({ ...gathered, ...WAITED, isUrgent: false }, now);
    if (verdict.kind === 'hold') await store.gatherAnew(gathered, verdict);
    return 0;
  }

  async function letGo(hold: DueHold, now: Date): Promise<number> {
    const verdict = judgeDue({ ...hold, digest: null, ...WAITED }, now);
    // A digest goes at its time also when that is quiet.
    const waits = hold.heldFor === 'quiet' || hold.isEarly;
    // One digest, and not another one a moment later. What comes when this one has gone is told by the next round.
    if (!waits && (await isAwaited(hold, now))) return 0;
    if (!waits || verdict.kind !== 'hold') return store.release(hold, now, (candidates) => planOf(hold, candidates));
    await store.postpone(hold, verdict, now);
    return 0;
  }

  return async () => {
    const now = clock();
    let released = 0;
    /** What fails keeps no other destination, and no other tenant, from what is due to it. */
    const each = async <T extends DueHold | Regathered>(
      { due, unreadable }: Waiting<T>,
      work: (item: T, at: Date) => Promise<number>,
    ): Promise<void> => {
      for (const { key, tenantId, chatWebhookId, error } of unreadable) {
        leftOut.add(key, now);
        log.error({ err: error, tenantId, chatWebhookId }, 'held messages cannot be read; they stay due');
      }
      for (const item of due) {
        try {
          released += await work(item, now);
        } catch (error) {
          const { chatWebhookId, settings } = item;
          log.error(
            { err: error, tenantId: settings.tenantId, chatWebhookId },
            'held messages could not be let go; they stay due',
          );
        }
      }
    };
    await each(await store.regathered(leftOut.keys(now)), gatherAnew);
    await each(await store.dueHolds(now, leftOut.keys(now)), letGo);
    if (released === 0) return;
    log.info({ released }, 'held messages let go');
    bell.ringDeliver();
  };
}

/** It is never dropped, and waits from now on. */
const WAITED = { cameAt: null, isNew: false, digestAt: null } as const;

/**
 * A digest is one even with a single message; what came in quiet hours goes by itself when it is alone, or when nothing may be folded. What
 * became urgent goes as any urgent message does.
 */
function planOf({ heldFor, fold, isUrgent }: DueHold, candidates: readonly FoldCandidate[]): readonly Fold[] {
  const isSingle = heldFor === 'quiet' && (isUrgent || fold === 'off' || candidates.length < 2);
  return isSingle ? [] : planDigest(candidates, WON_NAMES_BYTES);
}
