/** Rings for work that has come: for a tenant's events, and for spaces that were given messages, once they are marked in the ledger. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bell } from './core/jobs';
import { tenantId } from './core/tenant';
import { shareStatement } from './platform/share-statement';

/** Bells of delivery: few keys, because each job costs; more than one, so that several workers hear them. */
const DELIVER_KEYS = 2;
/** A space that is just being looked at or written is marked a moment later; waiting for it would hold up all the others. */
const MARK_AGAIN_MS = 5;
const TRIES = 40;

/** Where it is written down which spaces have something to send. */
interface DueSpaces {
  /** Marks these; gives those that are busy and were not marked. */
  mark(spaceIds: readonly string[]): Promise<readonly string[]>;
  markForgotten(): Promise<void>;
}

interface Ringing {
  ring(key: string, payload: object): void;
}

/** Makes it. A bell that cannot be rung is logged: the sweep finds the work. */
export function makeBell({
  routeQueue,
  deliverQueue,
  dueSpaces,
  log,
}: {
  readonly routeQueue: Ringing;
  readonly deliverQueue: Ringing;
  readonly dueSpaces: DueSpaces;
  readonly log: Logger;
}): Bell {
  const isMarked = shareStatement(async (spaceIds: readonly string[]) => {
    const busy = new Set(await dueSpaces.mark([...new Set(spaceIds)]));
    return spaceIds.map((spaceId) => !busy.has(spaceId));
  });
  let turn = 0;

  /** One that stays busy is left to the sweep. */
  async function mark(spaceId: string): Promise<void> {
    for (let tries = 1; !(await isMarked(spaceId)) && tries < TRIES; tries += 1) await delay(MARK_AGAIN_MS);
  }

  function ringAfter(marked: Promise<void>): void {
    marked.then(
      () => {
        turn = (turn + 1) % DELIVER_KEYS;
        deliverQueue.ring(`due:${turn}`, {});
      },
      (error: unknown) => {
        log.warn({ err: error }, 'the bell could not be rung; the sweep will find the work');
      },
    );
  }

  return {
    ringRoute: (id) => routeQueue.ring(`tenant:${tenantId(id)}`, { tenantId: id }),
    ringDeliver(spaceIds) {
      if (spaceIds === undefined) ringAfter(dueSpaces.markForgotten());
      // Each by itself: the others do not wait for one that is busy.
      else for (const spaceId of spaceIds) ringAfter(mark(spaceId));
    },
  };
}
