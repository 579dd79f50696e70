/** Decisions as they lie in the ledger: rules in a row that stay silent for one reason share one entry. */

import { isDeepStrictEqual } from 'node:util';
import type { Decision } from '../core/decision';

/** Several silent rules, in order. */
interface SharedSilence extends Omit<Decision, 'ruleId'> {
  readonly matched: false;
  readonly ruleIds: readonly number[];
}

/** `ruleIds` in place of `ruleId` where several rules share it. */
export type PackedDecision = Decision | SharedSilence;

/** For writing. Only silences without a message that tells them are shared: a decision that may be taken back stands alone. */
export function packDecisions(decisions: readonly Decision[]): readonly PackedDecision[] {
  const packed: PackedDecision[] = [];
  let last: Decision | undefined;
  let ruleIds: number[] = [];
  for (const decision of decisions) {
    if (last === undefined || !isShared(last, decision)) {
      packed.push(decision);
      ruleIds = [decision.ruleId];
    } else {
      ruleIds.push(decision.ruleId);
      if (ruleIds.length === 2) packed[packed.length - 1] = { ...reasonOf(decision), matched: false, ruleIds };
    }
    last = decision;
  }
  return packed;
}

function isShared(last: Decision, decision: Decision): boolean {
  if (last.matched || decision.matched || last.code !== decision.code) return false;
  if (last.toldByEventId !== undefined || decision.toldByEventId !== undefined) return false;
  return last.actual === decision.actual || isDeepStrictEqual(last.actual, decision.actual);
}

function reasonOf({ code, actual }: Decision): Pick<Decision, 'code' | 'actual'> {
  return actual === undefined ? { code } : { code, actual };
}

/** For reading, one decision per rule again, in the same order. */
export function unpackDecisions(packed: readonly PackedDecision[]): readonly Decision[] {
  return packed.flatMap((item) => {
    if (!('ruleIds' in item)) return [item];
    const { ruleIds, ...shared } = item;
    return ruleIds.map((ruleId): Decision => ({ ruleId, ...shared }));
  });
}
