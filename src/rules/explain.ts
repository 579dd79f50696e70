/** Words a decision for a sales manager: what was asked, what was there. Pure; names are filled in where they are known. */

import { DECISION_CODES, type Decision } from '../core/decision';
import { isObject } from '../core/record';
import type { Rule } from '../core/rule';
import type { EventType, TransitionKind } from '../core/transition';
import type { NameOf } from './decision-names';
import { explainCondition } from './explain-condition';
import { watchIdOf } from './watch-rules';
import { fieldWords, moneyWords, rateWords, unnamed } from './value-words';

/** The event as far as its decisions need it. */
export interface ExplainedEvent {
  readonly entity: string;
  readonly transitions: readonly string[];
}

/** What each event type is called in a sentence. */
export const EVENT_NAMES: Readonly<Record<EventType, string>> = {
  'deal.created': 'deal created',
  'deal.won': 'deal won',
  'deal.lost': 'deal lost',
  'deal.reopened': 'deal reopened',
  'deal.stage_changed': 'stage changed',
  'deal.pipeline_changed': 'moved to another pipeline',
  'deal.owner_changed': 'owner changed',
  'deal.value_changed': 'value changed',
  'deal.close_date_changed': 'expected close date changed',
  'deal.label_added': 'label added',
  'deal.field_changed': 'field changed',
  'deal.merged': 'deals merged',
  'deal.deleted': 'deal deleted',
  'lead.created': 'lead created',
  'lead.converted': 'lead converted',
  'lead.archived': 'lead archived',
  'person.created': 'person created',
  'organization.created': 'organization created',
  'activity.created': 'activity created',
  'activity.completed': 'activity completed',
  'note.created': 'note created',
  'deal.label_removed': 'label removed',
  'deal.archived': 'deal archived',
  'deal.restored': 'deal restored from the archive',
  'lead.restored': 'lead restored from the archive',
  'lead.deleted': 'lead deleted',
  'person.deleted': 'person deleted',
  'organization.deleted': 'organization deleted',
  'activity.reopened': 'activity reopened',
  'activity.rescheduled': 'activity rescheduled',
  'activity.deleted': 'activity deleted',
  'note.deleted': 'note deleted',
};

/** How a sentence speaks of another event by its id; undefined: it is not known which one it was. */
export type NameEvent = (eventId: number | undefined) => string;

/** For who can look it up. */
export const byNumber: NameEvent = (eventId) => (eventId === undefined ? 'another event' : `event ${eventId}`);
/** For readers to whom numbers of events tell nothing. */
export const asAnother: NameEvent = () => 'another event';

/** One sentence for one decision. `rule` is null when it has been deleted since. */
export function explainDecision(
  decision: Decision,
  rule: Rule | null,
  event: ExplainedEvent,
  nameOf: NameOf = () => null,
  nameEvent: NameEvent = byNumber,
): string {
  const filters = rule?.filters ?? {};
  const isWatch = watchIdOf(decision.ruleId) !== null;
  switch (decision.code) {
    case 'matched':
      return isWatch ? 'Told because this record is watched.' : 'Matched.';
    case 'outdated':
      return 'Not told: this event is older than what was already known of the record, or repeats it.';
    case 'foundTooLate':
      return 'Not told: Pipedrive sent no webhook of it, and when it was found in Pipedrive’s own list it was too old to be news.';
    case 'perhapsMerged':
      return 'Not told: Pipedrive sent no webhook of it, and its list does not say whether this deal was merged into another one or deleted.';
    case 'toldAsGone':
      return 'Not told again: this space was told already that the deal was deleted or merged, when Pipedrive’s list showed that before the webhook of the merge came.';
    case 'muted':
      return 'Not told: this record is muted.';
    case 'switchedOnLater':
      return isWatch
        ? 'Not told: watching began after this event had come in.'
        : 'Not told: the rule was switched on after this event had come in.';
    case 'otherEvent':
      return otherEvent(rule, event);
    case 'pipeline':
      return mismatch('pipeline', 'pipeline', decision.actual, filters.pipelineIds, nameOf);
    case 'stage':
      return mismatch('stage', 'stage', decision.actual, filters.stageIds, nameOf);
    case 'fromStage':
      return mismatch('stage it left', 'stage', decision.actual, filters.fromStageIds, nameOf);
    case 'owner':
      return mismatch('owner', 'user', decision.actual, filters.ownerIds, nameOf);
    case 'noValue':
      return `Not matched: the record has no value, and the rule asks for at least ${amount(filters.minValue, filters.currency)}.`;
    case 'minValue':
      return belowMinimum(decision.actual, filters.minValue);
    case 'otherCurrency':
      return `Not matched: the value ${money(decision.actual)} cannot be compared in ${wantedCurrency(decision.actual)}: no exchange rate is known.`;
    case 'crossing':
      return `Not matched: the value was ${money(decision.actual)} before, which is not below ${amount(filters.minValue, filters.currency)}, so it did not cross that threshold.`;
    case 'kind':
      return otherKind(decision.actual, filters.kinds ?? []);
    case 'fields':
      return noneChanged(filters.fields ?? [], nameOf);
    case 'conditions':
      return explainCondition(decision.actual, nameOf);
    case 'alreadyTold':
      if (isObject(decision.actual) && decision.actual['watchId'] !== undefined)
        return 'Not told again: this space was told of it before the rule matched, because this record is watched there.';
      return isWatch
        ? `Not told again: ${tellerName(decision.actual)} tells it in the same space.`
        : `Not told: already told by ${tellerName(decision.actual)} in the same space, which stops the rules below it.`;
    case 'noDestination':
      return isWatch ? 'Not told: the space is gone.' : 'Matched, but not told: every destination of the rule is paused or gone.';
    case 'corrected':
      return `Told as a correction: what ${nameEvent(decision.toldByEventId)} had told was taken back.`;
    case 'settled':
      return settled(decision, rule, event, nameOf, nameEvent);
    default:
      return decision.code satisfies never;
  }
}

