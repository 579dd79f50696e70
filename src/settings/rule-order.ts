/** The order of rules: which get another position when one moves. Pure. */

export interface PlacedRule {
  readonly id: number;
  readonly position: number;
}

/** The rules in the wanted order; those that it does not name stay behind, in the order that they have. */
export function inOrder<Rule extends PlacedRule>(rules: readonly Rule[], wanted: readonly number[]): readonly Rule[] {
  const named = [...new Set(wanted)].flatMap((id) => rules.find((rule) => rule.id === id) ?? []);
  return [...named, ...rules.filter((rule) => !named.includes(rule))];
}

/** The order in which one has moved by a place; the same when it is at that end. */
export function moved<Rule extends PlacedRule>(rules: readonly Rule[], id: number, way: 'up' | 'down'): readonly Rule[] {
  const at = rules.findIndex((rule) => rule.id === id);
  const to = way === 'up' ? at - 1 : at + 1;
  const [rule, other] = [rules[at], rules[to]];
  return rule === undefined || other === undefined ? rules : rules.with(at, other).with(to, rule);
}

/** What has to be written: as few as can be, where the positions that there are serve, else all of them anew. */
export function newPositions(ordered: readonly PlacedRule[]): readonly PlacedRule[] {
  const sorted = ordered.map(({ position }) => position).sort((a, b) => a - b);
  const isDistinct = new Set(sorted).size === sorted.length;
  return ordered.flatMap(({ id, position }, index) => {
    const next = isDistinct ? (sorted[index] ?? index) : index + 1;
    return next === position ? [] : [{ id, position: next }];
  });
}
