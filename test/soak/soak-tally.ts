/** What a soak came to: every accepted change told once in its space, in order per record, no space written to more than once a second. Pure. */

export interface Accepted {
  readonly spaceId: string;
  readonly deal: number;
  readonly step: number;
}

export interface Tally {
  readonly accepted: number;
  readonly sent: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly outOfOrder: readonly string[];
  readonly overQuota: readonly string[];
  readonly changedBodies: number;
}

/** A little less than the second may be seen: the stand-in's clock reads when a request comes in, ours when it was answered. */
const LEAST_GAP_MS = 995;

export function titleOf({ deal, step }: Pick<Accepted, 'deal' | 'step'>): string {
  return `Deal ${deal} step ${step}.`;
}

/** `messages`: what people see, by space, in order; `requests`: when each space was written to, refused attempts too. */
export function tallyUp(
  accepted: readonly Accepted[],
  messages: ReadonlyMap<string, readonly string[]>,
  requests: ReadonlyMap<string, readonly number[]>,
  changedBodies: number,
): Tally {
  const lost: string[] = [];
  const doubled: string[] = [];
  const outOfOrder: string[] = [];
  const last = new Map<string, number>();
  for (const change of accepted) {
    const told = (messages.get(change.spaceId) ?? []).flatMap((text, index) => (text.includes(titleOf(change)) ? [index] : []));
    const [first] = told;
    if (first === undefined) {
      lost.push(titleOf(change));
      continue;
    }
    if (told.length > 1) doubled.push(titleOf(change));
    const record = `${change.spaceId} ${change.deal}`;
    if (first < (last.get(record) ?? -1)) outOfOrder.push(titleOf(change));
    last.set(record, first);
  }
  return {
    ...{ accepted: accepted.length, sent: accepted.length - lost.length, lost, doubled, outOfOrder, changedBodies },
    overQuota: [...requests].flatMap(([spaceId, times]) => tooClose(spaceId, times)),
  };
}

/** The promises that were broken, in words; none when all held. */
export function brokenPromises(tally: Tally): readonly string[] {
  const named = (what: string, which: readonly string[]) => (which.length === 0 ? [] : [`${what}: ${which.join(', ')}`]);
  return [
    ...named('lost', tally.lost),
    ...named('doubled', tally.doubled),
    ...named('out of order', tally.outOfOrder),
    ...named('over quota', tally.overQuota),
    ...(tally.changedBodies === 0 ? [] : [`bodies changed under their request id: ${tally.changedBodies}`]),
  ];
}

function tooClose(spaceId: string, times: readonly number[]): readonly string[] {
  return times.slice(1).flatMap((at, index) => {
    const gapMs = at - (times[index] ?? 0);
    return gapMs < LEAST_GAP_MS ? [`${spaceId} after ${gapMs} ms`] : [];
  });
}
