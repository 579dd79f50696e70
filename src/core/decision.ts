/** A decision is what one rule made of one event, kept compactly; `rules/explain.ts` words it when it is read. */

/** Why a rule matched or, in the order in which they are checked, what failed first. */
export const DECISION_CODES = [
  'matched',
  /** The event is older than what is known of its record. */
  'outdated',
  /** The reconciliation found it so late that it is only recorded. */
  'foundTooLate',
  /** The reconciliation found the deal gone, and Pipedrive's list does not say whether it was merged. */
  'perhapsMerged',
  /** The reconciliation had told the space that the deal was deleted or merged before the webhook of the merge came. */
  'toldAsGone',
  /** Somebody muted the record, or the one that it belongs to. */
  'muted',
  /** The rule was switched on after the event had come in. */
  'switchedOnLater',
  /** The event is none of the kind that the rule listens to. */
  'otherEvent',
  'pipeline',
  'stage',
  'fromStage',
  'owner',
  'minValue',
  'noValue',
  'otherCurrency',
  /** The value was not below the rule's minimum before. */
  'crossing',
  /** Another kind of the transition than the rule asks for: back instead of forward. */
  'kind',
  'fields',
  'conditions',
  /** An earlier rule with `stopAfter` tells the same destinations of the same change. */
  'alreadyTold',
  /** Every destination of the rule is paused, or it has none. */
  'noDestination',
  /** What a message of the rule had told was taken back: a correction goes to the record's thread. */
  'corrected',
  /** The change was taken back, or told by the message of another event, inside the settle window. */
  'settled',
] as const;
export type DecisionCode = (typeof DECISION_CODES)[number];

export interface Decision {
  readonly ruleId: number;
  readonly matched: boolean;
  readonly code: DecisionCode;
  /** What the event had where the rule asked for something else (an id, an amount, a currency). */
  readonly actual?: unknown;
  /** The event whose message told this one (decisions of folded events name it). */
  readonly toldByEventId?: number;
}
