/**
 * What became of a record after a change that the same message tells: groups are by kind of change, and so do not say which came last. Pure.
 */

import type { EventType, RecordChange } from '../core/transition';
import type { ChangeGroup } from './group-changes';

/** By change: the kinds of what the message tells of the same record and happened later, the last one last. What ended it is not in it. */
export type Afterwards = ReadonlyMap<RecordChange, readonly EventType[]>;

/** Changes of one moment are one edit: none of them came after another. */
export function afterwardsOf(groups: readonly ChangeGroup[]): Afterwards {
  const records = new Map<string, RecordChange[]>();
  for (const change of groups.flatMap(({ changes }) => changes)) {
    const key = `${change.entity}/${change.entityId}`;
    const record = records.get(key);
    if (record === undefined) records.set(key, [change]);
    else record.push(change);
  }
  const several = [...records.values()].filter((changes) => changes.length > 1).map(inOrder);
  const entries = several.flatMap((changes) => changes.map((change) => [change, laterThan(change, changes)] as const));
  return new Map(entries.filter(([, types]) => types.length > 0));
}

function inOrder(changes: readonly RecordChange[]): readonly RecordChange[] {
  return changes.toSorted((left, right) => left.occurredAt.getTime() - right.occurredAt.getTime());
}

/** Of several of one kind, as edits of different fields, the last counts. */
function laterThan({ occurredAt, transition }: RecordChange, changes: readonly RecordChange[]): readonly EventType[] {
  const types = changes
    .filter((other) => other.occurredAt > occurredAt && other.transition.announcement === undefined)
    .map((other) => other.transition.type)
    .filter((type) => type !== transition.type);
  return [...new Set(types.toReversed())].toReversed();
}
