/** Gives requests the right of way: work that can wait rests while many of them wait for their answers, as long as it is a burst. */

/** So many waiting requests are a burst. */
const MANY = 8;
/** Several are answered at once, and the next ones are on their way: only after so long without many waiting is a burst over. */
const GAP_MS = 20;
/** For each of its turns work rests so long at most: it goes on, only slower. */
const LONGEST_REST_MS = 80;
const LOOK_MS = 10;
/** What lasts longer is no burst: then all share again, and whoever sends is slowed down instead of piling up work without end. */
const LONGEST_BURST_MS = 3_000;
/** After so long without many waiting a new burst may begin. */
const CALM_MS = 1_000;

export interface RightOfWay {
  /** A request has come; the function that is given back is called once, when it is answered. */
  arrive(): () => void;
  /** For work that can wait: resolves at once, or when the burst is over, or after 80 ms. */
  giveWay(): Promise<void>;
}

/** Makes it for the requests and the work of this process. `nowMs`: a clock that never jumps. */
export function makeRightOfWay(nowMs: () => number): RightOfWay {
  let waiting = 0;
  let lastManyAtMs = Number.NEGATIVE_INFINITY;
  let burstBeganAtMs = Number.NEGATIVE_INFINITY;

  function leave(): void {
    waiting -= 1;
  }

  function isBurst(): boolean {
    const now = nowMs();
    return now - lastManyAtMs < GAP_MS && now - burstBeganAtMs < LONGEST_BURST_MS;
  }

  return {
    arrive() {
      waiting += 1;
      if (waiting >= MANY) {
        const now = nowMs();
        if (now - lastManyAtMs > CALM_MS) burstBeganAtMs = now;
        lastManyAtMs = now;
      }
      return leave;
    },
    async giveWay() {
      const endsAtMs = nowMs() + LONGEST_REST_MS;
      while (isBurst() && nowMs() < endsAtMs) await new Promise((goOn) => setTimeout(goOn, LOOK_MS));
    },
  };
}