/** "value 8,000 EUR is 8,640 USD, below 10,000 USD". */
function belowMinimum(actual: unknown, minimum: number | undefined): string {
  const converted = isObject(actual) && typeof actual['converted'] === 'number' ? actual['converted'] : null;
  const currency = converted === null ? (currencyOf(actual) ?? undefined) : wantedCurrency(actual);
  const inOther = converted === null ? '' : ` is ${amount(converted, currency)},`;
  const rate = isObject(actual) ? rateWords(actual['asOf']) : '';
  return `Not matched: the value ${money(actual)}${inOther === '' ? ' is' : inOther} below ${amount(minimum, currency)}${rate}.`;
}

export const KIND_WORDS: Readonly<Record<TransitionKind, string>> = {
  first: 'a first win',
  again: 'a win of a deal that was won before',
  fromWon: 'a reopening after a win',
  fromLost: 'a reopening after a loss',
  forward: 'a move forward',
  back: 'a move back',
  skipped: 'a move that skips stages',
  up: 'a rise',
  down: 'a fall',
  set: 'a first value',
  cleared: 'a removed value',
  currency: 'a change of currency',
  slipped: 'a slip to a later day',
  pulledIn: 'a pull to an earlier day',
  later: 'a move to a later day',
  earlier: 'a move to an earlier day',
};

function otherKind(actual: unknown, wanted: readonly TransitionKind[]): string {
  const options = wanted.map((kind) => KIND_WORDS[kind]).join(' or ');
  if (!Array.isArray(actual)) return `Not matched: the rule asks for ${options}, and the order of these stages is not known.`;
  const was = Object.entries(KIND_WORDS).flatMap(([kind, words]) => (actual.includes(kind) ? [words] : []));
  return `Not matched: this was ${was.length === 0 ? 'none of these' : was.join(', ')}, and the rule asks for ${options}.`;
}

function noneChanged(fields: readonly string[], nameOf: NameOf): string {
  const names = fields.map((field) => nameOf('field', field) ?? fieldWords(field, nameOf));
  if (names.length < 2) return `Not matched: the field ${names[0] ?? 'that the rule asks for'} did not change.`;
  return `Not matched: none of the fields ${names.join(', ')} changed.`;
}

function tellerName(actual: unknown): string {
  return isObject(actual) && typeof actual['ruleName'] === 'string' ? `rule “${actual['ruleName']}”` : 'another rule';
}

function otherEvent(rule: Rule | null, event: ExplainedEvent): string {
  const wanted = rule === null ? 'another event' : `“${EVENT_NAMES[rule.eventType]}”`;
  const happened = event.transitions.map((type) => wordsOf(type)).join(', ');
  return happened === ''
    ? `Not matched: the rule listens to ${wanted}, and this ${event.entity} event was nothing that rules can tell.`
    : `Not matched: the rule listens to ${wanted}, and this was: ${happened}.`;
}

function wordsOf(type: string): string {
  const known = Object.entries(EVENT_NAMES).find(([name]) => name === type);
  return known === undefined ? type : known[1];
}

function settled(decision: Decision, rule: Rule | null, event: ExplainedEvent, nameOf: NameOf, nameEvent: NameEvent): string {
  const { toldByEventId, actual } = decision;
  if (toldByEventId !== undefined)
    return `Told together with ${nameEvent(toldByEventId)}: the two came within the time that ${watchIdOf(decision.ruleId) === null ? 'the rule' : 'a watch'} waits for later edits, so they are one message.`;
  const code = DECISION_CODES.find((known) => isObject(actual) && known === actual['code']);
  if (code === undefined || code === 'settled' || !isObject(actual))
    return 'Not told: the change was taken back before its message was due.';
  const reason = explainDecision(
    { ruleId: decision.ruleId, matched: false, code, actual: actual['actual'] },
    rule,
    event,
    nameOf,
  );
  return `Not told: with the edits that came while its message waited the rule did not match any more. ${reason}`;
}

function mismatch(
  what: string,
  entity: 'pipeline' | 'stage' | 'user',
  actual: unknown,
  wanted: readonly number[] | undefined,
  nameOf: NameOf,
): string {
  const options = [...new Set((wanted ?? []).map((id) => naming(entity, id, nameOf)))].join(' or ');
  const was = typeof actual === 'number' ? naming(entity, actual, nameOf) : 'not set';
  return `Not matched: the ${what} is ${was}, and the rule asks for ${options === '' ? 'another one' : options}.`;
}

function naming(entity: 'pipeline' | 'stage' | 'user', id: number, nameOf: NameOf): string {
  const name = nameOf(entity, id);
  return name === null ? unnamed(entity) : `“${name}”`;
}

function money(value: unknown): string {
  if (!isObject(value) || typeof value['amount'] !== 'number') return 'of the record';
  return amount(value['amount'], currencyOf(value) ?? undefined);
}

function amount(value: number | undefined, currency: string | undefined): string {
  return moneyWords(value ?? 0, currency);
}

function currencyOf(value: unknown): string | null {
  return isObject(value) && typeof value['currency'] === 'string' ? value['currency'] : null;
}

function wantedCurrency(value: unknown): string {
  return isObject(value) && typeof value['wanted'] === 'string' ? value['wanted'] : 'the currency of the rule';
}
