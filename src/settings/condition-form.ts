/** A rule's conditions as a form has them: a tree of groups and lines whose values are texts; both ways, without losing anything. Pure. */

import { isCondition, type ConditionTree } from '../core/condition';
import { isObject } from '../core/record';
import type { KnownFields } from '../rules/field-catalogue';
import { inputOf, isListOf, LABEL_FIELD, readValue, writeValue } from './condition-value';
import type { FormValues } from './form-values';

export const JOINS = ['all', 'any', 'not'] as const;
export type Join = (typeof JOINS)[number];

export interface ConditionLine {
  readonly kind: 'line';
  readonly field: string;
  readonly op: string;
  readonly values: readonly string[];
  /** What the values count: a currency, percent, days ago. */
  readonly unit: string;
  /** The condition as it is, where the form has no way to show it; kept untouched. */
  readonly raw: string | null;
}
export interface ConditionGroup {
  readonly kind: 'group';
  readonly join: Join;
  readonly items: readonly ConditionNode[];
}
export type ConditionNode = ConditionLine | ConditionGroup;

/** The path of the outermost group; `r.1.0` is the first of its second. */
export const ROOT = 'r';
export const NO_CONDITIONS: ConditionGroup = { kind: 'group', join: 'all', items: [] };
export const NEW_LINE: ConditionLine = { kind: 'line', field: '', op: 'is', values: [], unit: '', raw: null };

/** The outermost is a group always. */
export function conditionsToForm(tree: ConditionTree | undefined, known: KnownFields): ConditionGroup {
  if (tree === undefined) return NO_CONDITIONS;
  const node = nodeOf(tree, known);
  return node.kind === 'group' ? node : { ...NO_CONDITIONS, items: [node] };
}

function nodeOf(tree: ConditionTree, known: KnownFields): ConditionNode {
  if (isCondition(tree)) {
    const { field, op, value } = tree;
    const read = readValue(known, field, op, value);
    const line = { ...NEW_LINE, field };
    return read === null ? { ...line, op, raw: JSON.stringify(tree) } : { ...line, ...read };
  }
  const group = (join: Join, trees: readonly ConditionTree[]): ConditionGroup => {
    return { kind: 'group', join, items: trees.map((item) => nodeOf(item, known)) };
  };
  if ('all' in tree) return group('all', tree.all);
  if ('any' in tree) return group('any', tree.any);
  return group('not', isListOf(tree.not) ? tree.not : [tree.not]);
}

/** Where the list of labels stands, among the places of conditions. */
export const LABELS = 'labels';

/** Labels have a list of their own in the form: the first condition of all, where it asks for any of them. */
export function takeLabels(root: ConditionGroup): { readonly labels: readonly string[]; readonly rest: ConditionGroup } {
  const [first, ...items] = root.items;
  const isLabels = first?.kind === 'line' && first.field === LABEL_FIELD && first.op === 'includesAny' && first.raw === null;
  return root.join === 'all' && isLabels ? { labels: first.values, rest: { ...root, items } } : { labels: [], rest: root };
}

export interface WrittenConditions {
  /** As the API takes it; undefined when there is none. */
  readonly tree: object | undefined;
  /** The API's path of each node to the form's. */
  readonly places: ReadonlyMap<string, string>;
}

/** Groups that are empty say nothing and are left out. */
export function conditionsOfForm(root: ConditionGroup, known: KnownFields, labels: readonly string[] = []): WrittenConditions {
  if (labels.length === 0) return writtenAt('filters.conditions', root, known);
  const line = { ...NEW_LINE, field: LABEL_FIELD, op: 'includesAny', values: labels };
  // Into the group of all, or before the one that is something else.
  const isJoined = root.join === 'all';
  const rest = isJoined ? root.items : [root];
  const places = new Map([['filters.conditions.all.0', LABELS]]);
  const all: object[] = [lineOf(line, known)];
  rest.forEach((item, index) => {
    const written = writtenAt(`filters.conditions.all.${all.length}`, item, known, isJoined ? `${ROOT}.${index}` : ROOT);
    for (const [apiPath, formPath] of written.places) places.set(apiPath, formPath);
    if (written.tree !== undefined) all.push(written.tree);
  });
  return { tree: { all }, places };
}

