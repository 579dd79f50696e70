/** A rule as people write it, with names in the place of keys and ids, made into one that the router can decide by. Pure. */

import { isCondition, type Condition, type ConditionTree } from '../core/condition';
import type { FieldError } from '../core/errors';
import type { GivenFilters, RuleFilters } from '../core/rule';
import { ID_FILTERS, isNaming } from './check-references';
import { operatorProblem, valueProblem } from './check-operator';
import { findField, isSameName, type Choice, type Field, type KnownFields } from './field-catalogue';
import { nearest } from './nearest-names';
import { fieldEntityOf, type ReferenceEntity } from './references';
import { EVENT_FIELDS } from './standard-fields';

export interface ResolvedFilters {
  readonly filters: RuleFilters;
  readonly problems: readonly FieldError[];
  /** Kinds of which a name was not found: it may be younger than what is known. */
  readonly inDoubt: readonly ReferenceEntity[];
}

export interface NamingOptions {
  /** Hears of every name that stands where an id is expected and is not known. */
  readonly onName?: (entity: ReferenceEntity, name: string) => void;
  /** Texts that stand for something already, such as the ids of a document. */
  readonly isSettled?: (text: string) => boolean;
}

/** What persons and organizations are named in the conditions: too many to be known by heart, they are looked up by name. */
export function contactNamesIn(
  filters: GivenFilters,
  known: KnownFields,
): readonly { entity: 'person' | 'organization'; name: string }[] {
  const found: { entity: 'person' | 'organization'; name: string }[] = [];
  resolveNames(filters, known, {
    onName: (entity, name) => {
      if (entity === 'person' || entity === 'organization') found.push({ entity, name });
    },
  });
  return found;
}

/** Problems have their path from the rule on. */
export function resolveNames(
  filters: GivenFilters,
  known: KnownFields,
  { onName = () => undefined, isSettled = () => false }: NamingOptions = {},
): ResolvedFilters {
  const scene: Scene = { known, problems: [], inDoubt: new Set(), onName, isSettled };
  const { conditions, fields, pipelineIds, stageIds, fromStageIds, ownerIds, ...rest } = filters;
  const lists = Object.fromEntries(
    ID_FILTERS.flatMap(([filter, entity]) => {
      const list = filters[filter];
      return list === undefined
        ? []
        : [[filter, list.flatMap((item, at) => idOf(item, entity, `filters.${filter}.${at}`, scene))]];
    }),
  );
  const resolved = {
    ...{ ...rest, ...lists },
    ...(fields === undefined ? {} : { fields: fields.map((field, at) => keyOf(field, `filters.fields.${at}`, scene)) }),
    ...(conditions === undefined ? {} : { conditions: resolveTree(conditions, 'filters.conditions', scene) }),
  };
  return { filters: resolved, problems: scene.problems, inDoubt: [...scene.inDoubt] };
}

interface Scene {
  readonly known: KnownFields;
  readonly problems: FieldError[];
  readonly inDoubt: Set<ReferenceEntity>;
  readonly onName: (entity: ReferenceEntity, name: string) => void;
  readonly isSettled: (text: string) => boolean;
}

/** Ids of filters stay bare numbers. */
function idOf(item: number | string, entity: ReferenceEntity, path: string, scene: Scene): readonly number[] {
  if (typeof item === 'number') return [item];
  const choice = chosen({ entity, choices: scene.known.choices.get(entity) ?? null, what: entity }, item, path, scene);
  return choice === null ? [] : [Number(choice.id)];
}

function keyOf(given: string, path: string, scene: Scene): string {
  const found = findField(scene.known, given);
  if ('field' in found) return found.field.key;
  scene.inDoubt.add(fieldEntityOf(scene.known.entity));
  scene.problems.push({ path, message: found.problem });
  return given;
}

function resolveTree(tree: ConditionTree, path: string, scene: Scene): ConditionTree {
  if (isCondition(tree)) return resolveOne(tree, path, scene);
  if ('all' in tree) return { all: tree.all.map((node, at) => resolveTree(node, `${path}.all.${at}`, scene)) };
  if ('any' in tree) return { any: tree.any.map((node, at) => resolveTree(node, `${path}.any.${at}`, scene)) };
  const { not } = tree;
  if (isOne(not)) return { not: resolveTree(not, `${path}.not`, scene) };
  return { not: not.map((node, at) => resolveTree(node, `${path}.not.${at}`, scene)) };
}

function isOne(not: ConditionTree | readonly ConditionTree[]): not is ConditionTree {
  return !Array.isArray(not);
}

function resolveOne(condition: Condition, path: string, scene: Scene): Condition {
  const found = findField(scene.known, condition.field);
  if (!('field' in found)) {
    scene.inDoubt.add(fieldEntityOf(scene.known.entity));
    scene.problems.push({ path: `${path}.field`, message: found.problem });
    return condition;
  }
  const { field } = found;
  const problem = changeOfEvent(field, condition) ?? operatorProblem(field.name, field.type, condition.op);
  if (problem !== null) {
    scene.problems.push({ path: `${path}.op`, message: problem });
    return { ...condition, field: field.key };
  }
  const value = valueProblem(field.name, field.type, condition);
  if (value !== null) {
    const at = value.at === null ? '' : `.${value.at}`;
    scene.problems.push({ path: `${path}.value${at}`, message: value.message });
  }
  return withNamedValue({ ...condition, field: field.key }, field, path, scene);
}

