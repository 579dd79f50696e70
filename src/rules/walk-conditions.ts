/** Every single condition in a rule's condition tree, with the path at which it stands. Pure; what is no condition is passed over. */

import { isObject } from '../core/record';

export interface PlacedCondition {
  /** Dot-separated, from the rule on: `filters.conditions.all.0`. */
  readonly path: string;
  readonly field: string;
  readonly op: string;
  readonly value: unknown;
}

/** Works on trees as they lie in the database, so that a rule of an older grammar can be looked at too. */
export function conditionsOf(tree: unknown, path: string = 'filters.conditions'): readonly PlacedCondition[] {
  if (!isObject(tree)) return [];
  const { field, op } = tree;
  if (typeof field === 'string' && typeof op === 'string') return [{ path, field, op, value: tree['value'] }];
  return ['all', 'any', 'not'].flatMap((group) => {
    const branch = tree[group];
    if (Array.isArray(branch)) return branch.flatMap((node: unknown, at) => conditionsOf(node, `${path}.${group}.${at}`));
    return conditionsOf(branch, `${path}.${group}`);
  });
}
