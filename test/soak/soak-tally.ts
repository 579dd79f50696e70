/** What a soak came to: every accepted change told once in its space, in order per record, no space written to more than once a second. Pure. */

import type { Fall } from '../support/post';

export interface Accepted {
  readonly spaceId: string;
  readonly deal: number;
  readonly step: number;
}

/** A message as people see it. */
export interface ShownMessage {
  readonly name: string;
  readonly text: string;
}

export interface Evidence {
  /** By space, in order. */
  readonly messages: ReadonlyMap<string, readonly ShownMessage[]>;
  /** By the name of the message that tells them: titles of the changes whose deliveries point to it. */
  readonly folds: ReadonlyMap<string, readonly string[]>;
  /** When each space was written to, refused attempts too. */
  readonly requests: ReadonlyMap<string, readonly number[]>;
  readonly changedBodies: number;
}

export interface Tally {
  readonly accepted: number;
  readonly told: number;
  /** Of these, by a fold. */
  readonly folded: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly outOfOrder: readonly string[];
  /** Folds that do not say of how many deals they tell. */
  readonly miscounted: readonly string[];
  readonly overQuota: readonly string[];
  readonly changedBodies: number;
}

/** A little less than the second may be seen: the stand-in's clock reads when a request comes in, ours when it was answered. */
const LEAST_GAP_MS = 995;

export function titleOf({ deal, step }: Pick<Accepted, 'deal' | 'step'>): string {
  return `Deal ${deal} step ${step}.`;
}

/** Judges what came of the accepted changes; those of a deal in the order in which they were accepted. */
export function tallyUp(accepted: readonly Accepted[], { messages, folds, requests, changedBodies }: Evidence): Tally {
  const lost: string[] = [];
  const doubled: string[] = [];
  const outOfOrder: string[] = [];
  let folded = 0;
  const last = new Map<string, number>();
  for (const change of accepted) {
    const title = titleOf(change);
    const shown = messages.get(change.spaceId) ?? [];
    const told = shown.flatMap((message, index) => (tells(message, title, folds) ? [index] : []));
    const [first] = told;
    if (first === undefined) {
      lost.push(title);
      continue;
    }
    if (told.length > 1) doubled.push(title);
    if (folds.has(shown[first]?.name ?? '')) folded += 1;
    const record = `${change.spaceId} ${change.deal}`;
    if (first < (last.get(record) ?? -1)) outOfOrder.push(title);
    last.set(record, first);
  }
  return {
    ...{ accepted: accepted.length, told: accepted.length - lost.length, folded, lost, doubled, outOfOrder, changedBodies },
    miscounted: [...messages.values()].flat().flatMap((message) => miscount(message, folds)),
    overQuota: [...requests].flatMap(([spaceId, times]) => tooClose(spaceId, times)),
  };
}

/** One line of figures. */
export function tallyLine(tally: Tally): string {
  const { accepted, told, folded, lost, doubled, outOfOrder, miscounted, overQuota } = tally;
  const figures = { lost, doubled, 'out of order': outOfOrder, 'over quota': overQuota, miscounted };
  const broken = Object.entries(figures).map(([what, which]) => `${what} ${which.length}`);
  return `accepted ${accepted}, told ${told} (${folded} in folds), ${broken.join(', ')}`;
}

/** The promises that were broken, in words; none when all held. */
export function brokenPromises(tally: Tally): readonly string[] {
  const named = (what: string, which: readonly string[]) => (which.length === 0 ? [] : [`${what}: ${which.join(', ')}`]);
  return [
    ...named('lost', tally.lost),
    ...named('doubled', tally.doubled),
    ...named('out of order', tally.outOfOrder),
    ...named('miscounted', tally.miscounted),
    ...named('over quota', tally.overQuota),
    ...(tally.changedBodies === 0 ? [] : [`bodies changed under their request id: ${tally.changedBodies}`]),
  ];
}

/** Without a database no process starts, and its host tries again; one that has started stays. */
const LONGEST_START_MS = 20_000;

export const isUnexpected = ({ afterMs }: Pick<Fall, 'afterMs'>): boolean => afterMs > LONGEST_START_MS;

/** "web ended by itself with 1 after 2.3 s: connection refused"; Node says where before what, when nobody caught it. */
export function fallLine({ entry, code, afterMs, output }: Fall): string {
  const lines = output.trim().split('\n');
  const said = lines.find((line) => /^\w*(Error|error)\b.*: /.test(line)) ?? lines[0] ?? '';
  return `${entry} ended by itself with ${String(code)} after ${(afterMs / 1000).toFixed(1)} s: ${said}`;
}

/** A fold names some of its deals only: there the ledger says what it tells. */
function tells({ name, text }: ShownMessage, title: string, folds: Evidence['folds']): boolean {
  return folds.get(name)?.includes(title) ?? text.includes(title);
}

function miscount({ name, text }: ShownMessage, folds: Evidence['folds']): readonly string[] {
  const titles = folds.get(name);
  if (titles === undefined) return [];
  const deals = new Set(titles.map((title) => title.replace(/ step .*/, ''))).size;
  return new RegExp(`\\b${deals} deals?\\b`).test(text) ? [] : [`${name} tells of ${deals} deals: ${text}`];
}

function tooClose(spaceId: string, times: readonly number[]): readonly string[] {
  return times.slice(1).flatMap((at, index) => {
    const gapMs = at - (times[index] ?? 0);
    return gapMs < LEAST_GAP_MS ? [`${spaceId} after ${gapMs} ms`] : [];
  });
}
