/** A rule in a sentence: what it listens to and what it asks for, in names. Pure. */

import { isCondition, type Condition, type ConditionTree } from '../core/condition';
import { counted } from '../core/counted';
import { isObject } from '../core/record';
import type { Rule } from '../core/rule';
import type { NameOf } from '../rules/decision-names';
import { EVENT_NAMES, KIND_WORDS } from '../rules/explain';
import { fieldWords, isOrAre, listWords, moneyWords } from '../rules/value-words';
import { conditionsOf } from '../rules/walk-conditions';
import { OPERATOR_WORDS } from './condition-value';
import { capitalized } from './words';

/** What a field that is yes or no asks for when it must not be yes. */
const NOT_WORDS: Readonly<Record<string, string>> = {
  is_archived: 'not archived',
  is_bulk_edit: 'not a bulk edit',
  private: 'not private',
};

/** So many conditions are told one by one; others, and groups of them, are counted. */
const MAX_TOLD = 3;

/** "Stage changed, in the pipeline "Sales", to the stage "Proposal", worth at least 10,000 EUR"; in `baseCurrency` where the rule names none. */
export function ruleWords(
  { eventType, filters }: Pick<Rule, 'eventType' | 'filters'>,
  nameOf: NameOf,
  baseCurrency: string,
): string {
  const { pipelineIds, stageIds, fromStageIds, ownerIds, minValue, currency, kinds, fields, conditions } = filters;
  const list = (ids: readonly number[], field: string) => listWords(ids, field, nameOf, 'or');
  const moves = eventType === 'deal.stage_changed' || eventType === 'deal.pipeline_changed';
  const parts = [
    ...(kinds === undefined || kinds.length === 0 ? [] : [kinds.map((kind) => KIND_WORDS[kind]).join(' or ')]),
    ...(isEmpty(fields) ? [] : [`of ${fields.map((field) => fieldWords(field, nameOf)).join(' or ')}`]),
    ...(isEmpty(pipelineIds) ? [] : [`in the pipeline ${list(pipelineIds, 'pipeline_id')}`]),
    ...(isEmpty(fromStageIds) ? [] : [`from the stage ${list(fromStageIds, 'stage_id')}`]),
    ...(isEmpty(stageIds) ? [] : [`${moves ? 'to' : 'in'} the stage ${list(stageIds, 'stage_id')}`]),
    ...(isEmpty(ownerIds) ? [] : [`owned by ${list(ownerIds, 'owner_id')}`]),
    ...(minValue === undefined ? [] : [`worth at least ${moneyWords(minValue, currency ?? baseCurrency)}`]),
    ...conditionParts(conditions, nameOf),
  ];
  return [capitalized(EVENT_NAMES[eventType]), ...parts].join(', ');
}

function isEmpty(list: readonly unknown[] | undefined): list is undefined {
  return list === undefined || list.length === 0;
}

function conditionParts(tree: ConditionTree | undefined, nameOf: NameOf): readonly string[] {
  if (tree === undefined) return [];
  const asked = isCondition(tree) ? [tree] : 'all' in tree ? tree.all : [];
  const told = asked.filter((one) => isCondition(one)).slice(0, MAX_TOLD);
  const left = conditionsOf(tree).length - told.length;
  const rest = left === 0 ? [] : [told.length === 0 ? `with ${counted(left, 'condition')}` : moreWords(left)];
  return [...told.map((condition) => conditionWords(condition, nameOf)), ...rest];
}

function moreWords(left: number): string {
  return left === 1 ? 'and 1 more condition' : `and ${left} more conditions`;
}

function conditionWords({ field, op, value }: Condition, nameOf: NameOf): string {
  const flag = op === 'isNot' && value === true ? NOT_WORDS[field] : undefined;
  if (flag !== undefined) return flag;
  const ask = `${fieldWords(field, nameOf)} ${operatorWords(field, op)}`;
  if (value === undefined || value === null) return ask;
  const days = op === 'increasedBy' || op === 'decreasedBy' ? daysOf(value) : null;
  if (days === null) return `${ask} ${listWords(value, field, nameOf, 'or')}`;
  return `${fieldWords(field, nameOf)} moved ${op === 'increasedBy' ? 'later' : 'earlier'} by at least ${counted(days, 'day')}`;
}

/** "labels include", "labels are not empty". */
function operatorWords(field: string, op: string): string {
  const words = OPERATOR_WORDS[op] ?? op;
  if (isOrAre(field) === 'is') return words;
  return words.replace(/^(is|includes|contains|does|has)(?= |$)/, (verb) => PLURAL_VERBS[verb] ?? verb);
}

const PLURAL_VERBS: Readonly<Record<string, string>> = {
  ...{ is: 'are', includes: 'include', contains: 'contain', does: 'do', has: 'have' },
};

/** A length of time, which as a value would be a moment: "7 days from now". */
function daysOf(value: unknown): number | null {
  return isObject(value) && typeof value['days'] === 'number' ? value['days'] : null;
}