const ON_CHANGES: ReadonlySet<string> = new Set(['changed', 'changedTo', 'changedFrom', 'increasedBy', 'decreasedBy']);

function changeOfEvent({ key, name }: Field, { op }: Condition): string | null {
  if (!Object.hasOwn(EVENT_FIELDS, key) || !ON_CHANGES.has(op)) return null;
  return `“${op}” cannot be asked of “${name}”: it tells of the event itself, which has no value before`;
}

/** Names that stand where an id is expected become `{id, name}`; ids stay as they were written. */
function withNamedValue(condition: Condition, field: Field, path: string, scene: Scene): Condition {
  if (!isNaming(condition.op) || (field.type !== 'choice' && field.type !== 'choices' && field.choices === null))
    return condition;
  const resolve = <Value>(value: Value, place: string): Value | NamedValue => {
    if (typeof value !== 'string' || value === '') return value;
    const what = field.entity ?? 'option';
    const choice = chosen({ entity: field.entity, choices: field.choices, what, field: field.name }, value, place, scene);
    if (choice === null || choice.id === value) return value;
    return choice.id === choice.name ? choice.id : { id: numbered(choice.id), name: choice.name };
  };
  switch (condition.op) {
    case 'is':
    case 'isNot':
      return { ...condition, value: resolve(condition.value, `${path}.value`) };
    case 'includes':
      return { ...condition, value: resolve(condition.value, `${path}.value`) };
    case 'in':
    case 'notIn':
    case 'includesAny':
    case 'includesAll':
    case 'includesNone':
      return { ...condition, value: condition.value.map((item, at) => resolve(item, `${path}.value.${at}`)) };
    case 'changedTo':
    case 'changedFrom':
      return Array.isArray(condition.value)
        ? { ...condition, value: condition.value.map((item, at) => resolve(item, `${path}.value.${at}`)) }
        : { ...condition, value: resolve(condition.value, `${path}.value`) };
    default:
      return condition;
  }
}

/** One of Pipedrive's own words, or an id with its name. */
type NamedValue = string | { readonly id: number | string; readonly name: string };

const numbered = (id: string): number | string => (/^\d{1,15}$/.test(id) ? Number(id) : id);

interface Asked {
  readonly entity: ReferenceEntity | null;
  readonly choices: readonly Choice[] | null;
  /** What is looked for, as it is called. */
  readonly what: string;
  readonly field?: string;
}

/** The one of this id or name. Null with a problem when there is none or are several; an id that is not known stays as it is. */
function chosen({ entity, choices, what, field }: Asked, given: string, path: string, scene: Scene): Choice | null {
  const asIs = { id: given, name: given, beside: null };
  const known = choices ?? [];
  if (known.some(({ id }) => id === given) || scene.isSettled(given)) return asIs;
  const named = known.filter((choice) => isNamed(choice, given));
  const [first, second] = named;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined && (isId(given) || (entity === 'activityType' && isKey(given)))) return asIs;
  if (first === undefined) scene.inDoubt.add(entity ?? fieldEntityOf(scene.known.entity));
  if (entity !== null) scene.onName(entity, given);
  const place = field === undefined ? '' : ` for “${field}”`;
  const words = WHAT_WORDS[what] ?? what;
  const message =
    first !== undefined
      ? `There are several ${words}s called “${given}”: say which by the id, ${named.map(choiceWords).join(' or ')}.`
      : choices === null
        ? `The ${words}s of this company could not be read, so “${given}” cannot be looked up${place}: give the id, or try again later.`
        : `There is no ${words} called “${given}”${place}.${nearest(
            given,
            known.map(({ name }) => name),
          )}`;
  scene.problems.push({ path, message });
  return null;
}

const WHAT_WORDS: Readonly<Record<string, string>> = { leadLabel: 'label', activityType: 'activity type' };

/** Types of activity go by keys: which of them there are is for the check of references. */
const isKey = (text: string): boolean => /^[a-z][a-z0-9_]*$/.test(text);

/** A number, a lead's or label's UUID. */
const isId = (text: string): boolean => /^\d{1,15}$/.test(text) || /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);

/** By name, by what stands beside it where that is unique (an e-mail address), or by both: "Sales / Proposal". */
function isNamed({ name, beside }: Choice, given: string): boolean {
  if (isSameName(name, given)) return true;
  return beside !== null && (isSameName(`${beside} / ${name}`, given) || (beside.includes('@') && isSameName(beside, given)));
}

const choiceWords = ({ id, beside }: Choice): string => (beside === null ? id : `${id} (${beside})`);