function writtenAt(path: string, node: ConditionNode, known: KnownFields, formPath = ROOT): WrittenConditions {
  const places = new Map<string, string>();
  const write = (item: ConditionNode, apiPath: string, at: string): object | undefined => {
    places.set(apiPath, at);
    if (item.kind === 'line') return lineOf(item, known);
    const written: object[] = [];
    item.items.forEach((inner, index) => {
      const made = write(inner, `${apiPath}.${item.join}.${written.length}`, `${at}.${index}`);
      if (made !== undefined) written.push(made);
    });
    return written.length === 0 ? undefined : { [item.join]: written };
  };
  return { tree: write(node, path, formPath), places };
}

function lineOf({ field, op, values, unit, raw }: ConditionLine, known: KnownFields): object {
  const kept: unknown = raw === null ? null : parsed(raw);
  if (isObject(kept)) return kept;
  return { field, ...writeValue(known, field, op, values, unit) };
}

/** A hidden field may come back as anything. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no condition: the API says so.
    return null;
  }
}

/** Reads what was filled in: `node` lists the paths in order, `join:PATH` makes one a group. */
export function readConditions(form: FormValues): ConditionGroup {
  const paths = form.all('node').filter((path) => /^r(\.\d{1,3}){0,7}$/.test(path));
  const childrenOf = (parent: string) => paths.filter((path) => path.slice(0, path.lastIndexOf('.')) === parent);
  const read = (path: string): ConditionNode => {
    const join = JOINS.find((known) => known === form.text(`join:${path}`));
    if (join !== undefined) return { kind: 'group', join, items: childrenOf(path).map(read) };
    return {
      kind: 'line',
      field: form.text(`field:${path}`),
      op: form.text(`op:${path}`) || 'is',
      values: form.all(`value:${path}`),
      unit: form.text(`unit:${path}`),
      raw: form.optional(`raw:${path}`),
    };
  };
  const root = read(ROOT);
  return root.kind === 'group' ? root : NO_CONDITIONS;
}

/** What a button of the form asks: `line:r`, `group:r.1`, `remove:r.0`, `field:r` (a line on `field`); anything else changes nothing. */
export function changeConditions(root: ConditionGroup, asked: string, field = ''): ConditionGroup {
  const [what = '', path = ''] = asked.split(':');
  const steps = path.split('.').slice(1).map(Number);
  if (what === 'line') return changedAt(root, steps, (group) => [...group.items, NEW_LINE]);
  if (what === 'field') return field === '' ? root : changedAt(root, steps, (group) => [...group.items, { ...NEW_LINE, field }]);
  if (what === 'group') {
    const inner: ConditionGroup = { kind: 'group', join: 'any', items: [NEW_LINE] };
    return changedAt(root, steps, (group) => [...group.items, inner]);
  }
  const last = steps.at(-1);
  if (what !== 'remove' || last === undefined) return root;
  return changedAt(root, steps.slice(0, -1), (group) => group.items.filter((_, index) => index !== last));
}

function changedAt(
  group: ConditionGroup,
  [step, ...rest]: readonly number[],
  change: (group: ConditionGroup) => readonly ConditionNode[],
): ConditionGroup {
  if (step === undefined) return { ...group, items: change(group) };
  return {
    ...group,
    items: group.items.map((item, index) => (index === step && item.kind === 'group' ? changedAt(item, rest, change) : item)),
  };
}

/** A field or operator that was changed keeps only what still fits. */
export function tidied(root: ConditionGroup, known: KnownFields): ConditionGroup {
  const tidy = (node: ConditionNode): ConditionNode => {
    if (node.kind === 'group') return { ...node, items: node.items.map(tidy) };
    if (node.raw !== null || node.field === '') return node;
    const { op, isKnownValue } = inputOf(known, node.field, node.op);
    return { ...node, op, values: node.values.filter(isKnownValue) };
  };
  return { ...root, items: root.items.map(tidy) };
}
